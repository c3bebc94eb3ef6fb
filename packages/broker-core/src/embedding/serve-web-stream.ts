/** A connection over a pair of WHATWG streams. */

import {
  closeTimeoutMs,
  detailOf,
  joined,
  type ServedStream,
  type StreamConnection,
  type StreamOwner,
  type WebByteStream,
} from "./byte-stream.ts";

type Reader = ReturnType<WebByteStream["readable"]["getReader"]>;
type Writer = ReturnType<WebByteStream["writable"]["getWriter"]>;

/** Hands what comes over the streams to the broker, and the other way. Throws `TypeError` where one of them is locked, and then locks neither. */
export function serveWebStream<Connection extends StreamConnection>(
  { accept, monotonicMs }: StreamOwner<Connection>,
  { readable, writable }: WebByteStream,
): ServedStream<Connection> {
  const locked = [readable.locked && "readable", writable.locked && "writable"].filter((name) => name !== false);
  if (locked.length > 0) throw new TypeError(`somebody else has the stream: ${locked.join(" and ")} locked`);
  const output = new Output(writable.getWriter());
  const input = new Input(readable.getReader());
  const connection = accept({
    write: (chunks) => output.write(joined(chunks)),
    close() {
      input.cancel();
      output.close();
    },
    get bufferedOctets() {
      return output.bufferedOctets;
    },
    pause: () => input.pause(),
    resume: () => input.resume(),
  });
  output.drained = () => connection.drained(monotonicMs());
  output.failed = (cause) => connection.lost(detailOf(cause), monotonicMs());
  const isRead = input.run(
    (chunk) => connection.receive(chunk, monotonicMs()),
    (detail) => connection.lost(detail, monotonicMs()),
  );
  return { connection, closed: Promise.all([isRead, output.closed]).then(() => undefined) };
}

/** Reads a stream, and not further while it is paused. */
class Input {
  readonly #reader: Reader;
  #mayRead: Promise<void> | undefined;
  #goOn: () => void = () => {};

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  pause(): void {
    if (this.#mayRead !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#mayRead = promise;
    this.#goOn = resolve;
  }

  resume(): void {
    this.#mayRead = undefined;
    this.#goOn();
  }

  cancel(): void {
    this.resume();
    this.#reader.cancel().catch(() => {});
  }

  /** Resolves when the stream has ended, and calls `lost` with the reason. */
  async run(receive: (chunk: Uint8Array) => void, lost: (detail: string) => void): Promise<void> {
    try {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- one piece after another
        await this.#mayRead;
        // oxlint-disable-next-line no-await-in-loop -- one piece after another
        const { done, value } = await this.#reader.read();
        if (done) break;
        if (!(value instanceof Uint8Array)) {
          lost("the stream gives something else than octets");
          return;
        }
        receive(value);
      }
      lost("the client closed the connection");
    } catch (cause) {
      lost(detailOf(cause));
    }
  }
}

/** Writes a stream, and counts what it has not taken. */
class Output {
  readonly #writer: Writer;
  readonly closed: Promise<void>;
  readonly #closed: () => void;
  bufferedOctets = 0;
  drained: () => void = () => {};
  failed: (cause: unknown) => void = () => {};

  constructor(writer: Writer) {
    this.#writer = writer;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#closed = resolve;
  }

  write(bytes: Uint8Array): void {
    this.bufferedOctets += bytes.length;
    this.#writer.write(bytes).then(
      () => {
        this.bufferedOctets -= bytes.length;
        if (this.bufferedOctets === 0) this.drained();
      },
      (cause: unknown) => this.failed(cause),
    );
  }

  /** Lets what is written go out, then cuts the stream even where nobody reads it. */
  close(): void {
    const timer = setTimeout(() => {
      this.#writer.abort().catch(() => {});
      this.#closed();
    }, closeTimeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      this.#closed();
    };
    this.#writer.close().then(done, done);
  }
}
