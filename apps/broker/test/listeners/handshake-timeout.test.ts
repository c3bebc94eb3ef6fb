/** How long a TLS handshake may take is a setting, on both TLS engines. */

import { once } from "node:events";
import { connect } from "node:net";
import { connectAsync } from "mqtt";
import { expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice } from "../data-plane/device-identity.ts";

test.each(["node", "latchkey"] as const)(
  "%s: clients that do not go on with it are cut, also those that begin it; the others stay",
  async (tls) => {
    await using plane = await RunningControlPlane.start({ tls, handshakeTimeoutMs: 500 });
    const { cert, key, ca } = await makeDevice(plane, [allow("iot:Connect", "*")]);
    const url = `mqtts://localhost:${plane.mqttPort}`;
    const client = await connectAsync(url, { cert, key, ca, reconnectPeriod: 0, clientId: "button" });
    const cut = [Buffer.alloc(0), Buffer.from([0x16, 3, 1, 0, 200, 1])].map(async (begun) => {
      const socket = connect({ host: "127.0.0.1", port: plane.mqttPort });
      socket.on("error", () => {});
      socket.resume();
      socket.write(begun);
      await once(socket, "close");
    });
    await Promise.all(cut);
    expect(client.connected).toBe(true);
    await client.endAsync();
    await expect.poll(() => plane.log).toMatch(/"remote":"127\.0\.0\.1:\d+".*handshake/i);
  },
);
