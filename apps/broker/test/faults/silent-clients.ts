/** Many clients that connect and never send CONNECT, against a broker in a process of its own. */

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { encode } from "@latchkey/mqtt-codec";
import { expect } from "vitest";
import { MqttSession } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "../observability/running-broker.ts";

/** Resident memory of a process, in octets. */
function residentOctets(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** What the clients do before they fall silent. */
export interface SilentClients {
  /** Nothing at all, not even a handshake. */
  readonly connectOnly: number;
  /** The handshake. */
  readonly handshake: number;
  /** The handshake and the beginning of a CONNECT. */
  readonly halfConnect: number;
}

/**
 * Holds them all at once. Meanwhile a client that was there is served and another one is let in; the broker's memory grows by
 * what a connection costs and no more; then their time is up, they are cut, and the log says so.
 */
export async function holdSilentClients(clients: SilentClients, timeoutMs: number): Promise<void> {
  const { connectOnly, handshake, halfConnect } = clients;
  await using broker = new BrokerProcess();
  const configuration = join(broker.folder, "latchkey.json");
  const limits = {
    connection: { connectTimeoutMs: timeoutMs },
    process: { maximumConnections: connectOnly + handshake + halfConnect + 10 },
  };
  writeFileSync(configuration, JSON.stringify({ handshakeTimeoutMs: timeoutMs, limits }));
  const port = await broker.start("--config", configuration);
  const lines = broker.readLog();
  const access = { ...(await broker.device([everything])), port };
  let pings = 0;
  const session = await MqttSession.connect(access, "served", (packet) => {
    if (packet.type === "pingresp") pings += 1;
  });
  const before = residentOctets(broker.child.pid ?? 0);

  const open = new Set<Socket>();
  const hold = async (socket: Socket, event: string): Promise<void> => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    socket.resume();
    await once(socket, event);
  };
  const tls = async (begun: Uint8Array): Promise<void> => {
    const { ca, cert, key } = access;
    const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", ca, cert, key });
    await hold(socket, "secureConnect");
    socket.write(begun);
  };
  const half = encode({ type: "connect", clientIdentifier: "x".repeat(60_000) }, 4).subarray(0, 30_000);
  for (let n = 0; n < connectOnly; n += 100) {
    const batch = Array.from({ length: Math.min(100, connectOnly - n) }, () => connect(port, "127.0.0.1"));
    await Promise.all(batch.map((socket) => hold(socket, "connect")));
    session.send({ type: "pingreq" });
  }
  for (let n = 0; n < handshake + halfConnect; n += 10) {
    const length = Math.min(10, handshake + halfConnect - n);
    await Promise.all(Array.from({ length }, (_, index) => tls(n + index < handshake ? Buffer.alloc(0) : half)));
    session.send({ type: "pingreq" });
  }

  // Most of them are there at once, also on a machine where the handshakes take so long that the first ones are cut before the last.
  expect(open.size).toBeGreaterThan((connectOnly + handshake + halfConnect) / 2);
  const other = await MqttSession.connect(access, "another", () => {});
  session.send({ type: "pingreq" });
  const sent = Math.ceil(connectOnly / 100) + Math.ceil((handshake + halfConnect) / 10) + 1;
  await expect.poll(() => pings, { timeout: 60_000 }).toBe(sent);
  const grownBy = residentOctets(broker.child.pid ?? 0) - before;
  // A TLS connection costs some 60 KB of node:tls, what half a CONNECT holds comes on top.
  const allowed = 40 * 1024 * 1024 + (connectOnly + handshake) * 100_000 + halfConnect * 160_000;
  expect(grownBy).toBeLessThan(allowed);

  await expect.poll(() => open.size, { timeout: 120_000 }).toBe(0);
  await expect
    .poll(() => lines, { timeout: 60_000 })
    .toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining("TLS handshake"), remote: expect.any(String) }),
    );
  const late = (): number =>
    lines
      .filter(({ detail }) => detail === "no accepted CONNECT in time")
      .reduce((sum, { times = 1 }) => sum + Number(times), 0);
  await expect.poll(late, { timeout: 60_000 }).toBe(handshake + halfConnect);
  // A line for each certificate that was accepted, and few for all that was cut.
  expect(lines.length).toBeLessThan(handshake + halfConnect + 400);
  await Promise.all([session.cut(), other.cut()]);
}
