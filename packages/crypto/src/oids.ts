/** Object identifiers of keys and hashes, as content octets. */

import { encodeOid } from "@latchkey/asn1";

/** RFC 5480 §2.1.1. */
export const ecPublicKey: Uint8Array = /* @__PURE__ */ encodeOid("1.2.840.10045.2.1");
/** RFC 8410 §3. */
export const x25519: Uint8Array = /* @__PURE__ */ encodeOid("1.3.101.110");
/** id-Ed25519. */
export const ed25519: Uint8Array = /* @__PURE__ */ encodeOid("1.3.101.112");
/** RFC 8017 §A. */
export const rsaEncryption: Uint8Array = /* @__PURE__ */ encodeOid("1.2.840.113549.1.1.1");
/** id-mgf1. */
export const mgf1: Uint8Array = /* @__PURE__ */ encodeOid("1.2.840.113549.1.1.8");
/** id-RSASSA-PSS. */
export const rsassaPss: Uint8Array = /* @__PURE__ */ encodeOid("1.2.840.113549.1.1.10");
/** RFC 4055 §2.1. */
export const sha1: Uint8Array = /* @__PURE__ */ encodeOid("1.3.14.3.2.26");
/** id-sha256. */
export const sha256: Uint8Array = /* @__PURE__ */ encodeOid("2.16.840.1.101.3.4.2.1");
/** id-sha384. */
export const sha384: Uint8Array = /* @__PURE__ */ encodeOid("2.16.840.1.101.3.4.2.2");
/** id-sha512. */
export const sha512: Uint8Array = /* @__PURE__ */ encodeOid("2.16.840.1.101.3.4.2.3");
