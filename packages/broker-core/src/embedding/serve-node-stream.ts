/** A connection over a duplex stream of Node. */

import {
  closeTimeoutMs,
  detailOf,
  joined,
  type NodeByteStream,
  type ServedStream,
  type StreamConnection,
  type StreamOwner,
} from "./byte-stream.ts";

/** Hands what comes over the stream to the broker, and the other way. Nothing may have been read from the stream. */
export function serveNodeStream<Connection extends StreamConnection>(
  { accept, monotonicMs }: StreamOwner<Connection>,
  stream: NodeByteStream,
): ServedStream<Connection> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const connection = accept({
    write: (chunks) => writeTo(stream, joined(chunks)),
    close: () => endSoon(stream, closed, resolve),
    get bufferedOctets() {
      return stream.writableLength;
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
  });
  stream.on("data", (chunk) => {
    if (chunk instanceof Uint8Array) connection.receive(chunk, monotonicMs());
    else connection.lost("the stream gives something else than octets", monotonicMs());
  });
  stream.on("drain", () => connection.drained(monotonicMs()));
  stream.on("error", (error) => connection.lost(error.message, monotonicMs()));
  // A stream that may be half open does not end by itself.
  stream.on("end", () => connection.lost("the client closed the connection", monotonicMs()));
  stream.on("close", () => {
    connection.lost("the client closed the connection", monotonicMs());
    resolve();
  });
  if (stream.destroyed) resolve();
  return { connection, closed };
}

/** A stream that throws has failed. It must not be noticed by the client whose message is sent. */
function writeTo(stream: NodeByteStream, octets: Uint8Array): void {
  try {
    stream.write(octets);
  } catch (cause) {
    stream.destroy(new Error(detailOf(cause), { cause }));
  }
}

/** Lets what is written go out, then cuts the stream even where the client reads nothing. */
function endSoon(stream: NodeByteStream, closed: Promise<void>, isClosed: () => void): void {
  if (stream.destroyed) {
    // It may have said so before anybody listened, or be one that does not say so.
    isClosed();
    return;
  }
  const timer = setTimeout(() => {
    stream.destroy();
    // A stream without `emitClose` does not say so.
    isClosed();
  }, closeTimeoutMs);
  void closed.then(() => clearTimeout(timer));
  stream.end(() => stream.destroy());
}
