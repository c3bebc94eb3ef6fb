/**
 * Certificate policies by the policy graph of RFC 9618, which replaces the tree of RFC 5280 §6.1.
 *
 * The idea: what the tree repeats under each of its parents is one node here with several parents, at most one a policy
 * and depth. So the graph is as large as the policies of all certificates together, where the tree could grow
 * exponentially (CVE-2023-0464). Edges are few: each belongs to one element of an expected policy set.
 *
 * Policies are keyed by their content octets as a string of one character each. Qualifiers are not kept: RFC 9618 calls
 * returning them not recommended.
 */

import type { PolicyInformation, PolicyMapping } from "@latchkey/x509";

/** The key of a policy: its content octets, one character each. */
export type PolicyKey = string;

export function policyKey(oid: Uint8Array): PolicyKey {
  return String.fromCharCode(...oid);
}

/** The octets behind a key. */
export function policyOid(key: PolicyKey): Uint8Array {
  return Uint8Array.from(key, (character) => character.charCodeAt(0));
}

/** 2.5.29.32.0. */
export const anyPolicyKey: PolicyKey = "\u0055\u001d\u0020\u0000";

interface PolicyNode {
  readonly validPolicy: PolicyKey;
  /** Policies that would satisfy this one in the next certificate. */
  expected: ReadonlySet<PolicyKey>;
  readonly parents: readonly PolicyNode[];
}

type Level = Map<PolicyKey, PolicyNode>;

export class PolicyGraph {
  /** By depth; undefined once the graph is NULL. Empty until the first certificate: most have no policies at all. */
  #levels: Level[] | undefined = [];

  /** RFC 9618 §5.3, (e): a certificate without policies. */
  clear(): void {
    this.#levels = undefined;
  }

  /** RFC 9618 §5.2, step (d): the policies of the next certificate. */
  addCertificate(policies: readonly PolicyInformation[], acceptsAnyPolicy: boolean): void {
    if (this.#levels === undefined) return;
    if (this.#levels.length === 0) this.#levels.push(new Map([[anyPolicyKey, nodeOf(anyPolicyKey, [])]]));
    const above = this.#levels.at(-1) ?? new Map();
    const byExpected = indexByExpected(above);
    const level: Level = new Map();
    let hasAnyPolicy = false;
    for (const { policyIdentifier } of policies) {
      const policy = policyKey(policyIdentifier);
      if (policy === anyPolicyKey) {
        hasAnyPolicy = true;
        continue;
      }
      // (1) (i): every node above that expects it; (ii) otherwise the node above for any policy.
      const any = above.get(anyPolicyKey);
      const parents = byExpected.get(policy) ?? (any === undefined ? undefined : [any]);
      if (parents !== undefined) level.set(policy, nodeOf(policy, parents));
    }
    // (2): anyPolicy stands for every policy that is expected.
    if (hasAnyPolicy && acceptsAnyPolicy) {
      for (const [policy, parents] of byExpected) {
        if (!level.has(policy)) level.set(policy, nodeOf(policy, parents));
      }
    }
    this.#levels.push(level);
    this.#prune();
  }

  /** RFC 9618 §5.3, step (b) (1): a mapping, in force. */
  map(mappings: readonly PolicyMapping[]): void {
    const level = this.#levels?.at(-1);
    if (level === undefined) return;
    for (const [issuerPolicy, subjectPolicies] of groupMappings(mappings)) {
      const node = level.get(issuerPolicy);
      if (node !== undefined) {
        node.expected = subjectPolicies;
        continue;
      }
      const any = this.#levels?.at(-2)?.get(anyPolicyKey);
      if (level.has(anyPolicyKey) && any !== undefined) {
        level.set(issuerPolicy, { validPolicy: issuerPolicy, expected: subjectPolicies, parents: [any] });
      }
    }
  }

  /** RFC 9618 §5.3, step (b) (2): a mapping where mapping is inhibited takes the mapped policies away. */
  removeMapped(mappings: readonly PolicyMapping[]): void {
    const level = this.#levels?.at(-1);
    if (level === undefined) return;
    for (const { issuerDomainPolicy } of mappings) level.delete(policyKey(issuerDomainPolicy));
    this.#prune();
  }

  /**
   * RFC 9618 §5.4, step (g): the user-constrained-policy-set, that is, of the policies of the trust anchor's domain
   * those that are valid for the path and among `initial`; `initial` undefined stands for any policy.
   */
  userConstrainedPolicies(initial: ReadonlySet<PolicyKey> | undefined): Set<PolicyKey> {
    const levels = this.#levels;
    const authority = new Set<PolicyKey>();
    if (levels === undefined) return authority;
    // (2): policies right below anyPolicy; what mappings made of them further down does not count.
    for (const level of levels) {
      for (const { validPolicy, parents } of level.values()) {
        const [parent] = parents;
        if (validPolicy !== anyPolicyKey && parents.length === 1 && parent?.validPolicy === anyPolicyKey) {
          authority.add(validPolicy);
        }
      }
    }
    const isAnyValid = levels.at(-1)?.has(anyPolicyKey) === true;
    if (isAnyValid) authority.add(anyPolicyKey);
    if (initial === undefined) return authority;
    return new Set([...initial].filter((policy) => isAnyValid || authority.has(policy)));
  }

  /** Step (d) (3): nodes without children go, up to the root; a graph without nodes at its depth is NULL. */
  #prune(): void {
    const levels = this.#levels;
    if (levels === undefined) return;
    if (levels.at(-1)?.size === 0) {
      this.#levels = undefined;
      return;
    }
    for (let depth = levels.length - 1; depth > 0; depth--) {
      const parents = new Set<PolicyNode>();
      for (const node of levels[depth]?.values() ?? []) for (const parent of node.parents) parents.add(parent);
      const above = levels[depth - 1];
      for (const node of above?.values() ?? []) if (!parents.has(node)) above?.delete(node.validPolicy);
    }
  }
}

function nodeOf(policy: PolicyKey, parents: readonly PolicyNode[]): PolicyNode {
  return { validPolicy: policy, expected: new Set([policy]), parents };
}

/** The nodes of a level by what they expect. */
function indexByExpected(level: Level): Map<PolicyKey, PolicyNode[]> {
  const index = new Map<PolicyKey, PolicyNode[]>();
  for (const node of level.values()) {
    for (const policy of node.expected) {
      const nodes = index.get(policy);
      if (nodes === undefined) index.set(policy, [node]);
      else nodes.push(node);
    }
  }
  return index;
}

/** Mappings by the policy of the issuer's domain. */
function groupMappings(mappings: readonly PolicyMapping[]): Map<PolicyKey, Set<PolicyKey>> {
  const groups = new Map<PolicyKey, Set<PolicyKey>>();
  for (const { issuerDomainPolicy, subjectDomainPolicy } of mappings) {
    const key = policyKey(issuerDomainPolicy);
    const group = groups.get(key) ?? new Set();
    groups.set(key, group.add(policyKey(subjectDomainPolicy)));
  }
  return groups;
}
