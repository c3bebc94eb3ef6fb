/** Where a broker said that it listens. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { listenersFile, readDevicePorts } from "../src/device-ports.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-ports-"));
afterAll(() => rmSync(folder, { recursive: true }));
const none = { mqttPort: undefined, httpsPort: undefined };

test.each([undefined, "", "null", "[]", '{"listeners":{}}', '{"listeners":[null,{"service":"mqtts","port":"9883"}]}'])(
  "a file with %j has none",
  async (content) => {
    if (content !== undefined) writeFileSync(join(folder, listenersFile), content);
    expect(await readDevicePorts(folder)).toEqual(none);
  },
);

test("the ports of the services for devices", async () => {
  const listeners = [
    { service: "mqtt", host: "127.0.0.1", port: 1883 },
    { service: "mqtts", host: "127.0.0.1", port: 9883 },
    { service: "https", host: "127.0.0.1", port: 9443 },
  ];
  writeFileSync(join(folder, listenersFile), JSON.stringify({ listeners }));
  expect(await readDevicePorts(folder)).toEqual({ mqttPort: 9883, httpsPort: 9443 });
});
