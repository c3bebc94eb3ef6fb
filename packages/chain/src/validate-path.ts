/**
 * Validation of one path by RFC 5280 §6.1, with the policies of RFC 9618: from the trust anchor down to the certificate in
 * question. Signatures hold and names chain already: building the path checked both (§6.1.3 (a)(1), (a)(4)).
 *
 * A failure does not end the walk: everything that is wrong with a path is reported, so that it can be mended at once.
 * Revocation (§6.1.3 (a)(3)) comes after this, for paths that hold otherwise.
 */

import { decodeOid, equalBytes } from "@latchkey/asn1";
import { hasKeyPurpose, keyPurposes, tolerances } from "@latchkey/x509";
import { type Budget, price } from "./budget.ts";
import { checkCertificateProfile, type ProfileContext } from "./certificate-profile.ts";
import type { ChainCertificate } from "./chain-certificate.ts";
import { dateText } from "./date-text.ts";
import { failure, maximumShown } from "./failures.ts";
import { checkNames, ConstrainedNames, type ConstraintsOnPath, generalNameText } from "./name-constraints.ts";
import { anyPolicyKey, PolicyGraph, type PolicyKey, policyKey, policyOid } from "./policy-graph.ts";
import { presentsName, type PreparedName } from "./reference-name.ts";
import type { Report } from "./report.ts";
import type { ChainPurpose } from "./result.ts";
import type { PreparedAnchor } from "./trust-anchor.ts";

/** The inputs of RFC 5280 §6.1.1, apart from path and anchor. */
export interface ValidationInputs extends ProfileContext {
  readonly time: number;
  readonly referenceNames: readonly PreparedName[];
  /** user-initial-policy-set; undefined for any policy. */
  readonly initialPolicies: ReadonlySet<PolicyKey> | undefined;
  readonly requireExplicitPolicy: boolean;
  readonly inhibitPolicyMapping: boolean;
  readonly inhibitAnyPolicy: boolean;
  /** How many intermediates that are not self-issued the path may have. */
  readonly maximumPathLength: number;
  readonly enforceAnchorConstraints: boolean;
}

/** What a path that was walked is good for. */
export interface PathOutcome {
  readonly policies: readonly string[];
  readonly validUntil: number;
}

/** The variables of §6.1.2. Counters stand at the number of certificates after which something takes effect. */
interface State {
  readonly inputs: ValidationInputs;
  readonly budget: Budget;
  readonly report: Report;
  readonly constraints: ConstraintsOnPath[];
  readonly policies: PolicyGraph;
  initialPolicies: ReadonlySet<PolicyKey> | undefined;
  explicitPolicy: number;
  policyMapping: number;
  inhibitAnyPolicy: number;
  maxPathLength: number;
  /** Who set `maxPathLength`; undefined for the caller. */
  pathLengthSetBy: PathLengthRule | undefined;
  validUntil: number;
}

/** Who constrained the path length: its place on the path, its subject, and how many intermediates it allows. */
interface PathLengthRule {
  readonly constrainedBy: number;
  readonly constrainedByName: string;
  readonly maximum: number;
}

/** Walks a path that starts with the certificate in question. What is wrong goes to the report. */
export function validatePath(
  path: readonly ChainCertificate[],
  anchor: PreparedAnchor,
  inputs: ValidationInputs,
  budget: Budget,
  report: Report,
): PathOutcome {
  const state = initialState(path.length, inputs, budget, report);
  startFromAnchor(anchor, path, state);
  for (let index = path.length - 1; index >= 0; index--) {
    const candidate = path[index];
    if (candidate === undefined || !spendValidation(candidate, budget)) break;
    warnOfDeviations(candidate, index, report);
    processCertificate(candidate, index, state);
    checkCertificateProfile(candidate, index, index === 0 ? "endEntity" : "intermediate", inputs, report);
    if (index > 0) prepareForNext(candidate, path, index, state);
    else wrapUp(candidate, state);
  }
  const policies = checkPolicies(path[0], state);
  const texts = budget.spend(policies.size * price.policyText) ? [...policies].map(policyText) : [];
  // Where the budget ended, what was not looked at must not count as passed.
  if (budget.exceeded !== undefined) report.add(budget.exceeded);
  return { policies: texts, validUntil: state.validUntil };
}

/** Slips that are tolerated with a warning. */
function warnOfDeviations({ deviations }: ChainCertificate, index: number, report: Report): void {
  for (const { action, tolerance, offset, count } of deviations) {
    const row = action === "warn" ? tolerances.find(({ code }) => code === tolerance) : undefined;
    if (row !== undefined) {
      const { what, rule } = row;
      report.warn(failure("ERR_CHAIN_TOLERATED", index, { tolerance, what, rule, offset, count }, rule));
    }
  }
}

function spendValidation({ weight }: ChainCertificate, budget: Budget): boolean {
  return budget.spend(price.validation + weight * price.validationOctet);
}

/**
 * Whether a certificate passes, as an issuer at this time, all checks that do not depend on the others of its path and
 * that no profile turns off. Where it does not, no path through it is accepted.
 */
export function canIssue(candidate: ChainCertificate, { time, purpose }: ValidationInputs): boolean {
  const { certificate, values, isCa, unknownCritical } = candidate;
  return (
    isCa &&
    certificate.version === 3 &&
    values.keyUsage?.includes("keyCertSign") !== false &&
    certificate.validity.notBefore <= time &&
    time <= certificate.validity.notAfter &&
    unknownCritical.length === 0 &&
    isForPurpose(values.extendedKeyUsage, purpose)
  );
}

/** The same for the certificate in question: where it does not pass, no path from it is accepted. */
export function canBeEndEntity(candidate: ChainCertificate, { time, purpose }: ValidationInputs): boolean {
  const { certificate, values, unknownCritical } = candidate;
  return (
    certificate.validity.notBefore <= time &&
    time <= certificate.validity.notAfter &&
    unknownCritical.length === 0 &&
    isForPurpose(values.extendedKeyUsage, purpose)
  );
}

/**
 * What can be said of certificates that lead to no anchor: each by itself, without what depends on those above it. So a
 * person sees at once what else has to be mended.
 */
export function inspectPath(
  path: readonly ChainCertificate[],
  inputs: ValidationInputs,
  budget: Budget,
  report: Report,
): void {
  const state = initialState(path.length, inputs, budget, report);
  for (const [index, candidate] of path.entries()) {
    if (!spendValidation(candidate, budget)) return;
    warnOfDeviations(candidate, index, report);
    checkValidity(candidate, index, state);
    checkExtendedKeyUsage(candidate, index, state);
    checkCertificateProfile(candidate, index, index === 0 ? "endEntity" : "intermediate", inputs, report);
    if (index > 0) checkAuthority(candidate, index, state);
    checkCriticalExtensions(candidate, index, state);
    if (index === 0) checkReferenceNames(candidate, state);
  }
}

/** §6.1.2: with no flag set, a counter starts past the end of the path. */
function initialState(length: number, inputs: ValidationInputs, budget: Budget, report: Report): State {
  const never = length + 1;
  return {
    inputs,
    budget,
    report,
    constraints: [],
    policies: new PolicyGraph(budget),
    initialPolicies: inputs.initialPolicies,
    explicitPolicy: inputs.requireExplicitPolicy ? 0 : never,
    policyMapping: inputs.inhibitPolicyMapping ? 0 : never,
    inhibitAnyPolicy: inputs.inhibitAnyPolicy ? 0 : never,
    maxPathLength: inputs.maximumPathLength,
    pathLengthSetBy: undefined,
    validUntil: Number.POSITIVE_INFINITY,
  };
}

/**
 * §6.2: an anchor is a name and a key; whether more of its certificate counts is the caller's choice. If it does, its
 * extensions act as those of a certificate authority above the path (RFC 5937 §3).
 */
function startFromAnchor(prepared: PreparedAnchor, path: readonly ChainCertificate[], state: State): void {
  const { anchor, chainCertificate, constraints, fault, text } = prepared;
  const { inputs, report } = state;
  const index = path.length;
  if (constraints !== undefined) {
    state.constraints.push({ constraints, constrainedBy: index, constrainedByName: text });
  }
  const { certificate } = anchor;
  if (certificate !== undefined && report.isOn("anchorValidity")) {
    const { notBefore, notAfter } = certificate.validity;
    const isValid = notBefore <= inputs.time && inputs.time <= notAfter;
    report.check(
      "anchorValidity",
      index,
      isValid
        ? undefined
        : {
            notBefore,
            notBeforeDate: dateText(notBefore),
            notAfter,
            notAfterDate: dateText(notAfter),
            ...atTime(inputs.time),
          },
    );
    state.validUntil = notAfter;
  }
  if (!inputs.enforceAnchorConstraints) return;
  if (fault !== undefined) {
    const { code, message, offset } = fault;
    const evidence = { reason: code, message, offset, source: "trustAnchor", position: undefined } as const;
    report.fail("ERR_CHAIN_CERTIFICATE_MALFORMED", index, evidence);
  }
  if (chainCertificate === undefined) return;
  warnOfDeviations(chainCertificate, index, report);
  checkCertificateProfile(chainCertificate, index, "anchor", inputs, report);
  if (report.isOn("extendedKeyUsageForm")) {
    const hasUsage = chainCertificate.values.extendedKeyUsage !== undefined;
    report.check("extendedKeyUsageForm", index, hasUsage ? { problem: "in a root" } : undefined);
  }
  restrictInitialPolicies(chainCertificate, state);
  checkExtendedKeyUsage(chainCertificate, index, state);
  applyConstraints(chainCertificate, index, state);
  checkAuthority(chainCertificate, index, state);
  limitPathLength(chainCertificate, index, state);
  checkCriticalExtensions(chainCertificate, index, state);
}

/** RFC 5937 §3.2: an anchor with policies restricts the user's. */
function restrictInitialPolicies({ policies }: ChainCertificate, state: State): void {
  if (policies === undefined || policies.includes(anyPolicyKey)) return;
  const initial = state.initialPolicies;
  state.initialPolicies = new Set(
    initial === undefined || initial.has(anyPolicyKey) ? policies : policies.filter((policy) => initial.has(policy)),
  );
}

/** §6.1.3: basic processing of a certificate. */
function processCertificate(candidate: ChainCertificate, index: number, state: State): void {
  state.report.pass("signature", index);
  checkValidity(candidate, index, state);
  // (b), (c): its names keep to the permitted and excluded subtrees. Self-issued certificates are exempt, but for the last.
  if (state.constraints.length > 0 && (index === 0 || !candidate.isSelfIssued)) {
    checkNameConstraints(candidate, index, state);
  }
  checkExtendedKeyUsage(candidate, index, state);
  // (d), (e): its policies, or that it has none.
  const { policies } = candidate;
  if (policies === undefined) state.policies.clear();
  else {
    const acceptsAnyPolicy = state.inhibitAnyPolicy > 0 || (index > 0 && candidate.isSelfIssued);
    state.policies.addCertificate(policies, acceptsAnyPolicy);
  }
  // (f), that explicit_policy is above 0 or the graph is not NULL, is checked once at the end: a graph that is NULL stays
  // NULL, and explicit_policy only falls.
}

/** §6.1.3 (a)(2): the time is from notBefore through notAfter, both included. */
function checkValidity({ certificate }: ChainCertificate, index: number, state: State): void {
  const { inputs, report } = state;
  const { notBefore, notAfter } = certificate.validity;
  state.validUntil = Math.min(state.validUntil, notAfter);
  if (inputs.time < notBefore) {
    const evidence = { notBefore, notBeforeDate: dateText(notBefore), ...atTime(inputs.time) };
    report.fail("ERR_CHAIN_NOT_YET_VALID", index, evidence);
  } else if (inputs.time > notAfter) {
    const evidence = { notAfter, notAfterDate: dateText(notAfter), ...atTime(inputs.time) };
    report.fail("ERR_CHAIN_EXPIRED", index, evidence);
  } else report.pass("validity", index);
}

function atTime(at: number): { readonly at: number; readonly atDate: string } {
  return { at, atDate: dateText(at) };
}

function checkNameConstraints(candidate: ChainCertificate, index: number, state: State): void {
  const { constraints, budget, report, inputs } = state;
  // The name asked for must keep to the constraints too, where a wildcard covers it (CVE-2025-61727).
  const asked = index === 0 && inputs.referenceNames.length === 1 ? inputs.referenceNames[0]?.generalName : undefined;
  const found =
    checkNames(candidate.constrainedNames, constraints, index, budget) ??
    (asked === undefined ? undefined : checkNames(new ConstrainedNames([asked]), constraints, index, budget));
  if (found === undefined) report.pass("nameConstraints", index);
  else if (found !== budget.exceeded) report.add(found);
}

/** Nested through the path: an authority's purposes limit those of every certificate below (as Go, webpki, BoringSSL). */
function checkExtendedKeyUsage({ values }: ChainCertificate, index: number, { inputs, report }: State): void {
  const { purpose } = inputs;
  if (purpose === "any") return;
  const { extendedKeyUsage: purposes } = values;
  if (isForPurpose(purposes, purpose)) report.pass("extendedKeyUsage", index);
  else {
    const present = (purposes ?? []).slice(0, maximumShown).map(purposeName);
    report.fail("ERR_CHAIN_EXTENDED_KEY_USAGE", index, { required: purpose, present });
  }
}

/** §4.2.1.12: without the extension a certificate is for every purpose. */
function isForPurpose(purposes: readonly Uint8Array[] | undefined, purpose: ChainPurpose): boolean {
  if (purposes === undefined || purpose === "any") return true;
  return hasKeyPurpose(purposes, purpose) || hasKeyPurpose(purposes, "anyExtendedKeyUsage");
}

function purposeName(oid: Uint8Array): string {
  return Object.entries(keyPurposes).find(([, known]) => equalBytes(known, oid))?.[0] ?? decodeOid(oid);
}

/** §6.1.4: preparation for the next certificate, the one below. */
function prepareForNext(
  candidate: ChainCertificate,
  path: readonly ChainCertificate[],
  index: number,
  state: State,
): void {
  const { report } = state;
  const mappings = candidate.values.policyMappings;
  if (mappings !== undefined) {
    // (a): anyPolicy MUST NOT be mapped, to or from.
    const isAnyMapped = mappings.some(({ issuerDomainPolicy, subjectDomainPolicy }) =>
      [issuerDomainPolicy, subjectDomainPolicy].some((policy) => policyKey(policy) === anyPolicyKey),
    );
    if (isAnyMapped) report.fail("ERR_CHAIN_POLICY_MAPPING", index, {});
    // (b): mappings change the policies, or where they are inhibited take the mapped ones away.
    if (state.policyMapping > 0) state.policies.map(mappings);
    else state.policies.removeMapped(mappings);
  }
  // (h): the counters fall, in this place before (i) and (j) set them.
  if (!candidate.isSelfIssued) {
    state.explicitPolicy = Math.max(0, state.explicitPolicy - 1);
    state.policyMapping = Math.max(0, state.policyMapping - 1);
    state.inhibitAnyPolicy = Math.max(0, state.inhibitAnyPolicy - 1);
  }
  applyConstraints(candidate, index, state);
  checkAuthority(candidate, index, state);
  // (l): the path length that is left falls, but not by self-issued certificates.
  if (!candidate.isSelfIssued) {
    if (state.maxPathLength > 0) state.maxPathLength--;
    else report.fail("ERR_CHAIN_PATH_LENGTH", index, pathLengthEvidence(path, state));
  }
  limitPathLength(candidate, index, state);
  checkCriticalExtensions(candidate, index, state);
}

/** What the path length is, and what is allowed. Intermediates that are not self-issued count. */
function pathLengthEvidence(
  path: readonly ChainCertificate[],
  { inputs, pathLengthSetBy: rule }: State,
): Omit<PathLengthRule, "constrainedBy" | "constrainedByName"> & {
  readonly constrainedBy: number | undefined;
  readonly constrainedByName: string | undefined;
  readonly found: number;
} {
  const below = path.slice(1, rule?.constrainedBy ?? path.length);
  return {
    constrainedBy: rule?.constrainedBy,
    constrainedByName: rule?.constrainedByName,
    maximum: rule?.maximum ?? inputs.maximumPathLength,
    found: below.filter(({ isSelfIssued }) => !isSelfIssued).length,
  };
}

/** §6.1.4 (g), (i), (j): its name constraints, policyConstraints and inhibitAnyPolicy hold from here on. */
function applyConstraints(candidate: ChainCertificate, index: number, state: State): void {
  const { values } = candidate;
  // The weight counts the octets of its subtrees.
  const canPrepare = values.nameConstraints !== undefined && state.budget.spend(candidate.weight * price.subtreeOctet);
  const constraints = canPrepare ? candidate.constraints : undefined;
  if (constraints !== undefined) {
    state.constraints.push({ constraints, constrainedBy: index, constrainedByName: candidate.subjectText });
  }
  const { requireExplicitPolicy, inhibitPolicyMapping } = values.policyConstraints ?? {};
  if (requireExplicitPolicy !== undefined) state.explicitPolicy = Math.min(state.explicitPolicy, requireExplicitPolicy);
  if (inhibitPolicyMapping !== undefined) state.policyMapping = Math.min(state.policyMapping, inhibitPolicyMapping);
  if (values.inhibitAnyPolicy !== undefined) {
    state.inhibitAnyPolicy = Math.min(state.inhibitAnyPolicy, values.inhibitAnyPolicy);
  }
}

/**
 * §6.1.4 (k), (n): it is a certificate authority, and its key may sign certificates. A certificate of version 1 or 2 is no
 * certificate authority: nothing else says that it is one.
 */
function checkAuthority({ certificate, values, isCa }: ChainCertificate, index: number, { report }: State): void {
  if (certificate.version === 3 && isCa) report.pass("basicConstraints", index);
  else {
    report.fail("ERR_CHAIN_NOT_A_CA", index, {
      version: certificate.version,
      hasBasicConstraints: values.basicConstraints !== undefined,
    });
  }
  if (values.keyUsage === undefined || values.keyUsage.includes("keyCertSign")) report.pass("keyUsage", index);
  else report.fail("ERR_CHAIN_KEY_USAGE", index, { required: ["keyCertSign"], present: values.keyUsage });
}

/** §6.1.4 (m): its pathLenConstraint. Without cA that means nothing (§4.2.1.9). */
function limitPathLength(candidate: ChainCertificate, index: number, state: State): void {
  const maximum = candidate.values.basicConstraints?.pathLenConstraint;
  if (maximum === undefined || !candidate.isCa || maximum >= state.maxPathLength) return;
  state.maxPathLength = maximum;
  state.pathLengthSetBy = { constrainedBy: index, constrainedByName: candidate.subjectText, maximum };
}

/** §6.1.4 (o), §6.1.5 (f): every critical extension is understood. */
function checkCriticalExtensions({ unknownCritical }: ChainCertificate, index: number, { report }: State): void {
  if (unknownCritical.length === 0) report.pass("criticalExtensions", index);
  for (const evidence of unknownCritical.slice(0, maximumShown)) {
    report.fail("ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION", index, evidence);
  }
}

/** §6.1.5, the wrap-up procedure: (a), (b) and (f), and the names that the caller asks for. */
function wrapUp(candidate: ChainCertificate, state: State): void {
  // (a), (b): explicit_policy falls, and the last certificate may set it to 0.
  state.explicitPolicy = Math.max(0, state.explicitPolicy - 1);
  if (candidate.values.policyConstraints?.requireExplicitPolicy === 0) state.explicitPolicy = 0;
  checkCriticalExtensions(candidate, 0, state);
  checkReferenceNames(candidate, state);
}

/** RFC 9525 §6: one of the names presented is one of those asked for. */
function checkReferenceNames(candidate: ChainCertificate, { budget, inputs, report }: State): void {
  if (inputs.referenceNames.length === 0) return;
  const presented = candidate.values.subjectAltName ?? [];
  if (!budget.spend(inputs.referenceNames.length * candidate.weight * price.validationOctet)) return;
  if (inputs.referenceNames.some((name) => presentsName(presented, name))) report.pass("referenceName", 0);
  else {
    report.fail("ERR_CHAIN_REFERENCE_NAME", 0, {
      reference: inputs.referenceNames.map(({ generalName }) => generalNameText(generalName)),
      presented: presented.slice(0, maximumShown).map(generalNameText),
    });
  }
}

/** §6.1.5 (g) by RFC 9618 §5.4: a policy is valid for the whole path, where one is required. */
function checkPolicies(target: ChainCertificate | undefined, state: State): ReadonlySet<PolicyKey> {
  const { initialPolicies: initial } = state;
  const policies = state.policies.userConstrainedPolicies(initial?.has(anyPolicyKey) === true ? undefined : initial);
  if (state.explicitPolicy > 0 || policies.size > 0) state.report.pass("certificatePolicies", 0);
  else {
    const acceptable = [...(initial ?? [])].slice(0, maximumShown).map(policyText);
    const present = (target?.policies ?? []).slice(0, maximumShown).map(policyText);
    state.report.fail("ERR_CHAIN_POLICY", undefined, { acceptable, present });
  }
  return policies;
}

function policyText(policy: PolicyKey): string {
  return decodeOid(policyOid(policy));
}
