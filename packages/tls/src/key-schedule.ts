/**
 * The key schedule of TLS 1.3 (RFC 8446 §7.1): Early Secret, Handshake Secret, Main Secret, and what is derived from them.
 *
 * Secrets leave as octets that the caller overwrites when they are done with.
 */

import { type CryptoProvider, hashLength } from "@latchkey/crypto";
import type { CipherSuite } from "./cipher-suite.ts";
import type { TrafficKeys } from "./record-protection.ts";

type Hash = CipherSuite["hash"];

/** The labels of RFC 8446 §7.1, by the names that the secrets have there. */
export const secretLabels = {
  binder_key: "res binder",
  client_handshake_traffic_secret: "c hs traffic",
  server_handshake_traffic_secret: "s hs traffic",
  client_application_traffic_secret_0: "c ap traffic",
  server_application_traffic_secret_0: "s ap traffic",
  exporter_secret: "exp master",
  resumption_secret: "res master",
} as const;

/** A secret of the key schedule by name. */
export type SecretName = keyof typeof secretLabels;

const none = new Uint8Array(0);

/** Before every label. */
const labelPrefix = "tls13 ";

/** HkdfLabel (RFC 8446 §7.1): length, label and context. By hand, not by a Writer: a handshake makes twenty of them. */
function hkdfLabel(length: number, label: string, context: Uint8Array): Uint8Array {
  const labelOctets = labelPrefix.length + label.length;
  const octets = new Uint8Array(4 + labelOctets + context.length);
  octets[0] = length >>> 8;
  octets[1] = length;
  octets[2] = labelOctets;
  for (let index = 0; index < labelPrefix.length; index++) octets[3 + index] = labelPrefix.charCodeAt(index);
  for (let index = 0; index < label.length; index++) {
    octets[3 + labelPrefix.length + index] = label.charCodeAt(index);
  }
  octets[3 + labelOctets] = context.length;
  octets.set(context, 4 + labelOctets);
  return octets;
}

/** HKDF-Expand-Label (RFC 8446 §7.1). */
export function expandLabel(
  provider: CryptoProvider,
  hash: Hash,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  return provider.hkdfExpand(hash, secret, hkdfLabel(length, label, context), length);
}

/** Key and IV of a traffic secret (RFC 8446 §7.3). */
export function trafficKeys(provider: CryptoProvider, suite: CipherSuite, secret: Uint8Array): TrafficKeys {
  return {
    key: expandLabel(provider, suite.hash, secret, "key", none, suite.keyOctets),
    iv: expandLabel(provider, suite.hash, secret, "iv", none, 12),
  };
}

/** The traffic secret after a KeyUpdate (RFC 8446 §7.2). */
export function nextTrafficSecret(provider: CryptoProvider, hash: Hash, secret: Uint8Array): Uint8Array {
  return expandLabel(provider, hash, secret, "traffic upd", none, hashLength(hash));
}

/** verify_data of a Finished, or a PSK binder, under a base key (RFC 8446 §4.4.4, §4.2.11.2). */
export function finishedData(
  provider: CryptoProvider,
  hash: Hash,
  baseKey: Uint8Array,
  transcriptHash: Uint8Array,
): Uint8Array {
  const finishedKey = expandLabel(provider, hash, baseKey, "finished", none, hashLength(hash));
  const data = provider.hmac(hash, finishedKey, transcriptHash);
  finishedKey.fill(0);
  return data;
}

/** The pre-shared key of a ticket (RFC 8446 §4.6.1). */
export function resumptionKey(
  provider: CryptoProvider,
  hash: Hash,
  resumptionSecret: Uint8Array,
  ticketNonce: Uint8Array,
): Uint8Array {
  return expandLabel(provider, hash, resumptionSecret, "resumption", ticketNonce, hashLength(hash));
}

/** Exported keying material (RFC 8446 §7.5). */
export function exportKey(
  provider: CryptoProvider,
  hash: Hash,
  exporterSecret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const derived = expandLabel(provider, hash, exporterSecret, label, provider.hash(hash, none), hashLength(hash));
  const exported = expandLabel(provider, hash, derived, "exporter", provider.hash(hash, context), length);
  derived.fill(0);
  return exported;
}

/** Transcript-Hash(""), which each key schedule needs: the same for all, and read only. */
function hashOfNothing(provider: CryptoProvider, hash: Hash): Uint8Array {
  const known = emptyHashes.get(hash) ?? provider.hash(hash, none);
  emptyHashes.set(hash, known);
  return known;
}

const emptyHashes = /* @__PURE__ */ new Map<Hash, Uint8Array>();

/** Where a key schedule stands. */
export type Stage = "early" | "handshake" | "main";

/** One run of the key schedule. It starts with the Early Secret and goes down. */
export class KeySchedule {
  readonly hash: Hash;
  readonly #provider: CryptoProvider;
  #secret: Uint8Array;
  #stage: Stage = "early";

  /** Early Secret = HKDF-Extract(0, PSK), zeros where there is no PSK. */
  constructor(provider: CryptoProvider, hash: Hash, preSharedKey?: Uint8Array) {
    this.hash = hash;
    this.#provider = provider;
    this.#secret = provider.hkdfExtract(hash, none, preSharedKey ?? new Uint8Array(hashLength(hash)));
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Handshake Secret = HKDF-Extract(Derive-Secret(., "derived", ""), (EC)DHE). The shared secret is overwritten. */
  enterHandshake(sharedSecret: Uint8Array): void {
    this.#advance("early", sharedSecret);
    sharedSecret.fill(0);
    this.#stage = "handshake";
  }

  /** Main Secret = HKDF-Extract(Derive-Secret(., "derived", ""), 0). */
  enterMain(): void {
    this.#advance("handshake", new Uint8Array(hashLength(this.hash)));
    this.#stage = "main";
  }

  /** Derive-Secret: a secret of the stage, bound to the transcript. */
  derive(name: SecretName, transcriptHash: Uint8Array): Uint8Array {
    return this.#expand(secretLabels[name], transcriptHash);
  }

  /** base_key of a resumption binder: Derive-Secret(., "res binder", ""). */
  deriveBinderKey(): Uint8Array {
    return this.derive("binder_key", hashOfNothing(this.#provider, this.hash));
  }

  /** Overwrites the secret. */
  erase(): void {
    this.#secret.fill(0);
  }

  #expand(label: string, context: Uint8Array): Uint8Array {
    return expandLabel(this.#provider, this.hash, this.#secret, label, context, hashLength(this.hash));
  }

  #advance(from: Stage, input: Uint8Array): void {
    if (this.#stage !== from) throw new RangeError(`the key schedule is at ${this.#stage}, not ${from}`);
    const derived = this.#expand("derived", hashOfNothing(this.#provider, this.hash));
    this.#secret.fill(0);
    this.#secret = this.#provider.hkdfExtract(this.hash, derived, input);
    derived.fill(0);
  }
}
