/** The three kinds of certificates that Latchkey issues: what each says, before issuer, key and serial number. */

import { Asn1Error } from "@latchkey/asn1";
import { X509Error } from "./errors.ts";
import { type Extension, makeExtension } from "./extension.ts";
import { subjectAltName } from "./extensions/alternative-names.ts";
import { basicConstraints } from "./extensions/basic-constraints.ts";
import { extendedKeyUsage, keyPurposes, type KeyUsage, keyUsage } from "./extensions/key-usage.ts";
import { type NameConstraints, nameConstraints } from "./extensions/name-constraints.ts";
import type { Validity } from "./certificate.ts";
import type { GeneralName } from "./general-name.ts";
import { parseIpAddress } from "./ip-address.ts";
import { makeName, type Name } from "./name.ts";

/** What a certificate is to say; `issueCertificate` adds issuer, key, serial number and both key identifiers. */
export interface CertificateTemplate {
  /** Undefined: the request's. */
  readonly subject?: Name | undefined;
  /** Seconds since 1970 by the caller's clock, both ends included. */
  readonly validity: Validity;
  /** Without key identifiers. */
  readonly extensions: readonly Extension[];
}

/** The validity that starts at `now` and lasts `days` times 86,400 seconds, its last one included. */
export function validityFrom(now: number, days: number): Validity {
  const notBefore = Math.floor(now);
  return { notBefore, notAfter: notBefore + Math.floor(days * 86_400) - 1 };
}

/** The last second that RFC 5280 §4.1.2.5 gives to a certificate without a known end. */
export const noWellDefinedExpiration = 253_402_300_799;

/** What the certificate of an authority says. */
export interface CertificateAuthorityInput {
  readonly subject?: Name | undefined;
  readonly validity: Validity;
  /** How many intermediates may follow. Default: no limit. */
  readonly pathLenConstraint?: number | undefined;
  readonly nameConstraints?: NameConstraints | undefined;
}

/** A root or an intermediate: cA, keyCertSign and cRLSign, both critical (RFC 5280 §4.2.1.3, §4.2.1.9). */
export function certificateAuthority(input: CertificateAuthorityInput): CertificateTemplate {
  const { pathLenConstraint } = input;
  const extensions = [
    makeExtension(basicConstraints, { cA: true, pathLenConstraint }, true),
    makeExtension(keyUsage, ["digitalSignature", "keyCertSign", "cRLSign"], true),
  ];
  // §4.2.1.10: nameConstraints MUST be critical.
  if (input.nameConstraints !== undefined) extensions.push(makeExtension(nameConstraints, input.nameConstraints, true));
  return { subject: input.subject, validity: input.validity, extensions };
}

/** What the certificate of a TLS server says. */
export interface ServerCertificateInput {
  /** Default: an empty name; the server's names are alternative names (RFC 9525). */
  readonly subject?: Name | undefined;
  readonly validity: Validity;
  readonly dnsNames?: readonly string[] | undefined;
  /** IPv4 in dotted decimals, IPv6 by RFC 4291, or octets. */
  readonly ipAddresses?: readonly (string | Uint8Array)[] | undefined;
}

/** A TLS server: serverAuth, and its names as subjectAltName. Throws `ERR_X509_VALUE` without any name. */
export function serverCertificate(input: ServerCertificateInput): CertificateTemplate {
  const names: GeneralName[] = [
    ...(input.dnsNames ?? []).map((value): GeneralName => ({ type: "dNSName", value })),
    ...(input.ipAddresses ?? []).map((value): GeneralName => ({ type: "iPAddress", value: addressOctets(value) })),
  ];
  if (names.length === 0)
    throw new X509Error("ERR_X509_VALUE", "a server certificate needs a name in dnsNames or ipAddresses", {});
  const subject = input.subject ?? makeName([]);
  return {
    subject,
    validity: input.validity,
    extensions: [
      ...leafExtensions(["digitalSignature"], keyPurposes.serverAuth),
      alternativeNames(names, subject.rdns.length === 0),
    ],
  };
}

/** What the certificate of a device says. */
export interface DeviceCertificateInput {
  /** Default: the request's subject. */
  readonly subject?: Name | undefined;
  readonly validity: Validity;
  readonly alternativeNames?: readonly GeneralName[] | undefined;
}

/** A device: clientAuth, and its alternative names. */
export function deviceCertificate(input: DeviceCertificateInput): CertificateTemplate {
  const { subject, alternativeNames: names = [] } = input;
  const extensions = leafExtensions(["digitalSignature"], keyPurposes.clientAuth);
  if (names.length > 0) extensions.push(alternativeNames(names, subject?.rdns.length === 0));
  return { subject, validity: input.validity, extensions };
}

function leafExtensions(usages: readonly KeyUsage[], purpose: Uint8Array): Extension[] {
  return [
    makeExtension(basicConstraints, { cA: false, pathLenConstraint: undefined }, true),
    makeExtension(keyUsage, usages, true),
    makeExtension(extendedKeyUsage, [purpose]),
  ];
}

/** §4.2.1.6: critical where the subject is empty. */
function alternativeNames(names: readonly GeneralName[], isCritical: boolean): Extension {
  try {
    return makeExtension(subjectAltName, names, isCritical);
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause;
    throw new X509Error("ERR_X509_VALUE", "an alternative name that is not ASCII: write domain names as A-labels", {
      cause,
    });
  }
}

/** The octets of an address. Throws `ERR_X509_VALUE`. */
export function addressOctets(address: string | Uint8Array): Uint8Array {
  const octets = typeof address === "string" ? parseIpAddress(address) : address;
  if (octets !== undefined && (octets.length === 4 || octets.length === 16)) return octets;
  const found = typeof address === "string" ? JSON.stringify(address) : `${address.length} octets`;
  throw new X509Error("ERR_X509_VALUE", `${found} is no IP address such as 192.0.2.1 or 2001:db8::1`, {});
}
