import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { openLocalAuthority } from "@latchkey/registry";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keyPairStore } from "../../src/data-directory/key-pair-files.ts";
import { makeDirectory, writeFileWhole } from "../../src/data-directory/write-file.ts";

let scratch: string;
let umask: number;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-write-"));
  umask = process.umask(0);
});
afterEach(() => {
  process.umask(umask);
  rmSync(scratch, { recursive: true });
});
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test("directories are made for their owner only, with those above them, and one that is there stays as it is", async () => {
  const deep = join(scratch, "a", "b", "c");
  expect(await makeDirectory(deep)).toBe(true);
  expect(["a", "a/b", "a/b/c"].map((path) => modeOf(join(scratch, path)))).toEqual(["700", "700", "700"]);
  expect(await makeDirectory(deep)).toBe(false);
  mkdirSync(join(scratch, "open"), { mode: 0o755 });
  expect(await makeDirectory(join(scratch, "open"))).toBe(false);
  expect(modeOf(join(scratch, "open"))).toBe("755");
});

test("what cannot be made is refused, and never tried for ever", async () => {
  writeFileSync(join(scratch, "file"), "");
  await expect(makeDirectory(join(scratch, "file"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeDirectory(join(scratch, "file", "below"))).rejects.toMatchObject({ code: "ENOTDIR" });
  await expect(makeDirectory("/proc/latchkey")).rejects.toMatchObject({ code: "ENOENT" });
  symlinkSync(join(scratch, "nowhere"), join(scratch, "link"));
  await expect(makeDirectory(join(scratch, "link"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a file has its mode from the start and is there whole; one that was there is replaced", async () => {
  const file = join(scratch, "key");
  writeFileSync(file, "old", { mode: 0o644 });
  await writeFileWhole(file, "new", 0o600);
  expect([readFileSync(file, "utf8"), modeOf(file), readdirSync(scratch)]).toEqual(["new", "600", ["key"]]);
});

test("where it cannot be put in its place, nothing of it stays", async () => {
  mkdirSync(join(scratch, "folder", "occupied"), { recursive: true });
  await expect(writeFileWhole(join(scratch, "folder"), "content", 0o600)).rejects.toThrow();
  expect(readdirSync(scratch)).toEqual(["folder"]);
});

test("keys are their owner's, certificates are for all", async () => {
  const nowSeconds = (): number => 1_795_700_000;
  const authority = await openLocalAuthority({ pairs: keyPairStore(scratch), provider: nodeProvider, nowSeconds });
  await authority.serverPair({ dnsNames: [], ipAddresses: [] });
  const modes = readdirSync(scratch).map((name) => [name, modeOf(join(scratch, name))]);
  expect(Object.fromEntries(modes)).toEqual({
    "device-ca.key": "600",
    "device-ca.pem": "644",
    "server-ca.key": "600",
    "server-ca.pem": "644",
    "server.key": "600",
    "server.pem": "644",
  });
});
