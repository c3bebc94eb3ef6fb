/** Certification requests, PKCS #10 (RFC 2986) with extensionRequest (RFC 2985 §5.4.2). */

import { contextConstructed, DerReader, encodeOid, equalBytes } from "@latchkey/asn1";
import { type CryptoError, type CryptoProvider, verifySignedData } from "@latchkey/crypto";
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm-identifier.ts";
import { checkSize, type ParseOptions } from "./certificate.ts";
import { reading, refuseEmpty, X509Error } from "./errors.ts";
import { type Extension, readExtensions } from "./extension.ts";
import { checkExtensionValues } from "./extensions/extension-table.ts";
import { checkNameStrings, type Name, readName } from "./name.ts";
import { blockOf } from "./pem-files.ts";
import { readSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./subject-public-key-info.ts";

/** Content octets of the attribute that carries the wanted extensions. */
export const extensionRequestOid: Uint8Array = /* @__PURE__ */ encodeOid("1.2.840.113549.1.9.14");

const maximumOctets = 1_048_576;

export interface RequestAttribute {
  /** Content octets of the object identifier, a view. */
  readonly type: Uint8Array;
  /** Each value with tag and length, a view; at least one. */
  readonly values: readonly Uint8Array[];
}

/** A request that was read; all bytes are views into its DER. Nothing was verified. */
export interface CertificationRequest {
  readonly encoding: Uint8Array;
  /** The whole CertificationRequestInfo: what the signature is over. */
  readonly certificationRequestInfo: Uint8Array;
  readonly subject: Name;
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo;
  readonly attributes: readonly RequestAttribute[];
  /** What extensionRequest asks for; `extensionValue(request, subjectAltName)` decodes one. */
  readonly extensions: readonly Extension[];
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signatureValue: Uint8Array;
}

/**
 * Reads one DER request, strictly and in linear time, whatever its key's algorithm is.
 *
 * Throws as `parseCertificate`. Whether the requester holds the key is for `verifyCertificationRequest`.
 */
export function parseCertificationRequest(der: Uint8Array, options: ParseOptions = {}): CertificationRequest {
  checkSize(der, options.maximumOctets ?? maximumOctets);
  const request = reading("CertificationRequest", () => readRequest(der));
  if (options.checkContents !== false) {
    checkNameStrings(request.subject);
    checkExtensionValues(request.extensions);
  }
  return request;
}

/** The one request in PEM text. Throws `ERR_X509_PEM_LABEL`, and as `parseCertificationRequest`. */
export function certificationRequestFromPem(text: string | Uint8Array, options?: ParseOptions): CertificationRequest {
  return parseCertificationRequest(blockOf(text, ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"]).bytes, options);
}

/**
 * Checks that whoever made the request holds its private key (RFC 2986 §3).
 *
 * Throws `ERR_X509_PROOF_OF_POSSESSION` with the `CryptoError` as cause: a signature that is not the key's, or a key
 * or algorithm that the provider refuses.
 */
export function verifyCertificationRequest(request: CertificationRequest, provider: CryptoProvider): void {
  const result = verifySignedData(provider, {
    publicKey: request.subjectPublicKeyInfo.encoding,
    algorithm: request.signatureAlgorithm.encoding,
    data: request.certificationRequestInfo,
    signature: request.signatureValue,
  });
  if (!result.ok) throw notProven(result.error);
}

function notProven(cause: CryptoError): X509Error {
  return new X509Error("ERR_X509_PROOF_OF_POSSESSION", `the request does not prove its key: ${cause.message}`, {
    clause: "RFC 2986 §3",
    cause,
  });
}

function readRequest(der: Uint8Array): CertificationRequest {
  const reader = new DerReader(der);
  const outer = reader.sequence();
  reader.end();
  const information = outer.sequence();
  const signatureAlgorithm = readAlgorithmIdentifier(outer);
  const signatureValue = outer.octetAlignedBitString();
  outer.end();

  const { offset } = information;
  if (information.smallInteger(255) !== 0) {
    throw new X509Error("ERR_X509_VERSION", "a request of another version than 1", { offset, clause: "RFC 2986 §4.1" });
  }
  const subject = readName(information);
  const subjectPublicKeyInfo = readSubjectPublicKeyInfo(information);
  const list = information.sequence(contextConstructed(0));
  information.end();
  const attributes: RequestAttribute[] = [];
  let extensions: Extension[] | undefined;
  while (!list.isAtEnd) {
    const start = list.offset;
    const fields = list.sequence();
    const type = fields.oid();
    const values = fields.set();
    fields.end();
    attributes.push({ type, values: readValues(values) });
    if (equalBytes(type, extensionRequestOid)) {
      if (extensions !== undefined) throw repeated(start);
      extensions = readRequestedExtensions(der, attributes.at(-1)?.values ?? [], start);
    }
  }
  return {
    encoding: outer.encoding,
    certificationRequestInfo: information.encoding,
    subject,
    subjectPublicKeyInfo,
    attributes,
    extensions: extensions ?? [],
    signatureAlgorithm,
    signatureValue,
  };
}

function readValues(set: DerReader): Uint8Array[] {
  refuseEmpty(set.isAtEnd, "an attribute's values", set.offset);
  const values: Uint8Array[] = [];
  while (!set.isAtEnd) values.push(set.any().encoding);
  return values;
}

/** extensionRequest has a single value (RFC 2985 §5.4.2). */
function readRequestedExtensions(der: Uint8Array, values: readonly Uint8Array[], offset: number): Extension[] {
  const [value, second] = values;
  if (value === undefined || second !== undefined) throw repeated(offset);
  const reader = new DerReader(value, { baseOffset: value.byteOffset - der.byteOffset });
  return readExtensions(reader);
}

function repeated(offset: number): X509Error {
  return new X509Error("ERR_X509_DUPLICATE_EXTENSION", "extensionRequest more than once", {
    offset,
    clause: "RFC 2985 §5.4.2",
  });
}
