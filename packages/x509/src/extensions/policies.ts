/** certificatePolicies, policyMappings, policyConstraints and inhibitAnyPolicy (RFC 5280 §4.2.1.4, .5, .11, .14). */

import { contextPrimitive, decodeOid, type DerReader, encodeOid, equalBytes, Tag } from "@latchkey/asn1";
import { extensionFault, refuseEmpty } from "../errors.ts";
import type { ExtensionType } from "../extension.ts";
import { oidKey } from "../oid-key.ts";
import { readCertificateCount } from "./certificate-count.ts";
import { idCe } from "./oid.ts";

/** Content octets of anyPolicy, 2.5.29.32.0. */
export const anyPolicy: Uint8Array = /* @__PURE__ */ Uint8Array.of(0x55, 0x1d, 0x20, 0x00);
/**
 * The two qualifiers that RFC 5280 §4.2.1.4 defines, as content octets: a pointer to a practice statement, and a notice
 * for people. A critical certificatePolicies extension with any other qualifier has to be refused.
 */
export const policyQualifierIds: { readonly cps: Uint8Array; readonly userNotice: Uint8Array } = {
  cps: /* @__PURE__ */ encodeOid("1.3.6.1.5.5.7.2.1"),
  userNotice: /* @__PURE__ */ encodeOid("1.3.6.1.5.5.7.2.2"),
};

/** A qualifier of a policy: its type and its value. */
export interface PolicyQualifier {
  readonly policyQualifierId: Uint8Array;
  /** With tag and length, a view. */
  readonly qualifier: Uint8Array;
}

/** A policy and its qualifiers. */
export interface PolicyInformation {
  /** Content octets of the policy's object identifier, a view. */
  readonly policyIdentifier: Uint8Array;
  readonly policyQualifiers: readonly PolicyQualifier[];
}

/** The policies under which a certificate was issued (§4.2.1.4). */
export const certificatePolicies: ExtensionType<readonly PolicyInformation[]> = {
  name: "certificatePolicies",
  oid: /* @__PURE__ */ idCe(32),
  read: (reader) => {
    const list = reader.sequence();
    refuseEmpty(list.isAtEnd, "certificatePolicies", list.offset);
    const policies: PolicyInformation[] = [];
    const seen = new Set<string>();
    while (!list.isAtEnd) {
      const { offset } = list;
      const policy = readPolicy(list.sequence());
      const key = oidKey(policy.policyIdentifier);
      // A policy MUST NOT appear more than once.
      if (seen.has(key))
        throw fault(`the policy ${decodeOid(policy.policyIdentifier)} stands twice; it may stand once`, offset);
      seen.add(key);
      policies.push(policy);
    }
    return policies;
  },
  write: (writer, policies) => {
    writer.sequence((list) => {
      for (const { policyIdentifier, policyQualifiers } of policies) {
        list.sequence((policy) => {
          policy.oid(policyIdentifier);
          if (policyQualifiers.length === 0) return;
          policy.sequence((qualifiers) => {
            for (const { policyQualifierId, qualifier } of policyQualifiers) {
              qualifiers.sequence((fields) => {
                fields.oid(policyQualifierId);
                fields.encoded(qualifier);
              });
            }
          });
        });
      }
    });
  },
};

function fault(reason: string, offset: number): Error {
  return extensionFault("certificatePolicies", reason, offset, "RFC 5280 §4.2.1.4");
}

function readPolicy(fields: DerReader): PolicyInformation {
  const policyIdentifier = fields.oid();
  const policyQualifiers: PolicyQualifier[] = [];
  if (!fields.isAtEnd) {
    const list = fields.sequence();
    refuseEmpty(list.isAtEnd, "policyQualifiers", list.offset);
    while (!list.isAtEnd)
      policyQualifiers.push(readQualifier(list.sequence(), equalBytes(policyIdentifier, anyPolicy)));
    fields.end();
  }
  return { policyIdentifier, policyQualifiers };
}

function readQualifier(fields: DerReader, isOfAnyPolicy: boolean): PolicyQualifier {
  const { offset } = fields;
  const policyQualifierId = fields.oid();
  if (equalBytes(policyQualifierId, policyQualifierIds.cps)) {
    if (!fields.nextIs(Tag.ia5String)) throw fault("the pointer to a practice statement is no IA5String", offset);
  } else if (equalBytes(policyQualifierId, policyQualifierIds.userNotice)) {
    if (!fields.nextIs(Tag.sequence)) throw fault("the user notice is no SEQUENCE", offset);
  } else if (isOfAnyPolicy) {
    // anyPolicy has no other qualifiers than the two of the RFC.
    throw fault(
      `anyPolicy has the qualifier ${decodeOid(policyQualifierId)}; CPS and user notice may stand there`,
      offset,
    );
  }
  const qualifier = fields.any().encoding;
  fields.end();
  return { policyQualifierId, qualifier };
}

/** Two policies that an authority takes as equivalent: its own, and that of the subject. Content octets. */
export interface PolicyMapping {
  readonly issuerDomainPolicy: Uint8Array;
  readonly subjectDomainPolicy: Uint8Array;
}

/** Which policies of the subject stand for which of the issuer (§4.2.1.5). */
export const policyMappings: ExtensionType<readonly PolicyMapping[]> = {
  name: "policyMappings",
  oid: /* @__PURE__ */ idCe(33),
  read: (reader) => {
    const list = reader.sequence();
    refuseEmpty(list.isAtEnd, "policyMappings", list.offset);
    const mappings: PolicyMapping[] = [];
    while (!list.isAtEnd) {
      const fields = list.sequence();
      const issuerDomainPolicy = fields.oid();
      const subjectDomainPolicy = fields.oid();
      fields.end();
      mappings.push({ issuerDomainPolicy, subjectDomainPolicy });
    }
    return mappings;
  },
  write: (writer, mappings) => {
    writer.sequence((list) => {
      for (const { issuerDomainPolicy, subjectDomainPolicy } of mappings) {
        list.sequence((fields) => {
          fields.oid(issuerDomainPolicy);
          fields.oid(subjectDomainPolicy);
        });
      }
    });
  },
};

/** After how many more certificates a policy is required, or mapping stops; undefined for never. */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined;
  readonly inhibitPolicyMapping: number | undefined;
}

/** When policies are required, and when mapping ends (§4.2.1.11). */
export const policyConstraints: ExtensionType<PolicyConstraints> = {
  name: "policyConstraints",
  oid: /* @__PURE__ */ idCe(36),
  read: (reader) => {
    const fields = reader.sequence();
    refuseEmpty(fields.isAtEnd, "policyConstraints", fields.offset);
    const requireExplicitPolicy = readSkip(fields, "requireExplicitPolicy", contextPrimitive(0));
    const inhibitPolicyMapping = readSkip(fields, "inhibitPolicyMapping", contextPrimitive(1));
    fields.end();
    return { requireExplicitPolicy, inhibitPolicyMapping };
  },
  write: (writer, { requireExplicitPolicy, inhibitPolicyMapping }) => {
    writer.sequence((fields) => {
      if (requireExplicitPolicy !== undefined) fields.integer(requireExplicitPolicy, contextPrimitive(0));
      if (inhibitPolicyMapping !== undefined) fields.integer(inhibitPolicyMapping, contextPrimitive(1));
    });
  },
};

function readSkip(reader: DerReader, what: string, tag: number): number | undefined {
  return reader.nextIs(tag) ? readCertificateCount(reader, what, tag) : undefined;
}

/** After how many more certificates anyPolicy stops counting. */
export const inhibitAnyPolicy: ExtensionType<number> = {
  name: "inhibitAnyPolicy",
  oid: /* @__PURE__ */ idCe(54),
  read: (reader) => readCertificateCount(reader, "inhibitAnyPolicy"),
  write: (writer, skip) => writer.integer(skip),
};
