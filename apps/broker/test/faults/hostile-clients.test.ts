/** Clients that vanish, trickle, flood, send garbage or do not read: the others are served on, and the log has a line for each. */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encode, type EncodablePacket, type ProtocolVersion } from "@latchkey/mqtt-codec";
import { ConformanceBroker } from "../conformance/conformance-broker.ts";
import { packet } from "@latchkey/tooling-vitest/mqtt-octets";
import type { WireClient } from "../conformance/wire-client.ts";

let broker: ConformanceBroker;
let bystander: WireClient;
const versions = [4, 5] as const;
beforeAll(async () => {
  broker = await ConformanceBroker.start({
    connectTimeoutMs: 1500,
    maximumUnreadMs: 1500,
    maximumBufferedOctets: 256 * 1024,
    maximumQueuedOctets: 1024 * 1024,
  });
  bystander = await broker.connect(5);
});
afterAll(() => broker[Symbol.asyncDispose]());

/** The others are served: each kind of request has its answer. */
async function othersAreServed(): Promise<void> {
  const topicName = broker.name();
  const client = await broker.subscriber(5, [{ topicFilter: topicName, qos: 0 }]);
  client.send({ type: "publish", topicName, payload: Buffer.from("x"), qos: 1, packetIdentifier: 1 });
  const answers = (await client.drain()).map(({ type }) => type);
  expect(answers.toSorted()).toEqual(["puback", "publish"]);
  await client.disconnect();
}

/** The lines that say how the connection of a client ended. */
const endings = (client: WireClient): (string | undefined)[] =>
  broker
    .logged(/"msg":"closed"/)
    .map((line) => JSON.parse(line) as { readonly remote?: string; readonly detail?: string })
    .filter(({ remote }) => remote === `127.0.0.1:${client.localPort}`)
    .map(({ detail }) => detail);

describe.concurrent("half-open connections", () => {
  test("the system asks clients that are silent whether they are still there", async ({ expect }) => {
    const client = await broker.connect(4);
    const port = client.localPort.toString(16).toUpperCase().padStart(4, "0");
    const timer = (): string | undefined =>
      readFileSync("/proc/net/tcp", "utf8")
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .find(([, , remote]) => remote?.endsWith(`:${port}`))?.[5]
        ?.slice(0, 2);
    // 2 is the timer of TCP keep-alive. Until the last octets are acknowledged another one runs.
    await expect.poll(timer, { timeout: 20_000 }).toBe("02");
  });

  test.for(versions)(
    "version %i: a client that only stops sending is at its end, and its will is published",
    async (version, { expect }) => {
      const topic = broker.name();
      const watcher = await broker.subscriber(5, [topic]);
      const client = await broker.connect(version, { will: { topicName: topic, payload: Buffer.from("gone") } });
      client.halfClose();
      expect(await client.ended()).toEqual([]);
      expect(await watcher.message()).toMatchObject({ topicName: topic });
      expect(endings(client)).toHaveLength(1);
    },
  );

  test.for(versions)("version %i: a client that vanishes is found by its keep alive", async (version, { expect }) => {
    const client = await broker.connect(version, { keepAlive: 1 });
    client.pause();
    await expect.poll(() => endings(client), { timeout: 20_000 }).toEqual([expect.stringMatching(/^silent for/)]);
    await othersAreServed();
  });
});

describe.concurrent("octet by octet", () => {
  test.for(versions)("version %i: a whole session", async (version, { expect }) => {
    const client = await broker.open(version);
    const topicName = broker.name();
    const send = (one: EncodablePacket): Promise<void> => client.trickle(encode(one, version));
    await send({ type: "connect", clientIdentifier: broker.name(), cleanStart: true, keepAlive: 2 });
    expect(await client.next()).toMatchObject({ type: "connack", reasonCode: 0 });
    await send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: topicName, qos: 2 }] });
    expect(await client.next()).toMatchObject({ type: "suback", reasonCodes: [2] });
    const payload = Buffer.alloc(500, "x");
    await send({ type: "publish", topicName, payload, qos: 1, packetIdentifier: 2 });
    const answers = [await client.next(), await client.next()];
    expect(answers.map(({ type }) => type).toSorted()).toEqual(["puback", "publish"]);
    await send({ type: "disconnect" });
    expect(await client.ended()).toEqual([]);
  });

  test.for(versions)("version %i: a CONNECT that does not end has its time", async (version, { expect }) => {
    const client = await broker.open(version);
    const connect = encode({ type: "connect", clientIdentifier: "x".repeat(60_000), cleanStart: true }, version);
    let sent = 0;
    const trickling = setInterval(() => client.sendOctets(connect.subarray(sent, ++sent)), 20);
    expect(await client.ended()).toEqual([]);
    clearInterval(trickling);
    expect(endings(client)).toEqual(["no accepted CONNECT in time"]);
  });
});

describe("floods", () => {
  /** Sends a flood, and gives how often another client was answered before the flood was. */
  const servedMeanwhile = async (version: ProtocolVersion, flood: Uint8Array, last: EncodablePacket["type"]) => {
    const client = await broker.subscriber(version, [broker.name()]);
    client.sendOctets(flood, encode({ type: "pingreq" }, version));
    const flooded = { isDone: false };
    const done = (async () => {
      while ((await client.next()).type !== last);
      flooded.isDone = true;
    })();
    let rounds = 0;
    for (; !flooded.isDone; rounds++) await bystander.drain();
    await done;
    await client.disconnect();
    return rounds;
  };
  const repeated = (one: Uint8Array, octets: number): Uint8Array =>
    Buffer.concat(Array.from({ length: Math.ceil(octets / one.length) }, () => one));

  test("of SUBSCRIBEs for many retained messages", async () => {
    const publisher = await broker.connect(5);
    const topic = broker.name();
    for (let index = 0; index < 200; index++) {
      publisher.send({ type: "publish", topicName: `${topic}/${index}`, payload: Buffer.from("x"), retain: true });
    }
    await publisher.drain();
    const one = packet(0x82, [0, 1], [0], `${topic}/none/+`, 0);
    expect(await servedMeanwhile(5, repeated(one, 200_000), "pingresp")).toBeGreaterThan(3);
  });

  test("of messages that nobody wants, and of acknowledgements for nothing", async () => {
    const publish = packet(0x30, "nobody", [0], Buffer.alloc(20, "x"));
    expect(await servedMeanwhile(5, repeated(publish, 2_000_000), "pingresp")).toBeGreaterThan(3);
    for (const first of [0x40, 0x50, 0x62, 0x70]) {
      const flood = repeated(packet(first, [0, 7]), 20_000);
      const client = await broker.connect(5);
      client.sendOctets(flood);
      await client.drain();
      await client.disconnect();
    }
  });
});

describe.concurrent("clients that do not read", () => {
  test("one that reads nothing is closed and named, another gets every message, the publisher goes on", async ({
    expect,
  }) => {
    const topic = broker.name();
    const stuck = await broker.subscriber(5, [{ topicFilter: topic, qos: 0 }]);
    const prompt = await broker.subscriber(5, [{ topicFilter: topic, qos: 0 }]);
    stuck.pause();
    const publisher = await broker.connect(5);
    const count = 200;
    for (let index = 0; index < count; index++) {
      publisher.send({ type: "publish", topicName: topic, payload: Buffer.alloc(60_000, index) });
    }
    const seen: number[] = [];
    for (let index = 0; index < count; index++) seen.push((await prompt.take("publish")).payload[0] ?? -1);
    expect(seen).toEqual(Array.from({ length: count }, (_, index) => index));
    await publisher.drain();
    await expect
      .poll(() => endings(stuck), { timeout: 20_000 })
      .toEqual([expect.stringMatching(/^maximumUnreadMs 1500: \d+ octets wait/)]);
    expect(broker.logged(/"msg":"dropped"/).some((line) => line.includes(stuck.clientIdentifier))).toBe(true);
  });

  test("one that asks and asks, and reads no answer, is closed as well", async ({ expect }) => {
    const topicFilter = broker.name();
    const publisher = await broker.connect(5);
    await publisher.publish(topicFilter, "x".repeat(60_000), { qos: 1, retain: true });
    const client = await broker.connect(4);
    client.pause();
    const filters = { type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter, qos: 0 }] } as const;
    const flood = Buffer.concat(Array.from({ length: 200_000 }, () => encode(filters, 4)));
    client.sendOctets(flood);
    await expect
      .poll(() => endings(client), { timeout: 20_000 })
      .toEqual([expect.stringContaining("maximumUnreadMs 1500")]);
    await othersAreServed();
  });
});
