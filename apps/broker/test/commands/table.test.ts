import { afterEach, expect, test, vi } from "vitest";
import { printFields, printTable } from "../../src/commands/table.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** What `body` prints on standard output. */
function printed(body: () => void): string {
  const texts: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => texts.push(String(text)) > 0);
  body();
  return texts.join("");
}

test("columns are as wide as their longest text", () => {
  const rows = [
    ["a", "long text"],
    ["longer", "b"],
  ] as const;
  const text = printed(() => {
    printTable(
      rows,
      [
        ["ONE", ([one]) => one],
        ["TWO", ([, two]) => two],
      ],
      "nothing",
    );
  });
  expect(text).toBe("ONE     TWO\na       long text\nlonger  b\n");
  expect(
    printed(() =>
      printFields([
        ["name", "x"],
        ["n", "y"],
        ["left out", ""],
      ]),
    ),
  ).toBe("name  x\nn     y\n");
});

test("a table has as many rows as a large registry has certificates", () => {
  const rows = Array.from({ length: 200_000 }, (_, index) => index);
  const text = printed(() => printTable(rows, [["N", String]], "nothing"));
  expect(text.endsWith("\n199999\n")).toBe(true);
});

test("control characters are not printed", () => {
  const text = printed(() => printTable(["\u001b[31mred"], [["NAME", (row) => row]], "nothing"));
  expect(text).toBe("NAME\n\ufffd[31mred\n");
});
