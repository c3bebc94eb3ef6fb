/** Certificate policies: the graph of RFC 9618 and its inputs, along whole chains. */

import { decodeOid, encodeOid } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificatePolicies,
  type Extension,
  inhibitAnyPolicy,
  policyConstraints,
  policyMappings,
  type PolicyMapping,
} from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { createChainVerifier, everyCheck, type PolicyInputs } from "../src/index.ts";
import { Budget, price } from "../src/budget.ts";
import { defaultLimits } from "../src/limits.ts";
import { PolicyGraph, policyKey, policyOid } from "../src/policy-graph.ts";
import { authority, endEntity, entity, extension, issue, now } from "./issuing.ts";

const any = "2.5.29.32.0";
/** Policies of the examples, under the arc for documentation. */
const gold = "1.3.6.1.4.1.32473.1";
const silver = "1.3.6.1.4.1.32473.2";
const bronze = "1.3.6.1.4.1.32473.3";

function policies(...oids: string[]): Extension {
  return extension(
    certificatePolicies,
    oids.map((oid) => ({ policyIdentifier: encodeOid(oid), policyQualifiers: [] })),
  );
}

function mapping(issuer: string, subject: string): PolicyMapping {
  return { issuerDomainPolicy: encodeOid(issuer), subjectDomainPolicy: encodeOid(subject) };
}

function maps(...pairs: [string, string][]): Extension {
  return extension(
    policyMappings,
    pairs.map(([issuer, subject]) => mapping(issuer, subject)),
    true,
  );
}

function requireExplicit(after: number): Extension {
  return extension(policyConstraints, { requireExplicitPolicy: after, inhibitPolicyMapping: undefined }, true);
}

function inhibitMapping(after: number): Extension {
  return extension(policyConstraints, { requireExplicitPolicy: undefined, inhibitPolicyMapping: after }, true);
}

const root = entity("Root");
const rootCertificate = issue({ subject: root, issuer: root, extensions: authority() });

/** The policies of a chain whose certificates below the root have these extensions, or why it is refused. */
function verify(levels: readonly (readonly Extension[])[], inputs: PolicyInputs = {}): string {
  let issuer = root;
  const chain = levels.map((more, index) => {
    const isLast = index === levels.length - 1;
    const subject = entity(isLast ? "leaf" : `CA ${index}`);
    const extensions = isLast ? endEntity("clientAuth", [], more) : authority({ more });
    const certificate = issue({ subject, issuer, extensions });
    issuer = subject;
    return certificate;
  });
  const verifier = createChainVerifier({
    provider: nodeProvider,
    trustAnchors: [rootCertificate],
    checks: everyCheck("off"),
  });
  const result = verifier.verify({
    certificate: chain.at(-1)!,
    intermediates: chain.slice(0, -1),
    purpose: "clientAuth",
    time: now,
    policies: inputs,
  });
  return result.ok ? [...result.policies].sort().join(" ") : result.failures.map(({ code }) => code).join(" ");
}

const explicit = { requireExplicitPolicy: true };

describe("policies along a chain", () => {
  test("what all have in common is valid", () => {
    expect(verify([[policies(gold, silver)], [policies(gold, bronze)], [policies(gold)]])).toBe(gold);
    expect(verify([[policies(gold)], [policies(silver)]])).toBe("");
    expect(verify([[policies(gold)], [policies(silver)]], explicit)).toBe("ERR_CHAIN_POLICY");
    expect(verify([[policies(gold)], []], explicit)).toBe("ERR_CHAIN_POLICY");
    expect(verify([[], [policies(gold)]], explicit)).toBe("ERR_CHAIN_POLICY");
  });

  test("anyPolicy stands for each", () => {
    expect(verify([[policies(any)], [policies(gold)]], explicit)).toBe(gold);
    expect(verify([[policies(gold)], [policies(any)]], explicit)).toBe(gold);
    expect(verify([[policies(any)], [policies(any)]], explicit)).toBe(any);
    expect(verify([[policies(any)], [policies(any)]], { ...explicit, initialPolicySet: [gold, silver] })).toBe(
      `${gold} ${silver}`,
    );
  });

  test("anyPolicy counts only until it is inhibited", () => {
    expect(verify([[policies(any)], [policies(gold)]], { ...explicit, inhibitAnyPolicy: true })).toBe(
      "ERR_CHAIN_POLICY",
    );
    const inhibit = extension(inhibitAnyPolicy, 0, true);
    expect(verify([[policies(gold), inhibit], [policies(any)]], explicit)).toBe("ERR_CHAIN_POLICY");
    const later = extension(inhibitAnyPolicy, 1, true);
    expect(verify([[policies(gold), later], [policies(any)], [policies(gold)]], explicit)).toBe(gold);
    expect(verify([[policies(gold), later], [policies(any)], [policies(any)]], explicit)).toBe("ERR_CHAIN_POLICY");
  });

  test("the user's set narrows", () => {
    const both = [[policies(gold, silver)], [policies(gold, silver)]];
    expect(verify(both, { ...explicit, initialPolicySet: [gold] })).toBe(gold);
    expect(verify(both, { ...explicit, initialPolicySet: [bronze] })).toBe("ERR_CHAIN_POLICY");
    expect(verify(both, { ...explicit, initialPolicySet: [any] })).toBe(`${gold} ${silver}`);
    // Without a need for an explicit policy none is fine.
    expect(verify(both, { initialPolicySet: [bronze] })).toBe("");
  });

  test("a certificate can demand a policy, now or some certificates on", () => {
    expect(verify([[policies(gold), requireExplicit(0)], [policies(silver)]])).toBe("ERR_CHAIN_POLICY");
    expect(verify([[policies(gold), requireExplicit(2)], [policies(gold)], [policies(silver)]])).toBe(
      "ERR_CHAIN_POLICY",
    );
    expect(verify([[policies(gold), requireExplicit(4)], [policies(gold)], [policies(silver)]])).toBe("");
    expect(verify([[policies(gold)], [policies(silver), requireExplicit(0)]])).toBe("ERR_CHAIN_POLICY");
  });

  test("mappings translate, and the answer is in the anchor's terms", () => {
    expect(verify([[policies(gold), maps([gold, silver])], [policies(silver)]], explicit)).toBe(gold);
    expect(verify([[policies(gold), maps([gold, silver])], [policies(gold)]], explicit)).toBe("ERR_CHAIN_POLICY");
    expect(
      verify([[policies(any), maps([gold, silver])], [policies(silver)]], { ...explicit, initialPolicySet: [gold] }),
    ).toBe(gold);
    expect(verify([[policies(gold), maps([gold, silver], [gold, bronze])], [policies(bronze)]], explicit)).toBe(gold);
  });

  test("mappings stop where they are inhibited", () => {
    const chain = [[policies(gold), maps([gold, silver])], [policies(silver)]];
    expect(verify(chain, { ...explicit, inhibitPolicyMapping: true })).toBe("ERR_CHAIN_POLICY");
    const inhibited = [[policies(gold), inhibitMapping(0)], [policies(gold), maps([gold, silver])], [policies(silver)]];
    expect(verify(inhibited, explicit)).toBe("ERR_CHAIN_POLICY");
  });

  test("anyPolicy cannot be mapped", () => {
    expect(verify([[policies(gold), maps([any, gold])], [policies(gold)]])).toContain("ERR_CHAIN_POLICY_MAPPING");
    expect(verify([[policies(gold), maps([gold, any])], [policies(gold)]])).toContain("ERR_CHAIN_POLICY_MAPPING");
  });
});

describe("the graph", () => {
  test("grows with the certificates' policies, where the tree of RFC 5280 doubled at each depth", () => {
    const [a, b] = [gold, silver].map((policy) => policyKey(encodeOid(policy)));
    const work = (depth: number): number => {
      const budget = new Budget({ ...defaultLimits, work: 1e9 });
      const graph = new PolicyGraph(budget);
      for (let level = 0; level < depth; level++) {
        graph.addCertificate([a!, b!], true);
        graph.map([mapping(gold, gold), mapping(gold, silver), mapping(silver, gold), mapping(silver, silver)]);
      }
      expect([...graph.userConstrainedPolicies(undefined)].map((policy) => decodeOid(policyOid(policy)))).toEqual([
        gold,
        silver,
      ]);
      expect([...graph.userConstrainedPolicies(new Set([a!]))].map((policy) => decodeOid(policyOid(policy)))).toEqual([
        gold,
      ]);
      return budget.work;
    };
    // Every level is visited from each one below it: cubic in a depth of at most a dozen, not exponential.
    expect(work(40) / work(20)).toBeLessThan(9);
  });

  test("charges each step for all nodes and edges that there may be, at each depth", () => {
    const [a, b] = [gold, silver].map((policy) => policyKey(encodeOid(policy)));
    const budget = new Budget(defaultLimits);
    const graph = new PolicyGraph(budget);
    const visits = (): number => Math.round(budget.work / price.policyNode);
    // One node at the root, and the policies: at one depth, then with the root at three, and so on.
    graph.addCertificate([a!, b!], true);
    expect(visits()).toBe(3 * 1);
    graph.map([mapping(gold, gold), mapping(gold, silver)]);
    expect(visits()).toBe(3 + 5 * 3);
    graph.removeMapped([mapping(silver, gold)]);
    expect(visits()).toBe(3 + 15 + 6 * 3);
    graph.userConstrainedPolicies(undefined);
    expect(visits()).toBe(3 + 15 + 18 + 6 * 3);
    // Without policies there is nothing to visit.
    const none = new Budget(defaultLimits);
    new PolicyGraph(none).userConstrainedPolicies(undefined);
    expect(none.work).toBe(0);
  });

  test("ends as NULL where the budget ends", () => {
    const budget = new Budget({ ...defaultLimits, work: 100 });
    const graph = new PolicyGraph(budget);
    graph.addCertificate(
      Array.from({ length: 1000 }, (_, index) => policyKey(encodeOid(`1.2.3.${index}`))),
      true,
    );
    expect(budget.exceeded).toMatchObject({ code: "ERR_CHAIN_LIMIT", evidence: { limit: "work", maximum: 100 } });
    expect(graph.userConstrainedPolicies(undefined).size).toBe(0);
  });
});
