/** Revocation (RFC 5280 §6.3, RFC 6960): the public names of `@latchkey/chain/revocation`. */

export { checkRevocation, type RevocationAnswer, type RevocationInputs } from "./check-revocation.ts";
export { checkOcspResponse, type OcspInputs } from "./ocsp-status.ts";
export { type RevocationChecker, type RevocationStatus } from "./revocation-checker.ts";
