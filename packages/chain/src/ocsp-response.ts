/** OCSP responses (RFC 6960 §4.2.1): bytes in, fields out. Whether they count is decided elsewhere. */

import { Asn1Error, contextConstructed, contextPrimitive, decodeOid, DerReader, equalBytes, Tag } from "@latchkey/asn1";

/** Which certificate a single response is about. */
export interface CertificateId {
  readonly hashAlgorithm: Uint8Array;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  readonly serialNumber: Uint8Array;
}

/** What a response says about one certificate. */
export interface SingleResponse {
  readonly certificateId: CertificateId;
  readonly status: "good" | "revoked" | "unknown";
  readonly revokedAt: number | undefined;
  /** The number of the reason (RFC 5280 §5.3.1). */
  readonly reason: number | undefined;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly unknownCritical: string | undefined;
}

/** The signer: by name (the whole Name as DER), or by the SHA-1 of the key. */
export type ResponderId =
  | { readonly type: "byName"; readonly name: Uint8Array }
  | { readonly type: "byKey"; readonly keyHash: Uint8Array };

/** A whole response. */
export interface OcspResponse {
  readonly responseStatus:
    | "successful"
    | "malformedRequest"
    | "internalError"
    | "tryLater"
    | "sigRequired"
    | "unauthorized";
  /** Undefined unless successful. */
  readonly basic: BasicOcspResponse | undefined;
}

/** The signed part of a response; views. */
export interface BasicOcspResponse {
  readonly tbsResponseData: Uint8Array;
  readonly responderId: ResponderId;
  readonly producedAt: number;
  readonly responses: readonly SingleResponse[];
  readonly unknownCritical: string | undefined;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** DER certificates that came along. */
  readonly certificates: readonly Uint8Array[];
}

const statuses: ReadonlyMap<number, OcspResponse["responseStatus"]> = /* @__PURE__ */ new Map([
  [0, "successful"],
  [1, "malformedRequest"],
  [2, "internalError"],
  [3, "tryLater"],
  [5, "sigRequired"],
  [6, "unauthorized"],
]);

/** id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1. */
const basicResponse = /* @__PURE__ */ Uint8Array.of(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01);
/** Signed certificate timestamps in a single response (RFC 6962 §3.3): they change nothing here. */
const timestamps = /* @__PURE__ */ Uint8Array.of(0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x05);

/** Most responses and certificates that are read of one response. */
const maximumResponses = 1000;
const maximumCertificates = 16;

/** Reads a DER OCSPResponse; views. Undefined where it is malformed. */
export function parseOcspResponse(der: Uint8Array): OcspResponse | undefined {
  try {
    const reader = new DerReader(der);
    const fields = reader.sequence();
    reader.end();
    const responseStatus = statuses.get(fields.smallInteger(255, Tag.enumerated));
    if (responseStatus === undefined) return undefined;
    const basic = fields.nextIs(contextConstructed(0)) ? readResponseBytes(fields.explicit(0)) : undefined;
    fields.end();
    return (responseStatus === "successful") === (basic !== undefined) ? { responseStatus, basic } : undefined;
  } catch (error) {
    if (error instanceof Asn1Error) return undefined;
    throw error;
  }
}

function readResponseBytes(explicit: DerReader): BasicOcspResponse | undefined {
  const fields = explicit.sequence();
  explicit.end();
  const isBasic = equalBytes(fields.oid(), basicResponse);
  const response = fields.octetString();
  fields.end();
  return isBasic ? readBasic(response) : undefined;
}

function readBasic(der: Uint8Array): BasicOcspResponse {
  const reader = new DerReader(der);
  const fields = reader.sequence();
  reader.end();
  const data = fields.sequence();
  const signatureAlgorithm = fields.element(Tag.sequence).encoding;
  const signature = fields.octetAlignedBitString();
  const certificates = fields.nextIs(contextConstructed(0)) ? readCertificates(fields.explicit(0)) : [];
  fields.end();
  readVersion(data);
  const responderId = readResponderId(data);
  const producedAt = data.generalizedTime();
  const list = data.sequence();
  const responses: SingleResponse[] = [];
  while (!list.isAtEnd) {
    if (responses.length === maximumResponses) throw tooMany(list, "single responses", maximumResponses);
    responses.push(readSingle(list.sequence()));
  }
  const unknownCritical = readExtensions(data, contextConstructed(1));
  data.end();
  return {
    tbsResponseData: data.encoding,
    responderId,
    producedAt,
    responses,
    unknownCritical,
    signatureAlgorithm,
    signature,
    certificates,
  };
}

/** Version 1 is the default; responders that encode it are let through, as by BoringSSL. */
function readVersion(data: DerReader): void {
  if (!data.nextIs(contextConstructed(0))) return;
  const version = data.explicit(0);
  version.smallInteger(0);
  version.end();
}

function readResponderId(data: DerReader): ResponderId {
  if (data.nextIs(contextConstructed(1))) {
    const choice = data.explicit(1);
    const name = choice.element(Tag.sequence).encoding;
    choice.end();
    return { type: "byName", name };
  }
  const choice = data.explicit(2);
  const keyHash = choice.octetString();
  choice.end();
  return { type: "byKey", keyHash };
}

function readSingle(fields: DerReader): SingleResponse {
  const certificateId = readCertificateId(fields.sequence());
  const status = readStatus(fields);
  const thisUpdate = fields.generalizedTime();
  let nextUpdate: number | undefined;
  if (fields.nextIs(contextConstructed(0))) {
    const explicit = fields.explicit(0);
    nextUpdate = explicit.generalizedTime();
    explicit.end();
  }
  const unknownCritical = readExtensions(fields, contextConstructed(1));
  fields.end();
  return { certificateId, ...status, thisUpdate, nextUpdate, unknownCritical };
}

function readCertificateId(fields: DerReader): CertificateId {
  const algorithm = fields.sequence();
  const hashAlgorithm = algorithm.oid();
  if (!algorithm.isAtEnd) algorithm.null();
  algorithm.end();
  const issuerNameHash = fields.octetString();
  const issuerKeyHash = fields.octetString();
  const serialNumber = fields.integer();
  fields.end();
  return { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber };
}

function readStatus(fields: DerReader): Pick<SingleResponse, "status" | "revokedAt" | "reason"> {
  if (fields.nextIs(contextPrimitive(0))) {
    fields.null(contextPrimitive(0));
    return { status: "good", revokedAt: undefined, reason: undefined };
  }
  if (!fields.nextIs(contextConstructed(1))) {
    fields.null(contextPrimitive(2));
    return { status: "unknown", revokedAt: undefined, reason: undefined };
  }
  const revoked = fields.sequence(contextConstructed(1));
  const revokedAt = revoked.generalizedTime();
  let reason: number | undefined;
  if (revoked.nextIs(contextConstructed(0))) {
    const explicit = revoked.explicit(0);
    reason = explicit.smallInteger(10, Tag.enumerated);
    explicit.end();
  }
  revoked.end();
  return { status: "revoked", revokedAt, reason };
}

/** Reads extensions past; gives the first critical one that is unknown. */
function readExtensions(fields: DerReader, tag: number): string | undefined {
  if (!fields.nextIs(tag)) return undefined;
  const explicit = fields.sequence(tag);
  const list = explicit.sequence();
  explicit.end();
  let unknown: string | undefined;
  while (!list.isAtEnd) {
    const extension = list.sequence();
    const oid = extension.oid();
    const isCritical = extension.booleanDefaultFalse();
    extension.octetString();
    extension.end();
    if (isCritical && !equalBytes(oid, timestamps)) unknown ??= decodeOid(oid);
  }
  return unknown;
}

function readCertificates(explicit: DerReader): Uint8Array[] {
  const list = explicit.sequence();
  explicit.end();
  const certificates: Uint8Array[] = [];
  while (!list.isAtEnd) {
    if (certificates.length === maximumCertificates) throw tooMany(list, "certificates", maximumCertificates);
    certificates.push(list.element(Tag.sequence).encoding);
  }
  return certificates;
}

function tooMany(reader: DerReader, what: string, limit: number): Asn1Error {
  return new Asn1Error("ERR_ASN1_ELEMENTS", `more than ${limit} ${what}`, { limit, offset: reader.offset });
}
