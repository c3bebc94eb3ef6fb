/** The commands as a person types them, on a data directory that a broker has made. */

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeProvider } from "@latchkey/crypto/node";
import { defaultScope } from "@latchkey/registry";
import { findProgram, runProgram, startProgram, type Finished } from "@latchkey/tooling-vitest/programs";
import { certificateId, certificatesFromPem } from "@latchkey/x509";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openBrokerDirectory } from "../src/data-directory/data-directory.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const timeoutMs = 60_000;
// Each test runs several processes.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
let scratch: string;
let data: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-commands-"));
  data = join(scratch, "data");
  await (
    await openBrokerDirectory(data, { serverNames: [], scope: defaultScope, now: () => new Date() })
  )[Symbol.asyncDispose]();
  writeFileSync(join(scratch, "button.json"), policyDocument("topic/orders"));
  await latchkey("policy", "create", "--name", "button", "--document", join(scratch, "button.json"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

function policyDocument(resource: string): string {
  const arn = `arn:aws:iot:us-east-1:000000000000:${resource}`;
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "iot:Publish", Resource: arn }],
  });
}

function latchkey(command: string, sub: string, ...words: string[]): Promise<Finished> {
  const all = ["--conditions=@latchkey/source", main, command, sub, "--data", data, ...words];
  return runProgram(process.execPath, all, { timeoutMs });
}

let folders = 0;
const newFolder = (): string => join(scratch, `out-${folders++}`);

async function createDevice(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await latchkey("certificate", "create", "--out", newFolder(), ...words);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

describe("certificate create", () => {
  test("prints the identifier alone on standard output, and what was done on standard error", async () => {
    const out = newFolder();
    const words = ["--serial", "G030JF051111AAAA", "--policy", "button"];
    const { code, stdout, stderr } = await latchkey("certificate", "create", "--out", out, ...words);
    const [certificate] = certificatesFromPem(readFileSync(join(out, "certificate.pem"), "utf8"));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${certificate && certificateId(certificate, nodeProvider)}\n`,
    });
    expect(stderr).toContain(`private.key (keep it secret), root-ca.pem and endpoint.json are in ${out}`);
    expect(stderr).toContain("attached: button");
    expect((await latchkey("certificate", "list")).stdout).toMatch(
      new RegExp(`${stdout.trim()} +ACTIVE +serialNumber=G030JF051111AAAA`),
    );
  });

  test("without a policy says what follows and how to attach one", async () => {
    const { stdout, stderr } = await latchkey("certificate", "create", "--out", newFolder(), "--common-name", "lamp");
    expect(stderr).toContain("it has no policy, so the broker refuses all that it asks for");
    expect(stderr).toContain(`latchkey policy attach --name POLICY --certificate ${stdout.trim()}`);
  });

  test.each([
    [["--serial", "G030_JF"], /name cannot be written into a certificate: .*serialNumber/],
    [["--common-name", "x".repeat(70)], /--common-name has 70 characters: from 1 to 64 are possible/],
    [["--common-name="], /--common-name is empty/],
    [[], /the device needs a name: give --serial or --common-name/],
    [["--serial", "X", "--days", "0"], /--days "0" is not possible: it is a whole number from 1 to 36500/],
    [["--serial", "X", "--policy", "no-such"], /there is no policy "no-such": create it first with/],
  ])("with %j is refused, and leaves nothing behind", async (words, message) => {
    const out = newFolder();
    const before = await latchkey("certificate", "list");
    const { code, stdout, stderr } = await latchkey("certificate", "create", "--out", out, ...words);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^ERR_BROKER_USAGE: /m);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(out)).toBe(false);
    expect(await latchkey("certificate", "list")).toEqual(before);
  });

  test("into what is no folder names it, without a stack trace", async () => {
    const { code, stderr } = await latchkey("certificate", "create", "--out", "/dev/null", "--serial", "X");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ERR_BROKER_OUTPUT: the device's files cannot be written to \/dev\/null: /);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("with a serial number that another certificate has warns", async () => {
    const first = await createDevice("--serial", "G030JF052222BBBB");
    const { code, stderr } = await latchkey(
      "certificate",
      "create",
      "--out",
      newFolder(),
      "--serial",
      "G030JF052222BBBB",
    );
    expect(code).toBe(0);
    expect(stderr).toContain(`warning: certificate ${first} has the serial number G030JF052222BBBB, too`);
  });
});

describe("certificate register", () => {
  test("registers a certificate that an authority of the broker has signed, once", async () => {
    const out = newFolder();
    await latchkey("certificate", "create", "--out", out, "--serial", "G030JF053333CCCC");
    const again = await latchkey("certificate", "register", "--file", join(out, "certificate.pem"));
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/^ERR_REGISTRY_ALREADY_EXISTS: /);
    const other = join(scratch, "other");
    mkdirSync(other);
    // The same authority with an empty registry, as after the registry was lost.
    for (const file of ["device-ca.pem", "device-ca.key"]) cpSync(join(data, file), join(other, file));
    const options = { serverNames: [], scope: defaultScope, now: () => new Date() };
    await (await openBrokerDirectory(other, options))[Symbol.asyncDispose]();
    const words = ["certificate", "register", "--data", other, "--file", join(out, "certificate.pem")];
    const moved = await runProgram(process.execPath, ["--conditions=@latchkey/source", main, ...words], { timeoutMs });
    expect(moved).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/) });
  });

  test.each([
    ["a file that is not there", "/nowhere.pem", /--file cannot be read: ENOENT/],
    ["a certificate that no authority has signed", "server.pem", /was signed by none of the registered/],
    ["a key", "device-ca.key", /certificatePem cannot be read: /],
  ])("refuses %s", async (_, name, message) => {
    const file = name.startsWith("/") ? name : join(data, name);
    const { code, stderr } = await latchkey("certificate", "register", "--file", file);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^ERR_(BROKER_USAGE|REGISTRY_CERTIFICATE): /);
  });
});

describe("certificate status", () => {
  test("says what was and what is, and takes REVOKED for final unless forced", async () => {
    const id = await createDevice("--serial", "G030JF054444DDDD");
    const status = (...words: string[]): Promise<Finished> =>
      latchkey("certificate", "status", "--certificate", id, ...words);
    expect(await status("--to", "revoked")).toMatchObject({ code: 0, stdout: `${id} is REVOKED, was ACTIVE\n` });
    const refused = await status("--to", "ACTIVE");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("is REVOKED, which is meant to be final");
    expect(refused.stderr).toContain("add --force");
    expect(await status("--to", "REVOKED")).toMatchObject({ code: 0, stdout: `${id} is REVOKED already\n` });
    expect(await status("--to", "ACTIVE", "--force")).toMatchObject({
      code: 0,
      stdout: `${id} is ACTIVE, was REVOKED\n`,
    });
  });

  test("a status that there is not, and a certificate that there is not", async () => {
    const wrong = await latchkey("certificate", "status", "--certificate", "00", "--to", "ACTVE");
    expect(wrong.stderr).toContain(
      '--to "ACTVE" is not possible. Did you mean ACTIVE? Possible values: ACTIVE, INACTIVE, REVOKED.',
    );
    const unknown = await latchkey("certificate", "status", "--certificate", "0".repeat(64), "--to", "ACTIVE");
    expect(unknown.stderr).toBe(
      `ERR_REGISTRY_NOT_FOUND: there is no certificate "${"0".repeat(64)}": "latchkey certificate list" shows those that exist\n`,
    );
    const beginning = await latchkey("certificate", "status", "--certificate", "0000", "--to", "ACTIVE");
    expect(beginning.stderr).toBe(
      'ERR_BROKER_USAGE: no certificateId begins with 0000: "latchkey certificate list" shows those that exist\n',
    );
    const short = await latchkey("certificate", "status", "--certificate", "00", "--to", "ACTIVE");
    expect(short.stderr).toMatch(/^ERR_BROKER_USAGE: "00" is no certificateId: it is 64 hexadecimal digits/);
  });
});

describe("policy create", () => {
  test("refuses what no device could use, with its place, and stores it when forced", async () => {
    const file = join(scratch, "useless.json");
    writeFileSync(file, policyDocument("client/x"));
    const create = (...words: string[]): Promise<Finished> =>
      latchkey("policy", "create", "--name", "useless", "--document", file, ...words);
    const refused = await create();
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/useless\.json:1:\d+ error: /);
    expect(refused.stderr).toMatch(/^ERR_BROKER_USAGE: .*was not stored: .*or add --force/m);
    expect(await create("--force")).toMatchObject({ code: 0, stdout: "stored policy useless\n" });
  });

  test("refuses a condition that never holds, and stores one that holds without a match", async () => {
    const file = join(scratch, "condition.json");
    const create = (condition: object): Promise<Finished> => {
      const [statement] = (JSON.parse(policyDocument("topic/x")) as { Statement: object[] }).Statement;
      writeFileSync(
        file,
        JSON.stringify({ Version: "2012-10-17", Statement: [{ ...statement, Condition: condition }] }),
      );
      return latchkey("policy", "create", "--name", "condition", "--document", file);
    };
    const refused = await create({ Bool: { "iot:ClientId": "true" } });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("which Bool cannot compare; write StringEquals or StringLike");
    expect((await create({ StringEquals: { "iot:ClientId": [] } })).code).toBe(1);
    expect((await create({ NumericNotEquals: { "iot:ClientId": "1" } })).code).toBe(0);
  });

  test("refuses an ARN that is written wrong, and gives the right one", async () => {
    const file = join(scratch, "slip.json");
    writeFileSync(file, policyDocument("topic/x").replace("topic/x", "iot:topic/x"));
    const { code, stderr } = await latchkey("policy", "create", "--name", "slip", "--document", file);
    expect(code).toBe(1);
    expect(stderr).toMatch(/iot: stands in front of the resource as well.*\n?.*write arn:aws:iot:[^ ]*:topic\/x/);
  });

  test("says what was done and what to do next", async () => {
    const { code, stdout, stderr } = await latchkey(
      ...(["policy", "create", "--name", "second", "--document", join(scratch, "button.json")] as const),
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "stored policy second\n" });
    expect(stderr).toContain("latchkey policy attach --name second --certificate ID");
    const id = await createDevice("--serial", "G030JF055555EEEE");
    const attached = await latchkey("policy", "attach", "--name", "second", "--certificate", id);
    expect(attached.stdout).toBe(`attached policy second to ${id}\n`);
    const detached = await latchkey("policy", "detach", "--name", "second", "--certificate", id);
    expect(detached.stdout).toBe(`detached policy second from ${id}\n`);
  });
});

const mount = findProgram("mount");
const cannotMount = process.getuid?.() !== 0 || mount.path === undefined;

// A folder of one MiB that is filled to its last octet. Only root can mount one.
describe.skipIf(cannotMount)("on a full disk", () => {
  let disk: string;
  beforeAll(async () => {
    disk = join(scratch, "disk");
    mkdirSync(disk);
    const options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk];
    expect(await runProgram(mount.path ?? "", options)).toMatchObject({ code: 0 });
    cpSync(data, join(disk, "data"), { recursive: true });
    fill(disk);
  });
  afterAll(() => runProgram("/bin/umount", [disk]));

  function fill(folder: string): void {
    try {
      for (let i = 0; i < 2000; i++) writeFileSync(join(folder, `more-${i}`), Buffer.alloc(4096));
    } catch {
      // The disk is full, as wanted.
    }
  }

  const onDisk = (...words: string[]): Promise<Finished> =>
    runProgram(process.execPath, ["--conditions=@latchkey/source", main, ...words, "--data", join(disk, "data")], {
      timeoutMs,
    });

  test("what is registered can be listed", async () => {
    const { code, stdout, stderr } = await onDisk("certificate", "list");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe((await latchkey("certificate", "list")).stdout);
  });

  test("the broker starts", async () => {
    const words = ["start", "--port", "0", "--data", join(disk, "data")];
    const broker = startProgram(process.execPath, ["--conditions=@latchkey/source", main, ...words], { timeoutMs });
    await broker.saw(/ready mqtts:/);
    broker.kill("SIGTERM");
    expect((await broker.finished).code).toBe(0);
  });

  test("a write that fails names its cause, and leaves no files of an unregistered device", async () => {
    const out = newFolder();
    const { code, stderr } = await onDisk("certificate", "create", "--out", out, "--serial", "X");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ERR_REGISTRY_UNAVAILABLE: .*full/);
    expect(existsSync(out)).toBe(false);
    const there = await onDisk("certificate", "create", "--out", join(disk, "out"), "--serial", "X");
    expect(there.stderr).toMatch(/^ERR_BROKER_OUTPUT: .*ENOSPC/);
    expect(existsSync(join(disk, "out"))).toBe(false);
  });
});
