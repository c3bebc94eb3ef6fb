/** Where a broker listens, for commands on its data directory. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, expect, test } from "vitest";
import { announceListeners, readDevicePorts } from "../../src/data-directory/listeners-file.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-listeners-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "listeners.json");
const none = { mqttPort: undefined, httpsPort: undefined };
const lines: unknown[] = [];
const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(JSON.parse(line)) });
const listening = [
  { service: "mqtt", host: "127.0.0.1", port: 1883 },
  { service: "mqtts", host: "127.0.0.1", port: 9883 },
] as const;

test("the ports are there until the broker ends; a service that there is not has none", async () => {
  expect(await readDevicePorts(folder)).toEqual(none);
  const announced = await announceListeners(folder, listening, log);
  expect(await readDevicePorts(folder)).toEqual({ mqttPort: 9883, httpsPort: undefined });
  await announced[Symbol.asyncDispose]();
  expect([existsSync(file), lines]).toEqual([false, []]);
});

test.each(["", "null", "[]", '{"listeners":{}}', '{"listeners":[null,{"service":"mqtts","port":"9883"}]}'])(
  "a file with %j has none",
  async (content) => {
    writeFileSync(file, content);
    expect(await readDevicePorts(folder)).toEqual(none);
    rmSync(file);
  },
);

test("where it cannot be written there is a line in the log, and no failure", async () => {
  const announced = await announceListeners(join(folder, "missing"), listening, log);
  expect(lines).toMatchObject([{ level: 40, reason: expect.stringContaining("ENOENT") as string }]);
  await announced[Symbol.asyncDispose]();
});
