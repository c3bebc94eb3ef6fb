/**
 * Certificate policies by the policy graph of RFC 9618, which replaces the tree of RFC 5280 §6.1.
 *
 * The idea: what the tree repeats below each of its parents is one node here with several parents, at most one for each
 * policy and depth. So the graph is as large as the policies and mappings of all certificates together, while the tree
 * could grow exponentially (CVE-2023-0464). Each node and edge that is visited is charged to the budget beforehand; where
 * the budget ends, the graph becomes NULL, which makes no path acceptable.
 *
 * Qualifiers are not kept: RFC 9618 calls returning them not recommended.
 */

import type { PolicyMapping } from "@latchkey/x509";
import { type Budget, price } from "./budget.ts";
import { octetKey } from "./octet-key.ts";

/** The key of a policy: its content octets, one character each. */
export type PolicyKey = string;

/** The key of a policy whose object identifier has these content octets. */
export function policyKey(oid: Uint8Array): PolicyKey {
  return octetKey(oid);
}

/** The octets behind a key. */
export function policyOid(key: PolicyKey): Uint8Array {
  return Uint8Array.from(key, (character) => character.charCodeAt(0));
}

/** 2.5.29.32.0. */
export const anyPolicyKey: PolicyKey = "\u0055\u001d\u0020\u0000";

interface PolicyNode {
  readonly validPolicy: PolicyKey;
  /** Policies that satisfy this one in the next certificate; undefined for itself alone. */
  expected: ReadonlySet<PolicyKey> | undefined;
  readonly parents: readonly PolicyNode[];
}

type Level = Map<PolicyKey, PolicyNode>;

/** The graph of one path. */
export class PolicyGraph {
  readonly #budget: Budget;
  /** By depth; undefined once the graph is NULL. Empty until the first certificate: most have no policies at all. */
  #levels: Level[] | undefined = [];
  /** Nodes and edges there are at most. */
  #size = 1;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** RFC 9618 §5.3, step (e): a certificate without policies. */
  clear(): void {
    this.#levels = undefined;
  }

  /** RFC 9618 §5.2, step (d): the policies of the next certificate. */
  addCertificate(policies: readonly PolicyKey[], acceptsAnyPolicy: boolean): void {
    const levels = this.#grow(policies.length);
    if (levels === undefined) return;
    if (levels.length === 0) levels.push(new Map([[anyPolicyKey, nodeOf(anyPolicyKey, [])]]));
    const above = levels.at(-1) ?? new Map();
    const byExpected = indexByExpected(above);
    const level: Level = new Map();
    let hasAnyPolicy = false;
    for (const policy of policies) {
      if (policy === anyPolicyKey) {
        hasAnyPolicy = true;
        continue;
      }
      // (1) (i): each node above that expects the policy; (ii) otherwise the node above for any policy.
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
    levels.push(level);
    this.#prune(levels);
  }

  /** RFC 9618 §5.3, step (b) (1): mappings where mapping is allowed. */
  map(mappings: readonly PolicyMapping[]): void {
    const levels = this.#grow(mappings.length);
    const level = levels?.at(-1);
    if (level === undefined) return;
    for (const [issuerPolicy, subjectPolicies] of groupMappings(mappings)) {
      const node = level.get(issuerPolicy);
      if (node !== undefined) {
        node.expected = subjectPolicies;
        continue;
      }
      const any = levels?.at(-2)?.get(anyPolicyKey);
      if (level.has(anyPolicyKey) && any !== undefined) {
        level.set(issuerPolicy, { validPolicy: issuerPolicy, expected: subjectPolicies, parents: [any] });
      }
    }
  }

  /** RFC 9618 §5.3, step (b) (2): mappings where mapping is inhibited take the mapped policies away. */
  removeMapped(mappings: readonly PolicyMapping[]): void {
    const levels = this.#grow(mappings.length);
    const level = levels?.at(-1);
    if (levels === undefined || level === undefined) return;
    for (const { issuerDomainPolicy } of mappings) level.delete(policyKey(issuerDomainPolicy));
    this.#prune(levels);
  }

  /**
   * RFC 9618 §5.4, step (g): the user-constrained-policy-set. These are the policies of the trust anchor's domain that are
   * valid for the path and among `initial`; `initial` undefined stands for any policy.
   */
  userConstrainedPolicies(initial: ReadonlySet<PolicyKey> | undefined): Set<PolicyKey> {
    const levels = this.#grow(0);
    const authority = new Set<PolicyKey>();
    if (levels === undefined) return authority;
    // (2): policies right below anyPolicy. What mappings made of them further down does not count.
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

  /** The levels, after charging for a visit to all that is there and `added` more; undefined where the graph is NULL. */
  #grow(added: number): Level[] | undefined {
    if (this.#levels === undefined) return undefined;
    // anyPolicy in a certificate repeats the level above, so a level is at most the one above and its own policies.
    this.#size += added;
    if (this.#levels.length > 1 || added > 0) {
      const visits = this.#size * (this.#levels.length + 1);
      if (!this.#budget.spend(visits * price.policyNode)) this.#levels = undefined;
    }
    return this.#levels;
  }

  /** Step (d) (3): nodes without children go, up to the root. A graph without nodes at its depth is NULL. */
  #prune(levels: readonly Level[]): void {
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
  return { validPolicy: policy, expected: undefined, parents };
}

/** The nodes of a level by what they expect. */
function indexByExpected(level: Level): Map<PolicyKey, PolicyNode[]> {
  const index = new Map<PolicyKey, PolicyNode[]>();
  for (const node of level.values()) {
    for (const policy of node.expected ?? [node.validPolicy]) {
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
