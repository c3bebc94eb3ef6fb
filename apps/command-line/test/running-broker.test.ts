import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { brokerLockFile, isBrokerRunning } from "../src/running-broker.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-running-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, brokerLockFile);

test("the lock tells, also after a broker that was killed", async () => {
  expect(isBrokerRunning(folder)).toBe(false);
  const holder = fork(fileURLToPath(new URL("lock-holder.ts", import.meta.url)), [file]);
  await once(holder, "message");
  expect(isBrokerRunning(folder)).toBe(true);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  expect(isBrokerRunning(folder)).toBe(false);
});

test("looking does not take the lock, and makes no file", () => {
  expect(isBrokerRunning(folder)).toBe(false);
  const lock = new DatabaseSync(file, { timeout: 0 });
  lock.exec("BEGIN EXCLUSIVE");
  expect(isBrokerRunning(folder)).toBe(true);
  lock.close();
  rmSync(file);
  expect(isBrokerRunning(folder)).toBe(false);
  expect(() => rmSync(file)).toThrow(/ENOENT/);
});

test("where the file is no lock a broker may run", () => {
  writeFileSync(file, "x".repeat(1000));
  expect(isBrokerRunning(folder)).toBe(true);
});
