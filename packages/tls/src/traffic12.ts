/** An open connection of TLS 1.2: no renegotiation, no key updates, the exporter of RFC 5705. */

import { alertLevel } from "./alert.ts";
import type { CipherSuite } from "./cipher-suite.ts";
import type { Connection } from "./connection.ts";
import { TlsError } from "./errors.ts";
import type { HandshakeType } from "./handshake-type.ts";
import { exportKey12 } from "./prf.ts";
import type { Traffic } from "./traffic.ts";

/** Both hello randoms. */
export interface HelloRandoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

export class Traffic12 implements Traffic {
  keyUpdates: number = 0;
  readonly owesKeyUpdate = false;
  readonly #connection: Connection;
  readonly #suite: CipherSuite;
  readonly #mainSecret: Uint8Array;
  readonly #randoms: HelloRandoms;
  #hasRefused = false;

  constructor(connection: Connection, suite: CipherSuite, mainSecret: Uint8Array, randoms: HelloRandoms) {
    this.#connection = connection;
    this.#suite = suite;
    this.#mainSecret = mainSecret;
    this.#randoms = randoms;
  }

  get recordsLeft(): number {
    // One is left for close_notify.
    return this.#recordsPerKey - this.#connection.recordsWritten - 1;
  }

  get #recordsPerKey(): number {
    if (this.#suite.aead === "ChaCha20-Poly1305") return Number.MAX_SAFE_INTEGER;
    return this.#connection.settings.limits.recordsPerKey;
  }

  /** HelloRequest or ClientHello: no renegotiation. RFC 5746 §4.5: said once by a warning; who asks again is cut off. */
  receive(_name: HandshakeType | undefined, _body: Uint8Array): void {
    if (this.#hasRefused) {
      throw new TlsError("ERR_TLS_RENEGOTIATION", "The peer asks for renegotiation again", {
        alert: "no_renegotiation",
        clause: "RFC 5746 §4.5",
      });
    }
    this.#hasRefused = true;
    this.#connection.sendAlert(alertLevel.warning, "no_renegotiation");
  }

  afterSending(): void {
    if (this.recordsLeft <= 0) this.#connection.close();
  }

  afterReceiving(): void {
    if (this.#connection.recordsRead < 2 * this.#recordsPerKey) return;
    throw new TlsError("ERR_TLS_LIMIT", "The peer used one key for too many records", {
      alert: "unexpected_message",
      limit: "recordsPerKey",
      found: `${this.#connection.recordsRead}`,
      allowed: `${this.#recordsPerKey}`,
    });
  }

  updateKeys(_requestsPeer: boolean): void {}

  exportKeyingMaterial(length: number, label: string, context: Uint8Array | undefined): Uint8Array {
    const { provider } = this.#connection;
    return exportKey12(provider, this.#suite.hash, this.#mainSecret, this.#randoms, label, context, length);
  }

  erase(): void {
    this.#mainSecret.fill(0);
  }
}
