/** Issuing revocation lists, version 2 (RFC 5280 §5). */

import { encodeDer } from "@latchkey/asn1";
import type { CryptoProvider, SignatureAlgorithm } from "@latchkey/crypto";
import { X509Error } from "./errors.ts";
import { type Extension, makeExtension, writeExtensions } from "./extension.ts";
import { cRLNumber, cRLReason, invalidityDate, type RevocationReason } from "./extensions/distribution-points.ts";
import { authorityKeyIdentifier } from "./extensions/key-identifiers.ts";
import { type CertificateIssuer, keyIdentifierOf, requireSigner } from "./issue-certificate.ts";
import { type CertificateRevocationList, parseCertificateRevocationList } from "./revocation-list.ts";
import { makeSigner } from "./sign.ts";

/** A certificate to list. */
export interface RevocationEntryInput {
  /** INTEGER content octets, as `Certificate.serialNumber`. */
  readonly serialNumber: Uint8Array;
  /** Seconds since 1970. */
  readonly revocationDate: number;
  /** `unspecified` is left out, as RFC 5280 §5.3.1 advises. */
  readonly reason?: RevocationReason | undefined;
  readonly invalidityDate?: number | undefined;
}

/** What a list says, and by whom. */
export interface IssueRevocationListInput {
  readonly provider: CryptoProvider;
  readonly issuer: CertificateIssuer;
  readonly signatureAlgorithm?: SignatureAlgorithm | undefined;
  /** Seconds since 1970, by the caller's clock. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Greater than that of every list before: a number, or a big-endian magnitude of at most 20 octets. */
  readonly number: number | Uint8Array;
  readonly entries: Iterable<RevocationEntryInput>;
  /** Further extensions, an issuingDistributionPoint for instance. Default none. */
  readonly extensions?: readonly Extension[] | undefined;
}

/**
 * Issues a list with authorityKeyIdentifier and cRLNumber. What comes back was read from what was signed.
 *
 * Throws `ERR_X509_ISSUER` where the issuer is no CA, may not sign lists, or its key is not its certificate's;
 * `ERR_X509_VALUE` for dates or a number that cannot be; and what the provider throws.
 */
export function issueCertificateRevocationList(input: IssueRevocationListInput): CertificateRevocationList {
  const { provider, issuer, thisUpdate, nextUpdate } = input;
  requireSigner(issuer, "cRLSign");
  if (!(thisUpdate <= nextUpdate)) {
    throw new X509Error("ERR_X509_VALUE", `nextUpdate (${nextUpdate}) is before thisUpdate (${thisUpdate})`, {});
  }
  const signer = makeSigner({ ...input, privateKey: issuer.privateKey });
  const extensions = [
    makeExtension(authorityKeyIdentifier, {
      keyIdentifier: keyIdentifierOf(issuer.certificate, provider),
      authorityCertIssuer: undefined,
      authorityCertSerialNumber: undefined,
    }),
    makeExtension(cRLNumber, listNumber(input.number)),
    ...(input.extensions ?? []),
  ];
  const entries = [...input.entries];
  const toBeSigned = encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.integer(1);
      fields.encoded(signer.algorithm);
      fields.encoded(issuer.certificate.subject.encoding);
      fields.time(thisUpdate);
      fields.time(nextUpdate);
      if (entries.length > 0) {
        fields.sequence((list) => {
          for (const entry of entries) {
            list.sequence((body) => {
              body.integer(entry.serialNumber);
              body.time(entry.revocationDate);
              const entryExtensions = extensionsOf(entry);
              if (entryExtensions.length > 0) writeExtensions(body, entryExtensions);
            });
          }
        });
      }
      fields.explicit(0, (explicit) => writeExtensions(explicit, extensions));
    });
  });
  return parseCertificateRevocationList(signer.sign(toBeSigned));
}

function extensionsOf({ reason, invalidityDate: date }: RevocationEntryInput): Extension[] {
  const extensions: Extension[] = [];
  if (reason !== undefined && reason !== "unspecified") extensions.push(makeExtension(cRLReason, reason));
  if (date !== undefined) extensions.push(makeExtension(invalidityDate, date));
  return extensions;
}

/** §5.2.3: at most 20 octets. */
function listNumber(number: number | Uint8Array): Uint8Array {
  if (typeof number !== "number") {
    if (number.length <= 20) return number;
    throw new X509Error("ERR_X509_VALUE", `a list's number has at most 20 octets, not ${number.length}`, {});
  }
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new X509Error("ERR_X509_VALUE", `a list's number is an integer from 0, not ${number}`, {});
  }
  const octets: number[] = [];
  for (let rest = number; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.from(octets);
}
