/** Carrying a provisioning template out (RegisterThing): a thing, a certificate and policies, all of them or nothing. */

import { certificateId, hexText } from "@latchkey/x509";
import { checkDates, checkKey, checkSignedBy, readCertificate, readRequest } from "../certificate-input.ts";
import type { Certificates } from "../certificates.ts";
import type { RegistryContext } from "../context.ts";
import { invalid, RegistryError } from "../errors.ts";
import { checkCertificateId, checkPolicyName, checkThingName } from "../names.ts";
import { checkDocument, type Policies } from "../policies.ts";
import { certificateAuthorities } from "../records/certificate-authority.ts";
import type { CertificateRecord } from "../records/certificate.ts";
import { policies as policyTable } from "../records/policy.ts";
import { groupsOfThing, things as thingTable, thingsOfGroup } from "../records/thing.ts";
import { resourceArn, scopeKey, type Scope } from "../scope.ts";
import type { StorageWriter } from "../storage.ts";
import { changeCertificate, requireCertificate } from "../stored-certificate.ts";
import type { ThingGroups } from "../thing-groups.ts";
import type { Things } from "../things.ts";
import { evaluateTemplate, type EvaluatedTemplate, type ProvisioningTemplate } from "./provisioning-template.ts";

/** What provisioning has made. */
export interface Provisioned {
  readonly certificate: CertificateRecord;
  readonly thingName: string | undefined;
  /** ARNs by the template's logical names. */
  readonly resourceArns: Readonly<Record<string, string>>;
  readonly deviceConfiguration: Readonly<Record<string, string>>;
}

/** The parts of a registry that provisioning works with. */
export interface ProvisioningParts {
  readonly context: RegistryContext;
  readonly certificates: Certificates;
  readonly policies: Policies;
  readonly things: Things;
  readonly thingGroups: ThingGroups;
}

/**
 * Carries a template out with these parameters, in one transaction. `guard` runs first in it and can refuse. Throws `ERR_REGISTRY_PROVISIONING`, and what the operations
 * throw of which it consists; then nothing was made.
 */
export async function provision(
  parts: ProvisioningParts,
  scope: Scope,
  template: ProvisioningTemplate,
  parameters: Readonly<Record<string, string>>,
  guard: (writer: StorageWriter) => void = () => {},
): Promise<Provisioned> {
  const wanted = evaluateTemplate(template, parameters);
  checkNames(wanted);
  const addCertificate = await prepareCertificate(parts, scope, wanted.certificate);
  return parts.context.storage.write((writer) => {
    guard(writer);
    return carryOut(parts, writer, scope, wanted, addCertificate);
  });
}

function carryOut(
  parts: ProvisioningParts,
  writer: StorageWriter,
  scope: Scope,
  wanted: EvaluatedTemplate,
  addCertificate: (writer: StorageWriter) => CertificateRecord,
): Provisioned {
  const key = scopeKey(scope);
  const resourceArns: [string, string][] = [];
  const added = addCertificate(writer);
  const id = added.certificateId;
  resourceArns.push([wanted.certificate.logicalName, resourceArn(scope, "cert", id)]);
  for (const policy of wanted.policies) {
    const policyName = policy.kind === "name" ? policy.policyName : nameOfDocument(parts.context, policy);
    if (policy.kind === "document" && policyTable.get(writer, key, policyName) === undefined) {
      parts.policies.createIn(writer, scope, policyName, policy.document);
    }
    parts.policies.attachIn(writer, scope, policyName, { kind: "cert", certificateId: id });
    resourceArns.push([policy.logicalName, resourceArn(scope, "policy", policyName)]);
  }
  const { thing } = wanted;
  if (thing !== undefined) {
    placeThing(parts, writer, scope, thing);
    parts.things.attachPrincipalIn(writer, key, thing.thingName, id, wanted.certificate.thingPrincipalType);
    resourceArns.push([thing.logicalName, resourceArn(scope, "thing", thing.thingName)]);
  }
  const { status } = wanted.certificate;
  const record = requireCertificate(writer, key, id);
  const modifiedAtSeconds = parts.context.nowSeconds();
  const isAsWanted = record.status === status;
  const certificate = isAsWanted ? record : changeCertificate(writer, key, record, { status, modifiedAtSeconds });
  return {
    certificate,
    thingName: thing?.thingName,
    resourceArns: Object.fromEntries(resourceArns),
    deviceConfiguration: wanted.deviceConfiguration,
  };
}

/** What cannot be done inside a transaction (signing), and what then adds the certificate. */
async function prepareCertificate(
  { context, certificates }: ProvisioningParts,
  scope: Scope,
  { source }: EvaluatedTemplate["certificate"],
): Promise<(writer: StorageWriter) => CertificateRecord> {
  const key = scopeKey(scope);
  if (source.kind === "certificateId") {
    return (writer) => {
      const record = requireCertificate(writer, key, source.certificateId);
      if (record.status !== "REVOKED" && record.status !== "PENDING_TRANSFER") return record;
      throw invalid("CertificateId", source.certificateId, `a certificate that can be used: it is ${record.status}`);
    };
  }
  if (source.kind === "request") {
    const request = readRequest(source.requestPem, context.provider);
    const certificate = await certificates.issue({ request });
    return (writer) => certificates.addIn(writer, scope, certificate, { status: "INACTIVE" });
  }
  const { provider } = context;
  const nowSeconds = context.nowSeconds();
  const certificate = readCertificate("CertificatePem", source.certificatePem);
  checkKey("CertificatePem", certificate.subjectPublicKeyInfo.encoding, provider);
  checkDates("CertificatePem", certificate, nowSeconds);
  if (source.caCertificatePem === undefined) {
    return (writer) =>
      certificates.addIn(writer, scope, certificate, {
        status: "INACTIVE",
        certificateMode: "SNI_ONLY",
        authority: undefined,
      });
  }
  const issuer = readCertificate("CACertificatePem", source.caCertificatePem);
  checkSignedBy("CertificatePem", certificate, issuer, { provider, nowSeconds });
  return (writer) => {
    const authority = certificateAuthorities.get(writer, key, certificateId(issuer, provider));
    if (authority?.status !== "ACTIVE") {
      throw invalid(
        "CACertificatePem",
        authority?.status ?? "unknown",
        "a registered certificate authority that is ACTIVE",
      );
    }
    return certificates.addIn(writer, scope, certificate, { status: "INACTIVE", authority });
  };
}

/** Creates the thing, or does to the one that exists what the override settings say. */
function placeThing(
  { things, thingGroups }: ProvisioningParts,
  writer: StorageWriter,
  scope: Scope,
  wanted: NonNullable<EvaluatedTemplate["thing"]>,
): void {
  const key = scopeKey(scope);
  const { thingName, thingTypeName, attributes, overrideSettings } = wanted;
  const known = thingTable.get(writer, key, thingName);
  if (known === undefined) {
    things.createIn(writer, scope, thingName, { thingTypeName, attributes });
  } else {
    const ofAttributes = overrideSettings["AttributePayload"] ?? "DO_NOTHING";
    const ofType = overrideSettings["ThingTypeName"] ?? "DO_NOTHING";
    failWhere(ofAttributes === "FAIL" || ofType === "FAIL" || overrideSettings["ThingGroups"] === "FAIL", thingName);
    things.updateIn(writer, key, known, {
      thingTypeName: ofType === "REPLACE" ? thingTypeName : undefined,
      attributes: ofAttributes === "DO_NOTHING" ? undefined : attributes,
      merge: ofAttributes === "MERGE",
    });
  }
  const ofGroups = known === undefined ? "MERGE" : (overrideSettings["ThingGroups"] ?? "DO_NOTHING");
  if (ofGroups === "DO_NOTHING") return;
  if (ofGroups === "REPLACE") {
    for (const group of Array.from(groupsOfThing.all(writer, key, thingName))) {
      groupsOfThing.delete(writer, key, thingName, group);
      thingsOfGroup.delete(writer, key, group, thingName);
    }
  }
  for (const group of wanted.thingGroups) thingGroups.addThingIn(writer, key, group, thingName);
}

function failWhere(isForbidden: boolean, thingName: string): void {
  if (!isForbidden) return;
  throw new RegistryError(
    "ERR_REGISTRY_PROVISIONING",
    `the thing ${thingName} exists, and the template's OverrideSettings say FAIL`,
    { path: "$.Resources" },
  );
}

/** All names and documents are checked before the transaction, so that a wrong one costs no certificate. */
function checkNames({ thing, policies, certificate }: EvaluatedTemplate): void {
  if (thing !== undefined) checkThingName(thing.thingName);
  if (certificate.source.kind === "certificateId") checkCertificateId(certificate.source.certificateId);
  for (const policy of policies) {
    if (policy.policyName !== undefined) checkPolicyName(policy.policyName);
    if (policy.kind === "document") checkDocument(policy.policyName ?? policy.logicalName, policy.document);
  }
}

/** AWS IoT names a policy of a template without a name by the hash of its document. */
function nameOfDocument(
  { provider }: RegistryContext,
  { policyName, document }: { readonly policyName: string | undefined; readonly document: string },
): string {
  return policyName ?? hexText(provider.hash("SHA-256", new TextEncoder().encode(document)));
}
