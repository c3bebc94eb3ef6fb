/** Validation of one path by RFC 5280 §6.1: path lengths, constraints, anchors, and what passed. */

import { nodeProvider } from "@latchkey/crypto/node";
import {
  basicConstraints,
  certificatePolicies,
  extendedKeyUsage,
  type Extension,
  type GeneralName,
  keyPurposes,
  makeName,
  type NameConstraints,
  policyConstraints,
  subjectAltName,
} from "@latchkey/x509";
import { encodeOid } from "@latchkey/asn1";
import { describe, expect, test } from "vitest";
import {
  type ChainResult,
  type ChainVerifierOptions,
  createChainVerifier,
  everyCheck,
  type VerifyInputs,
} from "../src/index.ts";
import {
  authority,
  type AuthorityInput,
  type CertificateInput,
  dns,
  endEntity,
  type Entity,
  entity,
  extension,
  issue,
  now,
  unknownExtension,
} from "./issuing.ts";

const root = entity("Root");
const leaf = entity("leaf");

interface Level extends AuthorityInput, Partial<CertificateInput> {
  /** The name of the authority; the same as the one above makes it self-issued. */
  readonly name?: string;
}

interface Chain {
  readonly anchor?: Level;
  /** From the anchor down. */
  readonly levels?: readonly Level[];
  readonly leaf?: Partial<CertificateInput>;
  readonly inputs?: Partial<VerifyInputs>;
  readonly options?: Partial<ChainVerifierOptions>;
}

function ask({ anchor = {}, levels = [{}], leaf: bottom = {}, inputs = {}, options = {} }: Chain): ChainResult {
  let issuer: Entity = root;
  const intermediates = levels.map((level, index) => {
    const subject = entity(level.name ?? `CA ${index}`);
    const certificate = issue({ subject, issuer, extensions: authority(level), ...level });
    issuer = subject;
    return certificate;
  });
  const certificate = issue({ subject: leaf, issuer, extensions: endEntity("clientAuth"), ...bottom });
  const verifier = createChainVerifier({
    provider: nodeProvider,
    trustAnchors: [issue({ subject: root, issuer: root, extensions: authority(anchor), ...anchor })],
    checks: everyCheck("off"),
    ...options,
  });
  return verifier.verify({ certificate, intermediates, purpose: "clientAuth", time: now, ...inputs });
}

function verdict(chain: Chain): string {
  const result = ask(chain);
  if (result.ok) return "ok";
  return result.failures.map(({ code, certificateIndex }) => `${code.slice(10)}@${certificateIndex}`).join(" ");
}

describe("path lengths", () => {
  test.each<[string, Chain, string]>([
    ["an anchor that allows as many as there are", { anchor: { pathLenConstraint: 2 }, levels: [{}, {}] }, "ok"],
    ["an anchor that allows one less", { anchor: { pathLenConstraint: 1 }, levels: [{}, {}] }, "PATH_LENGTH@1"],
    ["an intermediate that allows none below it", { levels: [{}, { pathLenConstraint: 0 }] }, "ok"],
    ["one above it that allows none", { levels: [{ pathLenConstraint: 0 }, {}] }, "PATH_LENGTH@1"],
    [
      "a looser one below does not loosen",
      { levels: [{ pathLenConstraint: 0 }, { pathLenConstraint: 5 }] },
      "PATH_LENGTH@1",
    ],
    ["self-issued ones do not count", { levels: [{ pathLenConstraint: 0 }, { name: "CA 0" }] }, "ok"],
    [
      "self-issued is a name that matches, in another case too",
      { levels: [{ pathLenConstraint: 0 }, { name: "ca 0" }] },
      "ok",
    ],
    ["those below a self-issued one do", { levels: [{ pathLenConstraint: 0 }, { name: "CA 0" }, {}] }, "PATH_LENGTH@1"],
    ["the caller allows as many", { levels: [{}, {}], inputs: { maximumPathLength: 2 } }, "ok"],
    ["the caller allows one less", { levels: [{}, {}], inputs: { maximumPathLength: 1 } }, "PATH_LENGTH@1"],
    ["the caller, with a self-issued one", { levels: [{}, { name: "CA 0" }], inputs: { maximumPathLength: 1 } }, "ok"],
  ])("%s", (_, chain, expected) => expect(verdict(chain)).toBe(expected));

  test("what is said names who set the length, and counts what is there", () => {
    const evidence = (chain: Chain): unknown => {
      const result = ask(chain);
      return result.ok ? "ok" : result.failures[0]?.evidence;
    };
    expect(evidence({ levels: [{}, { pathLenConstraint: 0 }, {}, { name: "CA 2" }] })).toEqual({
      constrainedBy: 3,
      constrainedByName: "CN=CA 1",
      maximum: 0,
      found: 1,
    });
    expect(evidence({ levels: [{}, {}, {}], inputs: { maximumPathLength: 1 } })).toEqual({
      constrainedBy: undefined,
      constrainedByName: undefined,
      maximum: 1,
      found: 3,
    });
    // Of two that allow equally much, the upper one is named.
    expect(evidence({ anchor: { pathLenConstraint: 1 }, levels: [{ pathLenConstraint: 0 }, {}] })).toMatchObject({
      constrainedByName: "CN=Root",
    });
    expect(evidence({ levels: [{ pathLenConstraint: 1 }, {}, {}], inputs: { maximumPathLength: 5 } })).toMatchObject({
      constrainedByName: "CN=CA 0",
      found: 2,
    });
  });
});

describe("name constraints", () => {
  const permits = (...permittedSubtrees: GeneralName[]): Level => ({
    nameConstraints: { permittedSubtrees, excludedSubtrees: undefined },
  });
  const excludes = (...excludedSubtrees: GeneralName[]): Level => ({
    nameConstraints: { permittedSubtrees: undefined, excludedSubtrees },
  });
  const named = (...names: GeneralName[]): NonNullable<Chain["leaf"]> => ({
    extensions: endEntity("clientAuth", names),
  });
  const directory = (...values: string[]): GeneralName => ({
    type: "directoryName",
    value: makeName(values.map((value) => ({ type: "CN", value }))),
  });
  const nobody: Entity = { name: { rdns: [], encoding: Uint8Array.of(0x30, 0) }, keys: leaf.keys };

  test.each<[string, Level, NonNullable<Chain["leaf"]>, string]>([
    ["within", permits(dns("a.example")), named(dns("b.a.example")), "ok"],
    ["outside", permits(dns("a.example")), named(dns("b.example")), "NAME_NOT_PERMITTED@0"],
    [
      "one of two outside",
      permits(dns("a.example")),
      named(dns("a.example"), dns("b.example")),
      "NAME_NOT_PERMITTED@0",
    ],
    ["another form", permits(dns("a.example")), named({ type: "rfc822Name", value: "a@b.example" }), "ok"],
    ["excluded", excludes(dns("a.example")), named(dns("b.a.example")), "NAME_EXCLUDED@0"],
    ["not excluded", excludes(dns("a.example")), named(dns("b.example")), "ok"],
    ["a subject within", permits(directory("leaf")), {}, "ok"],
    ["a subject outside", permits(directory("other")), {}, "NAME_NOT_PERMITTED@0"],
    [
      "no subject",
      permits(directory("other")),
      { subject: nobody, extensions: [extension<readonly GeneralName[]>(subjectAltName, [dns("a.example")], true)] },
      "ok",
    ],
    [
      "a form that is not supported, permitted",
      permits({ type: "registeredID", value: Uint8Array.of(1) }),
      named({ type: "registeredID", value: Uint8Array.of(1) }),
      "NAME_CONSTRAINT_UNSUPPORTED@0",
    ],
    [
      "a form that is not supported, excluded",
      excludes({ type: "registeredID", value: Uint8Array.of(1) }),
      named({ type: "registeredID", value: Uint8Array.of(2) }),
      "NAME_CONSTRAINT_UNSUPPORTED@0",
    ],
    [
      "a form that is not supported, not there",
      excludes({ type: "registeredID", value: Uint8Array.of(1) }),
      named(dns("a.example")),
      "ok",
    ],
  ])("%s", (_, level, bottom, expected) => expect(verdict({ levels: [level], leaf: bottom })).toBe(expected));

  test("do not hold for self-issued certificates, but for the last", () => {
    const level = permits(directory("CA 0", "x"));
    expect(verdict({ levels: [level, { name: "CA 0" }], leaf: named(dns("a.example")) })).toBe("NAME_NOT_PERMITTED@0");
    expect(verdict({ levels: [level, {}] })).toContain("NAME_NOT_PERMITTED@1");
    const anchor: NameConstraints = { permittedSubtrees: [directory("Root", "x")], excludedSubtrees: undefined };
    expect(
      verdict({
        anchor: { nameConstraints: anchor },
        levels: [],
        leaf: { subject: { name: root.name, keys: leaf.keys } },
      }),
    ).toBe("NAME_NOT_PERMITTED@0");
  });

  test("hold for mailboxes in the subject where there are no alternative names", () => {
    const mail: GeneralName = { type: "rfc822Name", value: "a.example" };
    const subject = (value: string): Entity => ({
      name: makeName([{ type: "emailAddress", value }]),
      keys: leaf.keys,
    });
    const by = (value: string, names: readonly GeneralName[] = []): string =>
      verdict({
        levels: [permits(mail)],
        leaf: { subject: subject(value), extensions: endEntity("clientAuth", names) },
      });
    expect(by("someone@a.example")).toBe("ok");
    expect(by("someone@b.example")).toBe("NAME_NOT_PERMITTED@0");
    expect(by("someone@b.example", [dns("a.example")])).toBe("ok");
  });

  test("an internationalised mailbox is refused where mailboxes are constrained", () => {
    const mailbox: GeneralName = {
      type: "otherName",
      typeId: encodeOid("1.3.6.1.5.5.7.8.9"),
      value: Uint8Array.of(0x0c, 1, 0x61),
    };
    const other: GeneralName = { ...mailbox, typeId: encodeOid("1.3.6.1.5.5.7.8.8") };
    const mail: GeneralName = { type: "rfc822Name", value: "a.example" };
    for (const level of [permits(mail), excludes(mail)]) {
      expect(verdict({ levels: [level], leaf: named(mailbox) })).toBe("NAME_CONSTRAINT_UNSUPPORTED@0");
      expect(verdict({ levels: [level], leaf: named(other) })).toBe("ok");
    }
    expect(verdict({ levels: [permits(dns("a.example"))], leaf: named(mailbox) })).toBe("ok");
  });

  test("hold for the name that is asked for, where a wildcard covers it (CVE-2025-61727)", () => {
    const chain = (value: string, ...more: string[]): Chain => ({
      levels: [permits(dns("example"))],
      leaf: named(dns("*.a.example")),
      inputs: { referenceNames: [value, ...more].map((each) => ({ type: "dns", value: each })) },
    });
    expect(verdict(chain("b.a.example"))).toBe("ok");
    const result = ask({ ...chain("b.a.example"), levels: [excludes(dns("c.b.a.example"))] });
    expect(result.ok).toBe(true);
    const outside = ask({
      ...chain("b.other"),
      leaf: named(dns("*.a.example"), dns("*.other")),
      levels: [{ nameConstraints: { permittedSubtrees: undefined, excludedSubtrees: [dns("b.other")] } }],
    });
    expect(outside.ok).toBe(false);
    // Only a name that stands alone is the one that the peer is known by.
    expect(verdict(chain("x.unrelated", "b.a.example"))).toBe("ok");
  });
});

describe("anchors", () => {
  const gold = "1.3.6.1.4.1.32473.1";
  const silver = "1.3.6.1.4.1.32473.2";
  const policies = (...oids: string[]): Extension =>
    extension(
      certificatePolicies,
      oids.map((oid) => ({ policyIdentifier: encodeOid(oid), policyQualifiers: [] })),
    );
  const policiesOf = (anchor: readonly Extension[], inputs: Partial<VerifyInputs> = {}): readonly string[] | string => {
    const more = [policies(gold, silver)];
    const chain = {
      anchor: { more: anchor },
      levels: [{ more }],
      leaf: { extensions: endEntity("clientAuth", [], more) },
    };
    const result = ask({ ...chain, inputs });
    return result.ok ? result.policies : result.failures.map(({ code }) => code).join(" ");
  };

  test("with policies restrict those of the user (RFC 5937)", () => {
    expect(policiesOf([])).toEqual([gold, silver]);
    expect(policiesOf([policies(gold)])).toEqual([gold]);
    expect(policiesOf([policies("2.5.29.32.0")])).toEqual([gold, silver]);
    const initialPolicySet = [gold];
    expect(policiesOf([policies(gold, silver)], { policies: { initialPolicySet } })).toEqual([gold]);
    expect(policiesOf([policies(silver)], { policies: { initialPolicySet } })).toEqual([]);
    expect(policiesOf([policies(silver)], { policies: { initialPolicySet: ["2.5.29.32.0"] } })).toEqual([silver]);
  });

  test("can demand a policy", () => {
    const demands = extension(policyConstraints, { requireExplicitPolicy: 0, inhibitPolicyMapping: undefined }, true);
    expect(verdict({ anchor: { more: [demands] } })).toBe("POLICY@undefined");
  });

  test("can be limited to purposes, and are checked for validity from their first second to their last", () => {
    const usage = extension(extendedKeyUsage, [keyPurposes.serverAuth]);
    expect(verdict({ anchor: { more: [usage] } })).toBe("EXTENDED_KEY_USAGE@2");
    const checks = { ...everyCheck("off"), anchorValidity: "error" } as const;
    const within = (notBefore: number, notAfter: number): string =>
      verdict({ anchor: { notBefore, notAfter }, options: { checks } });
    expect([within(now, now + 1), within(now - 1, now), within(now, now)]).toEqual(["ok", "ok", "ok"]);
    expect([within(now + 1, now + 2), within(now - 2, now - 1)]).toEqual(["ANCHOR_EXPIRED@2", "ANCHOR_EXPIRED@2"]);
  });
});

describe("purposes", () => {
  const usage = (...purposes: Uint8Array[]): Extension => extension(extendedKeyUsage, purposes);

  test("any purpose is enough for any, and none stands for every one", () => {
    const { anyExtendedKeyUsage, serverAuth } = keyPurposes;
    expect(verdict({ leaf: { extensions: [] } })).toBe("ok");
    expect(verdict({ leaf: { extensions: [usage(anyExtendedKeyUsage)] } })).toBe("ok");
    expect(verdict({ leaf: { extensions: [usage(serverAuth)] } })).toBe("EXTENDED_KEY_USAGE@0");
    expect(verdict({ leaf: { extensions: [usage(serverAuth)] }, inputs: { purpose: "any" } })).toBe("ok");
  });

  test("are named, those without a name by number, at most twenty", () => {
    const many = Array.from({ length: 25 }, (_, index) => encodeOid(`1.2.3.${index}`));
    const result = ask({ leaf: { extensions: [usage(keyPurposes.serverAuth, ...many)] } });
    const [first] = result.ok ? [] : result.failures;
    if (first?.code !== "ERR_CHAIN_EXTENDED_KEY_USAGE") throw new Error(first?.code);
    expect(first.evidence.required).toBe("clientAuth");
    expect(first.evidence.present.slice(0, 2)).toEqual(["serverAuth", "1.2.3.0"]);
    expect(first.evidence.present).toHaveLength(20);
  });
});

test("an intermediate that is no authority is said to have basicConstraints, or none", () => {
  const evidence = (extensions: readonly Extension[]): unknown => {
    const result = ask({ levels: [{ extensions }] });
    return result.ok ? "ok" : result.failures.find(({ code }) => code === "ERR_CHAIN_NOT_A_CA")?.evidence;
  };
  const isNone = extension(basicConstraints, { cA: false, pathLenConstraint: undefined }, true);
  expect(evidence([])).toEqual({ version: 3, hasBasicConstraints: false });
  expect(evidence([isNone])).toEqual({ version: 3, hasBasicConstraints: true });
});

test("what passed is listed for each certificate, from the anchor down", () => {
  const result = ask({ inputs: { referenceNames: [] } });
  const passed = result.checks.map(({ check, certificateIndex }) => `${check}@${certificateIndex}`);
  expect(passed).toEqual([
    "extendedKeyUsage@2",
    "basicConstraints@2",
    "keyUsage@2",
    "criticalExtensions@2",
    "signature@1",
    "validity@1",
    "extendedKeyUsage@1",
    "basicConstraints@1",
    "keyUsage@1",
    "criticalExtensions@1",
    "signature@0",
    "validity@0",
    "extendedKeyUsage@0",
    "criticalExtensions@0",
    "certificatePolicies@0",
  ]);
});

test("the answer stays true until the first end of a validity", () => {
  const until = (anchor: number, middle: number, end: number): number | string => {
    const checks = { ...everyCheck("off"), anchorValidity: "error" } as const;
    const result = ask({
      anchor: { notAfter: now + anchor },
      levels: [{ notAfter: now + middle }],
      leaf: { notAfter: now + end },
      options: { checks },
    });
    return result.ok ? result.validUntil - now : "refused";
  };
  expect([until(1, 2, 3), until(3, 1, 2), until(2, 3, 1)]).toEqual([1, 1, 1]);
});

test("of many unknown critical extensions twenty are named", () => {
  const many = Array.from({ length: 22 }, (_, index) => ({
    ...unknownExtension(true),
    oid: encodeOid(`1.3.6.1.4.1.55738.666.${index}`),
  }));
  const result = ask({ leaf: { extensions: endEntity("clientAuth", [], many) } });
  expect(result.ok ? [] : result.failures).toHaveLength(20);
});
