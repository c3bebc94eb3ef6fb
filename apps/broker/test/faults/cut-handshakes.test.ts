/** Clients that are gone before their handshake ends: each line of the log has their address. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";

/** The beginning of a ClientHello. */
const begun = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);

describe.each(["node", "latchkey"] as const)("on the TLS engine %s", (tls) => {
  let plane: RunningControlPlane;
  beforeAll(async () => {
    plane = await RunningControlPlane.start({ tls, handshakeTimeoutMs: 1000 });
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  const ways: readonly (readonly [string, (socket: Socket) => void])[] = [
    ["resets in the middle of its hello", (socket) => socket.write(begun, () => socket.resetAndDestroy())],
    ["ends in the middle of its hello", (socket) => socket.end(begun)],
    ["sends what is no TLS", (socket) => socket.end("GET / HTTP/1.1\r\n\r\n")],
    ["sends what is no TLS, and resets", (socket) => socket.write("GET /", () => socket.resetAndDestroy())],
    ["says nothing more", (socket) => socket.write(begun)],
  ];
  test.each(ways)("one that %s", async (_, act) => {
    const before = handshakeLines().length;
    const socket = connect({ host: "127.0.0.1", port: plane.mqttPort });
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "connect");
    const remote = `127.0.0.1:${socket.localPort}`;
    act(socket);
    await once(socket, "close");
    await expect.poll(() => handshakeLines().slice(before), { timeout: 20_000 }).toEqual([remote]);
  });

  test("one that resets when the handshake is done", async () => {
    const socket = connect({ host: "127.0.0.1", port: plane.mqttPort });
    await once(socket, "connect");
    const remote = `127.0.0.1:${socket.localPort}`;
    const secure = connectTls({ socket, servername: "localhost", rejectUnauthorized: false });
    secure.on("error", () => {});
    await once(secure, "secureConnect");
    secure.destroy();
    await expect.poll(() => plane.log, { timeout: 20_000 }).toContain(`"remote":"${remote}"`);
    expect(plane.log).not.toContain("unknown:0");
  });

  /** The addresses in the lines on handshakes that failed. */
  const handshakeLines = (): string[] =>
    plane.log
      .split("\n")
      .filter((line) => line.includes("TLS handshake"))
      .map((line) => (JSON.parse(line) as { readonly remote: string }).remote);
});
