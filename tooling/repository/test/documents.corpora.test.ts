import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { makeRepository, type FixtureRepository } from "./fixture-repository.ts";

vi.setConfig({ testTimeout: 300_000 });

const links = "[1](../../README.md) [2](../../ARCHITECTURE.md) [3](../../SECURITY.md)";
const fence = "```";

/** A built package `one`, whose README has an example; and the documents at the root. */
function repository(example: string): FixtureRepository {
  const fixture = makeRepository({
    "README.md": "# Latchkey\n",
    "ARCHITECTURE.md": "# Architecture\n\n## Who may import whom\n",
    "SECURITY.md": "# Security\n",
    "packages/one/package.json": JSON.stringify({
      name: "@latchkey/one",
      version: "0.0.0",
      type: "module",
      exports: {
        ".": { "@latchkey/source": "./src/index.ts", types: "./dist/index.d.ts", default: "./dist/index.js" },
        "./package.json": "./package.json",
      },
      engines: { node: ">=22.12" },
    }),
    "packages/one/src/index.ts": "export const one: number = 1;\n",
    "packages/one/README.md": `npm install @latchkey/one\n\n${links}\n\n${fence}ts runnable\n${example}\n${fence}\n`,
  });
  fixture.write({
    "packages/one/dist/index.js": "export const one = 1;\n",
    "packages/one/dist/index.d.ts": "export declare const one: number;\n",
  });
  symlinkSync(join(fixture.root, "packages/one"), join(fixture.root, "node_modules/@latchkey/one"));
  fixture.link("tooling/consumer");
  return fixture;
}

async function check(fixture: FixtureRepository): Promise<{ status: number | null; output: string }> {
  return fixture.start(["documents.ts"]).ended;
}

const good = 'import { one } from "@latchkey/one";\nif (one !== 1) throw new Error("not one");';

test("links that lead somewhere and an example that works pass", async () => {
  using fixture = repository(good);
  fixture.rewrite("README.md", (text) => `${text}\n[rules](ARCHITECTURE.md#who-may-import-whom) [src](packages/one)\n`);
  expect(await check(fixture)).toEqual({ status: 0, output: "5 links, 1 examples, 0 problems\n" });
  // Nothing of the check is left.
  for (const folder of [".examples", "packages/one/.examples"])
    expect(existsSync(join(fixture.root, folder))).toBe(false);
});

test("each fault of a document, an example or a declaration is a problem of its own", async () => {
  using fixture = repository('import { one } from "@latchkey/one";\nif (one === 1) throw new Error("it is one");');
  fixture.rewrite("README.md", (text) => `${text}\n[a](NOTHING.md) [b](ARCHITECTURE.md#nothing) \`[c](code.md)\`\n`);
  fixture.rewrite("packages/one/README.md", (text) =>
    text
      .replace("npm install @latchkey/one", "")
      .replace("[3](../../SECURITY.md)", "")
      .concat(
        `\n${fence}ts runnable\nimport { one } from "@latchkey/one";\nconst text: string = one;\nvoid text;\n${fence}\n`,
        `\n${fence}ts runnable\nif (!process.versions.node.startsWith("24.")) throw new Error("too old");\n${fence}\n`,
        `\n${fence}ts\nthrow new Error("not marked as runnable");\n${fence}\n`,
      ),
  );
  fixture.write({
    "packages/one/dist/index.d.ts": "export declare const one: number;\nexport type Two = Missing;\n",
  });
  const { status, output } = await check(fixture);
  expect(status).toBe(1);
  const lines = output.split("\n");
  expect(lines).toContain("README.md: no such file: NOTHING.md");
  expect(lines).toContain("README.md: no such heading: ARCHITECTURE.md#nothing");
  expect(lines).toContain("packages/one/README.md: no install line: npm install @latchkey/one");
  expect(lines).toContain("packages/one/README.md: no link to ../../SECURITY.md");
  // Here the first example throws, on our sources and on the lowest Node.
  expect(lines).toContain("packages/one/README.md:5: the example ended with 1");
  expect(output).toContain("Error: it is one");
  // A consumer's compiler refuses the second example, and a declaration that needs skipLibCheck.
  for (const name of ["5.7, nodenext", "5.7, bundler", "7.0, nodenext", "7.0, bundler"]) {
    expect(lines).toContain(`TypeScript ${name}:`);
  }
  expect(output.match(/packages-one-README\.10\.ts\(2,7\): error TS2322/gu)).toHaveLength(4);
  expect(output).toContain("error TS2304: Cannot find name 'Missing'");
  // The third is for a newer Node than the package promises.
  if (process.platform === "linux" && process.arch === "x64") {
    expect(lines).toContain("packages/one/README.md:16: on Node 22.12:");
    expect(output).toContain("Error: too old");
  }
  expect(output).not.toContain("not marked as runnable");
  expect(output).not.toContain("code.md");
});
