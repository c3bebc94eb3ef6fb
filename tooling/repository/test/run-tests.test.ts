import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { makeRepository, oneTest, workspace } from "./fixture-repository.ts";

vi.setConfig({ testTimeout: 300_000 });

const needsProgram =
  `import { findProgram } from "@latchkey/tooling-vitest/programs";\nimport { expect, test } from "vitest";\n` +
  `const { path, skipReason } = findProgram("nowhere");\n` +
  `test.skipIf(path === undefined)(path === undefined ? skipReason : "drives it", () => expect(path).toBeDefined());\n`;

test("npm test counts what passed, failed and was skipped, and names each reason and failure", async () => {
  using fixture = makeRepository({
    ...workspace("good", oneTest("adds", "expect(1).toBe(1);")),
    ...workspace("bad", oneTest("subtracts", "expect(1).toBe(2);")),
    ...workspace("broken", "throw new Error('no test comes of this');\n"),
  });
  const { status, output } = await fixture.start(["run-tests.ts", "test"]).ended;
  expect(status).toBe(1);
  expect(output).toContain("failed: packages/bad: subtracts\n    AssertionError: expected 1 to be 2");
  expect(output).toContain("failed: packages/broken/test/broken.test.ts: no tests\n");
  expect(output.trimEnd().split("\n").at(-1)).toBe("1 passed, 2 failed, 0 skipped");
});

test("a test that passes only when it is tried again counts as passed, and is named", async () => {
  const body = "globalThis.tries = (globalThis.tries ?? 0) + 1;\n  expect(globalThis.tries).toBe(2);";
  using fixture = makeRepository(workspace("one", oneTest("hesitates", body)));
  const once = await fixture.start(["run-tests.ts", "test"], { LATCHKEY_TEST_RETRIES: "0" }).ended;
  expect(once.output).toContain("failed: packages/one: hesitates\n");
  const twice = await fixture.start(["run-tests.ts", "test"], { LATCHKEY_TEST_RETRIES: "1" }).ended;
  expect(twice.output).toContain("unsteady: packages/one: hesitates\n    AssertionError: expected 1 to be 2");
  expect(twice.output.trimEnd().split("\n").at(-1)).toBe("1 passed, 0 failed, 0 skipped");
  expect(twice.status).toBe(0);
});

test("a skip is replayed while the program is missing, and is no result any more when it is installed", async () => {
  using fixture = makeRepository(workspace("one", needsProgram));
  // The table of programs gets one that no machine has.
  const tools = join(fixture.root, "../tools");
  mkdirSync(tools);
  const environment = { PATH: `${process.env["PATH"]}:${tools}` };
  const run = async (): Promise<string> => (await fixture.start(["run-tests.ts", "test"], environment).ended).output;
  fixture.rewrite("tooling/vitest/src/programs.ts", (text) =>
    text.replace("const debianPackages = {\n", '$&  nowhere: "nowhere-bin",\n'),
  );

  const skip = "skipped 1: packages/one: nowhere is not installed: apt-get install nowhere-bin";
  for (const cache of ["cache miss", "cache hit"]) {
    const output = await run();
    expect(output).toContain(cache);
    expect(output).toContain(`${skip}\n0 passed, 0 failed, 1 skipped\n`);
  }
  writeFileSync(join(tools, "nowhere"), "#!/bin/sh\n", { mode: 0o755 });
  const installed = await run();
  expect(installed).toContain("cache miss");
  expect(installed).toContain("1 passed, 0 failed, 0 skipped\n");
});

test("turbo alone refuses to run tests, as it would keep a skip as a pass", async () => {
  using fixture = makeRepository(workspace("one", oneTest("adds", "expect(1).toBe(1);")));
  const { status, output } = await fixture.start(["turbo", "run", "test"]).ended;
  expect(status).toBe(1);
  expect(output).toContain("Run it as: npm test -- --filter=PACKAGE");
  // Without turbo nothing is kept.
  const alone = await fixture.start(["npm", "test", "-w", "@latchkey/one"]).ended;
  expect(alone.output).toContain("1 passed");
  expect(alone.status).toBe(0);
});

test("test:corpora runs again when a corpus changes, and says how many cases wait for the corpora", async () => {
  const corpusTest =
    `import { readLimboCases } from "@latchkey/tooling-vitest/limbo";\n` +
    `import { hasVectors } from "@latchkey/tooling-vitest/vectors";\n` +
    `import { expect, test } from "vitest";\n` +
    `test.skipIf(!hasVectors("limbo.json"))("reads", () => expect(readLimboCases()).toHaveLength(1));\n`;
  using fixture = makeRepository(workspace("one", oneTest("adds", "expect(1).toBe(1);")));
  fixture.write({ "packages/one/test/one.corpora.test.ts": corpusTest });
  const corpora = join(fixture.root, "../shared/vectors");
  const run = async (): Promise<string> => (await fixture.start(["run-tests.ts", "test:corpora"]).ended).output;
  const writeCases = (...ids: string[]): void =>
    writeFileSync(join(corpora, "limbo.json"), JSON.stringify({ testcases: ids.map((id) => ({ id })) }));

  const bare = await run();
  expect(bare).toContain("skipped 1: tests of corpora that are not here\n");
  expect(bare).toContain(
    "not run: 208 cases of x509-limbo, which is not in ../shared/vectors: npm run vectors -- --into",
  );
  expect(bare).toMatch(/not run: \d+ cases of Wycheproof.*\n.*\n.*\n0 passed, 0 failed, 1 skipped\n$/u);
  mkdirSync(corpora, { recursive: true });
  // One of them is not a case that tests ask for.
  writeCases("crl::certificate-not-on-crl", "bettertls::pathbuilding::tests::0");
  const whole = await run();
  expect(whole).not.toContain("x509-limbo");
  expect(whole).toMatch(/1 passed, 0 failed, 0 skipped\n$/u);
  writeCases("crl::certificate-not-on-crl", "crl::crlnumber-missing");
  expect(await run()).toMatch(/failed: packages\/one: reads\n(?: {4}.*\n)+0 passed, 1 failed, 0 skipped\n$/u);
  rmSync(corpora, { recursive: true });
  expect(await run()).toMatch(/0 passed, 0 failed, 1 skipped\n$/u);
});
