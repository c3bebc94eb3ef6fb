import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { makeRepository, type FixtureRepository } from "./fixture-repository.ts";

vi.setConfig({ testTimeout: 300_000 });

const script = "../../docs/src/main.ts";

function repository(source: string): FixtureRepository {
  const fixture = makeRepository({
    "README.md": "# Latchkey\n",
    "packages/one/package.json": JSON.stringify({
      name: "@latchkey/one",
      version: "0.0.0",
      type: "module",
      exports: {
        ".": { "@latchkey/source": "./src/index.ts", default: "./dist/index.js" },
        "./package.json": "./package.json",
      },
    }),
    "packages/one/src/index.ts": source,
    // Of one package alone, typedoc makes no module.
    "packages/two/package.json": JSON.stringify({
      name: "@latchkey/two",
      version: "0.0.0",
      type: "module",
      exports: { ".": { "@latchkey/source": "./src/index.ts", default: "./dist/index.js" } },
    }),
    "packages/two/src/index.ts": "/** Two. */\nexport const two: number = 2;\n",
  });
  fixture.copy("tooling/docs/src");
  fixture.copy("tooling/docs/tsconfig.sources.json");
  fixture.link("tooling/docs/node_modules");
  return fixture;
}

const documented = "/** A lock. */\nexport interface Lock {\n  readonly key: string;\n}\n";

test("an exported name without a docstring fails, and is named", async () => {
  using fixture = repository(`${documented}export function open(lock: Lock): string {\n  return lock.key;\n}\n`);
  const { status, output } = await fixture.start([script, "--check"]).ended;
  expect(output).toBe("@latchkey/one.open has no docstring\n3 exported names, 1 problems\n");
  expect(status).toBe(1);
});

test("the pages are made of the docstrings; the check makes none", async () => {
  using fixture = repository(
    `${documented}/** Opens it. */\nexport function open(lock: Lock): string {\n  return lock.key;\n}\n`,
  );
  const check = await fixture.start([script, "--check"]).ended;
  expect(check).toEqual({ status: 0, output: "3 exported names, 0 problems\n" });
  expect(existsSync(join(fixture.root, "docs"))).toBe(false);
  const { status, output } = await fixture.start([script]).ended;
  expect(output).toBe("3 exported names, 0 problems, pages in docs/index.html\n");
  expect(status).toBe(0);
  expect(fixture.read("docs/functions/_latchkey_one.open.html")).toContain("Opens it.");
});

test("a link of a docstring to a name that is not there fails", async () => {
  using fixture = repository("/** See {@link nowhere}. */\nexport const one: number = 1;\n");
  const { status, output } = await fixture.start([script, "--check"]).ended;
  expect(output).toContain("nowhere");
  expect(status).toBe(1);
});
