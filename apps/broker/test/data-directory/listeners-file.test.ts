/** A broker says where it listens. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenersFile, readDevicePorts } from "@latchkey/command-line";
import { pino } from "pino";
import { afterAll, expect, test } from "vitest";
import { announceListeners } from "../../src/data-directory/listeners-file.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-listeners-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, listenersFile);
const lines: unknown[] = [];
const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(JSON.parse(line)) });
const listening = [
  { service: "mqtt", host: "127.0.0.1", port: 1883 },
  { service: "mqtts", host: "127.0.0.1", port: 9883 },
] as const;

test("the ports are there until the broker ends; a service that there is not has none", async () => {
  expect(await readDevicePorts(folder)).toEqual({ mqttPort: undefined, httpsPort: undefined });
  const announced = await announceListeners(folder, listening, log);
  expect(await readDevicePorts(folder)).toEqual({ mqttPort: 9883, httpsPort: undefined });
  await announced[Symbol.asyncDispose]();
  expect([existsSync(file), lines]).toEqual([false, []]);
});

test("where it cannot be written there is a line in the log, and no failure", async () => {
  const announced = await announceListeners(join(folder, "missing"), listening, log);
  expect(lines).toMatchObject([{ level: 40, reason: expect.stringContaining("ENOENT") as string }]);
  await announced[Symbol.asyncDispose]();
});
