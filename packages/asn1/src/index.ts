/** Strict DER and PEM: the public names of `@latchkey/asn1`. */

export { decodeBase64, encodeBase64 } from "./base64.ts";
export {
  defaultMaximumDepth,
  defaultMaximumElements,
  type DerLimits,
  type DerReaderOptions,
  type DerTolerance,
} from "./der-options.ts";
export { type BitString, type DerElement, DerReader } from "./der-reader.ts";
export { type DerBody, DerWriter, encodeDer } from "./der-writer.ts";
export {
  Asn1Error,
  type Asn1ErrorCode,
  type Asn1ErrorPlace,
  type Asn1Evidence,
  type Asn1LimitCode,
  type Asn1LimitEvidence,
  type Asn1MalformedCode,
  type Asn1MalformedEvidence,
  type Asn1MisuseCode,
  type Asn1MisuseEvidence,
  type PemCode,
  type PemEvidence,
} from "./errors.ts";
export { decodeOid, encodeOid, equalBytes, maximumOidOctets } from "./oid.ts";
export { decodePem, encodePem, findPemSections, type PemBlock, type PemSection } from "./pem.ts";
export { contextConstructed, contextPrimitive, Tag } from "./tag.ts";
export { decodeText, isIa5, isPrintable, malformedAt } from "./text.ts";
export { generalizedTimeText } from "./time.ts";
