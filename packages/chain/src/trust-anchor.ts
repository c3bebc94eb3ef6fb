/** Trust anchors (RFC 5280 §6.1.1 (d)): a name and a key that are trusted beforehand, mostly as a certificate. */

import {
  type Certificate,
  type Name,
  type NameConstraints,
  nameKey,
  nameText,
  parseCertificate,
  parseName,
  type Tolerances,
  X509Error,
} from "@latchkey/x509";
import { ChainCertificate } from "./chain-certificate.ts";
import { ChainError } from "./errors.ts";
import { PreparedConstraints } from "./name-constraints.ts";
import { SigningKey } from "./signing-key.ts";

/** What is trusted. */
export interface TrustAnchor {
  readonly name: Name;
  /** DER SubjectPublicKeyInfo. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** Constraints on all paths below, where the anchor is not a certificate (RFC 5937). */
  readonly nameConstraints: NameConstraints | undefined;
  /** The certificate that it was taken from. */
  readonly certificate: Certificate | undefined;
}

/** A trust anchor as a caller has it: a certificate, its DER, or name and key. */
export type TrustAnchorInput =
  | Certificate
  | Uint8Array
  | {
      /** A parsed Name, or its DER. */
      readonly name: Name | Uint8Array;
      /** DER SubjectPublicKeyInfo. */
      readonly subjectPublicKeyInfo: Uint8Array;
      readonly nameConstraints?: NameConstraints | undefined;
    };

/**
 * Reads a trust anchor. The key of a certificate and the contents of its extensions are not read here: one anchor that
 * cannot be used does not make a whole set useless. A path that would end at it says what is wrong with it.
 *
 * Throws `ERR_CHAIN_TRUST_ANCHOR` with the X509Error as cause.
 */
export function readTrustAnchor(input: TrustAnchorInput): TrustAnchor {
  try {
    if (input instanceof Uint8Array) return anchorOf(parseCertificate(input, { checkContents: false }));
    if ("tbsCertificate" in input) return anchorOf(input);
    return {
      name: input.name instanceof Uint8Array ? parseName(input.name) : input.name,
      subjectPublicKeyInfo: input.subjectPublicKeyInfo,
      nameConstraints: input.nameConstraints,
      certificate: undefined,
    };
  } catch (cause) {
    throw new ChainError(
      "ERR_CHAIN_TRUST_ANCHOR",
      `a trust anchor cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
  }
}

function anchorOf(certificate: Certificate): TrustAnchor {
  return {
    name: certificate.subject,
    subjectPublicKeyInfo: certificate.subjectPublicKeyInfo.encoding,
    nameConstraints: undefined,
    certificate,
  };
}

/** A trust anchor prepared for searching: its name as a key, its public key, its certificate's extensions. */
export class PreparedAnchor {
  readonly anchor: TrustAnchor;
  /** A string that is equal for equal names. */
  readonly nameKey: string;
  readonly key: SigningKey;
  /** The anchor's own constraints, where it is not a certificate. */
  readonly constraints: PreparedConstraints | undefined;
  /** The certificate, where the anchor is one and its extensions can be read. */
  readonly chainCertificate: ChainCertificate | undefined;
  /** Why its extensions cannot be read. */
  readonly fault: X509Error | undefined;
  #text: string | undefined;

  constructor(anchor: TrustAnchor, tolerances: Tolerances) {
    this.anchor = anchor;
    this.nameKey = nameKey(anchor.name);
    this.key = new SigningKey(anchor.subjectPublicKeyInfo);
    this.constraints =
      anchor.nameConstraints === undefined ? undefined : new PreparedConstraints(anchor.nameConstraints);
    const read = anchor.certificate === undefined ? undefined : readChainCertificate(anchor.certificate, tolerances);
    this.chainCertificate = read instanceof ChainCertificate ? read : undefined;
    this.fault = read instanceof X509Error ? read : undefined;
  }

  /** The name for people. */
  get text(): string {
    this.#text ??= nameText(this.anchor.name);
    return this.#text;
  }
}

/** The certificate prepared, or what is wrong with one of its extensions. */
export function readChainCertificate(certificate: Certificate, tolerances: Tolerances): ChainCertificate | X509Error {
  try {
    return new ChainCertificate(certificate, tolerances);
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
}
