/** MQTT over a stream of octets: what comes goes to the broker, and what the broker says goes out. */

import type { Duplex } from "node:stream";
import type { Broker } from "@latchkey/broker-core";
import { endSoon } from "./secure-listener.ts";

/** Hands a connection to the broker, and gives the broker's end of it. Nothing may have been read from the stream. */
export function serveMqtt<Peer, Principal>(
  broker: Broker<Peer, Principal>,
  peer: Peer,
  stream: Duplex,
): ReturnType<typeof broker.accept> {
  const transport = {
    write(chunks: readonly Uint8Array[]): void {
      stream.write(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    },
    close: () => endSoon(stream),
    get bufferedOctets() {
      return stream.writableLength;
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
  };
  const client = broker.accept(peer, transport, performance.now());
  stream.on("data", (chunk: Buffer) => client.receive(chunk, performance.now()));
  stream.on("drain", () => client.drained(performance.now()));
  stream.on("error", (error: Error) => client.lost(error.message, performance.now()));
  stream.on("close", () => client.lost("the client closed the connection", performance.now()));
  return client;
}
