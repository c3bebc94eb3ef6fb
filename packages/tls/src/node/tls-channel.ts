/**
 * TlsChannel: an engine over a transport, by calls. `TlsStream` is a stream over one; a program that holds many connections
 * saves what a stream of Node.js keeps for each, a kilobyte and more.
 */

import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { AlertName } from "../alert.ts";
import type { ClientConfig, ServerConfig } from "../config.ts";
import { createTlsClient, createTlsServer } from "../create.ts";
import type { ConnectionInfo, TlsEngine, TlsEvent } from "../engine.ts";
import type { TlsError } from "../errors.ts";
import type { PeerVerdict, PeerVerifier } from "../peer-verifier.ts";
import type { ChannelOwner } from "./channel-owner.ts";
import { answerNeed, type NeedAnswers } from "./need-answers.ts";
import { ReusedBuffer } from "./reused-buffer.ts";

/** What a channel takes besides the engine's config. */
export interface ChannelOptions {
  /** Answers what the config asks by `need` events. */
  readonly answers?: NeedAnswers;
  /**
   * False: a peer whose chain is refused is connected all the same; `authorized` is false and `authorizationError` says why.
   * The peer's signature is checked in any case. Default true.
   */
  readonly rejectUnauthorized?: boolean;
  /** Milliseconds in which the handshake must be done. Default 30,000; 0 for no limit. */
  readonly handshakeTimeoutMs?: number;
  /** Whether this side may go on writing after the peer ended (TLS 1.3). Default false, as in node:tls. */
  readonly allowHalfOpen?: boolean;
}

/** What a client's channel or stream takes. */
export type ConnectTlsOptions = ClientConfig & ChannelOptions;
/** What a server's channel or stream takes. */
export type AcceptTlsOptions = ServerConfig & ChannelOptions;

/** A client's channel over a connected transport: `attach` starts it. Throws `ERR_TLS_ARGUMENT` for a config that cannot work. */
export function connectTlsChannel(transport: Duplex, options: ConnectTlsOptions): TlsChannel {
  return new TlsChannel(transport, options, (record) =>
    createTlsClient({ allocate, ...options, verifier: record(options.verifier) ?? options.verifier }),
  );
}

/** A server's channel over an accepted transport: `attach` starts it. Throws `ERR_TLS_ARGUMENT` for a config that cannot work. */
export function acceptTlsChannel(transport: Duplex, options: AcceptTlsOptions): TlsChannel {
  return new TlsChannel(transport, options, (record) => {
    const verifier = record(options.verifier);
    return createTlsServer({ allocate, ...options, ...(verifier === undefined ? {} : { verifier }) });
  });
}

/** Records on their way to a socket, which mostly takes them at once; without zeros first, since they go nowhere else. */
const outputBuffer = new ReusedBuffer();
/** What was written in one turn, together. */
const writeBuffer = new ReusedBuffer();

function allocate(octets: number): Buffer {
  return outputBuffer.take(octets);
}

type RecordVerdicts = (verifier: PeerVerifier | "ask" | undefined) => PeerVerifier | "ask" | undefined;

const defaultHandshakeTimeoutMs = 30_000;
/** How long a failed connection waits for its alert to leave. */
const alertTimeoutMs = 2000;

/** A transport that knows its channel, so that one set of listeners serves all channels. */
interface AttachedTransport extends Duplex {
  [channelOf]?: TlsChannel;
}

const channelOf: unique symbol = Symbol("channel");

/** See the head of this file. A channel owns its transport, and ends it. */
export class TlsChannel {
  /** What the records go over. */
  readonly transport: Duplex;
  /** Whether the verifier accepted the peer's chain; false for a peer without one. */
  authorized: boolean = false;
  /** Why not. */
  authorizationError: Error | undefined;
  readonly #engine: TlsEngine;
  readonly #answers: NeedAnswers;
  readonly #rejects: boolean;
  readonly #allowsHalfOpen: boolean;
  #owner: ChannelOwner | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What is written in this turn, behind what was sent at its first write. */
  #held = none;
  #heldOctets = 0;
  #isHolding = false;
  /** `bufferedOctets` had reached the transport's high-water mark by what is held, which the transport knows nothing of. */
  #isFull = false;
  /** Questions that are not answered yet. */
  #asking = 0;
  #isPaused = false;
  #isBlocked = false;
  #isBusy = false;
  /** Something came while records were written: a transport in memory answers within its `write`. */
  #pumpsAgain = false;
  #isAlerting = false;
  /** The transport has ended. The owner is told once it has all that came before. */
  #tellsEnd = false;
  #isDestroyed = false;

  constructor(transport: Duplex, options: ChannelOptions, create: (record: RecordVerdicts) => TlsEngine) {
    this.transport = transport;
    // It would end by itself with the peer's end, and lose what is still to be sent. The channel ends it.
    transport.allowHalfOpen = true;
    this.#answers = options.answers ?? noAnswers;
    this.#rejects = options.rejectUnauthorized ?? true;
    this.#allowsHalfOpen = options.allowHalfOpen ?? false;
    this.#engine = create((verifier) => this.#recording(verifier));
    const timeoutMs = options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs;
    if (timeoutMs > 0) this.#timer = setTimeout(() => this.#timeOut(timeoutMs), timeoutMs);
    const attached: AttachedTransport = transport;
    attached[channelOf] = this;
    for (const [event, listener] of Object.entries(TlsChannel.#listeners)) attached.on(event, listener);
  }

  /** Starts the channel, or goes on with another owner, who gets all from here on. What is paused stays so. */
  attach(owner: ChannelOwner): void {
    this.#owner = owner;
    this.#pump();
    // It will say nothing more, perhaps since before this channel.
    const { transport } = this;
    if (transport.destroyed || transport.readableEnded) queueMicrotask(() => this.#endTransport());
  }

  /** What was agreed on; undefined until `secured`. */
  get info(): ConnectionInfo | undefined {
    return this.#engine.info;
  }

  /** Why the connection failed. */
  get error(): TlsError | undefined {
    return this.#engine.error;
  }

  /** Whether data may be sent: the handshake is done, and this side has not ended. */
  get isWritable(): boolean {
    const { phase } = this.#engine;
    return !this.#isDestroyed && this.transport.writable && (phase === "open" || phase === "peerClosed");
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Whether the transport takes no more now. `drained` follows. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Octets that were written and have not left, with what records add to them. */
  get bufferedOctets(): number {
    return this.#heldOctets + this.#engine.outputOctets + this.transport.writableLength;
  }

  /**
   * Sends the chunks as one piece and at once, behind what `write` holds, even if the transport takes no more now. False if not all was
   * sent: the connection ended before or within, by an error or by a key of TLS 1.2 that was used enough.
   */
  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#heldOctets > 0) this.#sendHeld();
    const [only] = chunks;
    if (only === undefined) return this.isWritable;
    if (chunks.length === 1) return this.#send(only);
    const data = joined(chunks);
    const isSent = this.#send(data);
    writeBuffer.giveBack(data, true);
    return isSent;
  }

  /**
   * Sends the chunks at once the first time in a turn of the event loop, and what follows in this turn as one piece behind it: as few
   * records and writes of the transport. So what is in them must not change. After the end they are dropped: `closed` tells.
   */
  write(chunks: readonly Uint8Array[]): void {
    if (!this.isWritable) return;
    if (!this.#isHolding) {
      this.send(chunks);
      this.#hold();
      return;
    }
    if (this.#held === none) this.#held = [...chunks];
    else this.#held.push(...chunks);
    for (const { length } of chunks) this.#heldOctets += length;
    if (this.bufferedOctets >= this.transport.writableHighWaterMark) this.#isFull = true;
  }

  /** Stops `received` and what comes behind it; the transport is not read from. */
  pause(): void {
    this.#isPaused = true;
    this.transport.pause();
  }

  /** Ends `pause`. What waits is handed over before this returns. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#asking === 0) this.transport.resume();
    this.#pump();
  }

  /**
   * Ends this side: close_notify behind what was written, then the transport's end. Calls `done` when the transport has sent all, or is
   * closed.
   */
  end(done: () => void = () => undefined): void {
    if (this.#isDestroyed) {
      queueMicrotask(done);
      return;
    }
    this.#sendHeld();
    this.#engine.close();
    this.#flush(true);
    this.transport.end(() => done());
  }

  /** Ends the connection at once with a fatal alert that says why. */
  abort(alert?: AlertName): void {
    this.#abort(alert, undefined);
  }

  /** Closes the transport, once an alert of a connection that failed has left. */
  destroy(error?: Error): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#endTimer();
    // Nothing more comes or goes: the secrets are overwritten, also where the peer never closed, or this side did not.
    this.#engine.receiveEnd();
    this.#engine.close();
    this.#held = none;
    this.#heldOctets = 0;
    const { transport } = this;
    if (this.#isAlerting && !transport.destroyed) {
      const timer = setTimeout(() => transport.destroy(), alertTimeoutMs);
      timer.unref();
      transport.resume();
      transport.end(() => {
        clearTimeout(timer);
        transport.destroy();
      });
    } else {
      transport.destroy();
    }
    this.#owner?.closed(error);
  }

  /** See `TlsEngine.exportKeyingMaterial`. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    return this.#engine.exportKeyingMaterial(length, label, context);
  }

  /** See `TlsEngine.forgetPeerCertificates`: then `info` has none either. */
  forgetPeerCertificates(): void {
    this.#engine.forgetPeerCertificates();
  }

  /** See `TlsEngine.updateKeys`. */
  updateKeys(requestsPeer: boolean = false): void {
    this.#engine.updateKeys(requestsPeer);
    this.#pump();
  }

  /** One set for the transports of all channels, since a set for each takes room as long as the channel lives. */
  static readonly #listeners = {
    data(this: AttachedTransport, chunk: Buffer): void {
      const channel = this[channelOf];
      if (channel === undefined || channel.#isDestroyed) return;
      channel.#engine.receive(chunk);
      channel.#pump();
    },
    end(this: AttachedTransport): void {
      const channel = this[channelOf];
      if (channel !== undefined) channel.#endTransport();
    },
    close(this: AttachedTransport): void {
      const channel = this[channelOf];
      if (channel === undefined || channel.#isDestroyed) return;
      channel.#tellsEnd = true;
      channel.#endTransport();
      // A failure is told at once. A good end is told once the owner has all that came before.
      if (channel.#isPaused && channel.#engine.phase === "failed") channel.destroy(channel.error);
    },
    error(this: AttachedTransport, error: Error): void {
      this[channelOf]?.destroy(error);
    },
    drain(this: AttachedTransport): void {
      const channel = this[channelOf];
      if (channel === undefined || channel.#isDestroyed) return;
      channel.#isBlocked = false;
      channel.#pump();
      channel.#owner?.drained?.();
    },
  } as const;

  #endTransport(): void {
    if (this.#isDestroyed) return;
    // After our own end, the end of the transport is an end: the peer may not say so again. Who waits for all of a half-closed stream
    // has to learn that it was cut off (RFC 8446 §6.1); TLS 1.2 has no half-close.
    const isHalfOpen = this.#allowsHalfOpen && this.info?.version === "TLSv1.3";
    if (this.#engine.phase === "closing" && !isHalfOpen) this.#tellsEnd = true;
    else this.#engine.receiveEnd();
    this.#pump();
  }

  #endTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #timeOut(timeoutMs: number): void {
    this.#abort(undefined, new Error(`The TLS handshake was not done in ${timeoutMs} milliseconds`));
  }

  #abort(alert: AlertName | undefined, error: Error | undefined): void {
    if (this.#isDestroyed) return;
    this.#engine.abort(alert);
    this.#isAlerting = true;
    this.#flush(true);
    this.destroy(error);
  }

  /** Notes what the verifier says; where refusals do not reject, says yes in its place. */
  #recording(verifier: PeerVerifier | "ask" | undefined): PeerVerifier | "ask" | undefined {
    if (verifier === undefined || verifier === "ask") return verifier;
    return {
      verify: (peer) => this.#note(verifier.verify(peer)),
      rememberedKey: (certificate, provider) => verifier.rememberedKey?.(certificate, provider),
    };
  }

  #note(verdict: PeerVerdict): PeerVerdict {
    this.authorized = verdict.ok;
    this.authorizationError = verdict.ok ? undefined : errorOf(verdict.reason);
    return verdict.ok || this.#rejects ? verdict : { ok: true };
  }

  /** Events out, and records to the transport, until nothing moves. */
  #pump(): void {
    if (this.#isBusy) {
      this.#pumpsAgain = true;
      return;
    }
    this.#isBusy = true;
    try {
      do {
        this.#pumpsAgain = false;
        this.#takeEvents();
        this.#flush();
      } while (this.#pumpsAgain);
    } finally {
      this.#isBusy = false;
      outputBuffer.leave();
    }
  }

  #takeEvents(): void {
    while (this.#owner !== undefined && !this.#isPaused && !this.#isDestroyed) {
      const event = this.#engine.next();
      if (event !== undefined) {
        this.#take(event, this.#owner);
      } else if (this.#tellsEnd) {
        this.#tellsEnd = false;
        this.#owner.ended();
      } else {
        return;
      }
    }
  }

  #send(data: Uint8Array): boolean {
    const isWithin = this.#isBusy;
    this.#isBusy = true;
    let taken = 0;
    try {
      // Each time: to send may end the connection, also by what the peer answers at once.
      while (taken < data.length && this.isWritable) {
        taken += this.#engine.send(taken === 0 ? data : data.subarray(taken));
        this.#flush(true);
      }
    } finally {
      if (!isWithin) {
        this.#isBusy = false;
        outputBuffer.leave();
      }
    }
    if (!isWithin && (this.#pumpsAgain || !this.isWritable)) this.#pump();
    return taken === data.length;
  }

  /** What is written until the end of this turn waits for it. */
  #hold(): void {
    this.#isHolding = true;
    setImmediate(TlsChannel.#release, this);
  }

  static #release(this: void, channel: TlsChannel): void {
    channel.#isHolding = false;
    const wasFull = channel.#isFull;
    channel.#isFull = false;
    if (channel.#heldOctets > 0) {
      channel.#sendHeld();
      channel.#hold();
    }
    // A transport that took all of it at once does not say so.
    if (wasFull && !channel.#isBlocked && !channel.#isDestroyed) channel.#owner?.drained?.();
  }

  #sendHeld(): void {
    const held = this.#held;
    this.#held = none;
    this.#heldOctets = 0;
    this.send(held);
  }

  /** What the transport does not take now stays in the engine, which bounds it; `isForced`: it goes out all the same. */
  #flush(isForced: boolean = false): void {
    if (this.#isBlocked && !isForced) return;
    const { transport } = this;
    const output = this.#engine.takeOutput();
    if (output === undefined || !transport.writable) return;
    if (!transport.write(output)) this.#isBlocked = true;
    // A socket that has nothing left to write gave all of it to the system. Another transport may hand the array on.
    outputBuffer.giveBack(output, transport.writableLength === 0 && transport.constructor === Socket);
  }

  #take(event: TlsEvent, owner: ChannelOwner): void {
    switch (event.type) {
      case "data":
        owner.received(Buffer.from(event.data.buffer, event.data.byteOffset, event.data.length));
        break;
      case "handshakeDone":
        this.#endTimer();
        owner.secured?.();
        break;
      case "session":
        owner.session?.(event.session);
        break;
      case "need":
        this.#answer(event);
        break;
      case "peerClosed":
        owner.ended();
        break;
      case "failed":
        this.#isAlerting = event.error.alertSent !== undefined;
        this.#flush(true);
        this.destroy(event.error);
        break;
      default:
    }
  }

  #answer(need: Extract<TlsEvent, { readonly type: "need" }>): void {
    const question =
      need.need === "verifyPeer"
        ? { ...need, answer: (verdict: PeerVerdict) => need.answer(this.#note(verdict)) }
        : need;
    // What comes meanwhile stays in the transport: the engine keeps only so much.
    this.#asking++;
    this.transport.pause();
    void answerNeed(question, this.#answers).then(() => {
      this.#asking--;
      if (this.#asking === 0 && !this.#isPaused) this.transport.resume();
      this.#pump();
    });
  }
}

/** Of channels that hold nothing. Never written to. */
const none: Uint8Array[] = [];
const noAnswers: NeedAnswers = {};

/** The chunks in one array of `writeBuffer`. */
function joined(chunks: readonly Uint8Array[]): Uint8Array {
  let octets = 0;
  for (const { length } of chunks) octets += length;
  const data = writeBuffer.take(octets);
  let at = 0;
  for (const chunk of chunks) {
    data.set(chunk, at);
    at += chunk.length;
  }
  return data;
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(typeof reason === "string" ? reason : "refused by the verifier");
}
