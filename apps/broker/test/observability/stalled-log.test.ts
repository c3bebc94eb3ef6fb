/** A log whose reader does not read: the broker serves on, and says afterwards what is missing. And no line for each message. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Packet } from "@latchkey/mqtt-codec";
import { expect, test } from "vitest";
import { MqttSession } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "./running-broker.ts";

const filters = Array.from({ length: 1000 }, (_, n) => ({ topicFilter: `filter/${n}`, qos: 0 as const }));
const subscribes = 100;

test(
  "100,000 lines that nobody reads hold up no PINGREQ, and what is missing is counted",
  { timeout: 300_000 },
  async () => {
    await using broker = new BrokerProcess();
    await broker.start();
    const access = await broker.device([everything]);
    await broker.end("SIGKILL");
    const port = await broker.start();
    const waiting: ((packet: Packet) => void)[] = [];
    const noisy = await MqttSession.connect({ ...access, port }, "noisy", (packet) => waiting.shift()?.(packet));
    const pongs: (() => void)[] = [];
    const quiet = await MqttSession.connect({ ...access, port }, "quiet", () => pongs.shift()?.());
    const answer = (): Promise<Packet> => new Promise((resolve) => waiting.push(resolve));
    let slowestMs = 0;
    for (let n = 0; n < subscribes; n++) {
      const suback = answer();
      noisy.send({ type: "subscribe", packetIdentifier: 1, subscriptions: filters });
      expect((await suback).type).toBe("suback");
      const startedMs = performance.now();
      const pong = new Promise<void>((resolve) => pongs.push(resolve));
      quiet.send({ type: "pingreq" });
      await pong;
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
    // A log that waits for its reader would never answer. The bound is far above what a loaded machine takes.
    expect(slowestMs).toBeLessThan(5000);
    const lines = broker.readLog();
    const missing = (): number =>
      lines
        .filter(({ msg }) => String(msg).startsWith("lines are missing"))
        .reduce((sum, { count }) => sum + Number(count), 0);
    await expect.poll(missing, { timeout: 60_000 }).toBeGreaterThan(10_000);
    const seen = lines.filter(({ msg }) => msg === "subscribed").length;
    expect(seen + missing()).toBe(subscribes * filters.length);
    // Lines that come now are written again.
    await noisy.cut();
    await expect
      .poll(() => lines.at(-1), { timeout: 60_000 })
      .toMatchObject({ msg: "closed", clientIdentifier: "noisy" });
  },
);

test("a broker whose log nobody reads ends all the same", { timeout: 300_000 }, async () => {
  await using broker = new BrokerProcess();
  await broker.start();
  const access = await broker.device([everything]);
  await broker.end("SIGKILL");
  const port = await broker.start();
  const session = await MqttSession.connect({ ...access, port }, "noisy", () => acknowledged());
  let acknowledged = (): void => {};
  for (let n = 0; n < 5; n++) {
    const suback = new Promise<void>((resolve) => (acknowledged = resolve));
    session.send({ type: "subscribe", packetIdentifier: 1, subscriptions: filters });
    await suback;
  }
  const exited = once(broker.child, "exit");
  broker.child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
});

test(
  "refused deliveries and messages make a line for the first of a kind, and one for all others",
  { timeout: 300_000 },
  async () => {
    await using broker = new BrokerProcess();
    await broker.start();
    const publisher = await broker.device([everything]);
    const deaf = await broker.device([{ Effect: "Allow", Action: ["iot:Connect", "iot:Subscribe"], Resource: "*" }]);
    await broker.end("SIGKILL");
    const port = await broker.start();
    const lines = broker.readLog();
    const subscribers: MqttSession[] = [];
    for (let n = 0; n < 10; n++) {
      let acknowledged = (): void => {};
      const suback = new Promise<void>((resolve) => (acknowledged = resolve));
      const subscriber = await MqttSession.connect({ ...deaf, port }, `deaf-${n}`, () => acknowledged());
      subscriber.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "press/#", qos: 0 }] });
      await suback;
      subscribers.push(subscriber);
    }
    let acknowledged = 0;
    let done = (): void => {};
    const all = new Promise<void>((resolve) => (done = resolve));
    const session = await MqttSession.connect({ ...publisher, port }, "publisher", (packet) => {
      if (packet.type === "puback" && ++acknowledged === 5000) done();
    });
    for (let n = 0; n < 5000; n++) {
      const packetIdentifier = (n % 60_000) + 1;
      session.send({
        type: "publish",
        topicName: `press/${n % 500}`,
        payload: new Uint8Array(1),
        qos: 1,
        packetIdentifier,
      });
    }
    await all;
    expect(await broker.end("SIGTERM")).toBe(0);
    const denied = lines.filter(({ msg }) => String(msg).startsWith("denied"));
    expect(denied.length).toBeGreaterThan(1);
    expect(denied.length).toBeLessThan(100);
    expect(denied[0]).toMatchObject({ msg: "denied", action: "receive", certificateId: deaf.certificateId });
    expect(String(denied[0]?.["why"])).toContain("iot:Receive");
    const total = denied.reduce((sum, { times }) => sum + Number(times ?? 1), 0);
    // The core reports equal refusals of a connection once a second at most.
    expect(total).toBeGreaterThan(5000);
    const kept = readFileSync(join(broker.data, "decisions.jsonl"), "utf8").trimEnd().split("\n");
    const decisions = kept.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(decisions).toHaveLength(denied.length);
    expect(decisions.reduce((sum, { times }) => sum + Number(times), 0)).toBe(total);
    for (const decision of decisions) {
      expect(decision).toMatchObject({
        certificateId: deaf.certificateId,
        action: "receive",
        decision: "implicit-deny",
      });
      expect(decision["reason"]).toContain("iot:Receive");
    }
  },
);
