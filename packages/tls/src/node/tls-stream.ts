/**
 * TlsStream: plaintext on this side, records on the transport's. It has the names of node:tls where they mean the same, so
 * that code can take either.
 */

import { X509Certificate } from "node:crypto";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { AlertName } from "../alert.ts";
import type { ClientConfig, ServerConfig } from "../config.ts";
import { createTlsClient, createTlsServer } from "../create.ts";
import type { ConnectionInfo, TlsEngine, TlsEvent } from "../engine.ts";
import { TlsError } from "../errors.ts";
import type { PeerVerdict, PeerVerifier } from "../peer-verifier.ts";
import { answerNeed, type NeedAnswers } from "./need-answers.ts";
import { ReusedBuffer } from "./reused-buffer.ts";

export type { NeedAnswers } from "./need-answers.ts";

/** What a stream takes besides the engine's config. */
export interface StreamOptions {
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

export type ConnectTlsOptions = ClientConfig & StreamOptions;
export type AcceptTlsOptions = ServerConfig & StreamOptions;

/** A client's end over a connected transport. Throws `ERR_TLS_ARGUMENT` for a config that cannot work. */
export function connectTls(transport: Duplex, options: ConnectTlsOptions): TlsStream {
  return new TlsStream(transport, options, (record) =>
    createTlsClient({ allocate, ...options, verifier: record(options.verifier) ?? options.verifier }),
  );
}

/** A server's end over an accepted transport. Throws `ERR_TLS_ARGUMENT` for a config that cannot work. */
export function acceptTls(transport: Duplex, options: AcceptTlsOptions): TlsStream {
  return new TlsStream(transport, options, (record) => {
    const verifier = record(options.verifier);
    return createTlsServer({ allocate, ...options, ...(verifier === undefined ? {} : { verifier }) });
  });
}

/** Records on their way to a socket, which mostly takes them at once; without zeros first, since they go nowhere else. */
const outputBuffer = new ReusedBuffer();
/** Chunks of one write, together. */
const writeBuffer = new ReusedBuffer();

function allocate(octets: number): Buffer {
  return outputBuffer.take(octets);
}

type RecordVerdicts = (verifier: PeerVerifier | "ask" | undefined) => PeerVerifier | "ask" | undefined;

const defaultHandshakeTimeoutMs = 30_000;
/** How long a failed connection waits for its alert to leave. */
const alertTimeoutMs = 2000;

/**
 * Events besides those of a Duplex: `secureConnect` when the handshake is done, `session` with a `ResumableSession`, and
 * `close`. A failure is an `error` event with a `TlsError`, after its alert was written.
 */
export class TlsStream extends Duplex {
  /** What the records go over. */
  readonly transport: Duplex;
  /** Whether the verifier accepted the peer's chain; false for a peer without one. */
  authorized: boolean = false;
  /** Why not. */
  authorizationError: Error | undefined;
  readonly encrypted: true = true;
  readonly #engine: TlsEngine;
  readonly #answers: NeedAnswers;
  readonly #rejects: boolean;
  #timer: NodeJS.Timeout | undefined;
  /** A write that waits for the handshake, or for room. */
  #waiting: { readonly data: Uint8Array; readonly done: (error?: Error | null) => void } | undefined;
  #finishing: ((error?: Error | null) => void) | undefined;
  /** Questions that are not answered yet. */
  #asking = 0;
  #isBlocked = false;
  #isPumping = false;
  /** Something came while records were written: a transport in memory answers within its `write`. */
  #pumpsAgain = false;
  #isAlerting = false;

  constructor(transport: Duplex, options: StreamOptions, create: (record: RecordVerdicts) => TlsEngine) {
    super({ allowHalfOpen: options.allowHalfOpen ?? false });
    this.transport = transport;
    // It would end by itself with the peer's end, and lose what is still to be sent. This stream ends it.
    transport.allowHalfOpen = true;
    this.#answers = options.answers ?? noAnswers;
    this.#rejects = options.rejectUnauthorized ?? true;
    this.#engine = create((verifier) => this.#recording(verifier));
    const timeoutMs = options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs;
    if (timeoutMs > 0) this.#timer = setTimeout(() => this.#timeOut(timeoutMs), timeoutMs);
    transport.on("data", this.#onData);
    transport.on("end", this.#onEnd);
    transport.on("close", this.#onEnd);
    transport.on("error", this.#onError);
    transport.on("drain", this.#onDrain);
    // It will say nothing more; the caller's listeners come first.
    if (transport.destroyed || transport.readableEnded) queueMicrotask(this.#onEnd);
    this.#pump();
  }

  /** What was agreed on; undefined until `secureConnect`. */
  get info(): ConnectionInfo | undefined {
    return this.#engine.info;
  }

  /** The name that the client sent; false for none. */
  get servername(): string | false {
    return this.info?.serverName ?? false;
  }

  /** The protocol of ALPN; false for none. */
  get alpnProtocol(): string | false {
    return this.info?.alpnProtocol ?? false;
  }

  /** The peer's chain as DER, the end entity first. */
  get peerCertificates(): readonly Uint8Array[] {
    return this.info?.peerCertificates ?? [];
  }

  /** The peer's end entity certificate; undefined where it has none. */
  getPeerX509Certificate(): X509Certificate | undefined {
    const [der] = this.peerCertificates;
    return der && new X509Certificate(der);
  }

  /** The version, or null before `secureConnect`. */
  getProtocol(): "TLSv1.2" | "TLSv1.3" | null {
    return this.info?.version ?? null;
  }

  /** The suite by its OpenSSL and its IANA name. */
  getCipher(): { readonly name: string; readonly standardName: string; readonly version: string } | undefined {
    const { info } = this;
    if (info === undefined) return undefined;
    return { name: opensslName(info.cipherSuite), standardName: info.cipherSuite, version: info.version };
  }

  isSessionReused(): boolean {
    return this.info?.isResumption ?? false;
  }

  /** See `TlsEngine.exportKeyingMaterial`. */
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer {
    return Buffer.from(this.#engine.exportKeyingMaterial(length, label, context));
  }

  /** See `TlsEngine.forgetPeerCertificates`: then this stream has none either. */
  forgetPeerCertificates(): void {
    this.#engine.forgetPeerCertificates();
  }

  /** See `TlsEngine.updateKeys`. */
  updateKeys(requestsPeer: boolean = false): void {
    this.#engine.updateKeys(requestsPeer);
    this.#pump();
  }

  /** Ends the connection at once with a fatal alert that says why. */
  abort(alert: AlertName): void {
    if (this.destroyed) return;
    this.#engine.abort(alert);
    this.#isAlerting = true;
    this.#flush(true);
    this.destroy();
  }

  override _read(): void {
    if (this.#asking === 0) this.transport.resume();
    this.#pump();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#waiting = { data: chunk, done };
    this.#pump();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const data = writeBuffer.take(chunks.reduce((octets, { chunk }) => octets + chunk.length, 0));
    let at = 0;
    for (const { chunk } of chunks) {
      data.set(chunk, at);
      at += chunk.length;
    }
    this.#waiting = { data, done };
    this.#pump();
    writeBuffer.giveBack(data, this.#waiting?.data.buffer !== data.buffer);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finishing = done;
    this.#pump();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#endTimer();
    // Nothing more comes or goes: the secrets are overwritten, also where the peer never closed, or this side did not.
    this.#engine.receiveEnd();
    this.#engine.close();
    const { transport } = this;
    transport.off("data", this.#onData);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.done(error ?? new Error("The stream was destroyed"));
    if (this.#isAlerting && !transport.destroyed) {
      // The alert goes out first, if the transport takes it in time.
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
    done(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#engine.receive(chunk);
    this.#pump();
  };

  readonly #onEnd = (): void => {
    // After our own end, the end of the transport is an end: the peer may not say so again. Who waits for all of a half-closed stream
    // has to learn that it was cut off (RFC 8446 §6.1); TLS 1.2 has no half-close.
    const isHalfOpen = this.allowHalfOpen && this.getProtocol() === "TLSv1.3";
    if (this.#engine.phase === "closing" && !isHalfOpen) this.push(null);
    else this.#engine.receiveEnd();
    this.#pump();
    if (this.transport.destroyed && this.readableEnded) this.destroy();
  };

  readonly #onError = (error: Error): void => {
    this.destroy(error);
  };

  readonly #onDrain = (): void => {
    this.#isBlocked = false;
    this.#pump();
  };

  #endTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #timeOut(timeoutMs: number): void {
    this.#engine.abort();
    this.#isAlerting = true;
    this.#flush(true);
    this.destroy(new Error(`The TLS handshake was not done in ${timeoutMs} milliseconds`));
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

  /** Events out, waiting data in, records to the transport, until nothing moves. */
  #pump(): void {
    if (this.#isPumping) {
      this.#pumpsAgain = true;
      return;
    }
    this.#isPumping = true;
    try {
      do {
        this.#pumpsAgain = false;
        for (let event = this.#engine.next(); event !== undefined; event = this.#engine.next()) this.#take(event);
        this.#sendWaiting();
        this.#finish();
        this.#flush();
      } while (this.#pumpsAgain);
    } finally {
      outputBuffer.leave();
      this.#isPumping = false;
    }
  }

  #take(event: TlsEvent): void {
    switch (event.type) {
      case "data":
        if (!this.push(Buffer.from(event.data.buffer, event.data.byteOffset, event.data.length)))
          this.transport.pause();
        break;
      case "handshakeDone":
        this.#endTimer();
        this.emit("secureConnect");
        break;
      case "session":
        this.emit("session", event.session);
        break;
      case "need":
        this.#answer(event);
        break;
      case "peerClosed":
        this.push(null);
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
      if (this.#asking === 0) this.transport.resume();
      this.#pump();
    });
  }

  #sendWaiting(): void {
    while (this.#waiting !== undefined && !this.#isBlocked) {
      // Each time: to send may end the connection, by a key that was used enough or by what the peer answers at once.
      const { phase, error } = this.#engine;
      if (phase === "handshake") return;
      const { data, done } = this.#waiting;
      this.#waiting = undefined;
      if (phase !== "open" && phase !== "peerClosed") {
        done(error ?? new TlsError("ERR_TLS_ABORTED", "The connection is closed"));
        return;
      }
      const taken = this.#engine.send(data);
      this.#flush();
      if (taken < data.length) this.#waiting = { data: data.subarray(taken), done };
      // The stream's own back-pressure is the transport's.
      else if (this.#isBlocked) this.#waiting = { data: empty, done };
      // Until then further writes wait here: those of one turn become one record and one write of the transport.
      else setImmediate(done);
    }
  }

  #finish(): void {
    const done = this.#finishing;
    if (done === undefined || this.#waiting !== undefined || this.#engine.phase === "handshake") return;
    this.#finishing = undefined;
    this.#engine.close();
    this.#flush(true);
    this.transport.end();
    done();
  }

  /** What the transport does not take now stays in the engine, which bounds it; the last records go out in any case. */
  #flush(isLast: boolean = false): void {
    if (this.#isBlocked && !isLast) return;
    const { transport } = this;
    const output = this.#engine.takeOutput();
    if (output === undefined || !transport.writable) return;
    if (!transport.write(output)) this.#isBlocked = true;
    // A socket that has nothing left to write gave all of it to the system. Another transport may hand the array on.
    outputBuffer.giveBack(output, transport.writableLength === 0 && transport.constructor === Socket);
  }
}

const empty = new Uint8Array(0);
const noAnswers: NeedAnswers = {};

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(typeof reason === "string" ? reason : "refused by the verifier");
}

/** OpenSSL's name of a suite; for TLS 1.3 it is the IANA name. */
function opensslName(name: string): string {
  if (!name.includes("_WITH_")) return name;
  return name
    .slice("TLS_".length)
    .replace("_WITH_", "_")
    .replace("AES_", "AES")
    .replace("POLY1305_SHA256", "POLY1305")
    .replaceAll("_", "-");
}
