/** The disk is full while the broker runs: nothing is acknowledged that cannot be kept, the others are served, and all goes on when there is room. */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import type { PublishPacket } from "@latchkey/mqtt-codec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MqttSession } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "../observability/running-broker.ts";

const mount = findProgram("mount");
const umount = findProgram("umount");
// Only root can mount a folder that is small.
const cannotMount = process.getuid?.() !== 0 || mount.path === undefined || umount.path === undefined;

let broker: BrokerProcess;
beforeEach(async () => {
  broker = new BrokerProcess();
  mkdirSync(broker.data);
  const options = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", broker.data];
  if (!cannotMount) expect(await runProgram(mount.path ?? "", options)).toMatchObject({ code: 0 });
});
afterEach(async () => {
  if (broker.said.length > 0) await broker.end("SIGKILL");
  if (!cannotMount) await runProgram(umount.path ?? "", [broker.data]);
  await broker[Symbol.asyncDispose]();
});

function fillDisk(): void {
  try {
    for (let n = 0; ; n++) writeFileSync(join(broker.data, `filler-${n}`), Buffer.alloc(4096));
  } catch {
    // Full, as wanted.
  }
}

function freeDisk(): void {
  for (const name of readdirSync(broker.data)) if (name.startsWith("filler-")) rmSync(join(broker.data, name));
}

describe.skipIf(cannotMount)("on a disk that is full", () => {
  test("PUBACK waits for room, messages for clients that are there do not", async () => {
    const port = await broker.start();
    const lines = broker.readLog();
    const access = { ...(await broker.device([everything])), port };
    const acknowledged = new Set<number>();
    const messages: string[] = [];
    const live: PublishPacket[] = [];
    const away = await MqttSession.connect(access, "away", (packet, session) => {
      if (packet.type === "suback") void session.cut();
    });
    away.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "kept", qos: 1 }] });
    await away.closed;
    const clean = { cleanStart: true } as const;
    let isSubscribed = false;
    const subscriber = await MqttSession.connect(
      access,
      "subscriber",
      (packet) => {
        if (packet.type === "suback") isSubscribed = true;
        if (packet.type === "publish") live.push(packet);
      },
      clean,
    );
    subscriber.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "live", qos: 1 }] });
    await expect.poll(() => isSubscribed, { timeout: 60_000 }).toBe(true);
    const onPuback = MqttSession.connect.bind(MqttSession, access);
    const publisher = await onPuback(
      "publisher",
      (packet) => packet.type === "puback" && acknowledged.add(packet.packetIdentifier),
      clean,
    );

    fillDisk();
    const count = 20;
    for (let n = 1; n <= count; n++) {
      const payload = Buffer.from(String(n).padEnd(50_000, "x"));
      publisher.send({ type: "publish", topicName: "kept", payload, qos: 1, packetIdentifier: n });
    }
    const failed = expect.objectContaining({ msg: expect.stringContaining("sessions cannot be stored") });
    await expect.poll(() => lines, { timeout: 60_000 }).toContainEqual(failed);
    expect(acknowledged.size).toBeLessThan(count);
    // What nobody has to keep is acknowledged, and delivered.
    let isAnswered = false;
    const other = await onPuback("other", (packet) => (isAnswered ||= packet.type === "puback"), clean);
    other.send({ type: "publish", topicName: "live", payload: Buffer.from("now"), qos: 1, packetIdentifier: 1 });
    await expect.poll(() => isAnswered && live.length, { timeout: 60_000 }).toBe(1);

    freeDisk();
    await expect.poll(() => acknowledged.size, { timeout: 60_000 }).toBe(count);
    const back = await MqttSession.connect(access, "away", (packet, session) => {
      if (packet.type !== "publish") return;
      messages.push(Buffer.from(packet.payload).toString().replace(/x+$/, ""));
      session.send({ type: "puback", packetIdentifier: packet.packetIdentifier });
    });
    expect(back.isSessionPresent).toBe(true);
    const all = Array.from({ length: count }, (_, index) => String(index + 1));
    await expect.poll(() => messages, { timeout: 60_000 }).toEqual(all);
    await Promise.all([publisher, other, subscriber, back].map((session) => session.cut()));
  });
});
