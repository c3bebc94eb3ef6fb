/**
 * Cipher suites: those of TLS 1.3 (RFC 8446 §B.4), and of TLS 1.2 the ones with an ephemeral key exchange and an AEAD
 * (RFC 5289, RFC 7905). No other is in the table, so no other can be negotiated.
 */

import type { AeadAlgorithm, SignatureHash } from "@latchkey/crypto";
import type { ProtocolVersion } from "./protocol-version.ts";

/** What the names of a suite stand for. */
export interface CipherSuite {
  /** The IANA name. */
  readonly name: CipherSuiteName;
  readonly number: number;
  readonly version: ProtocolVersion;
  readonly aead: AeadAlgorithm;
  /** Hash of the key schedule, the PRF and the transcript. */
  readonly hash: Exclude<SignatureHash, "SHA-512">;
  readonly keyOctets: number;
  /** In TLS 1.2 the kind of key that signs the key exchange; Ed25519 counts as ecdsa (RFC 8422 §5.10). */
  readonly authentication: "ecdsa" | "rsa" | undefined;
}

/** The IANA names of the suites. */
export type CipherSuiteName =
  | "TLS_AES_128_GCM_SHA256"
  | "TLS_AES_256_GCM_SHA384"
  | "TLS_CHACHA20_POLY1305_SHA256"
  | "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
  | "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
  | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
  | "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
  | "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
  | "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";

const aes128 = { aead: "AES-128-GCM", hash: "SHA-256", keyOctets: 16 } as const;
const aes256 = { aead: "AES-256-GCM", hash: "SHA-384", keyOctets: 32 } as const;
const chacha20 = { aead: "ChaCha20-Poly1305", hash: "SHA-256", keyOctets: 32 } as const;
const tls13 = { version: "TLSv1.3", authentication: undefined } as const;
const ecdsa = { version: "TLSv1.2", authentication: "ecdsa" } as const;
const rsa = { version: "TLSv1.2", authentication: "rsa" } as const;

/** All suites, in the order of preference. */
export const allCipherSuites: readonly CipherSuite[] = [
  { name: "TLS_AES_128_GCM_SHA256", number: 0x1301, ...tls13, ...aes128 },
  { name: "TLS_AES_256_GCM_SHA384", number: 0x1302, ...tls13, ...aes256 },
  { name: "TLS_CHACHA20_POLY1305_SHA256", number: 0x1303, ...tls13, ...chacha20 },
  { name: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", number: 0xc02b, ...ecdsa, ...aes128 },
  { name: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", number: 0xc02c, ...ecdsa, ...aes256 },
  { name: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", number: 0xcca9, ...ecdsa, ...chacha20 },
  { name: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", number: 0xc02f, ...rsa, ...aes128 },
  { name: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", number: 0xc030, ...rsa, ...aes256 },
  { name: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", number: 0xcca8, ...rsa, ...chacha20 },
];

/** Signalling values that stand among the suites and are none. */
export const signalling = { emptyRenegotiationInfo: 0x00ff, fallback: 0x5600 } as const;

/** The suite of a number, where it is in the table. */
export function suiteByNumber(number: number): CipherSuite | undefined {
  return allCipherSuites.find((suite) => suite.number === number);
}

/** A suite for people: its name, or its number where it is not in the table. */
export function suiteText(number: number): string {
  return suiteByNumber(number)?.name ?? `0x${number.toString(16).padStart(4, "0")}`;
}
