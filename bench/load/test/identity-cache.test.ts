import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCacheFolder } from "../src/identity-cache.ts";

const source = fileURLToPath(new URL("../src/identity-cache.ts", import.meta.url));
const identities = fileURLToPath(new URL("../src/identities.ts", import.meta.url));
let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "latchkey-cache-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const limits = { folders: 2, octets: 1000 };
const uuid = "00000000-0000-4000-8000-000000000000";
/** A process of this number has ended: the kernel gives no higher ones. */
const noProcess = 2 ** 22 + 1;

/** A folder of an earlier run, `ageSeconds` ago. */
function leave(name: string, ageSeconds: number, octets = 10, mark?: string): void {
  mkdirSync(join(parent, name));
  writeFileSync(join(parent, name, "devices.json"), "x".repeat(octets));
  if (mark !== undefined) writeFileSync(join(parent, name, mark), "");
  const then = new Date(Date.now() - ageSeconds * 1000);
  utimesSync(join(parent, name), then, then);
}

test("of more folders than are allowed the oldest are removed", () => {
  for (const [name, age] of [["a", 400] as const, ["b", 300] as const, ["c", 200] as const]) leave(name, age);
  openCacheFolder(parent, "now", limits);
  expect(readdirSync(parent).toSorted()).toEqual(["c", "now"]);
});

test("of folders that are too large together the oldest are removed", () => {
  leave("large", 300, 800);
  leave("newer", 200, 300);
  openCacheFolder(parent, "now", limits);
  expect(readdirSync(parent).toSorted()).toEqual(["newer", "now"]);
});

test("a folder that a running bench uses stays, one that a killed bench used does not", () => {
  leave("used", 900, 10, `used-by-${process.pid}-${uuid}`);
  leave("killed", 800, 10, `used-by-${noProcess}-${uuid}`);
  leave("c", 100);
  leave("d", 90);
  openCacheFolder(parent, "now", limits);
  expect(readdirSync(parent).toSorted()).toEqual(["d", "now", "used"]);
});

test("what a killed bench had begun to write goes, what another one writes stays", () => {
  leave("now", 100);
  const [theirs, ours] = [noProcess, process.pid].map((pid) => `devices.json.${pid}-${uuid}.draft`);
  for (const name of [theirs, ours]) writeFileSync(join(parent, "now", name ?? ""), "half");
  const folder = openCacheFolder(parent, "now", limits);
  expect(readdirSync(folder)).toContain(ours);
  expect(readdirSync(folder)).not.toContain(theirs);
  expect(readdirSync(folder)).toContain("devices.json");
});

test("a process that ends, by itself or killed, gives its folder free", async () => {
  const program = (last: string): string[] => [
    "--conditions=@latchkey/source",
    "--input-type=module",
    "--eval",
    `import { openCacheFolder } from ${JSON.stringify(source)};
     openCacheFolder(${JSON.stringify(parent)}, "theirs", { folders: 9, octets: 1e9 }); console.log("open"); ${last}`,
  ];
  expect(await runProgram(process.execPath, program(""))).toMatchObject({ code: 0 });
  expect(readdirSync(join(parent, "theirs"))).toEqual([]);
  const killed = startProgram(process.execPath, program("setInterval(() => {}, 1000);"));
  await killed.saw(/open/);
  openCacheFolder(parent, "now", { folders: 1, octets: 1e9 });
  expect(existsSync(join(parent, "theirs"))).toBe(true);
  killed.kill("SIGKILL");
  await killed.finished;
  openCacheFolder(parent, "now", { folders: 1, octets: 1e9 });
  expect(existsSync(join(parent, "theirs"))).toBe(false);
});

test("benches that start and clean up at the same moment all find their folders whole", async () => {
  const run = (name: string) =>
    runProgram(process.execPath, [
      "--conditions=@latchkey/source",
      "--input-type=module",
      "--eval",
      `import { existsSync, writeFileSync } from "node:fs";
       import { openCacheFolder } from ${JSON.stringify(source)};
       for (let n = 0; n < 50; n++) {
         const folder = openCacheFolder(${JSON.stringify(parent)}, ${JSON.stringify(name)}, { folders: 1, octets: 10 });
         writeFileSync(folder + "/${name}-" + process.pid, "0123456789");
         if (!existsSync(folder + "/${name}-" + process.pid)) throw new Error("gone");
       }`,
    ]);
  for (const { code, stderr } of await Promise.all(["a", "b", "a", "b"].map(run))) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  }
});

test("two benches that start with an empty cache use the same authorities and devices", async () => {
  const run = () =>
    runProgram(process.execPath, [
      "--conditions=@latchkey/source",
      "--input-type=module",
      "--eval",
      `import { openAuthorities, makeDevices, DeviceReader } from ${JSON.stringify(identities)};
       const authorities = openAuthorities("p256", ${JSON.stringify(parent)});
       await makeDevices(authorities, 3, new AbortController().signal, () => {});
       console.log(authorities.server.certificate + new DeviceReader(authorities.folder, "p256").device(2).certificate);`,
    ]);
  const [first, second] = await Promise.all([run(), run()]);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(second.stdout).toBe(first.stdout);
});
