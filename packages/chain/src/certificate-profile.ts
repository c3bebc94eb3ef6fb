/**
 * What a certificate should look like, beyond what makes a path hold: RFC 5280 §4 and, for servers on the Web, the
 * Baseline Requirements. Each check can be turned to a warning or off; `checks.ts` says what each profile does.
 */

import { equalBytes } from "@latchkey/asn1";
import { attributeValues, type Certificate, type Extension, type GeneralName, hasKeyPurpose } from "@latchkey/x509";
import type { ChainCertificate } from "./chain-certificate.ts";
import { isHostName, parseMailbox } from "./dns-name.ts";
import type { KeyIdentifierProblem } from "./failures.ts";
import { parseIpv4 } from "./ip-address.ts";
import { generalNameText } from "./name-constraints.ts";
import { isConstraintSyntaxValid } from "./name-subtree.ts";
import type { Report } from "./report.ts";
import type { ChainPurpose } from "./result.ts";
import { subjectKeyFault } from "./subject-key.ts";

/** Where in the path a certificate stands. */
export type Role = "endEntity" | "intermediate" | "anchor";

/** What the checks on end entities depend on. */
export interface ProfileContext {
  readonly purpose: ChainPurpose;
  readonly isPublicSuffix: ((domain: string) => boolean) | undefined;
}

/** Holds a certificate to all checks that the profile has on. */
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
    report.check("subjectKey", certificateIndex, subjectKeyFault(candidate.certificate.subjectPublicKeyInfo));
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

/** Last arcs of extensions under id-ce that MUST NOT be critical, and of those that MUST be. */
const neverCritical: ReadonlyMap<number, readonly [name: string, clause: string]> = /* @__PURE__ */ new Map([
  [9, ["subjectDirectoryAttributes", "RFC 5280 §4.2.1.8"]],
  [14, ["subjectKeyIdentifier", "RFC 5280 §4.2.1.2"]],
  [35, ["authorityKeyIdentifier", "RFC 5280 §4.2.1.1"]],
  [46, ["freshestCRL", "RFC 5280 §4.2.1.15"]],
]);
const alwaysCritical: ReadonlyMap<number, readonly [name: string, clause: string]> = /* @__PURE__ */ new Map([
  [36, ["policyConstraints", "RFC 5280 §4.2.1.11"]],
  [54, ["inhibitAnyPolicy", "RFC 5280 §4.2.1.14"]],
]);

function checkExtensionCriticality(candidate: ChainCertificate, index: number, report: Report): void {
  const isOnNever = report.isOn("nonCriticalExtensions");
  const isOnAlways = report.isOn("mandatoryCriticalExtensions");
  const isOnConstraints = report.isOn("nameConstraintsCritical");
  if (!isOnNever && !isOnAlways && !isOnConstraints) return;
  for (const { oid, critical } of candidate.certificate.extensions) {
    const arc = oid.length === 3 && oid[0] === 0x55 && oid[1] === 0x1d ? (oid[2] ?? 0) : -1;
    if (critical && isOnNever) {
      const [extension, clause] = neverCritical.get(arc) ?? accessInformation(oid);
      if (extension !== undefined) report.check("nonCriticalExtensions", index, { extension }, clause);
    }
    if (!critical && isOnAlways) {
      const known = arc === 19 && candidate.isCa ? basicConstraintsRule : alwaysCritical.get(arc);
      if (known !== undefined) report.check("mandatoryCriticalExtensions", index, { extension: known[0] }, known[1]);
    }
    if (arc === 30 && isOnConstraints) report.check("nameConstraintsCritical", index, critical ? undefined : {});
  }
}

const basicConstraintsRule = ["basicConstraints", "RFC 5280 §4.2.1.9"] as const;
const noRule = [undefined, undefined] as const;

/** Authority and subject information access: id-pe 1 and 11. */
function accessInformation(oid: Uint8Array): readonly [name: string | undefined, clause: string | undefined] {
  if (oid.length !== 8 || oid[0] !== 0x2b || oid[6] !== 0x01) return noRule;
  if (oid[7] === 1) return ["authorityInfoAccess", "RFC 5280 §4.2.2.1"];
  return oid[7] === 11 ? ["subjectInfoAccess", "RFC 5280 §4.2.2.2"] : noRule;
}

function checkKeyIdentifiers(candidate: ChainCertificate, index: number, role: Role, report: Report): void {
  const { authorityKeyIdentifier, subjectKeyIdentifier } = candidate.values;
  // The one exception is a self-signed certificate that distributes the authority's key. An anchor is taken as one,
  // whoever signed it: nothing above it is looked at.
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

/** §4.1.2.2: positive, and no more than 20 octets. */
function serialNumberFault({
  serialNumber,
}: Certificate): { readonly problem: "zero" | "negative" | "long" } | undefined {
  const [first = 0] = serialNumber;
  if (first >= 0x80) return { problem: "negative" };
  if (first === 0 && serialNumber.length === 1) return { problem: "zero" };
  return serialNumber.length > 20 ? { problem: "long" } : undefined;
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
    const wrong = commonNameBesides(certificate, values.subjectAltName ?? []);
    report.check("commonName", index, wrong === undefined ? undefined : { commonName: wrong });
  }
}

/**
 * §4.2.1.3 and RFC 8446 §4.4.2.2: TLS signs with the key, or in older versions encrypts or agrees. An authority that is
 * asked about as an end entity has its usages for its other role.
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
  const { extendedKeyUsage } = values;
  const isCritical = isExtensionCritical(certificate.extensions, 37);
  const problem =
    extendedKeyUsage === undefined
      ? "missing"
      : hasKeyPurpose(extendedKeyUsage, "anyExtendedKeyUsage")
        ? "anyExtendedKeyUsage"
        : isCritical
          ? "critical"
          : undefined;
  report.check("extendedKeyUsageForm", index, problem && { problem });
}

function isExtensionCritical(extensions: readonly Extension[], arc: number): boolean {
  return extensions.some(({ oid, critical }) => critical && oid.length === 3 && oid[0] === 0x55 && oid[2] === arc);
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
    const isWrong = !isEmpty(certificate) && isExtensionCritical(certificate.extensions, 17);
    report.check("subjectAltNameCritical", 0, isWrong ? {} : undefined);
  }
  if (report.isOn("publicSuffix")) {
    const isSuffix = isPublicSuffix ?? ((domain: string): boolean => !domain.includes("."));
    const wrong = names.find(
      (name) => name.type === "dNSName" && name.value.startsWith("*.") && isSuffix(name.value.slice(2).toLowerCase()),
    );
    report.check("publicSuffix", 0, wrong && { name: generalNameText(wrong) });
  }
}

/** §4.2.1.6: DNS names in the preferred syntax, mailboxes, absolute URIs. A wildcard is RFC 9525's matter. */
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
 * A common name that repeats none of the alternative names, character for character (BR §7.1.4.3). A domain is held
 * against the DNS names, if there are any, and may also be the one that a wildcard stands under.
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
