/** A log whose reader does not read: the broker serves on, and says afterwards what is missing. And no line for each message. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EncodablePacket } from "@latchkey/mqtt-codec";
import { expect, test } from "vitest";
import { MqttSession, type Access } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "./running-broker.ts";

const messages = 1000;
const bursts = 100;

/** A broker with a line for each message, and a client that publishes bursts of them. */
async function startNoisy(
  broker: BrokerProcess,
): Promise<{ publish: () => Promise<void>; access: Access; noisy: MqttSession }> {
  await broker.start();
  const device = await broker.device([everything]);
  await broker.end("SIGKILL");
  const access = { ...device, port: await broker.start("--log-level", "debug") };
  let acknowledged = (): void => {};
  const noisy = await MqttSession.connect(access, "noisy", () => acknowledged());
  const publish = async (): Promise<void> => {
    const done = new Promise<void>((resolve) => (acknowledged = resolve));
    for (let n = 1; n < messages; n++) noisy.send({ type: "publish", topicName: "topic", payload: new Uint8Array(1) });
    noisy.send({ type: "publish", topicName: "topic", payload: new Uint8Array(1), qos: 1, packetIdentifier: 1 });
    await done;
  };
  return { publish, access, noisy };
}

test(
  "100,000 lines that nobody reads hold up no PINGREQ, and what is missing is counted",
  { timeout: 300_000 },
  async () => {
    await using broker = new BrokerProcess();
    const { publish, access, noisy } = await startNoisy(broker);
    const pongs: (() => void)[] = [];
    const quiet = await MqttSession.connect(access, "quiet", () => pongs.shift()?.());
    let slowestMs = 0;
    for (let n = 0; n < bursts; n++) {
      await publish();
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
    // Lines that come now are written again.
    await noisy.cut();
    const closed = expect.objectContaining({ msg: "closed", clientIdentifier: "noisy" }) as unknown;
    await expect.poll(() => lines, { timeout: 60_000 }).toContainEqual(closed);
    const seen = lines.filter(({ msg, topicName }) => msg === "published" && topicName === "topic").length;
    // Lifecycle events are messages, too.
    const others = lines.filter(({ msg, topicName }) => msg === "published" && topicName !== "topic").length;
    expect(seen + missing()).toBeGreaterThanOrEqual(bursts * messages);
    expect(seen + missing()).toBeLessThanOrEqual(bursts * messages + others + 10);
  },
);

test("a broker whose log nobody reads ends all the same", { timeout: 300_000 }, async () => {
  await using broker = new BrokerProcess();
  const { publish } = await startNoisy(broker);
  for (let n = 0; n < 20; n++) await publish();
  const exited = once(broker.child, "exit");
  broker.child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
});

test(
  "SUBSCRIBE makes one line however many filters it has, and equal ones are counted",
  { timeout: 300_000 },
  async () => {
    await using broker = new BrokerProcess();
    await broker.start();
    const access = await broker.device([everything]);
    await broker.end("SIGKILL");
    const port = await broker.start();
    const lines = broker.readLog();
    const waiting: (() => void)[] = [];
    const session = await MqttSession.connect({ ...access, port }, "noisy", () => waiting.shift()?.());
    const ask = (packet: EncodablePacket): Promise<void> => {
      const answered = new Promise<void>((resolve) => waiting.push(resolve));
      session.send(packet);
      return answered;
    };
    const filters = (from: number, count: number): { topicFilter: string; qos: 0 }[] =>
      Array.from({ length: count }, (_, n) => ({ topicFilter: `filter/${from + n}`, qos: 0 }));
    const subscribe = (from: number, count: number): Promise<void> =>
      ask({ type: "subscribe", packetIdentifier: 1, subscriptions: filters(from, count) });
    for (let n = 0; n < 10; n++) await subscribe(0, 1000);
    for (let n = 1; n <= 300; n++) await subscribe(n, 1);
    await ask({
      type: "unsubscribe",
      packetIdentifier: 2,
      topicFilters: filters(0, 20).map(({ topicFilter }) => topicFilter),
    });
    expect(await broker.end("SIGTERM")).toBe(0);
    const ofKind = (text: string): Record<string, unknown>[] => lines.filter(({ msg }) => String(msg).startsWith(text));
    const subscribed = ofKind("subscribed");
    expect(subscribed[0]).toMatchObject({
      msg: "subscribed",
      clientIdentifier: "noisy",
      topicFilters: filters(0, 10).map(({ topicFilter }) => topicFilter),
      qos: Array.from({ length: 10 }, () => 0),
      count: 1000,
    });
    expect(subscribed[1]).toMatchObject({ topicFilters: ["filter/1"] });
    expect(subscribed[1]).not.toHaveProperty("count");
    // 20 are told apart in an interval; those and the rest are counted at its end.
    expect(subscribed.length).toBeLessThan(100);
    expect(subscribed.reduce((sum, { times }) => sum + Number(times ?? 1), 0)).toBe(311);
  },
);

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
