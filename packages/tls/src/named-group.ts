/** Groups of the ephemeral key exchange (RFC 8446 §4.2.7, RFC 8422 §5.1.1), and key shares in them. */

import {
  type CryptoProvider,
  CryptoError,
  type EcCurve,
  type PrivateKey,
  rawPublicKey,
  spkiFromRawPublicKey,
} from "@latchkey/crypto";
import { illegalParameter } from "./errors.ts";

/** A group by its IANA name. */
export type NamedGroup = "x25519" | "secp256r1" | "secp384r1";

interface GroupFacts {
  readonly name: NamedGroup;
  readonly number: number;
  readonly kind: "X25519" | "P-256" | "P-384";
  /** Octets of a public value: 32, or an uncompressed point. */
  readonly octets: number;
}

const groups: readonly GroupFacts[] = [
  { name: "x25519", number: 0x001d, kind: "X25519", octets: 32 },
  { name: "secp256r1", number: 0x0017, kind: "P-256", octets: 65 },
  { name: "secp384r1", number: 0x0018, kind: "P-384", octets: 97 },
];

/** All groups, in the order of preference. */
export const allGroups: readonly NamedGroup[] = groups.map(({ name }) => name);

/** NamedGroup on the wire. */
export function groupNumber(name: NamedGroup): number {
  return factsOf(name).number;
}

/** The group of a number, where it is supported. */
export function groupByNumber(number: number): NamedGroup | undefined {
  return groups.find((group) => group.number === number)?.name;
}

/** A group for people: its name, or its number. */
export function groupText(number: number): string {
  return groupByNumber(number) ?? `0x${number.toString(16).padStart(4, "0")}`;
}

/** The group whose curve keys of certificates are on, where it is supported (RFC 8422 §5.1.1 has one list for both). */
export function groupOfCurve(curve: EcCurve): NamedGroup | undefined {
  return groups.find(({ kind }) => kind === curve)?.name;
}

function factsOf(name: NamedGroup): GroupFacts {
  const found = groups.find((group) => group.name === name);
  if (found === undefined) throw new RangeError(`no group ${name}`);
  return found;
}

/** Our half of one key exchange. It is made for one handshake and used once. */
export class KeyShare {
  readonly group: NamedGroup;
  /** What the peer gets: 32 octets, or an uncompressed point. */
  readonly publicValue: Uint8Array;
  readonly #provider: CryptoProvider;
  #privateKey: PrivateKey | undefined;

  constructor(provider: CryptoProvider, group: NamedGroup) {
    const { kind } = factsOf(group);
    const pair = provider.generateKeyPair(kind === "X25519" ? { name: "x25519" } : { name: "ec", curve: kind });
    this.group = group;
    this.publicValue = rawPublicKey(pair.publicKey);
    this.#provider = provider;
    this.#privateKey = pair.privateKey;
  }

  /**
   * The shared secret, with its leading zeros (RFC 8446 §7.4.2), or all that is wrong with the peer's value as
   * `ERR_TLS_ILLEGAL_PARAMETER`. The private key is given up.
   */
  agree(peerValue: Uint8Array): Uint8Array {
    const { kind, octets } = factsOf(this.group);
    const privateKey = this.#privateKey;
    this.#privateKey = undefined;
    if (privateKey === undefined) throw new RangeError("a key share is used once");
    // RFC 8446 §4.2.8.2, RFC 8422 §5.4.1: exactly 32 octets, or an uncompressed point.
    if (peerValue.length !== octets || (kind !== "X25519" && peerValue[0] !== 0x04)) {
      throw illegalParameter(`The public value is no ${this.group} value`, "RFC 8446 §4.2.8", {
        found: `${peerValue.length} octets`,
        allowed: `${octets} octets${kind === "X25519" ? "" : ", uncompressed"}`,
      });
    }
    try {
      const publicKey = this.#provider.importSpki(spkiFromRawPublicKey(kind, peerValue));
      return this.#provider.deriveSharedSecret(privateKey, publicKey);
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      // Off the curve, at infinity, or of small order (RFC 8446 §4.2.8.2, §7.4.2; RFC 7748 §6.1).
      throw illegalParameter(`The public value does not belong to ${this.group}`, "RFC 8446 §7.4.2", {
        found: cause.code,
      });
    }
  }
}
