/** Certificates, requests and revocation lists as text and as JSON: the public names of `@latchkey/x509/text`. */

export { certificateText, certificationRequestText, revocationListText } from "./certificate-text.ts";
export { certificateToJson, certificationRequestToJson, type JsonValue, revocationListToJson } from "./json.ts";
export { oidName } from "./oid-names.ts";
