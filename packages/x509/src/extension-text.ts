/** Extensions in the text dump. */

import { Asn1Error, DerReader, equalBytes, Tag } from "@latchkey/asn1";
import { X509Error } from "./errors.ts";
import { decodeExtension, type Extension, type ExtensionReader } from "./extension.ts";
import { certificateIssuer, issuerAltName, subjectAltName } from "./extensions/alternative-names.ts";
import { basicConstraints } from "./extensions/basic-constraints.ts";
import {
  cRLDistributionPoints,
  cRLNumber,
  cRLReason,
  deltaCRLIndicator,
  type DistributionPoint,
  type DistributionPointName,
  freshestCRL,
  invalidityDate,
  issuingDistributionPoint,
} from "./extensions/distribution-points.ts";
import { authorityKeyIdentifier, subjectKeyIdentifier } from "./extensions/key-identifiers.ts";
import { extendedKeyUsage, type KeyUsage, keyUsage } from "./extensions/key-usage.ts";
import { nameConstraints } from "./extensions/name-constraints.ts";
import {
  certificatePolicies,
  inhibitAnyPolicy,
  policyConstraints,
  type PolicyInformation,
  policyMappings,
  policyQualifierIds,
} from "./extensions/policies.ts";
import { authorityInfoAccess, ocspNoCheck, subjectInfoAccess, tlsFeature } from "./extensions/private-internet.ts";
import type { GeneralName } from "./general-name.ts";
import { attributeToText } from "./name-text.ts";
import { oidKey } from "./oid-key.ts";
import { oidName } from "./oid-names.ts";
import {
  encodedText,
  generalNameText,
  integerText,
  octetLines,
  signAndMagnitude,
  signedOctets,
  timeText,
  upperOctets,
} from "./text-lines.ts";

/** How the values of a type are shown: one line each. */
type Printer = (extension: Extension) => string[];

function printer<Value>(type: ExtensionReader<Value>, print: (value: Value) => string[]): [string, Printer] {
  return [oidKey(type.oid), (extension) => print(decodeExtension(extension, type))];
}

const printers: ReadonlyMap<string, Printer> = /* @__PURE__ */ makePrinters();

function makePrinters(): ReadonlyMap<string, Printer> {
  return new Map([
    printer(basicConstraints, ({ cA, pathLenConstraint }) => [
      `CA:${cA ? "TRUE" : "FALSE"}${pathLenConstraint === undefined ? "" : `, pathlen:${pathLenConstraint}`}`,
    ]),
    printer(keyUsage, (usages) => [usages.map((usage) => usageLabels[usage]).join(", ")]),
    printer(extendedKeyUsage, (purposes) => [purposes.map(oidName).join(", ")]),
    printer(subjectAltName, namesLine),
    printer(issuerAltName, namesLine),
    printer(certificateIssuer, namesLine),
    printer(subjectKeyIdentifier, (identifier) => [upperOctets(identifier)]),
    printer(authorityKeyIdentifier, ({ keyIdentifier, authorityCertIssuer, authorityCertSerialNumber }) => [
      ...(keyIdentifier === undefined
        ? []
        : [`${authorityCertIssuer === undefined ? "" : "keyid:"}${upperOctets(keyIdentifier)}`]),
      ...(authorityCertIssuer ?? []).map(generalNameText),
      ...(authorityCertSerialNumber === undefined ? [] : [signedSerial(authorityCertSerialNumber)]),
    ]),
    printer(nameConstraints, ({ permittedSubtrees = [], excludedSubtrees = [] }) => [
      ...heading("Permitted:", permittedSubtrees.map(generalNameText)),
      ...heading("Excluded:", excludedSubtrees.map(generalNameText)),
    ]),
    printer(certificatePolicies, (policies) => policies.flatMap(policyLines)),
    printer(policyMappings, (mappings) => [
      mappings.map((each) => `${oidName(each.issuerDomainPolicy)}:${oidName(each.subjectDomainPolicy)}`).join(", "),
    ]),
    printer(policyConstraints, ({ requireExplicitPolicy, inhibitPolicyMapping }) => [
      [
        ...(requireExplicitPolicy === undefined ? [] : [`Require Explicit Policy:${requireExplicitPolicy}`]),
        ...(inhibitPolicyMapping === undefined ? [] : [`Inhibit Policy Mapping:${inhibitPolicyMapping}`]),
      ].join(", "),
    ]),
    printer(inhibitAnyPolicy, (skip) => [String(skip)]),
    printer(cRLDistributionPoints, (points) => points.flatMap(pointLines)),
    printer(freshestCRL, (points) => points.flatMap(pointLines)),
    printer(issuingDistributionPoint, (point) => [
      ...pointNameLines(point.distributionPoint),
      ...(point.onlyContainsUserCerts ? ["Only User Certificates"] : []),
      ...(point.onlyContainsCACerts ? ["Only CA Certificates"] : []),
      ...(point.onlySomeReasons === undefined ? [] : [`Only Some Reasons: ${point.onlySomeReasons.join(", ")}`]),
      ...(point.indirectCRL ? ["Indirect CRL"] : []),
      ...(point.onlyContainsAttributeCerts ? ["Only Attribute Certificates"] : []),
    ]),
    printer(authorityInfoAccess, (all) =>
      all.map((each) => `${oidName(each.accessMethod)} - ${generalNameText(each.accessLocation)}`),
    ),
    printer(subjectInfoAccess, (all) =>
      all.map((each) => `${oidName(each.accessMethod)} - ${generalNameText(each.accessLocation)}`),
    ),
    printer(tlsFeature, (features) => [
      features.map((feature) => (feature === 5 ? "status_request" : feature)).join(", "),
    ]),
    printer(ocspNoCheck, () => [""]),
    printer(cRLNumber, (number) => [integerText(signedOctets(number))]),
    printer(deltaCRLIndicator, (number) => [integerText(signedOctets(number))]),
    printer(cRLReason, (reason) => [reason]),
    printer(invalidityDate, (seconds) => [timeText(seconds)]),
  ]);
}

/** An extension: its name and criticality, and below it what it says; octets where it is unknown or malformed. */
export function extensionLines(extension: Extension, indent: string): string[] {
  const title = `${indent}${oidName(extension.oid)}: ${extension.critical ? "critical" : ""}`.trimEnd();
  return [title, ...valueLines(extension, `${indent}    `)];
}

function valueLines(extension: Extension, indent: string): string[] {
  const print = printers.get(oidKey(extension.oid));
  try {
    if (print !== undefined) return print(extension).map((line) => indent + line);
  } catch (error) {
    if (!(error instanceof X509Error)) throw error;
    return [`${indent}malformed: ${error.code}`, ...octetLines(extension.value, indent, 16)];
  }
  return octetLines(extension.value, indent, 16);
}

const usageLabels: Readonly<Record<KeyUsage, string>> = {
  digitalSignature: "Digital Signature",
  nonRepudiation: "Non Repudiation",
  keyEncipherment: "Key Encipherment",
  dataEncipherment: "Data Encipherment",
  keyAgreement: "Key Agreement",
  keyCertSign: "Certificate Sign",
  cRLSign: "CRL Sign",
  encipherOnly: "Encipher Only",
  decipherOnly: "Decipher Only",
};

function signedSerial(serialNumber: Uint8Array): string {
  const { sign, magnitude } = signAndMagnitude(serialNumber);
  return `serial:${sign}${upperOctets(sign === "" ? serialNumber : magnitude)}`;
}

function namesLine(names: readonly GeneralName[]): string[] {
  return [names.map(generalNameText).join(", ")];
}

function heading(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function policyLines({ policyIdentifier, policyQualifiers }: PolicyInformation): string[] {
  return [
    `Policy: ${oidName(policyIdentifier)}`,
    ...policyQualifiers.flatMap(({ policyQualifierId, qualifier }) => {
      const title = `  ${oidName(policyQualifierId)}:`;
      const notice = equalBytes(policyQualifierId, policyQualifierIds.userNotice) ? noticeLines(qualifier) : undefined;
      if (notice !== undefined) return [title, ...notice.map((line) => `    ${line}`)];
      return [`${title} ${encodedText(qualifier)}`];
    }),
  ];
}

/** UserNotice (RFC 5280 §4.2.1.4): the organization, the numbers of its notices, the text. Undefined where it is malformed. */
function noticeLines(qualifier: Uint8Array): string[] | undefined {
  try {
    const notice = new DerReader(qualifier).sequence();
    const lines: string[] = [];
    if (notice.nextIs(Tag.sequence)) {
      const reference = notice.sequence();
      lines.push(`Organization: ${encodedText(reference.any().encoding)}`);
      const numbers = reference.sequence();
      const shown: string[] = [];
      while (!numbers.isAtEnd) shown.push(integerText(numbers.integer()));
      lines.push(`Numbers: ${shown.join(", ")}`);
    }
    if (!notice.isAtEnd) lines.push(`Explicit Text: ${encodedText(notice.any().encoding)}`);
    return lines;
  } catch (error) {
    if (error instanceof Asn1Error) return undefined;
    throw error;
  }
}

function pointLines({ distributionPoint, reasons, cRLIssuer = [] }: DistributionPoint): string[] {
  return [
    ...pointNameLines(distributionPoint),
    ...(reasons === undefined ? [] : [`Reasons: ${reasons.join(", ")}`]),
    ...heading("CRL Issuer:", cRLIssuer.map(generalNameText)),
  ];
}

function pointNameLines(name: DistributionPointName | undefined): string[] {
  if (name === undefined) return [];
  return name.type === "fullName"
    ? heading("Full Name:", name.names.map(generalNameText))
    : [`Relative Name: ${name.rdn.map(attributeToText).join(" + ")}`];
}

/** The parameters of an algorithm where they are an object identifier, such as that of a curve: its name, or dotted. */
export function namedParameters(parameters: Uint8Array | undefined): string | undefined {
  if (parameters === undefined || parameters[0] !== Tag.objectIdentifier) return undefined;
  try {
    return oidName(new DerReader(parameters).oid());
  } catch (error) {
    if (error instanceof Asn1Error) return undefined;
    throw error;
  }
}
