/**
 * TlsStream: plaintext on this side, records on the transport's. It has the names of node:tls where they mean the same, so
 * that code can take either.
 */

import { X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";
import type { AlertName } from "../alert.ts";
import type { ConnectionInfo } from "../engine.ts";
import { TlsError } from "../errors.ts";
import {
  acceptTlsChannel,
  type AcceptTlsOptions,
  connectTlsChannel,
  type ConnectTlsOptions,
  type TlsChannel,
} from "./tls-channel.ts";

/** A client's end over a connected transport. Throws `ERR_TLS_ARGUMENT` for a config that cannot work. */
export function connectTls(transport: Duplex, options: ConnectTlsOptions): TlsStream {
  return new TlsStream(connectTlsChannel(transport, options), options);
}

/** A server's end over an accepted transport. Throws `ERR_TLS_ARGUMENT` for a config that cannot work. */
export function acceptTls(transport: Duplex, options: AcceptTlsOptions): TlsStream {
  return new TlsStream(acceptTlsChannel(transport, options), options);
}

type Done = (error?: Error | null) => void;

/**
 * Events besides those of a Duplex: `secureConnect` when the handshake is done, `session` with a `ResumableSession`, and
 * `close`. A failure is an `error` event with a `TlsError`, after its alert was written.
 */
export class TlsStream extends Duplex {
  readonly encrypted: true = true;
  readonly #channel: TlsChannel;
  /** A write that waits for the handshake. */
  #waiting: { readonly chunks: readonly Uint8Array[]; readonly done: Done } | undefined;
  /** Waits for the transport to take what was written. */
  #draining: Done | undefined;
  #finishing: Done | undefined;

  /** Over a channel that nothing was attached to, or one that is secured; the stream owns it. */
  constructor(channel: TlsChannel, { allowHalfOpen = false }: { readonly allowHalfOpen?: boolean } = {}) {
    super({ allowHalfOpen });
    this.#channel = channel;
    channel.attach({
      secured: () => this.#secured(),
      session: (session) => this.emit("session", session),
      received: (data) => {
        if (!this.push(data)) channel.pause();
      },
      drained: () => this.#drained(),
      ended: () => {
        this.push(null);
        // A half-closed stream has nowhere to write to any more.
        if (!channel.transport.destroyed) return;
        if (this.readableEnded) this.destroy();
        else this.once("end", () => this.destroy());
      },
      closed: (error) => this.destroy(error),
    });
  }

  /** What the records go over. */
  get transport(): Duplex {
    return this.#channel.transport;
  }

  /** Whether the verifier accepted the peer's chain; false for a peer without one. */
  get authorized(): boolean {
    return this.#channel.authorized;
  }

  /** Why not. */
  get authorizationError(): Error | undefined {
    return this.#channel.authorizationError;
  }

  /** What was agreed on; undefined until `secureConnect`. */
  get info(): ConnectionInfo | undefined {
    return this.#channel.info;
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
    return Buffer.from(this.#channel.exportKeyingMaterial(length, label, context));
  }

  /** See `TlsEngine.forgetPeerCertificates`: then this stream has none either. */
  forgetPeerCertificates(): void {
    this.#channel.forgetPeerCertificates();
  }

  /** See `TlsEngine.updateKeys`. */
  updateKeys(requestsPeer: boolean = false): void {
    this.#channel.updateKeys(requestsPeer);
  }

  /** Ends the connection at once with a fatal alert that says why. */
  abort(alert: AlertName): void {
    this.#channel.abort(alert);
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send([chunk], done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: Done): void {
    if (this.info === undefined && !this.#channel.isDestroyed) {
      this.#finishing = done;
      return;
    }
    this.#channel.end(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    const { done: written = this.#draining } = this.#waiting ?? {};
    this.#waiting = undefined;
    this.#draining = undefined;
    written?.(error ?? new Error("The stream was destroyed"));
    this.#channel.destroy();
    done(error);
  }

  #secured(): void {
    this.emit("secureConnect");
    const [waiting, finishing] = [this.#waiting, this.#finishing];
    this.#waiting = undefined;
    this.#finishing = undefined;
    if (waiting !== undefined) this.#send(waiting.chunks, waiting.done);
    if (finishing !== undefined) this._final(finishing);
  }

  #send(chunks: readonly Uint8Array[], done: Done): void {
    const channel = this.#channel;
    if (this.info === undefined && !channel.isDestroyed) this.#waiting = { chunks, done };
    else if (!channel.send(chunks)) done(channel.error ?? new TlsError("ERR_TLS_ABORTED", "The connection is closed"));
    // The stream's own back-pressure is the transport's.
    else if (channel.isBlocked) this.#draining = done;
    // Until then further writes wait here: those of one turn become one record and one write of the transport.
    else setImmediate(done);
  }

  #drained(): void {
    const done = this.#draining;
    this.#draining = undefined;
    done?.();
  }
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
