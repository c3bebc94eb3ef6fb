/** The secrets of a TLS 1.2 handshake: the main secret of RFC 7627, both key blocks, both Finished. */

import type { CipherSuite } from "./cipher-suite.ts";
import type { Connection } from "./connection.ts";
import { traceDerived } from "./derive-traced.ts";
import { extendedMainSecret, type KeyBlock, keyBlock, verifyData } from "./prf.ts";
import type { HelloRandoms } from "./traffic12.ts";

export class HandshakeKeys12 {
  readonly mainSecret: Uint8Array;
  readonly #connection: Connection;
  readonly #suite: CipherSuite;
  readonly #block: KeyBlock;

  private constructor(connection: Connection, suite: CipherSuite, mainSecret: Uint8Array, randoms: HelloRandoms) {
    this.mainSecret = mainSecret;
    this.#connection = connection;
    this.#suite = suite;
    connection.logKey("CLIENT_RANDOM", randoms.client, mainSecret);
    this.#block = keyBlock(connection.provider, suite, mainSecret, randoms.client, randoms.server);
    traceDerived(connection, "key block", "main secret and both randoms", 'PRF "key expansion"');
  }

  /** From the key exchange; the transcript ends with ClientKeyExchange (RFC 7627 §3). The shared secret is overwritten. */
  static agreed(
    connection: Connection,
    suite: CipherSuite,
    group: string,
    sharedSecret: Uint8Array,
    randoms: HelloRandoms,
  ): HandshakeKeys12 {
    const hash = connection.transcript.hash();
    const secret = extendedMainSecret(connection.provider, suite.hash, sharedSecret, hash);
    traceDerived(connection, "shared secret", `${group}: our private and the peer's public value`, "Diffie-Hellman");
    traceDerived(connection, "main secret", "shared secret", 'PRF "extended master secret"', hash);
    return new HandshakeKeys12(connection, suite, secret, randoms);
  }

  /** From a session: its main secret is copied. */
  static resumed(
    connection: Connection,
    suite: CipherSuite,
    mainSecret: Uint8Array,
    randoms: HelloRandoms,
  ): HandshakeKeys12 {
    traceDerived(connection, "main secret", "the resumed session", "kept");
    return new HandshakeKeys12(connection, suite, mainSecret.slice(), randoms);
  }

  /** verify_data of a side's Finished over the transcript so far. */
  finished(role: "client" | "server"): Uint8Array {
    const { provider, transcript } = this.#connection;
    return verifyData(provider, this.#suite.hash, this.mainSecret, role, transcript.hash());
  }

  /** Sends change_cipher_spec, and protects what follows. */
  changeWrite(): void {
    this.#connection.sendChangeCipherSpec();
    const keys = this.#connection.role === "client" ? this.#block.client : this.#block.server;
    this.#connection.setWriteKeys(this.#suite, keys, "connection");
  }

  /** After change_cipher_spec came: expects what follows to be protected. */
  changeRead(): void {
    const keys = this.#connection.role === "client" ? this.#block.server : this.#block.client;
    this.#connection.setReadKeys(this.#suite, keys, "connection");
  }
}
