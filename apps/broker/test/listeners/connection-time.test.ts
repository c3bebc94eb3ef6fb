/** How long a connection may last is a setting: an MQTT 5.0 client learns that its time is over (0xA0). */

import { connectAsync, type IDisconnectPacket } from "mqtt";
import { expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice } from "../data-plane/device-identity.ts";

test("it is closed then, told why, and the log says so without a warning", async () => {
  await using plane = await RunningControlPlane.start({ limits: { maximumConnectionSeconds: 1 } });
  const { cert, key, ca } = await makeDevice(plane, [allow("iot:Connect", "*")]);
  const url = `mqtts://localhost:${plane.mqttPort}`;
  const options = { cert, key, ca, clientId: "button", protocolVersion: 5, reconnectPeriod: 0 } as const;
  const client = await connectAsync(url, options);
  const packet = await new Promise<IDisconnectPacket>((resolve) => client.once("disconnect", resolve));
  expect(packet.reasonCode).toBe(0xa0);
  await client.endAsync(true);
  const closed = (): Record<string, unknown>[] =>
    plane.log
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === "closed");
  await expect
    .poll(closed, { timeout: 10_000 })
    .toMatchObject([{ clientIdentifier: "button", reason: "maximum-connect-time", level: 30 }]);
});
