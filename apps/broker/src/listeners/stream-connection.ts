/** A connection that is a stream already: a socket, or TLS by node:tls. */

import type { Duplex } from "node:stream";
import type { ConnectionReader, SecureConnection } from "./tls-layer.ts";

/** How long a client may take to read the last octets before its connection is cut. */
export const closeTimeoutMs = 2000;

/** The stream is the connection's from here on. */
export class StreamConnection implements SecureConnection {
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    this.#stream = stream;
    // Node.js ends the process for an error that no listener takes. `close` follows it, and tells the reader.
    stream.on("error", ignore);
  }

  get isDestroyed(): boolean {
    return this.#stream.destroyed;
  }

  get bufferedOctets(): number {
    return this.#stream.writableLength;
  }

  read(reader: ConnectionReader): void {
    const stream = this.#stream;
    stream.on("data", (chunk: Buffer) => reader.received(chunk));
    stream.on("drain", () => reader.drained());
    stream.on("close", () => reader.closed(stream.errored ?? undefined));
  }

  stream(): Duplex {
    return this.#stream;
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

  /** Without an alert: node:tls has no function that sends one. */
  refuse(): void {
    this.destroy();
  }

  destroy(): void {
    this.#stream.destroy();
  }
}

/** One for all streams: each function takes room as long as its stream lives. */
export function ignore(): void {}

/** Lets what is written go out, then cuts the connection even where the client reads nothing. */
export function endSoon(stream: Duplex): void {
  if (stream.destroyed) return;
  const timer = setTimeout(() => stream.destroy(), closeTimeoutMs);
  stream.once("close", () => clearTimeout(timer));
  stream.end(() => stream.destroy());
}
