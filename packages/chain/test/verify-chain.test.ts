/** What the verifier says of chains of three with one thing wrong, and what a result looks like. */

import { nobleProvider } from "@latchkey/crypto/noble";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  extendedKeyUsage,
  keyPurposes,
  parseCertificate,
  parseSubjectPublicKeyInfo,
  policyConstraints,
} from "@latchkey/x509";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  ChainError,
  type ChainFailureCode,
  type ChainResult,
  type ChainVerifierOptions,
  createChainVerifier,
  defaultLimits,
  everyCheck,
  explainChain,
  profiles,
  type RefusedChain,
  type VerifiedChain,
  verifyChain,
  type VerifyInputs,
} from "../src/index.ts";
import {
  authority,
  type CertificateInput,
  dns,
  endEntity,
  entity,
  extension,
  family,
  issue,
  now,
  unknownExtension,
} from "./issuing.ts";

const people = family();
const { root, intermediate, device, rootCertificate, intermediateCertificate, deviceCertificate } = people;

function ask(inputs: Partial<VerifyInputs> = {}, options: Partial<ChainVerifierOptions> = {}): ChainResult {
  return createChainVerifier({ provider: nodeProvider, trustAnchors: [rootCertificate], ...options }).verify({
    certificate: deviceCertificate,
    intermediates: [intermediateCertificate],
    purpose: "clientAuth",
    time: now,
    ...inputs,
  });
}

function codes(result: ChainResult): string {
  return result.ok
    ? "ok"
    : result.failures.map(({ code, certificateIndex }) => `${code}@${certificateIndex}`).join(" ");
}

function deviceWith(input: Partial<CertificateInput>): Uint8Array {
  return issue({ subject: device, issuer: intermediate, extensions: endEntity("clientAuth"), ...input });
}

function intermediateWith(input: Partial<CertificateInput>): Uint8Array {
  return issue({ subject: intermediate, issuer: root, extensions: authority(), ...input });
}

describe("a chain that holds", () => {
  const result = ask();

  test("is a VerifiedChain with its path, anchor, time and end", () => {
    if (!result.ok) throw new Error(codes(result));
    expect(result.path.map(({ encoding }) => encoding)).toEqual([deviceCertificate, intermediateCertificate]);
    expect(result.trustAnchor.certificate?.encoding).toEqual(rootCertificate);
    expect(result.time).toBe(now);
    expect(result.validUntil).toBe(now + 86_400);
    expect(result.warnings).toEqual([]);
    expect(result.checks).toContainEqual({ check: "signature", certificateIndex: 0 });
    expect(result.checks).toContainEqual({ check: "basicConstraints", certificateIndex: 1 });
    expect(result.policies).toEqual([]);
  });

  test("is explained by one line for each check", () => {
    if (!result.ok) throw new Error(codes(result));
    const lines = explainChain(result);
    expect(lines).toHaveLength(1 + result.checks.length);
    expect(lines[0]).toBe("accepted for clientAuth: CN=button-1 <- CN=Pizza Intermediate <- CN=Pizza Root");
    expect(lines).toContain(
      '  holds  "CN=button-1" (the certificate in question) is signed by the certificate above it (signature)',
    );
    expect(explainChain(result, { holding: false })).toHaveLength(1);
  });

  test("narrows by ok, and cannot be made by anybody else", () => {
    expectTypeOf<Extract<ChainResult, { ok: true }>>().toEqualTypeOf<VerifiedChain>();
    expectTypeOf<Extract<ChainResult, { ok: false }>>().toEqualTypeOf<RefusedChain>();
    const copy = Object.assign({ checks: [] }, result as Pick<VerifiedChain, keyof VerifiedChain>);
    // @ts-expect-error -- an object with the same fields is no proof
    const forged: VerifiedChain = copy;
    expect(forged).not.toBe(result);
  });

  test("holds whatever the order of the pool, with the root in it, and from parsed certificates", () => {
    const noise = issue({ subject: entity("Other"), issuer: entity("Nobody"), extensions: authority() });
    const intermediates = [noise, rootCertificate, intermediateCertificate];
    expect(codes(ask({ intermediates }))).toBe("ok");
    expect(codes(ask({ intermediates: intermediates.toReversed() }))).toBe("ok");
    const parsed = {
      certificate: parseCertificate(deviceCertificate),
      intermediates: [parseCertificate(intermediateCertificate)],
    };
    expect(codes(ask(parsed))).toBe("ok");
  });

  test("holds with an anchor that is name and key, and with the intermediate as anchor", () => {
    const { name, keys } = root;
    expect(codes(ask({}, { trustAnchors: [{ name, subjectPublicKeyInfo: keys.publicKey.spki }] }))).toBe("ok");
    expect(codes(ask({ intermediates: [] }, { trustAnchors: [intermediateCertificate] }))).toBe("ok");
  });

  test("can be had without a verifier to keep", () => {
    const result = verifyChain({
      provider: nodeProvider,
      trustAnchors: [rootCertificate],
      certificate: deviceCertificate,
      intermediates: [intermediateCertificate],
      purpose: "clientAuth",
      time: now + 0.9,
    });
    expect(result.ok && result.time).toBe(now);
  });

  test("holds by any provider", () => {
    expect(codes(ask({}, { provider: nobleProvider }))).toBe("ok");
    const stranger = entity("Pizza Intermediate");
    expect(codes(ask({ certificate: deviceWith({ signer: stranger.keys }) }, { provider: nobleProvider }))).toBe(
      "ERR_CHAIN_SIGNATURE@0",
    );
  });

  test("holds by intermediates that the verifier has at hand", () => {
    expect(codes(ask({ intermediates: [] }, { intermediates: [intermediateCertificate] }))).toBe("ok");
  });
});

describe("one thing wrong", () => {
  const stranger = entity("Pizza Intermediate");
  const brokenSignature = Uint8Array.from(deviceCertificate);
  brokenSignature[brokenSignature.length - 1]! ^= 1;

  const wrong: readonly [string, ChainFailureCode, number | undefined, Partial<VerifyInputs>][] = [
    ["a stranger's root", "ERR_CHAIN_NO_ISSUER", 0, { certificate: deviceWith({ issuer: entity("Stranger") }) }],
    ["no intermediate", "ERR_CHAIN_NO_ISSUER", 0, { intermediates: [] }],
    ["one bit of the signature", "ERR_CHAIN_SIGNATURE", 0, { certificate: brokenSignature }],
    ["another key of the same name", "ERR_CHAIN_SIGNATURE", 0, { certificate: deviceWith({ signer: stranger.keys }) }],
    ["bytes that are no certificate", "ERR_CHAIN_CERTIFICATE_MALFORMED", 0, { certificate: Uint8Array.of(0x30, 0x80) }],
    ["expired", "ERR_CHAIN_EXPIRED", 0, { certificate: deviceWith({ notAfter: now - 1 }) }],
    ["not yet valid", "ERR_CHAIN_NOT_YET_VALID", 0, { certificate: deviceWith({ notBefore: now + 1 }) }],
    ["intermediate expired", "ERR_CHAIN_EXPIRED", 1, { intermediates: [intermediateWith({ notAfter: now - 1 })] }],
    ["all expired", "ERR_CHAIN_EXPIRED", 0, { time: now + 86_401 }],
    [
      "an intermediate that is none",
      "ERR_CHAIN_NOT_A_CA",
      1,
      { intermediates: [intermediateWith({ extensions: endEntity("clientAuth") })] },
    ],
    ["an intermediate of version 1", "ERR_CHAIN_NOT_A_CA", 1, { intermediates: [intermediateWith({ version: 1 })] }],
    [
      "an intermediate that may not sign certificates",
      "ERR_CHAIN_KEY_USAGE",
      1,
      { intermediates: [intermediateWith({ extensions: authority({ usages: ["cRLSign"] }) })] },
    ],
    [
      "a server as client",
      "ERR_CHAIN_EXTENDED_KEY_USAGE",
      0,
      { certificate: deviceWith({ extensions: endEntity("serverAuth") }) },
    ],
    [
      "an intermediate for servers only",
      "ERR_CHAIN_EXTENDED_KEY_USAGE",
      1,
      {
        intermediates: [
          intermediateWith({
            extensions: authority({ more: [extension(extendedKeyUsage, [keyPurposes.serverAuth])] }),
          }),
        ],
      },
    ],
    [
      "an unknown critical extension",
      "ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION",
      0,
      { certificate: deviceWith({ extensions: [...endEntity("clientAuth"), unknownExtension(true)] }) },
    ],
    ["a path too long for the caller", "ERR_CHAIN_PATH_LENGTH", 1, { maximumPathLength: 0 }],
    [
      "a policy that is required and missing",
      "ERR_CHAIN_POLICY",
      undefined,
      {
        intermediates: [
          intermediateWith({
            extensions: authority({
              more: [extension(policyConstraints, { requireExplicitPolicy: 0, inhibitPolicyMapping: undefined }, true)],
            }),
          }),
        ],
      },
    ],
    [
      "a name that it does not bear",
      "ERR_CHAIN_REFERENCE_NAME",
      0,
      { referenceNames: [{ type: "dns", value: "example.com" }] },
    ],
    [
      "no key identifiers",
      "ERR_CHAIN_AUTHORITY_KEY_IDENTIFIER",
      0,
      { certificate: deviceWith({ keyIdentifiers: "none" }) },
    ],
    ["serial number zero", "ERR_CHAIN_SERIAL_NUMBER", 0, { certificate: deviceWith({ serialNumber: 0 }) }],
  ];

  test.each(wrong)("%s: %s", (_, code, certificateIndex, inputs) => {
    const result = ask(inputs);
    if (result.ok) throw new Error("accepted");
    expect(result.failures.map((found) => [found.code, found.certificateIndex])).toContainEqual([
      code,
      certificateIndex,
    ]);
    const line = explainChain(result).find((each) => each.includes(code));
    expect(line).toMatch(/^ {2}fails {2}.*\(ERR_CHAIN_\w+, .+\)$/);
    expect(result.failures.every(({ clause }) => clause.length > 0)).toBe(true);
  });

  test("an extension that is unknown and not critical does not matter", () => {
    const certificate = deviceWith({ extensions: [...endEntity("clientAuth"), unknownExtension(false)] });
    expect(codes(ask({ certificate }))).toBe("ok");
  });

  test("validity counts from its first second to its last", () => {
    const certificate = deviceWith({ notBefore: now - 10, notAfter: now + 10 });
    expect([now - 11, now - 10, now + 10, now + 10.999, now + 11].map((time) => ask({ certificate, time }).ok)).toEqual(
      [false, true, true, true, false],
    );
  });

  test("all that is wrong is reported, with evidence by the code", () => {
    const certificate = deviceWith({ extensions: endEntity("serverAuth"), notAfter: now - 5 });
    const result = ask({ certificate });
    expect(codes(result)).toBe("ERR_CHAIN_EXPIRED@0 ERR_CHAIN_EXTENDED_KEY_USAGE@0");
    const [first] = result.ok ? [] : result.failures;
    if (first?.code !== "ERR_CHAIN_EXPIRED") throw new Error("another code");
    expect(first.evidence).toEqual({
      notAfter: now - 5,
      notAfterDate: "2026-11-23T11:59:55Z",
      at: now,
      atDate: "2026-11-23T12:00:00Z",
    });
    expect(explainChain(result)[1]).toContain(
      "expired after 2026-11-23T11:59:55Z; the time asked about is 2026-11-23T12:00:00Z",
    );
  });

  test("a dead end says which name is missing, and what else is wrong", () => {
    const result = ask({ intermediates: [], certificate: deviceWith({ notAfter: now - 5 }) });
    expect(codes(result)).toBe("ERR_CHAIN_NO_ISSUER@0 ERR_CHAIN_EXPIRED@0");
    const elsewhere = ask(
      {},
      { trustAnchors: [issue({ subject: stranger, issuer: stranger, extensions: authority() })] },
    );
    expect(codes(elsewhere)).toBe("ERR_CHAIN_NO_ISSUER@1");
    expect(elsewhere.ok ? [] : elsewhere.tried[0]?.failures).toMatchObject([{ code: "ERR_CHAIN_SIGNATURE" }]);
    const untrusted = ask({}, { trustAnchors: [people.deviceCertificate] });
    expect(untrusted.ok ? undefined : untrusted.failures[0]?.evidence).toMatchObject({
      issuer: "CN=Pizza Root",
      isSelfIssued: false,
      hasCandidates: false,
      trustAnchors: ["CN=button-1"],
      trustAnchorCount: 1,
    });
    // With the root among the intermediates the path is shown up to it.
    const withRoot = ask(
      { intermediates: [intermediateCertificate, rootCertificate] },
      { trustAnchors: [people.deviceCertificate] },
    );
    expect(withRoot.ok ? [] : withRoot.path).toHaveLength(3);
    expect(withRoot.ok ? undefined : withRoot.failures[0]?.evidence).toMatchObject({ isSelfIssued: true });
  });

  test("an intermediate that cannot be read is named", () => {
    const malformed = Uint8Array.from(intermediateCertificate);
    // The extension's BOOLEAN 0xff becomes 0x01, which is no DER.
    const at = malformed.findIndex(
      (octet, index) => octet === 0x01 && malformed[index + 1] === 0x01 && malformed[index + 2] === 0xff,
    );
    malformed[at + 2] = 0x01;
    const result = ask({ intermediates: [malformed] });
    expect(codes(result)).toContain("ERR_CHAIN_CERTIFICATE_MALFORMED@1");
  });
});

describe("trust anchors", () => {
  const old = issue({ subject: root, issuer: root, extensions: authority(), notAfter: now - 1 });
  const short = issue({ subject: root, issuer: root, extensions: authority({ pathLenConstraint: 0 }) });
  const odd = issue({ subject: root, issuer: root, extensions: [unknownExtension(true)] });

  test("count with their validity and extensions, unless asked not to", () => {
    expect(codes(ask({}, { trustAnchors: [old] }))).toBe("ERR_CHAIN_ANCHOR_EXPIRED@2");
    expect(codes(ask({}, { trustAnchors: [old], anchor: { checkValidity: false } }))).toBe("ok");
    expect(codes(ask({}, { trustAnchors: [short] }))).toBe("ERR_CHAIN_PATH_LENGTH@1");
    expect(codes(ask({}, { trustAnchors: [short], anchor: { enforceConstraints: false } }))).toBe("ok");
    expect(codes(ask({}, { trustAnchors: [odd] }))).toContain("ERR_CHAIN_NOT_A_CA@2");
    expect(codes(ask({}, { trustAnchors: [odd] }))).toContain("ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION@2");
    expect(codes(ask({}, { trustAnchors: [odd], anchor: { enforceConstraints: false } }))).toBe("ok");
  });

  test("limit how long an answer stays true", () => {
    const soon = issue({ subject: root, issuer: root, extensions: authority(), notAfter: now + 60 });
    const until = (options: Partial<ChainVerifierOptions>): number => {
      const result = ask({}, { trustAnchors: [soon], ...options });
      return result.ok ? result.validUntil : 0;
    };
    expect(until({})).toBe(now + 60);
    expect(until({ anchor: { checkValidity: false } })).toBe(now + 86_400);
  });

  test("that are name and key can have name constraints", () => {
    const { name, keys } = root;
    const nameConstraints = {
      permittedSubtrees: [{ type: "directoryName" as const, value: entity("Pasta").name }],
      excludedSubtrees: undefined,
    };
    const anchor = { name, subjectPublicKeyInfo: keys.publicKey.spki, nameConstraints };
    expect(codes(ask({}, { trustAnchors: [anchor] }))).toContain("ERR_CHAIN_NAME_NOT_PERMITTED");
  });

  test("are no end entities, unless asked for", () => {
    const self = entity("lonely");
    const certificate = issue({
      subject: self,
      issuer: self,
      extensions: endEntity("serverAuth", [dns("lonely.example")]),
    });
    const inputs = {
      certificate,
      purpose: "serverAuth",
      referenceNames: [{ type: "dns", value: "lonely.example" }],
    } as const;
    expect(codes(ask(inputs, { trustAnchors: [certificate] }))).toContain("ERR_CHAIN_NOT_A_CA");
    const accepting = { trustAnchors: [certificate], anchor: { acceptAsEndEntity: true } };
    expect(codes(ask(inputs, accepting))).toBe("ok");
    expect(codes(ask({ ...inputs, purpose: "clientAuth" }, accepting))).toContain("ERR_CHAIN_EXTENDED_KEY_USAGE");
    expect(codes(ask({ ...inputs, time: now + 1e6 }, accepting))).toContain("ERR_CHAIN_EXPIRED");
    // Another certificate of the same name and key is not the anchor.
    const other = issue({ subject: self, issuer: self, extensions: endEntity("serverAuth", [dns("lonely.example")]) });
    expect(codes(ask({ ...inputs, certificate: other }, accepting))).not.toBe("ok");
  });

  test("that cannot be read are the caller's mistake; those with unusable keys are not", () => {
    expect(() => ask({}, { trustAnchors: [Uint8Array.of(1)] })).toThrow(ChainError);
    const spki = Uint8Array.from(parseSubjectPublicKeyInfo(root.keys.publicKey.spki).encoding);
    spki[spki.length - 1]! ^= 1;
    const offCurve = { name: root.name, subjectPublicKeyInfo: spki };
    expect(codes(ask({}, { trustAnchors: [offCurve] }))).toContain("ERR_CHAIN_ISSUER_KEY@2");
    expect(codes(ask({}, { trustAnchors: [offCurve, rootCertificate] }))).toBe("ok");
  });
});

describe("profiles", () => {
  const plain = deviceWith({ keyIdentifiers: "none", serialNumber: 0 });

  test("turn checks into errors, warnings or nothing", () => {
    expect(codes(ask({ certificate: plain }))).toContain("ERR_CHAIN_SERIAL_NUMBER");
    const device = ask({ certificate: plain }, { profile: "iotDevice" });
    expect(device.ok && device.warnings.map(({ code }) => code)).toEqual([
      "ERR_CHAIN_AUTHORITY_KEY_IDENTIFIER",
      "ERR_CHAIN_SERIAL_NUMBER",
    ]);
    const silent = ask({ certificate: plain }, { checks: everyCheck("off") });
    expect(silent.ok && silent.warnings).toEqual([]);
    expect(codes(ask({ certificate: plain }, { checks: { serialNumber: "warning" } }))).toBe(
      "ERR_CHAIN_AUTHORITY_KEY_IDENTIFIER@0",
    );
  });

  test("differ as their table says", () => {
    const asAuthority = { certificate: intermediateCertificate, intermediates: [] };
    expect(codes(ask(asAuthority))).toBe("ok");
    expect(codes(ask(asAuthority, { profile: "iotDevice" }))).toBe("ERR_CHAIN_END_ENTITY_IS_CA@0");
    const expected = Object.keys(everyCheck("off")).sort();
    for (const severities of Object.values(profiles)) expect(Object.keys(severities).sort()).toEqual(expected);
  });
});

describe("the caller's mistakes", () => {
  test.each([
    ["a time that is none", () => ask({ time: Number.NaN })],
    ["a path length below zero", () => ask({ maximumPathLength: -1 })],
    ["a DNS name in Unicode", () => ask({ referenceNames: [{ type: "dns", value: "bücher.example" }] })],
    ["an address that is none", () => ask({ referenceNames: [{ type: "ip", value: "1.2.3" }] })],
    ["a mailbox without a host", () => ask({ referenceNames: [{ type: "email", value: "somebody" }] })],
    ["a limit that is no number", () => ask({}, { limits: { ...defaultLimits, work: 1.5 } })],
    ["a limit below zero", () => ask({}, { limits: { ...defaultLimits, work: -1 } })],
    ["a purpose that does not exist", () => ask({ purpose: "serverauth" as never })],
    ["a purpose named like a member of every object", () => ask({ purpose: "toString" as never })],
    ["a policy that is none", () => ask({ policies: { initialPolicySet: ["1.2.3", "gold"] } })],
    ["a profile that does not exist", () => ask({}, { profile: "none" as never })],
  ])("%s", (_, act) => expect(act).toThrow(ChainError));

  test("are named with what there is", () => {
    expect(() => ask({ purpose: "serverauth" as never })).toThrow(
      'there is no purpose "serverauth"; there are clientAuth, serverAuth',
    );
    expect(() => ask({ policies: { initialPolicySet: ["gold"] } })).toThrow(
      'a policy of initialPolicySet: "gold" is no object identifier such as 2.5.29.17',
    );
  });

  test("a limit of 0 is a limit, not a mistake", () => {
    expect(codes(ask({}, { limits: { ...defaultLimits, work: 0 } }))).toContain("ERR_CHAIN_LIMIT");
  });
});
