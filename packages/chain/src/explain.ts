/** A result for people: one line a check, with the certificate and the clause. */

import { type Certificate, nameText } from "@latchkey/x509";
import { describeFailure } from "./describe-failure.ts";
import type { ChainFailure } from "./failures.ts";
import type { ChainCheck, ChainResult, FailedPath, PassedCheck } from "./result.ts";
import type { TrustAnchor } from "./trust-anchor.ts";

/** What each check found where it passed, as the end of a sentence that starts with the certificate. */
const passedTexts: Readonly<Record<ChainCheck, string>> = {
  signature: "is signed by the one above it",
  validity: "is within its validity",
  revocation: "is not revoked",
  nameConstraints: "keeps to the name constraints above it",
  certificatePolicies: "has the policies that are asked for, along its whole path",
  basicConstraints: "is an authority",
  pathLength: "keeps to the path lengths above it",
  keyUsage: "may sign certificates",
  extendedKeyUsage: "may serve the purpose",
  criticalExtensions: "has no critical extension that is unknown",
  referenceName: "presents the name that was asked for",
  anchorValidity: "is within its validity",
  version: "has version 3",
  serialNumber: "has a proper serial number",
  authoritySubject: "has a subject",
  nonCriticalExtensions: "marks nothing critical that must not be",
  mandatoryCriticalExtensions: "marks critical what must be",
  nameConstraintsCritical: "marks its name constraints critical",
  authorityKeyIdentifier: "names the key that signed it",
  subjectKeyIdentifier: "names its own key",
  rootAuthorityKeyIdentifier: "names no other authority than itself",
  certSignWithoutCa: "does not claim to sign certificates without being an authority",
  nameConstraintsInEndEntity: "sets no name constraints without being an authority",
  nameConstraintSyntax: "has well-formed name constraints",
  alternativeNameSyntax: "has well-formed alternative names",
  endEntityKeyUsage: "has a key that TLS may use for this",
  endEntityIsCa: "is no authority",
  extendedKeyUsageForm: "has its purposes as the Web PKI wants them",
  commonName: "has no common name besides its alternative names",
  subjectAltNameCritical: "does not mark its alternative names critical",
  subjectKey: "has a key of a kind and size that holds",
  publicSuffix: "has no wildcard right under a public suffix",
  revocationListNumber: "is covered by a numbered list",
};

/**
 * Lines for people: what holds and what does not, one check a line, then what else was tried. The texts may change;
 * programs go by `failures[].code`.
 */
export function explainChain(result: ChainResult): string[] {
  const { path, trustAnchor, checks, warnings } = result;
  const subjects = subjectsOf(path, trustAnchor);
  const lines = result.ok
    ? [`accepted for ${result.purpose}: ${subjects.join(" <- ")}`]
    : [`refused for ${result.purpose}: ${subjects.join(" <- ") || "no certificate was looked into"}`];
  if (!result.ok) lines.push(...result.failures.map((found) => failureLine("fails", found, subjects)));
  lines.push(...warnings.map((found) => failureLine("warns", found, subjects)));
  lines.push(...checks.map((passed) => passedLine(passed, subjects)));
  if (!result.ok) lines.push(...result.tried.map(triedLine));
  return lines;
}

function subjectsOf(path: readonly Certificate[], trustAnchor: TrustAnchor | undefined): string[] {
  const names = path.map(({ subject }) => subject);
  if (trustAnchor !== undefined) names.push(trustAnchor.name);
  return names.map((name) => nameText(name) || "(no subject)");
}

function failureLine(verb: string, found: ChainFailure, subjects: readonly string[]): string {
  return `  ${verb}  ${who(found.certificateIndex, subjects)}${describeFailure(found)} (${found.code}, ${found.clause})`;
}

function passedLine({ check, certificateIndex }: PassedCheck, subjects: readonly string[]): string {
  return `  holds  ${who(certificateIndex, subjects)}${passedTexts[check]} (${check})`;
}

function triedLine({ path, trustAnchor, failures }: FailedPath): string {
  const subjects = subjectsOf(path, trustAnchor);
  const [first] = failures;
  const why =
    first === undefined ? "" : `: ${who(first.certificateIndex, subjects)}${describeFailure(first)} (${first.code})`;
  return `  tried  ${subjects.join(" <- ")}${why}`;
}

/** `certificate 0 "CN=button" `, or nothing where a failure belongs to no certificate. */
function who(index: number | undefined, subjects: readonly string[]): string {
  if (index === undefined) return "";
  const subject = subjects[index];
  return `certificate ${index} ${subject === undefined ? "" : `"${subject}" `}`;
}
