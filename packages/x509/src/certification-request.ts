/** Certification requests, PKCS #10 (RFC 2986) with extensionRequest (RFC 2985 §5.4.2). */

import { contextConstructed, decodeOid, DerReader, encodeOid, equalBytes, Tag } from "@latchkey/asn1";
import { type CryptoError, type CryptoProvider, verifySignedData } from "@latchkey/crypto";
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm-identifier.ts";
import { checkSize, deviationLogOf, noteNullParameters, type ParseOptions } from "./certificate.ts";
import { reading, refuseEmpty, tolerable, versionFault, X509Error } from "./errors.ts";
import { type Extension, readExtensions } from "./extension.ts";
import { checkExtensionValues } from "./extensions/extension-table.ts";
import { checkNameStrings, type Name, readName } from "./name.ts";
import { blockOf, inBlock } from "./pem-blocks.ts";
import { readSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./subject-public-key-info.ts";
import { type Deviation, type DeviationLog, noDeviations, type ToleranceOptions, toleratesBy } from "./tolerance.ts";

/** Content octets of the attribute that carries the wanted extensions. */
export const extensionRequestOid: Uint8Array = /* @__PURE__ */ encodeOid("1.2.840.113549.1.9.14");

const maximumOctets = 1_048_576;

/** One attribute of a request. */
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
  /** The slips that were tolerated. Those in extensions and names are among them only if `isChecked`. */
  readonly deviations: readonly Deviation[];
  /** Whether names and extensions were checked: false after `checkContents: false`. */
  readonly isChecked: boolean;
}

/**
 * Reads one DER request, strictly and in linear time, whatever its key's algorithm is.
 *
 * Throws as `parseCertificate`. Whether the requester holds the key is for `verifyCertificationRequest`.
 */
export function parseCertificationRequest(der: Uint8Array, options: ParseOptions = {}): CertificationRequest {
  checkSize(der, options.maximumOctets ?? maximumOctets, "CertificationRequest");
  const log = deviationLogOf(options);
  const isChecked = options.checkContents !== false;
  const request = reading("CertificationRequest", () => readRequest(der, log, isChecked));
  if (isChecked) {
    checkNameStrings(request.subject, log?.tolerate);
    checkExtensionValues(request.extensions, log?.tolerate);
  }
  return request;
}

/** The one request in PEM text. Throws `ERR_X509_PEM_LABEL`, and as `parseCertificationRequest`. */
export function certificationRequestFromPem(text: string | Uint8Array, options?: ParseOptions): CertificationRequest {
  const block = blockOf(text, ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"]);
  return inBlock(0, block, "CertificationRequest", () => parseCertificationRequest(block.bytes, options));
}

/**
 * Checks that the maker of the request has its private key (RFC 2986 §3).
 *
 * Throws `ERR_X509_PROOF_OF_POSSESSION` with the `CryptoError` as cause: a signature that is not the key's, or a key
 * or algorithm that the provider refuses.
 */
export function verifyCertificationRequest(
  request: CertificationRequest,
  provider: CryptoProvider,
  options: ToleranceOptions = {},
): void {
  const signed = {
    publicKey: request.subjectPublicKeyInfo.encoding,
    algorithm: request.signatureAlgorithm.encoding,
    data: request.certificationRequestInfo,
    signature: request.signatureValue,
  };
  const result = verifySignedData(provider, signed, { tolerate: toleratesBy(options.tolerances ?? {}) });
  if (!result.ok) throw notProven(result.error);
}

function notProven(cause: CryptoError): Error {
  return new X509Error("ERR_X509_PROOF_OF_POSSESSION", `the request does not prove its key: ${cause.message}`, {
    problem: cause.code,
    clause: "RFC 2986 §3",
    cause,
  });
}

function readRequest(der: Uint8Array, log: DeviationLog | undefined, isChecked: boolean): CertificationRequest {
  const reader = new DerReader(der, { tolerate: log?.tolerate });
  const outer = reader.sequence();
  reader.end();
  const information = outer.sequence();
  const algorithmOffset = outer.offset;
  const signatureAlgorithm = readAlgorithmIdentifier(outer);
  const signatureValue = outer.octetAlignedBitString();
  outer.end();

  const { offset } = information;
  const version = information.smallInteger(255) + 1;
  if (version !== 1) {
    throw versionFault("CertificationRequest", version, "it does not exist; 1 does", offset, "RFC 2986 §4.1");
  }
  if (log !== undefined) noteNullParameters(signatureAlgorithm, algorithmOffset, log);
  const subject = readName(information);
  const subjectPublicKeyInfo = readSubjectPublicKeyInfo(information);
  const { attributes, extensions } = readAttributes(information, der, log);
  information.end();
  return {
    encoding: outer.encoding,
    certificationRequestInfo: information.encoding,
    subject,
    subjectPublicKeyInfo,
    attributes,
    extensions,
    signatureAlgorithm,
    signatureValue,
    deviations: log === undefined ? noDeviations : log.deviations,
    isChecked,
  };
}

/** `[0] Attributes`: may be empty, must be there (RFC 2986 §4.1). */
function readAttributes(
  information: DerReader,
  der: Uint8Array,
  log: DeviationLog | undefined,
): { readonly attributes: readonly RequestAttribute[]; readonly extensions: readonly Extension[] } {
  const attributes: RequestAttribute[] = [];
  const { offset } = information;
  if (information.isAtEnd) {
    if (log?.tolerate("missingAttributes", offset) === true) return { attributes, extensions: [] };
    const reason = "attributes are missing; where there is none, an empty [0] stands for them";
    throw new X509Error("ERR_X509_EMPTY_LIST", tolerable(reason, "missingAttributes"), {
      list: "attributes",
      tolerance: "missingAttributes",
      offset,
      clause: "RFC 2986 §4.1",
    });
  }
  const list = information.sequence(contextConstructed(0));
  let extensions: readonly Extension[] | undefined;
  while (!list.isAtEnd) {
    const start = list.offset;
    const fields = list.sequence();
    const type = fields.oid();
    const set = fields.set();
    fields.end();
    const values: Uint8Array[] = [];
    while (!set.isAtEnd) values.push(set.any().encoding);
    attributes.push({ type, values });
    if (equalBytes(type, extensionRequestOid)) {
      if (extensions !== undefined) throw repeated(start);
      extensions = readRequestedExtensions(der, values, start, log);
    } else {
      refuseEmpty(values.length === 0, `the attribute ${decodeOid(type)}`, start, "RFC 2986 §4.1 SIZE (1..MAX)");
    }
  }
  return { attributes, extensions: extensions ?? [] };
}

/** extensionRequest has a single value (RFC 2985 §5.4.2), with at least one extension. */
function readRequestedExtensions(
  der: Uint8Array,
  values: readonly Uint8Array[],
  offset: number,
  log: DeviationLog | undefined,
): Extension[] {
  const [value, second] = values;
  if (second !== undefined) throw repeated(offset);
  // An empty SEQUENCE takes two octets.
  const isEmpty = value === undefined || (value.length === 2 && value[0] === Tag.sequence);
  if (isEmpty) {
    if (log?.tolerate("emptyExtensionRequest", offset) === true) return [];
    const reason = `extensionRequest has ${value === undefined ? "no value" : "no extension"}; a request that asks for none leaves it out`;
    throw new X509Error("ERR_X509_EMPTY_LIST", tolerable(reason, "emptyExtensionRequest"), {
      list: "extensionRequest",
      tolerance: "emptyExtensionRequest",
      offset,
      clause: value === undefined ? "RFC 2986 §4.1" : "RFC 2985 §5.4.2",
    });
  }
  const baseOffset = value.byteOffset - der.byteOffset;
  return readExtensions(new DerReader(value, { baseOffset, tolerate: log?.tolerate }), log !== undefined);
}

function repeated(offset: number): Error {
  return new X509Error("ERR_X509_DUPLICATE_EXTENSION", "extensionRequest stands more than once; it has one value", {
    extension: "1.2.840.113549.1.9.14",
    offset,
    clause: "RFC 2985 §5.4.2",
  });
}
