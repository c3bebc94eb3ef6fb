/** A transport in memory, whose client answers within `write`. */

import { encode, PacketDecoder, type EncodablePacket } from "@latchkey/mqtt-codec";
import { expect, test } from "vitest";
import { TestBroker } from "./client.ts";

const connect = { type: "connect", protocolVersion: 4, clientIdentifier: "a", cleanStart: true, keepAlive: 0 } as const;

test("each octet is sent once, in order", () => {
  const { broker } = new TestBroker({ authenticator: { authenticate: () => ({ ok: true, principal: "a" }) } });
  const decoder = new PacketDecoder({ receives: "server-packets", protocolVersion: 4, maximumPacketSize: 1 << 20 });
  const answers: EncodablePacket[] = [
    { type: "publish", topicName: "t", payload: new Uint8Array(0), qos: 1, packetIdentifier: 7 },
    { type: "pingreq" },
  ];
  const received: string[] = [];
  const connection = broker.accept(
    "a",
    {
      bufferedOctets: 0,
      pause: () => {},
      resume: () => {},
      close: () => {},
      write(chunks) {
        for (const chunk of chunks) decoder.push(chunk);
        for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
          received.push(packet.type);
          const answer = answers.shift();
          if (answer !== undefined) connection.receive(encode(answer, 4), 0);
        }
      },
    },
    0,
  );
  connection.receive(encode(connect, 4), 0);
  expect(received).toEqual(["connack", "puback", "pingresp"]);
});
