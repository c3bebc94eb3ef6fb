/** Names of object identifiers for people, as OpenSSL prints them. Programs compare octets. */

import { decodeOid, encodeOid } from "@latchkey/asn1";
import { oidKey } from "./oid-key.ts";

const rows: readonly (readonly [oid: string, name: string])[] = [
  ["1.2.840.10045.2.1", "id-ecPublicKey"],
  ["1.2.840.10045.3.1.7", "prime256v1"],
  ["1.3.132.0.34", "secp384r1"],
  ["1.3.132.0.35", "secp521r1"],
  ["1.2.840.10045.4.1", "ecdsa-with-SHA1"],
  ["1.2.840.10045.4.3.2", "ecdsa-with-SHA256"],
  ["1.2.840.10045.4.3.3", "ecdsa-with-SHA384"],
  ["1.2.840.10045.4.3.4", "ecdsa-with-SHA512"],
  ["1.3.101.110", "X25519"],
  ["1.3.101.112", "ED25519"],
  ["1.3.101.113", "ED448"],
  ["1.2.840.113549.1.1.1", "rsaEncryption"],
  ["1.2.840.113549.1.1.4", "md5WithRSAEncryption"],
  ["1.2.840.113549.1.1.5", "sha1WithRSAEncryption"],
  ["1.2.840.113549.1.1.10", "rsassaPss"],
  ["1.2.840.113549.1.1.11", "sha256WithRSAEncryption"],
  ["1.2.840.113549.1.1.12", "sha384WithRSAEncryption"],
  ["1.2.840.113549.1.1.13", "sha512WithRSAEncryption"],
  ["2.5.29.14", "X509v3 Subject Key Identifier"],
  ["2.5.29.15", "X509v3 Key Usage"],
  ["2.5.29.17", "X509v3 Subject Alternative Name"],
  ["2.5.29.18", "X509v3 Issuer Alternative Name"],
  ["2.5.29.19", "X509v3 Basic Constraints"],
  ["2.5.29.20", "X509v3 CRL Number"],
  ["2.5.29.21", "X509v3 CRL Reason Code"],
  ["2.5.29.24", "Invalidity Date"],
  ["2.5.29.27", "X509v3 Delta CRL Indicator"],
  ["2.5.29.28", "X509v3 Issuing Distribution Point"],
  ["2.5.29.29", "X509v3 Certificate Issuer"],
  ["2.5.29.30", "X509v3 Name Constraints"],
  ["2.5.29.31", "X509v3 CRL Distribution Points"],
  ["2.5.29.32", "X509v3 Certificate Policies"],
  ["2.5.29.32.0", "X509v3 Any Policy"],
  ["2.5.29.33", "X509v3 Policy Mappings"],
  ["2.5.29.35", "X509v3 Authority Key Identifier"],
  ["2.5.29.36", "X509v3 Policy Constraints"],
  ["2.5.29.37", "X509v3 Extended Key Usage"],
  ["2.5.29.37.0", "Any Extended Key Usage"],
  ["2.5.29.46", "X509v3 Freshest CRL"],
  ["2.5.29.54", "X509v3 Inhibit Any Policy"],
  ["1.3.6.1.5.5.7.1.1", "Authority Information Access"],
  ["1.3.6.1.5.5.7.1.11", "Subject Information Access"],
  ["1.3.6.1.5.5.7.1.24", "TLS Feature"],
  ["1.3.6.1.5.5.7.3.1", "TLS Web Server Authentication"],
  ["1.3.6.1.5.5.7.3.2", "TLS Web Client Authentication"],
  ["1.3.6.1.5.5.7.3.3", "Code Signing"],
  ["1.3.6.1.5.5.7.3.4", "E-mail Protection"],
  ["1.3.6.1.5.5.7.3.8", "Time Stamping"],
  ["1.3.6.1.5.5.7.3.9", "OCSP Signing"],
  ["1.3.6.1.5.5.7.48.1", "OCSP"],
  ["1.3.6.1.5.5.7.48.1.5", "OCSP No Check"],
  ["1.3.6.1.5.5.7.48.2", "CA Issuers"],
  ["1.3.6.1.5.5.7.2.1", "CPS"],
  ["1.3.6.1.5.5.7.2.2", "User Notice"],
  ["1.3.6.1.4.1.11129.2.4.2", "CT Precertificate SCTs"],
];

const names: ReadonlyMap<string, string> = /* @__PURE__ */ new Map(
  rows.map(([oid, name]) => [oidKey(encodeOid(oid)), name]),
);

/** The name, or dotted text where there is none. */
export function oidName(oid: Uint8Array): string {
  return names.get(oidKey(oid)) ?? decodeOid(oid);
}
