import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, expect, test } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const bench = (...words: string[]) => runProgram(process.execPath, ["--conditions=@latchkey/source", main, ...words]);
const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("--filter and --json give the rows that match, in the shape of result files", async () => {
  const file = join(folder, "results.json");
  expect(await bench("--smoke", "--filter", "crypto/verify/p256/node", "--json", file)).toMatchObject({ code: 0 });
  const written = JSON.parse(readFileSync(file, "utf8"));
  expect(Object.keys(written)).toEqual(["machine", "node", "revision", "date", "results"]);
  expect(written.results).toEqual([
    {
      scenario: "crypto/verify/p256/node",
      subject: "@latchkey/crypto",
      opsPerSecond: expect.any(Number),
      spread: expect.any(Number),
      bytesPerOperation: expect.any(Number),
      peer: "bare",
      peerOpsPerSecond: expect.any(Number),
      ratio: expect.any(Number),
    },
  ]);
});

test("a filter that matches nothing is an error that lists what there is", async () => {
  const { code, stderr } = await bench("--filter", "no/such/scenario");
  expect(code).toBe(1);
  expect(stderr).toContain("crypto/verify/p256/node");
});
