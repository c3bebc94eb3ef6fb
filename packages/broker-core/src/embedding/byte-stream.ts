/** The streams that a connection can come over. They are described by what is used of them, so that no runtime is imported. */

import type { ClientConnection } from "../broker-options.ts";
import type { Transport } from "../ports/transport.ts";

/** A duplex stream as Node has it: `net.Socket`, `tls.TLSSocket`, any `stream.Duplex` of octets. */
export interface NodeByteStream {
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(chunk: Uint8Array): unknown;
  end(finished: () => void): unknown;
  destroy(error?: Error): unknown;
  pause(): unknown;
  resume(): unknown;
  on(event: "data", listener: (chunk: unknown) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end" | "drain" | "close", listener: () => void): unknown;
}

/** A pair of streams as WHATWG has them: a stream of WebTransport, `Duplex.toWeb`, two ends of a `TransformStream`. */
export interface WebByteStream {
  readonly readable: {
    readonly locked: boolean;
    getReader(): {
      read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
      cancel(reason?: unknown): Promise<unknown>;
    };
  };
  readonly writable: {
    readonly locked: boolean;
    getWriter(): {
      write(chunk: Uint8Array): Promise<unknown>;
      close(): Promise<unknown>;
      abort(reason?: unknown): Promise<unknown>;
    };
  };
}

/** What a connection comes over. */
export type ByteStream = NodeByteStream | WebByteStream;

/** A broker as a stream needs it. */
export interface StreamOwner<Connection> {
  readonly accept: (transport: Transport) => Connection;
  readonly monotonicMs: () => number;
}

/** A connection that comes over a stream. */
export interface ServedStream<Connection> {
  readonly connection: Connection;
  /** Resolves when nothing of the stream is open any more. It never rejects. */
  readonly closed: Promise<void>;
}

/** What a stream calls of its connection. */
export type StreamConnection = Pick<ClientConnection<unknown, unknown>, "receive" | "drained" | "lost">;

/** How long a client may take to read the last octets before its stream is cut. */
export const closeTimeoutMs = 2000;

/** How a stream failed, for the log. What a caller throws may be anything. */
export function detailOf(cause: unknown): string {
  if (cause instanceof Error) return cause.message;
  return typeof cause === "string" ? cause : "the stream failed";
}

/** One piece of several, which is one write of the system. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  let octets = 0;
  for (const { length } of chunks) octets += length;
  const all = new Uint8Array(octets);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
