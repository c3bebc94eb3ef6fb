/** Strict DER and PEM: the public names of `@latchkey/asn1`. */

export { decodeBase64, encodeBase64 } from "./base64.ts";
export {
  type BitString,
  defaultMaximumDepth,
  defaultMaximumElements,
  type DerElement,
  type DerLimits,
  DerReader,
  type DerReaderOptions,
} from "./der-reader.ts";
export { type DerBody, DerWriter, encodeDer } from "./der-writer.ts";
export {
  Asn1Error,
  type Asn1ErrorCode,
  type Asn1LimitCode,
  type Asn1MalformedCode,
  type Asn1MisuseCode,
  type PemCode,
} from "./error.ts";
export { decodeOid, encodeOid, equalBytes, maximumOidOctets } from "./oid.ts";
export { decodePem, encodePem, type PemBlock } from "./pem.ts";
export { contextConstructed, contextPrimitive, Tag } from "./tag.ts";
export { decodeText, isIa5, isPrintable } from "./text.ts";
export { generalizedTimeText } from "./time.ts";
