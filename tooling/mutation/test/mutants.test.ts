import { describe, expect, it } from "vitest";
import { mutantsOf, withMutant } from "../src/mutants.ts";

function changes(source: string): string[] {
  return mutantsOf("src/x.ts", source).map((mutant) => withMutant(source, mutant));
}

describe("mutants", () => {
  it.each([
    ["a < b;", ["a <= b;"]],
    ["x = a && b;", ["x = a || b;"]],
    ["if (a) b = 1;", ["if (!(a)) b = 1;", "if (a) ;"]],
    ["const é = '🍕' === a;", ["const é = '🍕' !== a;"]],
    ["const x = !a ? 1 : 2;", ["const x = (a) ? 1 : 2;"]],
    ["const x = true;", ["const x = false;"]],
    ["for (;;) { if (f()) break; }", ["for (;;) { if (!(f())) break; }", "for (;;) { if (f()) ; }"]],
    ["const x = a /* - */ - b;", ["const x = a /* - */ + b;"]],
    ["function f() { return a; }", ["function f() { return undefined; }"]],
    // Without a change nothing could notice it.
    ["function f() { return undefined; }", []],
    ["const x = (a as number) > 1;", ["const x = (a as number) >= 1;"]],
  ])("of %s", (source, expected) => {
    expect(changes(source).filter((change) => change !== ";")).toEqual(expected);
  });

  it("leave types, imports and texts alone", () => {
    expect(changes('import { a } from "a";\ntype B = true | false;\nconst c = "d" as const;\n')).toEqual([]);
  });

  it("know their line", () => {
    expect(mutantsOf("src/x.ts", "\n\nconst x = a < b;\n")).toMatchObject([{ line: 3, change: "< becomes <=" }]);
  });

  it("of a source that does not parse are refused", () => {
    expect(() => mutantsOf("src/x.ts", "const = ;")).toThrow(SyntaxError);
  });
});
