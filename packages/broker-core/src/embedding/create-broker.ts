/**
 * A broker inside another program: the core with a clock, timers and random client identifiers of the runtime, and connections that
 * come over any stream of octets.
 */

import { Broker } from "../broker.ts";
import type { BrokerOptions, ClientConnection } from "../broker-options.ts";
import type { SessionStore } from "../ports/session-store.ts";
import type { ServerPublish, ServerPublishResult } from "../server-publish.ts";
import type { ByteStream, ServedStream, StreamOwner, WebByteStream } from "./byte-stream.ts";
import { serveNodeStream } from "./serve-node-stream.ts";
import { serveWebStream } from "./serve-web-stream.ts";

/** What an embedded broker is made of: `authenticator` and `authorizer` have to be there, since nobody is let in without. */
export interface CreateBrokerOptions<Peer, Principal> extends Omit<
  BrokerOptions<Peer, Principal>,
  "assignClientIdentifier" | "monotonicMs" | "nextTurn" | "persistence"
> {
  /** Names a client that gave no identifier. Default: a random UUID. */
  readonly assignClientIdentifier?: (() => string) | undefined;
  /** Where sessions and retained messages outlive the process. The broker owns it, and closes it at its end. Default: they end with the broker. */
  readonly store?: SessionStore | undefined;
  /** The store refused records. They are tried again each second; until then nothing is acknowledged that has to be kept. */
  readonly onStoreFailed?: ((error: unknown) => void) | undefined;
  /** Milliseconds of a clock that only goes forward. Default `performance.now()`. */
  readonly monotonicMs?: (() => number) | undefined;
}

const tickMs = 1000;

/** Makes a broker that keeps time by itself until `close`. Rejects with `SessionStoreError` where the store cannot be read. */
export async function createBroker<Peer, Principal>(
  options: CreateBrokerOptions<Peer, Principal>,
): Promise<EmbeddedBroker<Peer, Principal>> {
  const { store, onStoreFailed, monotonicMs = () => performance.now(), assignClientIdentifier, ...rest } = options;
  const kept = await store?.load();
  const core = new Broker<Peer, Principal>({
    ...rest,
    assignClientIdentifier: assignClientIdentifier ?? (() => crypto.randomUUID()),
    monotonicMs,
    nextTurn: (work) => later(() => work(monotonicMs())),
    persistence:
      store === undefined || kept === undefined
        ? undefined
        : { store, kept, nowMs: monotonicMs(), onFailed: onStoreFailed },
  });
  return new EmbeddedBroker(core, store, monotonicMs);
}

/** A broker that runs. Made by `createBroker`. */
export class EmbeddedBroker<Peer, Principal> implements AsyncDisposable {
  /** The broker itself, for everything else. Give its calls `monotonicMs()` as the time. */
  readonly core: Broker<Peer, Principal>;
  /** The broker's clock. */
  readonly monotonicMs: () => number;
  readonly #store: SessionStore | undefined;
  readonly #tick: unknown;
  readonly #open = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(core: Broker<Peer, Principal>, store: SessionStore | undefined, monotonicMs: () => number) {
    this.core = core;
    this.monotonicMs = monotonicMs;
    this.#store = store;
    this.#tick = setInterval(() => core.tick(monotonicMs()), tickMs);
    letEnd(this.#tick);
  }

  /**
   * Serves a client over a stream of octets, which the broker owns from then on. `peer` is what you know of the client; the
   * authenticator gets it. Nothing may have been read from the stream.
   */
  serve(stream: ByteStream, peer: Peer): ClientConnection<Peer, Principal> {
    const owner: StreamOwner<ClientConnection<Peer, Principal>> = {
      accept: (transport) => this.core.accept(peer, transport, this.monotonicMs()),
      monotonicMs: this.monotonicMs,
    };
    const { connection, closed }: ServedStream<ClientConnection<Peer, Principal>> = isWebStream(stream)
      ? serveWebStream(owner, stream)
      : serveNodeStream(owner, stream);
    this.#open.add(closed);
    void closed.then(() => this.#open.delete(closed));
    if (this.#closing !== undefined) connection.end("server-shutdown", "the broker stops", this.monotonicMs());
    return connection;
  }

  /** Publishes a message that did not come over a connection. Resolves when it is kept as its QoS promises. */
  publish(message: ServerPublish<Principal>): Promise<ServerPublishResult> {
    return this.core.publish(message, this.monotonicMs());
  }

  /**
   * Ends all connections (MQTT 5.0: DISCONNECT 0x8B), has the store keep what was promised, and closes it. Resolves when all
   * streams are closed; a client that does not read is cut after 2 s.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.core.shutdown(this.monotonicMs());
    await Promise.all(this.#open);
    clearInterval(this.#tick);
    await this.core.settled();
    await this.#store?.close();
  }
}

/** A stream of Node says by `readable` whether it is. */
function isWebStream(stream: ByteStream): stream is WebByteStream {
  return "readable" in stream && typeof stream.readable === "object";
}

/** In a later turn of the event loop, after what came from the network meanwhile. */
function later(work: () => void): void {
  if (typeof setImmediate === "function") setImmediate(work);
  else setTimeout(work, 0);
}

/** A timer alone should not keep a program of Node alive. */
function letEnd(timer: unknown): void {
  if (typeof timer !== "object" || timer === null || !("unref" in timer)) return;
  if (typeof timer.unref === "function") timer.unref();
}
