/** Requests signed by AWS Signature Version 4. */

export { Sha256 } from "./sha256.ts";
export { type AccessKey, signRequest, type UnsignedRequest } from "./sign-request.ts";
