import { expect, test, vi } from "vitest";
import { makeRepository, oneTest, workspace } from "./fixture-repository.ts";

vi.setConfig({ testTimeout: 300_000 });

const closing = /; waiting for changes/u;

function repository(): ReturnType<typeof makeRepository> {
  return makeRepository({
    ...workspace("one", oneTest("counts", "expect(1).toBe(1);")),
    "packages/one/src/one.ts": "export const one = 1;\n",
    ...workspace("two", oneTest("adds", "expect(2).toBe(2);"), ["one"]),
    ...workspace("alone", oneTest("stands", "expect(3).toBe(3);")),
  });
}

test("dev goes on after a red test, reruns what an edit touches, and closes each round with one line", async () => {
  using fixture = repository();
  const dev = fixture.start(["dev.ts"]);
  expect(await dev.until(closing)).toMatch(/3 tests passed, 0 failed, 0 skipped; tasks run: 3; waiting for changes$/u);

  fixture.write({ "packages/two/test/two.test.ts": oneTest("adds", "expect(2).toBe(22);") });
  const red = await dev.until(closing);
  expect(red).toContain("expected 2 to be 22");
  expect(red).toContain("failed: packages/two: adds\n");
  expect(red).toMatch(/2 tests passed, 1 failed, 0 skipped; failed tasks: @latchkey\/two#test; waiting for changes$/u);
  expect(red).not.toContain("@latchkey/one");
  expect(red.match(/waiting/gu)).toHaveLength(1);

  fixture.write({ "packages/two/test/two.test.ts": oneTest("adds", "expect(2).toBe(2);\n") });
  // Under load the system may tell of the edit once more, and the round begins again.
  expect(await dev.until(closing)).toMatch(
    /^(?:@latchkey\/two#test\nedited during .*\n)?@latchkey\/two#test\n3 tests passed, 0 failed, 0 skipped; tasks run: 1;/u,
  );

  fixture.write({ "packages/one/src/one.ts": "export const one = 1.0;\n" });
  const above = await dev.until(closing);
  expect(above).toContain("@latchkey/one#test\n");
  expect(above).toContain("@latchkey/two#test\n");
  expect(above).not.toContain("alone");

  dev.interrupt();
  expect(await dev.ended).toMatchObject({ status: 0 });
});

test("dev starts a round again when a file changes under it", async () => {
  using fixture = repository();
  // Ends only when the second file is there.
  const waits = "while (!existsSync(new URL('../src/more.ts', import.meta.url))) await new Promise(setImmediate);";
  fixture.write({
    "packages/one/test/one.test.ts":
      `import { existsSync } from "node:fs";\nimport { test } from "vitest";\n` +
      `test("waits", async () => {\n  ${waits}\n});\n`,
  });
  const dev = fixture.start(["dev.ts"]);
  await dev.until(/@latchkey\/one#test/u);
  fixture.write({ "packages/one/src/more.ts": "export const more = 2;\n" });
  const printed = await dev.until(closing);
  expect(printed).toContain("edited during the round, which starts again\n");
  expect(printed).toMatch(/3 tests passed, 0 failed, 0 skipped;/u);
  dev.interrupt();
  await dev.ended;
});

test("dev with the name of an app runs it; of another it says what can be run", async () => {
  using fixture = makeRepository({
    "apps/served/package.json": JSON.stringify({
      name: "@latchkey/served",
      version: "0.0.0",
      scripts: { dev: "echo ready; exec sleep 100" },
    }),
    "apps/pressed/package.json": JSON.stringify({ name: "@latchkey/pressed", version: "0.0.0", scripts: {} }),
    "package.json": JSON.stringify({
      name: "fixture",
      private: true,
      workspaces: ["apps/*", "tooling/*"],
      packageManager: "npm@11.19.1",
    }),
  });
  for (const name of ["pressed", "none"]) {
    const { status, output } = await fixture.start(["dev.ts", name]).ended;
    expect(status).toBe(2);
    expect(output).toContain(`apps/${name} is not an app that keeps running`);
    expect(output).toContain("npm run dev -- APP runs one and restarts it: served.");
  }
  const served = fixture.start(["dev.ts", "served"]);
  await served.until(/served:dev: ready/u);
  served.interrupt();
  await served.ended;
});
