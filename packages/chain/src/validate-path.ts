/**
 * Validation of one path by RFC 5280 §6.1, with the policies of RFC 9618: from the trust anchor down to the certificate
 * that was asked about. Names chain and signatures hold already: building the path checked both (§6.1.3 (a)(1), (4)).
 *
 * A failure does not end the walk: all that is wrong with a path is reported, so that who repairs it repairs it once.
 * Revocation (§6.1.3 (a)(3)) comes after this, for paths that hold otherwise.
 */

import { decodeOid } from "@latchkey/asn1";
import { hasKeyPurpose, keyPurposes } from "@latchkey/x509";
import { checkCertificateProfile, type ProfileContext } from "./certificate-profile.ts";
import type { ChainCertificate } from "./chain-certificate.ts";
import type { Budget } from "./limits.ts";
import {
  checkNames,
  constrainedNames,
  generalNameText,
  type PreparedConstraints,
  prepareConstraints,
} from "./name-constraints.ts";
import { anyPolicyKey, PolicyGraph, type PolicyKey, policyKey, policyOid } from "./policy-graph.ts";
import type { PreparedAnchor } from "./prepared-anchor.ts";
import { presentsName, type PreparedName } from "./reference-name.ts";
import type { Report } from "./report.ts";

/** How many presented names the evidence lists. */
const maximumNamesShown = 20;

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
  readonly constraints: PreparedConstraints[];
  readonly policies: PolicyGraph;
  initialPolicies: ReadonlySet<PolicyKey> | undefined;
  explicitPolicy: number;
  policyMapping: number;
  inhibitAnyPolicy: number;
  maxPathLength: number;
  /** The certificate that set `maxPathLength`; undefined for the caller. */
  pathLengthSetBy: number | undefined;
  validUntil: number;
}

/** Walks a path; `path` starts with the certificate that was asked about. What is wrong goes to the report. */
export function validatePath(
  path: readonly ChainCertificate[],
  anchor: PreparedAnchor,
  inputs: ValidationInputs,
  budget: Budget,
  report: Report,
): PathOutcome {
  const state = initialState(path.length, inputs, budget, report);
  startFromAnchor(anchor, path.length, state);
  for (let index = path.length - 1; index >= 0; index--) {
    const candidate = path[index];
    if (candidate === undefined) break;
    processCertificate(candidate, index, state);
    checkCertificateProfile(candidate, index, index === 0 ? "endEntity" : "intermediate", inputs, report);
    if (index > 0) prepareForNext(candidate, index, state);
    else wrapUp(candidate, state);
  }
  const policies = checkPolicies(state);
  return { policies: [...policies].map((policy) => decodeOid(policyOid(policy))), validUntil: state.validUntil };
}

/**
 * What can be said of certificates that lead to no anchor: each by itself, without what depends on those above it. It
 * tells who repairs the path what else is wrong.
 */
export function inspectPath(
  path: readonly ChainCertificate[],
  inputs: ValidationInputs,
  budget: Budget,
  report: Report,
): void {
  const state = initialState(path.length, inputs, budget, report);
  for (const [index, candidate] of path.entries()) {
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
    policies: new PolicyGraph(),
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
 * extensions act as those of an authority above the path (RFC 5937 §3).
 */
function startFromAnchor({ anchor, chainCertificate, fault }: PreparedAnchor, index: number, state: State): void {
  const { inputs, report } = state;
  if (anchor.nameConstraints !== undefined) state.constraints.push(prepareConstraints(anchor.nameConstraints, index));
  const { certificate } = anchor;
  if (certificate !== undefined && report.isOn("anchorValidity")) {
    const { notBefore, notAfter } = certificate.validity;
    const isValid = notBefore <= inputs.time && inputs.time <= notAfter;
    report.check("anchorValidity", index, isValid ? undefined : { notBefore, notAfter, at: inputs.time });
    state.validUntil = notAfter;
  }
  if (!inputs.enforceAnchorConstraints) return;
  if (fault !== undefined) {
    const { code, message, offset } = fault;
    report.fail("ERR_CHAIN_CERTIFICATE_MALFORMED", index, { reason: code, message, offset });
  }
  if (chainCertificate === undefined) return;
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
function restrictInitialPolicies({ values }: ChainCertificate, state: State): void {
  const policies = values.certificatePolicies?.map(({ policyIdentifier }) => policyKey(policyIdentifier));
  if (policies === undefined || policies.includes(anyPolicyKey)) return;
  const initial = state.initialPolicies;
  state.initialPolicies = new Set(
    initial === undefined || initial.has(anyPolicyKey) ? policies : policies.filter((policy) => initial.has(policy)),
  );
}

/** §6.1.3. */
function processCertificate(candidate: ChainCertificate, index: number, state: State): void {
  state.report.pass("signature", index);
  checkValidity(candidate, index, state);
  // (b), (c): not for self-issued certificates, unless the last.
  if (state.constraints.length > 0 && (index === 0 || !candidate.isSelfIssued)) {
    checkNameConstraints(candidate, index, state);
  }
  checkExtendedKeyUsage(candidate, index, state);
  // (d), (e).
  const policies = candidate.values.certificatePolicies;
  if (policies === undefined) state.policies.clear();
  else {
    const acceptsAnyPolicy = state.inhibitAnyPolicy > 0 || (index > 0 && candidate.isSelfIssued);
    state.policies.addCertificate(policies, acceptsAnyPolicy);
  }
  // (f) is checked once, at the end: a graph that is NULL stays so, and explicit_policy only ever falls.
}

/** (a)(2): from notBefore through notAfter, inclusive. */
function checkValidity({ certificate }: ChainCertificate, index: number, state: State): void {
  const { inputs, report } = state;
  const { notBefore, notAfter } = certificate.validity;
  state.validUntil = Math.min(state.validUntil, notAfter);
  if (inputs.time < notBefore) report.fail("ERR_CHAIN_NOT_YET_VALID", index, { notBefore, at: inputs.time });
  else if (inputs.time > notAfter) report.fail("ERR_CHAIN_EXPIRED", index, { notAfter, at: inputs.time });
  else report.pass("validity", index);
}

function checkNameConstraints(candidate: ChainCertificate, index: number, state: State): void {
  const { constraints, budget, report, inputs } = state;
  const names = constrainedNames(candidate.certificate, candidate.values.subjectAltName);
  // The name asked for must keep to the constraints too, whatever wildcard led to it (CVE-2025-61727).
  const asked = index === 0 && inputs.referenceNames.length === 1 ? inputs.referenceNames[0]?.generalName : undefined;
  const found =
    checkNames(names, constraints, index, budget) ??
    (asked === undefined ? undefined : checkNames([asked], constraints, index, budget));
  if (found === undefined) report.pass("nameConstraints", index);
  else report.add(found);
}

/** Nested through the path: what an authority is not for, nothing below it is for (as Go, webpki and BoringSSL). */
function checkExtendedKeyUsage({ values }: ChainCertificate, index: number, { inputs, report }: State): void {
  const { purpose } = inputs;
  const purposes = values.extendedKeyUsage;
  if (purpose === "any") return;
  if (purposes === undefined || hasKeyPurpose(purposes, purpose) || hasKeyPurpose(purposes, "anyExtendedKeyUsage")) {
    report.pass("extendedKeyUsage", index);
    return;
  }
  report.fail("ERR_CHAIN_EXTENDED_KEY_USAGE", index, {
    required: decodeOid(keyPurposes[purpose]),
    present: purposes.map(decodeOid),
  });
}

/** §6.1.4. */
function prepareForNext(candidate: ChainCertificate, index: number, state: State): void {
  const { report } = state;
  const mappings = candidate.values.policyMappings;
  if (mappings !== undefined) {
    // (a): anyPolicy MUST NOT be mapped, to or from.
    const isAnyMapped = mappings.some(({ issuerDomainPolicy, subjectDomainPolicy }) =>
      [issuerDomainPolicy, subjectDomainPolicy].some((policy) => policyKey(policy) === anyPolicyKey),
    );
    if (isAnyMapped) report.fail("ERR_CHAIN_POLICY_MAPPING", index, {});
    // (b).
    if (state.policyMapping > 0) state.policies.map(mappings);
    else state.policies.removeMapped(mappings);
  }
  // (h), in its place before (i) and (j).
  if (!candidate.isSelfIssued) {
    state.explicitPolicy = Math.max(0, state.explicitPolicy - 1);
    state.policyMapping = Math.max(0, state.policyMapping - 1);
    state.inhibitAnyPolicy = Math.max(0, state.inhibitAnyPolicy - 1);
  }
  applyConstraints(candidate, index, state);
  checkAuthority(candidate, index, state);
  // (l).
  if (!candidate.isSelfIssued) {
    if (state.maxPathLength > 0) state.maxPathLength--;
    else report.fail("ERR_CHAIN_PATH_LENGTH", index, { constrainedBy: state.pathLengthSetBy });
  }
  limitPathLength(candidate, index, state);
  checkCriticalExtensions(candidate, index, state);
}

/** §6.1.4 (g), (i), (j). */
function applyConstraints({ values }: ChainCertificate, index: number, state: State): void {
  if (values.nameConstraints !== undefined) state.constraints.push(prepareConstraints(values.nameConstraints, index));
  const { requireExplicitPolicy, inhibitPolicyMapping } = values.policyConstraints ?? {};
  if (requireExplicitPolicy !== undefined) state.explicitPolicy = Math.min(state.explicitPolicy, requireExplicitPolicy);
  if (inhibitPolicyMapping !== undefined) state.policyMapping = Math.min(state.policyMapping, inhibitPolicyMapping);
  if (values.inhibitAnyPolicy !== undefined) {
    state.inhibitAnyPolicy = Math.min(state.inhibitAnyPolicy, values.inhibitAnyPolicy);
  }
}

/** §6.1.4 (k) and (n). A version 1 or 2 certificate is no authority: nothing out of band says that it is one. */
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

/** §6.1.4 (m). Without cA the constraint means nothing (§4.2.1.9). */
function limitPathLength({ values, isCa }: ChainCertificate, index: number, state: State): void {
  const limit = values.basicConstraints?.pathLenConstraint;
  if (limit === undefined || !isCa || limit >= state.maxPathLength) return;
  state.maxPathLength = limit;
  state.pathLengthSetBy = index;
}

/** §6.1.4 (o), §6.1.5 (f). */
function checkCriticalExtensions({ unknownCritical }: ChainCertificate, index: number, { report }: State): void {
  if (unknownCritical.length === 0) report.pass("criticalExtensions", index);
  for (const { oid } of unknownCritical) {
    report.fail("ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION", index, { oid: decodeOid(oid) });
  }
}

/** §6.1.5 (a), (b), (f), and the names that the caller asks for. */
function wrapUp(candidate: ChainCertificate, state: State): void {
  // (a), (b).
  state.explicitPolicy = Math.max(0, state.explicitPolicy - 1);
  if (candidate.values.policyConstraints?.requireExplicitPolicy === 0) state.explicitPolicy = 0;
  checkCriticalExtensions(candidate, 0, state);
  checkReferenceNames(candidate, state);
}

/** RFC 9525 §6: one of the names presented is one of those asked for. */
function checkReferenceNames(candidate: ChainCertificate, { inputs, report }: State): void {
  if (inputs.referenceNames.length === 0) return;
  const presented = candidate.values.subjectAltName ?? [];
  if (inputs.referenceNames.some((name) => presentsName(presented, name))) report.pass("referenceName", 0);
  else {
    report.fail("ERR_CHAIN_REFERENCE_NAME", 0, {
      reference: inputs.referenceNames.map(({ generalName }) => generalNameText(generalName)),
      presented: presented.slice(0, maximumNamesShown).map(generalNameText),
    });
  }
}

/** §6.1.5 (g) by RFC 9618 §5.4. */
function checkPolicies(state: State): ReadonlySet<PolicyKey> {
  const { initialPolicies: initial } = state;
  const policies = state.policies.userConstrainedPolicies(initial?.has(anyPolicyKey) === true ? undefined : initial);
  if (state.explicitPolicy > 0 || policies.size > 0) state.report.pass("certificatePolicies", 0);
  else {
    const acceptable = [...(initial ?? [])].map((policy) => decodeOid(policyOid(policy)));
    state.report.fail("ERR_CHAIN_POLICY", undefined, { acceptable });
  }
  return policies;
}
