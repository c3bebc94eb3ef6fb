/** Thousands of packets with random changes, in random cuts, through real sockets: the broker goes on serving, and says how each connection ended. */

import { encode, type EncodablePacket, type ProtocolVersion } from "@latchkey/mqtt-codec";
import { interestingInMqtt, octetChanger } from "@latchkey/tooling-vitest/changed-octets";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConformanceBroker } from "../conformance/conformance-broker.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

/** `LATCHKEY_FUZZ_SEED` gives other packets. */
const seed = Number(process.env["LATCHKEY_FUZZ_SEED"] ?? 1);
const { random, changed } = octetChanger(seed, interestingInMqtt);
const userProperties = [["name", "value"]] as const;

const connections = 250;

/** Connections whose end is in the log. Of one certificate or address many are counted in one line. */
const closings = (): number =>
  broker
    .logged(/"msg":"closed/)
    .map((line) => JSON.parse(line) as { readonly times?: number })
    .reduce((sum, { times = 1 }) => sum + times, 0);

/** Packets that are right, with all their parts. */
const samples = (version: ProtocolVersion): readonly EncodablePacket[] => {
  const is5 = version === 5;
  const topicName = "fuzz/topic";
  const payload = Buffer.from("payload");
  const will = { topicName, payload, qos: 1 as const, properties: is5 ? { willDelayInterval: 1 } : undefined };
  return [
    {
      type: "connect",
      clientIdentifier: "fuzz",
      cleanStart: true,
      keepAlive: 60,
      will,
      userName: "user",
      password: payload,
      properties: is5 ? { sessionExpiryInterval: 1, receiveMaximum: 9, userProperties } : undefined,
    },
    {
      type: "publish",
      topicName,
      payload,
      qos: 1,
      packetIdentifier: 1,
      properties: is5 ? { topicAlias: 1, correlationData: payload, responseTopic: "a", userProperties } : undefined,
    },
    { type: "publish", topicName, payload, qos: 2, retain: true, packetIdentifier: 2 },
    {
      type: "subscribe",
      packetIdentifier: 3,
      subscriptions: [
        { topicFilter: "fuzz/#", qos: 2 },
        { topicFilter: "$share/group/fuzz/+", qos: 1 },
      ],
      properties: is5 ? { subscriptionIdentifier: 200, userProperties } : undefined,
    },
    { type: "unsubscribe", packetIdentifier: 4, topicFilters: ["fuzz/#", "fuzz/+"] },
    { type: "puback", packetIdentifier: 1 },
    { type: "pubrec", packetIdentifier: 2, ...(is5 && { reasonCode: 0x80, properties: { userProperties } }) },
    { type: "pubrel", packetIdentifier: 2 },
    { type: "pubcomp", packetIdentifier: 2 },
    { type: "pingreq" },
    { type: "disconnect", ...(is5 && { reasonCode: 4, properties: { sessionExpiryInterval: 2 } }) },
  ];
};

test.each([4, 5] as const)(`version %i, seed ${seed}`, async (version) => {
  const [first, ...others] = samples(version).map((one) => encode(one, version));
  const connect = first ?? new Uint8Array(0);
  const before = closings();
  const bystander = await broker.connect(5);
  for (let count = 0; count < connections; count++) {
    const client = await broker.open(version);
    const isConnectChanged = random(4) === 0;
    const sent = [isConnectChanged ? changed(connect) : connect];
    for (let more = 1 + random(6); more > 0; more--) {
      const one = others[random(others.length)] ?? connect;
      sent.push(random(2) === 0 ? changed(one) : one);
    }
    const stream = Buffer.concat(sent);
    for (let at = 0; at < stream.length;) {
      const end = at + 1 + random(random(4) === 0 ? stream.length : 8);
      client.sendOctets(stream.subarray(at, end));
      at = end;
    }
    // Whether the broker has closed it or waits for more.
    client.halfClose();
    await client.ended().catch((cause: unknown) => {
      // A CONNECT may have become one of another version, which is answered in that one.
      const problem = `${stream.toString("hex")}: what the broker sent cannot be read`;
      if (!isConnectChanged) throw new Error(problem, { cause });
    });
    if (count % 50 === 0) expect(await bystander.drain()).toEqual([]);
  }
  expect(await bystander.drain()).toEqual([]);
  await expect.poll(closings, { timeout: 60_000 }).toBe(before + connections);
});
