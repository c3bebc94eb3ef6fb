/**
 * The transcript: a hash over all handshake messages so far (RFC 8446 §4.4.1, RFC 5246 §7.4.9).
 *
 * TLS 1.2 signs the messages themselves, by a hash that the scheme names, so there they can be kept until then.
 */

import { concatenate } from "./concatenate.ts";
import type { CryptoProvider, HashAlgorithm, RunningHash } from "@latchkey/crypto";
import { handshakeNumber } from "./handshake-type.ts";

export class Transcript {
  readonly #provider: CryptoProvider;
  /** Messages before the hash is known, and as long as a signature over them may come. */
  #kept: Uint8Array[] | undefined = [];
  #running: RunningHash | undefined;
  #algorithm: HashAlgorithm | undefined;
  /** The hash of everything so far, once it was asked for: what follows a Finished asks twice. */
  #hash: Uint8Array | undefined;

  constructor(provider: CryptoProvider) {
    this.#provider = provider;
  }

  get algorithm(): HashAlgorithm | undefined {
    return this.#algorithm;
  }

  /** Appends a message with its header. The octets must not change while messages are kept. */
  add(encoding: Uint8Array): void {
    this.#running?.update(encoding);
    this.#hash = undefined;
    this.#kept?.push(encoding);
  }

  /** Names the hash, once ServerHello has named the suite. Without `keepMessages` they are given up. */
  begin(algorithm: HashAlgorithm, keepMessages: boolean): void {
    this.#algorithm = algorithm;
    this.#running = this.#provider.createHash(algorithm);
    this.#hash = undefined;
    for (const encoding of this.#kept ?? []) this.#running.update(encoding);
    if (!keepMessages) this.#kept = undefined;
  }

  /** The hash of everything so far. Not to be written to. */
  hash(): Uint8Array {
    if (this.#running === undefined) throw new RangeError("the transcript has no hash yet");
    return (this.#hash ??= this.#running.digest());
  }

  /** The hash of everything so far and some octets more, which are not appended: for PSK binders. */
  hashWith(octets: Uint8Array, algorithm: HashAlgorithm): Uint8Array {
    const running = this.#provider.createHash(algorithm);
    for (const encoding of this.#kept ?? []) running.update(encoding);
    running.update(octets);
    return running.digest();
  }

  /**
   * RFC 8446 §4.4.1: where the server asks for another ClientHello, the first one counts by its hash only. The messages are
   * kept until `begin`, because a binder may be over them.
   */
  replaceByHash(algorithm: HashAlgorithm): void {
    const running = this.#provider.createHash(algorithm);
    for (const encoding of this.#kept ?? []) running.update(encoding);
    const digest = running.digest();
    this.#kept = [Uint8Array.from([handshakeNumber("message_hash"), 0, 0, digest.length, ...digest])];
  }

  /** All messages as they are: what a CertificateVerify of TLS 1.2 signs. They are given up. */
  takeMessages(): Uint8Array {
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    return concatenate(kept);
  }

  /** No signature over the messages will come. */
  dropMessages(): void {
    this.#kept = undefined;
  }
}
