/** Trust anchors (RFC 5280 §6.1.1 (d)): a name and a key that are trusted beforehand, mostly as a certificate. */

import { parseName, parseCertificate, type Certificate, type Name, type NameConstraints } from "@latchkey/x509";
import { ChainError } from "./errors.ts";

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
 * Reads a trust anchor. A certificate's key and the contents of its extensions are not looked at here: an anchor that
 * cannot be used spoils no set of anchors, and is told of where a path would end at it.
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
    throw new ChainError("ERR_CHAIN_TRUST_ANCHOR", "a trust anchor that cannot be read", cause);
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
