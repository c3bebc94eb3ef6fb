/**
 * MQTT over a stream of octets: what comes goes to the broker, and what the broker says goes out. `createBroker` has the like for any
 * stream of a caller's; the streams here are sockets and TLS, which need less care and are kept small.
 */

import type { Duplex } from "node:stream";
import type { Broker, Transport } from "@latchkey/broker-core";
import { endSoon } from "./secure-listener.ts";

/** Hands a connection to the broker, and gives the broker's end of it. Nothing may have been read from the stream. */
export function serveMqtt<Peer, Principal>(
  broker: Broker<Peer, Principal>,
  peer: Peer,
  stream: Duplex,
): ReturnType<typeof broker.accept> {
  const client = broker.accept(peer, new StreamTransport(stream), performance.now());
  stream.on("data", (chunk: Buffer) => client.receive(chunk, performance.now()));
  stream.on("drain", () => client.drained(performance.now()));
  stream.on("error", (error: Error) => client.lost(error.message, performance.now()));
  stream.on("close", () => client.lost("the client closed the connection", performance.now()));
  return client;
}

class StreamTransport implements Transport {
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  get bufferedOctets(): number {
    return this.#stream.writableLength;
  }

  write(chunks: readonly Uint8Array[]): void {
    this.#stream.write(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
  }

  close(): void {
    endSoon(this.#stream);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }
}
