/** Many certificates at once: out of one data directory, into another, and what is seen of it meanwhile. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  CreatePolicyCommand,
  ListTargetsForPolicyCommand,
  ListThingPrincipalsCommand,
  paginateListCertificates,
} from "@aws-sdk/client-iot";
import { findProgram, runProgram, type Finished } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allowEverything, makeAuthority, makeCertificatePem } from "../control-plane/identities.ts";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const count = 300;
let source: RunningControlPlane;
let target: RunningControlPlane;
let scratch: string;
let lines: string;

beforeAll(async () => {
  [source, target] = await Promise.all([RunningControlPlane.start(), RunningControlPlane.start()]);
  scratch = mkdtempSync(join(tmpdir(), "latchkey-bulk-"));
  await createPolicy(source);
  const authority = makeAuthority("factory");
  lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      certificatePem: makeCertificatePem(authority, { commonName: `device ${index}` }),
      status: "ACTIVE",
      thingName: `thing-${index}`,
      policyNames: ["all"],
    }),
  ).join("\n");
});
afterAll(async () => {
  await Promise.all([source, target].map((plane) => plane[Symbol.asyncDispose]()));
  rmSync(scratch, { recursive: true });
});

const createPolicy = (plane: RunningControlPlane): Promise<unknown> =>
  plane.client().send(new CreatePolicyCommand({ policyName: "all", policyDocument: allowEverything }));
const words = ["--conditions=@latchkey/source", main, "certificate"];
const run = (...more: string[]): Promise<Finished> => runProgram(process.execPath, [...words, ...more]);
/** In a terminal of 80 columns. Everything it shows is the standard output. */
const inTerminal = (more: readonly string[], before = ""): Promise<Finished> => {
  const line = [process.execPath, ...words, ...more].map((word) => `'${word}'`).join(" ");
  return runProgram("/usr/bin/env", ["script", "-qec", `stty cols 80 rows 24; ${before} ${line}`, "/dev/null"]);
};

test("certificates go out of a broker's directory and into another with things and policies, while both run", async () => {
  const file = join(scratch, "first.jsonl");
  writeFileSync(file, lines);
  expect(await run("import", "--data", source.directory, "--file", file)).toEqual({
    code: 0,
    stdout: `${count} registered, 0 were registered already, 0 refused\n`,
    stderr: `importing ${file}\n`,
  });
  const exported = join(scratch, "exported.jsonl");
  expect(await run("export", "--data", source.directory, "--out", exported)).toEqual({
    code: 0,
    stdout: "",
    stderr: `exporting to ${exported}\n${count} certificates written\n`,
  });
  expect(statSync(exported).mode & 0o777).toBe(0o600);
  const again = await run("export", "--data", source.directory, "--out", exported);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/ERR_BROKER_USAGE: --out .*exists already/) });
  const nowhere = await run("export", "--data", source.directory, "--out", join(exported, "below-a-file"));
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringMatching(/ERR_BROKER_USAGE: --out .*ENOTDIR/) });
  const line = [process.execPath, ...words, "export", "--data", source.directory].map((word) => `'${word}'`).join(" ");
  const full = await runProgram("/bin/sh", ["-c", `${line} > /dev/full`]);
  expect(full.code).toBe(1);
  expect(full.stderr.split("\n")).toEqual([
    "exporting to standard output",
    expect.stringMatching(/^ERR_BROKER_OUTPUT: standard output cannot be written: ENOSPC/),
    "",
  ]);
  const piped = await run("export", "--data", source.directory);
  expect(piped.stdout).toBe(readFileSync(exported, "utf8"));

  // The other broker has no such policy: nothing of them is registered.
  const refused = await run("import", "--data", target.directory, "--file", exported, "--json");
  expect(refused).toMatchObject({ code: 1, stderr: "" });
  expect(JSON.parse(refused.stdout)).toMatchObject({ registered: 0, skipped: 0, refusedCount: count });
  await createPolicy(target);
  const imported = await run("import", "--data", target.directory, "--file", exported, "--json");
  expect(JSON.parse(imported.stdout)).toEqual({ registered: count, skipped: 0, refusedCount: 0, refused: [] });
  const { targets } = await target.client().send(new ListTargetsForPolicyCommand({ policyName: "all", pageSize: 250 }));
  expect(targets).toHaveLength(250);
  const { principals } = await target.client().send(new ListThingPrincipalsCommand({ thingName: "thing-7" }));
  expect(principals).toHaveLength(1);
  const list = async (plane: RunningControlPlane): Promise<readonly object[]> => {
    const all: object[] = [];
    const pages = paginateListCertificates({ client: plane.client(), pageSize: 250 }, { ascendingOrder: true });
    for await (const { certificates = [] } of pages) {
      all.push(...certificates.map(({ certificateId, status }) => ({ certificateId, status })));
    }
    return all;
  };
  expect(await list(target)).toEqual(await list(source));
});

test("refused lines are named as they stand in the file, and the others are registered", async () => {
  const [first = ""] = lines.split("\n");
  const { policyNames: _, ...own } = JSON.parse(first) as Record<string, unknown>;
  const fresh = JSON.stringify({ ...own, certificatePem: makeCertificatePem(makeAuthority("fresh")) });
  const file = join(scratch, "mixed.jsonl");
  writeFileSync(file, `\nnonsense\n\n{"certificatePem":"no PEM"}\n${fresh}\r\n`);
  const { code, stdout, stderr } = await run("import", "--data", source.directory, "--file", file);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "1 registered, 0 were registered already, 2 refused\n" });
  expect(stderr).toMatch(/^importing .*\nline 2: ERR_REGISTRY_INVALID: .*\nline 4: ERR_REGISTRY_CERTIFICATE: .*\n$/);
  for (const unreadable of [join(scratch, "missing"), scratch]) {
    const { code: failed, stderr: told } = await run("import", "--data", source.directory, "--file", unreadable);
    expect({ failed, told }).toEqual({
      failed: 1,
      told: expect.stringMatching(/^importing .*\nERR_BROKER_USAGE: --file cannot be read: .*\n$/),
    });
  }
});

describe("in a terminal", () => {
  const file = (): string => join(scratch, "terminal.jsonl");
  const import300 = async (...more: string[]): Promise<readonly string[]> => {
    writeFileSync(file(), lines);
    return ["import", "--data", source.directory, "--file", file(), ...more];
  };

  test("the file stands there, and the result under it", async ({ skip }) => {
    const program = findProgram("script");
    if (program.path === undefined) return skip(program.skipReason);
    const { code, stdout } = await inTerminal(await import300());
    expect(code).toBe(0);
    expect(stdout).toMatch(/importing .*terminal\.jsonl\r\n/);
    expect(stdout).toMatch(/0 registered, 300 were registered already, 0 refused\r\n/);
  });

  test("a refusal is said once", async ({ skip }) => {
    const program = findProgram("script");
    if (program.path === undefined) return skip(program.skipReason);
    const { code, stdout } = await inTerminal(["import", "--data", source.directory, "--file", "missing"]);
    expect(code).toBe(1);
    expect(stdout.match(/cannot be read/g)).toHaveLength(1);
    expect(stdout).toMatch(/ERR_BROKER_USAGE: --file cannot be read/);
  });

  test("nothing but JSON with --json, and no moving line where none can move", async ({ skip }) => {
    const program = findProgram("script");
    if (program.path === undefined) return skip(program.skipReason);
    const json = await inTerminal(await import300("--json"));
    expect(JSON.parse(json.stdout)).toEqual({ registered: 0, skipped: count, refusedCount: 0, refused: [] });
    const dumb = await inTerminal(await import300(), "TERM=dumb");
    expect(dumb.stdout).toBe(`importing ${file()}\r\n0 registered, 300 were registered already, 0 refused\r\n`);
  });
});
