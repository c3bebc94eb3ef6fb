/** A broker that may open few files (EMFILE): those who are connected are served, and others when there is room again. */

import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { connectionsWithin } from "../../src/listeners/open-files.ts";
import { MqttSession, type Access } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "../observability/running-broker.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let broker: BrokerProcess;
const silent: Socket[] = [];
beforeEach(() => {
  broker = new BrokerProcess({ maximumOpenFiles: 128 });
});
afterEach(async () => {
  for (const socket of silent) socket.destroy();
  await broker[Symbol.asyncDispose]();
});

/** Connects clients that say nothing. Gives how many of them are cut. */
async function connectSilently(port: number, count: number): Promise<() => number> {
  let cut = 0;
  for (let n = 0; n < count; n++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => cut++);
    socket.resume();
    silent.push(socket);
    await once(socket, "connect");
  }
  return () => cut;
}

/** A client that has subscribed, and the payloads that it gets. */
async function served(
  access: Access,
  qos: 0 | 1,
): Promise<{ readonly session: MqttSession; readonly received: readonly string[] }> {
  const received: string[] = [];
  const session = await MqttSession.connect(access, "served", (packet) => {
    if (packet.type === "publish") received.push(Buffer.from(packet.payload).toString());
    else if (packet.type === "suback") received.push("subscribed");
  });
  session.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "a", qos }] });
  await expect.poll(() => received, { timeout: 60_000 }).toEqual(["subscribed"]);
  return { session, received };
}

test("part of the limit is kept for what is no connection", () => {
  expect([64, 255, 1024, 65_536].map(connectionsWithin)).toEqual([32, 127, 896, 65_408]);
});

test("200 clients that say nothing under a limit of 128 open files: the others are served, and the log says it", async () => {
  const port = await broker.start();
  const lines = broker.readLog();
  const access = { ...(await broker.device([everything])), port };
  const { session, received } = await served(access, 0);
  const cut = await connectSilently(port, 200);
  await expect.poll(cut, { timeout: 60_000 }).toBeGreaterThanOrEqual(200 - 64);
  await expect
    .poll(() => lines, { timeout: 60_000 })
    .toContainEqual(expect.objectContaining({ limit: "maximumConnections", value: 64, remote: expect.any(String) }));
  expect(lines).toContainEqual(
    expect.objectContaining({
      msg: "the limit on open files leaves room for fewer connections",
      maximumOpenFiles: 128,
      maximumConnections: 64,
      configured: 10_000,
      mend: expect.stringContaining("ulimit -n"),
    }),
  );
  session.send({ type: "publish", topicName: "a", payload: Buffer.from("still"), qos: 0, packetIdentifier: 0 });
  await expect.poll(() => received, { timeout: 60_000 }).toEqual(["subscribed", "still"]);
  // The registry's files can be opened still: by a command, on which the broker acts.
  await broker.latchkey("certificate", "deactivate", "--certificate", access.certificateId);
  await session.closed;
  for (const socket of silent) socket.destroy();
  const other = { ...(await broker.device([everything])), port };
  await expect
    .poll(() => MqttSession.connect(other, "next", () => {}).then(() => "connected", String), { timeout: 60_000 })
    .toBe("connected");
});

const prlimit = findProgram("prlimit");

test.skipIf(prlimit.path === undefined)(
  "no file can be opened any more, though few are connected: the broker says it once, serves those it has, and later takes new ones",
  async () => {
    const port = await broker.start();
    const lines = broker.readLog();
    const access = { ...(await broker.device([everything])), port };
    const { session, received } = await served(access, 1);

    // Room for two more files, whatever the broker has open now.
    const pid = broker.child.pid ?? 0;
    const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
    const free = Array.from({ length: 128 }, (_, number) => number).filter((number) => !open.has(number));
    const limit = ["--pid", `${pid}`, `--nofile=${free[2]}:`];
    expect(await runProgram(prlimit.path ?? "", limit)).toMatchObject({ code: 0, stderr: "" });
    const cut = await connectSilently(port, 50);
    await expect.poll(cut, { timeout: 60_000 }).toBeGreaterThan(0);
    const exhausted = "no more files can be opened: the system cuts new connections";
    const linesOf = (msg: string): unknown[] => lines.filter((line) => line["msg"] === msg);
    await expect.poll(() => linesOf(exhausted), { timeout: 60_000 }).toMatchObject([{ level: 50, reason: "EMFILE" }]);
    const payload = Buffer.from("still");
    session.send({ type: "publish", topicName: "a", payload, qos: 1, packetIdentifier: 2 });
    await expect.poll(() => received, { timeout: 60_000 }).toEqual(["subscribed", "still"]);

    for (const socket of silent) socket.destroy();
    await expect.poll(() => linesOf("files can be opened again"), { timeout: 60_000 }).toHaveLength(1);
    await MqttSession.connect(access, "next", () => {});
    expect(linesOf(exhausted)).toHaveLength(1);
    // The registry is followed as before.
    await broker.latchkey("certificate", "revoke", "--certificate", access.certificateId);
    await session.closed;
  },
);
