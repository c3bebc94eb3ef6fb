/**
 * What a certificate has to look like, beyond what makes a path hold: RFC 5280 §4 and, for servers on the Web, the Baseline
 * Requirements. Each check can be an error, a warning or off; `profiles.ts` says what each profile makes of it.
 */

import { equalBytes } from "@latchkey/asn1";
import {
  attributeValues,
  type Certificate,
  extendedKeyUsage,
  type ExtensionReader,
  findExtension,
  type GeneralName,
  hasKeyPurpose,
  nameConstraints,
  subjectAltName,
  parseIpv4,
} from "@latchkey/x509";
import type { ChainCertificate } from "./chain-certificate.ts";
import { isHostName, parseMailbox } from "./dns-name.ts";
import { type KeyIdentifierProblem, maximumShown } from "./failures.ts";
import { keyFault } from "./key-kind.ts";
import { generalNameText } from "./name-constraints.ts";
import { isConstraintSyntaxValid } from "./name-subtree.ts";
import type { Report } from "./report.ts";
import type { ChainPurpose } from "./result.ts";

/** Where in the path a certificate stands. */
export type Role = "endEntity" | "intermediate" | "anchor";

/** What the checks on end entities depend on. */
export interface ProfileContext {
  readonly purpose: ChainPurpose;
  readonly isPublicSuffix: ((domain: string) => boolean) | undefined;
}

/** Makes all checks that the profile has on. */
export function checkCertificateProfile(
  candidate: ChainCertificate,
  certificateIndex: number,
  role: Role,
  context: ProfileContext,
  report: Report,
): void {
  checkExtensionCriticality(candidate, certificateIndex, report);
  checkKeyIdentifiers(candidate, certificateIndex, role, report);
  if (report.isOn("subjectKey")) {
    report.check("subjectKey", certificateIndex, keyFault(candidate.key.kind));
  }
  if (role !== "anchor" && report.isOn("serialNumber")) {
    report.check("serialNumber", certificateIndex, serialNumberFault(candidate.certificate));
  }
  if (role === "endEntity") checkEndEntity(candidate, certificateIndex, context, report);
  if (role === "endEntity" && !candidate.isCa) return;
  if (report.isOn("authoritySubject")) {
    report.check("authoritySubject", certificateIndex, isEmpty(candidate.certificate) ? {} : undefined);
  }
  if (candidate.values.nameConstraints !== undefined && report.isOn("nameConstraintSyntax")) {
    checkConstraintSyntax(candidate, certificateIndex, report);
  }
}

/** Whether what MUST be critical is, and what MUST NOT be is not. x509's table of extensions has the rules. */
function checkExtensionCriticality(candidate: ChainCertificate, index: number, report: Report): void {
  const isOnNever = report.isOn("nonCriticalExtensions");
  const isOnAlways = report.isOn("mandatoryCriticalExtensions");
  const isOnConstraints = report.isOn("nameConstraintsCritical");
  if (!isOnNever && !isOnAlways && !isOnConstraints) return;
  const { extensions } = candidate.certificate;
  let at = -1;
  for (const known of candidate.knownExtensions) {
    at++;
    if (known === undefined) continue;
    const critical = extensions[at]?.critical === true;
    const { name: extension, criticality, reference, type } = known;
    if (type === nameConstraints) {
      // A check of its own, for the Web PKI allows them not to be critical.
      if (isOnConstraints) report.check("nameConstraintsCritical", index, critical ? undefined : {});
    } else if (criticality === "never") {
      if (critical && isOnNever) report.check("nonCriticalExtensions", index, { extension }, reference);
    } else if (criticality === "always" || (criticality === "inAuthorities" && candidate.isCa)) {
      if (!critical && isOnAlways) report.check("mandatoryCriticalExtensions", index, { extension }, reference);
    }
  }
}

function checkKeyIdentifiers(candidate: ChainCertificate, index: number, role: Role, report: Report): void {
  const { authorityKeyIdentifier, subjectKeyIdentifier } = candidate.values;
  // Exempt is a self-signed certificate that distributes the authority's key. A trust anchor counts as one,
  // by whatever key it is signed, for nothing above it is looked at.
  if (report.isOn("authorityKeyIdentifier") && role !== "anchor") {
    const problem =
      authorityKeyIdentifier === undefined
        ? "missing"
        : authorityKeyIdentifier.keyIdentifier === undefined
          ? "no keyIdentifier"
          : undefined;
    report.check("authorityKeyIdentifier", index, problem && { problem });
  }
  if (candidate.isCa && report.isOn("subjectKeyIdentifier")) {
    report.check(
      "subjectKeyIdentifier",
      index,
      subjectKeyIdentifier === undefined ? { problem: "missing" } : undefined,
    );
  }
  if (role === "anchor" && candidate.isSelfIssued && report.isOn("rootAuthorityKeyIdentifier")) {
    const problem = rootIdentifierProblem(candidate);
    report.check("rootAuthorityKeyIdentifier", index, problem && { problem });
  }
}

function rootIdentifierProblem({ values }: ChainCertificate): KeyIdentifierProblem | undefined {
  const { authorityKeyIdentifier: identifier, subjectKeyIdentifier } = values;
  if (identifier === undefined) return undefined;
  if (identifier.keyIdentifier === undefined) return "no keyIdentifier";
  if (identifier.authorityCertIssuer !== undefined) return "names issuer and serial number";
  const isOwn = subjectKeyIdentifier !== undefined && equalBytes(identifier.keyIdentifier, subjectKeyIdentifier);
  return isOwn ? undefined : "not its own";
}

/** §4.1.2.2: positive, and at most 20 octets. */
function serialNumberFault({
  serialNumber,
}: Certificate): { readonly problem: "zero" | "negative" | "long"; readonly octets: number } | undefined {
  const first = serialNumber[0] ?? 0;
  const octets = serialNumber.length;
  if (first >= 0x80) return { problem: "negative", octets };
  if (first === 0 && octets === 1) return { problem: "zero", octets };
  return octets > 20 ? { problem: "long", octets } : undefined;
}

function isEmpty({ subject }: Certificate): boolean {
  return subject.rdns.length === 0;
}

function checkConstraintSyntax({ values }: ChainCertificate, index: number, report: Report): void {
  const { permittedSubtrees = [], excludedSubtrees = [] } = values.nameConstraints ?? {};
  const wrong = [...permittedSubtrees, ...excludedSubtrees].find((name) => !isConstraintSyntaxValid(name));
  report.check("nameConstraintSyntax", index, wrong && { form: wrong.type, subtree: generalNameText(wrong) });
}

function checkEndEntity(candidate: ChainCertificate, index: number, context: ProfileContext, report: Report): void {
  const { certificate, values, isCa } = candidate;
  if (report.isOn("version")) {
    report.check("version", index, certificate.version === 3 ? undefined : { version: certificate.version });
  }
  if (report.isOn("certSignWithoutCa")) {
    report.check("certSignWithoutCa", index, !isCa && values.keyUsage?.includes("keyCertSign") ? {} : undefined);
  }
  if (report.isOn("nameConstraintsInEndEntity")) {
    report.check("nameConstraintsInEndEntity", index, !isCa && values.nameConstraints !== undefined ? {} : undefined);
  }
  if (report.isOn("endEntityIsCa")) report.check("endEntityIsCa", index, isCa ? {} : undefined);
  checkEndEntityKeyUsage(candidate, index, context.purpose, report);
  if (report.isOn("extendedKeyUsageForm")) checkExtendedKeyUsageForm(candidate, index, report);
  if (values.subjectAltName !== undefined) checkAlternativeNames(candidate, values.subjectAltName, context, report);
  if (context.purpose === "serverAuth" && report.isOn("commonName")) {
    const names = values.subjectAltName ?? [];
    const wrong = commonNameBesides(certificate, names);
    const evidence = wrong !== undefined && {
      commonName: wrong,
      alternativeNames: names.slice(0, maximumShown).map(generalNameText),
    };
    report.check("commonName", index, evidence || undefined);
  }
}

/**
 * §4.2.1.3 and RFC 8446 §4.4.2.2: TLS signs with the key, or in older versions encrypts or agrees. A certificate authority
 * that is asked about as an end entity is exempt: its usages are those of an authority.
 */
function checkEndEntityKeyUsage(
  candidate: ChainCertificate,
  index: number,
  purpose: ChainPurpose,
  report: Report,
): void {
  const { keyUsage } = candidate.values;
  if (keyUsage === undefined || candidate.isCa || !report.isOn("endEntityKeyUsage")) return;
  if (purpose !== "clientAuth" && purpose !== "serverAuth") return;
  const required =
    purpose === "clientAuth"
      ? (["digitalSignature", "keyAgreement"] as const)
      : (["digitalSignature", "keyEncipherment", "keyAgreement"] as const);
  const isFit = required.some((usage) => keyUsage.includes(usage));
  report.check("endEntityKeyUsage", index, isFit ? undefined : { required, present: keyUsage }, "RFC 5280 §4.2.1.3");
}

function checkExtendedKeyUsageForm({ certificate, values }: ChainCertificate, index: number, report: Report): void {
  const { extendedKeyUsage: purposes } = values;
  const isCritical = isExtensionCritical(certificate, extendedKeyUsage);
  const problem =
    purposes === undefined
      ? "missing"
      : hasKeyPurpose(purposes, "anyExtendedKeyUsage")
        ? "anyExtendedKeyUsage"
        : isCritical
          ? "critical"
          : undefined;
  report.check("extendedKeyUsageForm", index, problem && { problem });
}

function isExtensionCritical(certificate: Certificate, type: ExtensionReader<unknown>): boolean {
  return findExtension(certificate, type.oid)?.critical === true;
}

function checkAlternativeNames(
  { certificate }: ChainCertificate,
  names: readonly GeneralName[],
  { isPublicSuffix }: ProfileContext,
  report: Report,
): void {
  if (report.isOn("alternativeNameSyntax")) {
    const wrong = names.find((name) => !isAlternativeNameValid(name));
    report.check("alternativeNameSyntax", 0, wrong && { form: wrong.type, name: generalNameText(wrong) });
  }
  if (report.isOn("subjectAltNameCritical")) {
    const isWrong = !isEmpty(certificate) && isExtensionCritical(certificate, subjectAltName);
    report.check("subjectAltNameCritical", 0, isWrong ? {} : undefined);
  }
  if (report.isOn("publicSuffix")) {
    const isSuffix = isPublicSuffix ?? ((domain: string): boolean => !domain.includes("."));
    const wrong = names.find(
      (name) => name.type === "dNSName" && name.value.startsWith("*.") && isSuffix(name.value.slice(2).toLowerCase()),
    );
    const name = wrong && generalNameText(wrong);
    report.check("publicSuffix", 0, name === undefined ? undefined : { name, suffix: name.slice(2) });
  }
}

/** §4.2.1.6: DNS names in the preferred syntax, mailboxes, absolute URIs. Wildcards are left to RFC 9525. */
function isAlternativeNameValid(name: GeneralName): boolean {
  switch (name.type) {
    case "dNSName": {
      const host = name.value.startsWith("*.") ? name.value.slice(2) : name.value;
      return isHostName(host, { allowsUnderscore: false }) && parseIpv4(host) === undefined;
    }
    case "rfc822Name":
      return parseMailbox(name.value) !== undefined;
    case "uniformResourceIdentifier":
      return /^[a-z][a-z0-9+.-]*:./i.test(name.value);
    default:
      return true;
  }
}

/**
 * A common name that repeats none of the alternative names, character for character (BR §7.1.4.3). A domain is compared
 * with the DNS names, if there are any, and may also be the domain of a wildcard.
 */
function commonNameBesides({ subject }: Certificate, names: readonly GeneralName[]): string | undefined {
  const dnsNames = names.filter((name) => name.type === "dNSName").map(({ value }) => value);
  const texts = new Set(names.map(generalNameText));
  return attributeValues(subject, "commonName")
    .map((value) => value ?? "")
    .find((value) => {
      if (texts.has(value)) return false;
      const isDomain = value.includes(".") && isHostName(value, { allowsUnderscore: true });
      return !isDomain || (dnsNames.length > 0 && !texts.has(`*.${value}`));
    });
}
