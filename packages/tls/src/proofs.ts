/**
 * Proofs that a connection cannot be opened without. Each can only be made by the check that it is named after.
 */

import { type CryptoProvider, CryptoError, equalSecrets, type PublicKey } from "@latchkey/crypto";
import { decodeError, illegalParameter, TlsError } from "./errors.ts";
import type { DigitallySigned } from "./messages/certificate-verify.ts";
import type { ProtocolVersion } from "./protocol-version.ts";
import {
  type SignatureScheme,
  schemeAlgorithm,
  schemeByNumber,
  schemeFitsKey,
  schemeText,
} from "./signature-scheme.ts";

/** The peer's Finished is over the same transcript, under the same keys. */
export class FinishedVerified {
  readonly #isProof = true;

  private constructor() {}

  /** Whether it is one: no other object can claim to be. */
  static isProof(value: object): boolean {
    return #isProof in value && value.#isProof;
  }

  /**
   * Compares in time that depends on the length only. Throws `ERR_TLS_DECODE` for another length, and `ERR_TLS_FINISHED`.
   * `expected` is overwritten.
   */
  static check(expected: Uint8Array, received: Uint8Array): FinishedVerified {
    if (received.length !== expected.length) {
      throw decodeError(`Finished has ${received.length} octets, not ${expected.length}`, "RFC 8446 §4.4.4");
    }
    const isEqual = equalSecrets(expected, received);
    expected.fill(0);
    if (isEqual) return new FinishedVerified();
    throw new TlsError("ERR_TLS_FINISHED", "The peer's Finished does not fit what was said in this handshake", {
      alert: "decrypt_error",
      clause: "RFC 8446 §4.4.4",
    });
  }
}

/** What a signature is checked against. */
export interface SignatureCheck {
  readonly provider: CryptoProvider;
  readonly version: ProtocolVersion;
  /** The schemes that this side offered. */
  readonly offered: readonly SignatureScheme[];
  /** The key of the peer's certificate. */
  readonly key: PublicKey;
  readonly content: Uint8Array;
  readonly signed: DigitallySigned;
}

/** The peer holds the private key of its certificate: it signed this handshake. */
export class PeerSignatureVerified {
  readonly scheme: SignatureScheme;
  readonly #isProof = true;

  private constructor(scheme: SignatureScheme) {
    this.scheme = scheme;
  }

  /** Whether it is one. */
  static isProof(value: object): boolean {
    return #isProof in value && value.#isProof;
  }

  /**
   * Throws `ERR_TLS_ILLEGAL_PARAMETER` for a scheme that was not offered or does not fit the key, and `ERR_TLS_SIGNATURE`
   * for a signature that is not by the key.
   */
  static check({ provider, version, offered, key, content, signed }: SignatureCheck): PeerSignatureVerified {
    const scheme = schemeByNumber(signed.scheme);
    // RFC 8446 §4.4.3: the scheme MUST be one that was offered, and appropriate for the key.
    if (scheme === undefined || !offered.includes(scheme) || !schemeFitsKey(scheme, key.algorithm, version)) {
      throw illegalParameter("The signature is by a scheme that does not belong here", "RFC 8446 §4.4.3", {
        found: `${schemeText(signed.scheme)} with a key of kind ${key.algorithm.name}`,
        allowed: offered.filter((one) => schemeFitsKey(one, key.algorithm, version)).join(", ") || "none with this key",
      });
    }
    let holds = false;
    try {
      holds = provider.verify(key, schemeAlgorithm(scheme), content, signed.signature);
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
    }
    if (holds) return new PeerSignatureVerified(scheme);
    throw new TlsError("ERR_TLS_SIGNATURE", "The handshake is not signed by the key of the peer's certificate", {
      alert: "decrypt_error",
      clause: "RFC 8446 §4.4.3",
    });
  }
}

/** Why no signature of the peer is needed: it has no certificate, or it holds the secret of an earlier connection. */
export type PeerProof = PeerSignatureVerified | "noCertificate" | "preSharedKey";
