/** A connection over a duplex stream of Node. */

import {
  closeTimeoutMs,
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
    write: (chunks) => void stream.write(joined(chunks)),
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

/** Lets what is written go out, then cuts the stream even where the client reads nothing. */
function endSoon(stream: NodeByteStream, closed: Promise<void>, isClosed: () => void): void {
  if (stream.destroyed) return;
  const timer = setTimeout(() => {
    stream.destroy();
    // A stream without `emitClose` does not say so.
    isClosed();
  }, closeTimeoutMs);
  void closed.then(() => clearTimeout(timer));
  stream.end(() => stream.destroy());
}
