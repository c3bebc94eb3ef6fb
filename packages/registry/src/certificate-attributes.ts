/** What a policy can ask about a client, taken from its certificate and its connection (AWS IoT policy variables). */

import type { AlternativeNames, CertificateAttributes, NameAttribute, NameAttributes } from "@latchkey/policy";
import {
  attributeValues,
  extensionValue,
  issuerAltName,
  nameText,
  serialNumberDecimal,
  subjectAltName,
  type AttributeName,
  type Certificate,
  type GeneralName,
  type Name,
} from "@latchkey/x509";

const attributeTypes: Readonly<Record<NameAttribute, AttributeName>> = {
  DistinguishedNameQualifier: "dnQualifier",
  Country: "countryName",
  Organization: "organizationName",
  OrganizationalUnit: "organizationalUnitName",
  State: "stateOrProvinceName",
  CommonName: "commonName",
  SerialNumber: "serialNumber",
  Title: "title",
  Surname: "surname",
  GivenName: "givenName",
  Initials: "initials",
  Pseudonym: "pseudonym",
  GenerationQualifier: "generationQualifier",
};

/** The certificate's part of a request context. */
export function certificateAttributes(certificate: Certificate): CertificateAttributes {
  return {
    serialNumber: serialNumberDecimal(certificate.serialNumber),
    subject: nameAttributesOf(certificate.subject),
    issuer: nameAttributesOf(certificate.issuer),
    subjectAlternativeName: alternativeNames(extensionValue(certificate, subjectAltName)),
    issuerAlternativeName: alternativeNames(extensionValue(certificate, issuerAltName)),
  };
}

/** An attribute with a value that is no text is left out whole: it does not resolve, and no other value moves up. */
function nameAttributesOf(name: Name): NameAttributes {
  const attributes: { [Attribute in NameAttribute]?: readonly string[] } = {};
  for (const attribute of keysOf(attributeTypes)) {
    const values = attributeValues(name, attributeTypes[attribute]);
    if (values.length > 0 && values.every((value) => value !== undefined)) attributes[attribute] = values;
  }
  return attributes;
}

function alternativeNames(names: readonly GeneralName[] | undefined): AlternativeNames {
  const rfc822Names: string[] = [];
  const dnsNames: string[] = [];
  const directoryNames: string[] = [];
  const uris: string[] = [];
  const addresses: string[] = [];
  for (const name of names ?? []) {
    if (name.type === "rfc822Name") rfc822Names.push(name.value);
    else if (name.type === "dNSName") dnsNames.push(name.value);
    else if (name.type === "directoryName") directoryNames.push(nameText(name.value));
    else if (name.type === "uniformResourceIdentifier") uris.push(name.value);
    else if (name.type === "iPAddress") addresses.push(addressText(name.value));
  }
  return {
    ...(rfc822Names.length > 0 && { RFC822Name: rfc822Names }),
    ...(dnsNames.length > 0 && { DNSName: dnsNames }),
    ...(directoryNames.length > 0 && { DirectoryName: directoryNames }),
    ...(uris.length > 0 && { UniformResourceIdentifier: uris }),
    ...(addresses.length > 0 && { IPAddress: addresses }),
  };
}

/** Dotted decimal for 4 octets; eight full groups of hexadecimal for 16. */
function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  const groups: string[] = [];
  for (let at = 0; at < octets.length; at += 2)
    groups.push((((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0)).toString(16));
  return groups.join(":");
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the record is a literal with just these keys
  return Object.keys(record) as Key[];
}
