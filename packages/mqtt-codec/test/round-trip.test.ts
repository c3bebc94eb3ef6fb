import { expect, test } from "vitest";
import { encode, encodedLength, type EncodablePacket, PacketDecoder, preparePublish } from "../src/index.ts";

const text = new TextEncoder();

test("a 3.1.1 session from CONNECT to DISCONNECT is decoded in any cut", () => {
  const sent: EncodablePacket[] = [
    {
      type: "connect",
      clientIdentifier: "button-1",
      keepAlive: 30,
      will: { topicName: "iotbutton/gone", payload: text.encode("bye"), qos: 1, retain: true },
      userName: "user",
      password: text.encode("secret"),
    },
    { type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "iotbutton/+", qos: 1 }] },
    { type: "publish", topicName: "iotbutton/Ä€𝄞", payload: text.encode("x".repeat(200)) },
    { type: "publish", topicName: "iotbutton/b", payload: text.encode("click"), qos: 1, packetIdentifier: 7 },
    { type: "puback", packetIdentifier: 9 },
    { type: "unsubscribe", packetIdentifier: 2, topicFilters: ["iotbutton/+"] },
    { type: "pingreq" },
    { type: "disconnect" },
  ];
  const chunks = sent.map((packet) => encode(packet, 4));
  expect(chunks.map((chunk) => chunk.length)).toEqual(sent.map((packet) => encodedLength(packet, 4)));
  const stream = Buffer.concat(chunks);
  for (let size = 1; size <= stream.length; size++) {
    const decoder = new PacketDecoder({ receives: "client-packets" });
    const received: EncodablePacket[] = [];
    for (let at = 0; at < stream.length; at += size) {
      decoder.push(stream.subarray(at, at + size));
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) received.push(packet);
    }
    expect(received.map((packet) => packet.type)).toEqual(sent.map((packet) => packet.type));
    expect(Buffer.concat(received.map((packet) => encode(packet, 4)))).toEqual(stream);
  }
});

test("a prepared PUBLISH is what encoding each would give", () => {
  const template = { topicName: "a/b", payload: text.encode("x".repeat(300)), properties: { contentType: "text" } };
  const prepared = preparePublish(template);
  for (const version of [4, 5] as const) {
    for (const receiver of [
      { qos: 0 },
      { qos: 0, retain: true },
      { qos: 1, packetIdentifier: 0x1234 },
      { qos: 2, packetIdentifier: 65_535, dup: true, retain: true },
    ] as const) {
      const expected = encode({ type: "publish", ...template, ...receiver }, version);
      const buffer = new Uint8Array(expected.length + 3);
      expect(prepared.encodeInto(version, receiver, buffer, 3)).toBe(buffer.length);
      expect(buffer.subarray(3)).toEqual(expected);
      if (receiver.qos === 0) expect(prepared.shared(version, "retain" in receiver)).toEqual(expected);
    }
  }
});
