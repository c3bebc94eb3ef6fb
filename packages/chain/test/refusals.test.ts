/** The reason that a refusal gives is the true one, and its text alone says what to mend. */

import { encodeOid } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificatePolicies,
  certificateToPem,
  extendedKeyUsage,
  type Extension,
  issueCertificateRevocationList,
  keyPurposes,
  makeName,
  parseCertificate,
  policyMappings,
} from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import {
  type ChainFailure,
  type ChainResult,
  type ChainVerifierOptions,
  createChainVerifier,
  describeFailure,
  everyCheck,
  explainChain,
  mendFailure,
  type VerifyInputs,
} from "../src/index.ts";
import { checkRevocation, type RevocationInputs } from "../src/revocation.ts";
import {
  authority,
  type CertificateInput,
  dns,
  endEntity,
  entity,
  extension,
  family,
  issue,
  newKeys,
  now,
  unknownExtension,
} from "./issuing.ts";

const { root, rootCertificate, intermediate, intermediateCertificate, device, deviceCertificate } = family();

function ask(inputs: Partial<VerifyInputs> = {}, options: Partial<ChainVerifierOptions> = {}): ChainResult {
  const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors: [rootCertificate], ...options });
  return verifier.verify({
    certificate: deviceCertificate,
    intermediates: [intermediateCertificate],
    purpose: "clientAuth",
    time: now,
    ...inputs,
  });
}

function firstOf(result: ChainResult): ChainFailure {
  const [first] = result.ok ? [] : result.failures;
  if (first === undefined) throw new Error("accepted");
  return first;
}

function deviceWith(input: Partial<CertificateInput>): Uint8Array {
  return issue({ subject: device, issuer: intermediate, extensions: endEntity("clientAuth"), ...input });
}

function intermediateWith(input: Partial<CertificateInput>): Uint8Array {
  return issue({ subject: intermediate, issuer: root, extensions: authority(), ...input });
}

/** Octets of DER, with those of `search` replaced where they stand first. */
function replaced(der: Uint8Array, search: readonly number[], replacement: readonly number[]): Uint8Array {
  const at = der.findIndex((_, index) => search.every((octet, offset) => der[index + offset] === octet));
  if (at < 0) throw new Error("nothing to replace");
  const changed = Uint8Array.from(der);
  changed.set(replacement, at);
  return changed;
}

describe("a critical extension that is not understood", () => {
  const qualifier = encodeOid("1.3.6.1.4.1.55738.1");
  const policies = (policyQualifierId: Uint8Array, critical: boolean): Extension =>
    extension(
      certificatePolicies,
      [
        {
          policyIdentifier: encodeOid("1.3.6.1.4.1.32473.1"),
          policyQualifiers: [{ policyQualifierId, qualifier: Uint8Array.of(0x16, 0x01, 0x61) }],
        },
      ],
      critical,
    );

  test.each(["rfc5280", "webpki", "iotDevice"] as const)(
    "%s: certificatePolicies with an unknown qualifier",
    (profile) => {
      const asking = (more: Extension): string[] => {
        const certificate = deviceWith({ extensions: endEntity("clientAuth", [dns("a.example")], [more]) });
        const result = ask({ certificate }, { profile });
        return result.ok ? [] : result.failures.map(({ code }) => code);
      };
      expect(asking(policies(qualifier, true))).toContain("ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION");
      expect(asking(policies(qualifier, false))).toEqual([]);
      // A CPS pointer is understood.
      expect(asking(policies(encodeOid("1.3.6.1.5.5.7.2.1"), true))).toEqual([]);
    },
  );

  test.each([
    ["a notice that holds a number", "1.3.6.1.5.5.7.2.2", [0x30, 0x03, 0x02, 0x01, 0x01], false],
    ["a notice whose text is no UTF-8", "1.3.6.1.5.5.7.2.2", [0x30, 0x03, 0x0c, 0x01, 0xff], false],
    [
      "a notice with something behind its text",
      "1.3.6.1.5.5.7.2.2",
      [0x30, 0x06, 0x0c, 0x01, 0x61, 0x0c, 0x01, 0x61],
      false,
    ],
    ["a pointer that is no ASCII", "1.3.6.1.5.5.7.2.1", [0x16, 0x01, 0xff], false],
    [
      "a notice of an organization that is no text",
      "1.3.6.1.5.5.7.2.2",
      [0x30, 0x0a, 0x30, 0x08, 0x04, 0x01, 0x61, 0x30, 0x03, 0x02, 0x01, 0x01],
      false,
    ],
    ["an empty notice", "1.3.6.1.5.5.7.2.2", [0x30, 0x00], true],
    ["a notice with a text", "1.3.6.1.5.5.7.2.2", [0x30, 0x03, 0x0c, 0x01, 0x61], true],
    [
      "a notice with a reference and a text",
      "1.3.6.1.5.5.7.2.2",
      [0x30, 0x0d, 0x30, 0x08, 0x0c, 0x01, 0x61, 0x30, 0x03, 0x02, 0x01, 0x01, 0x0c, 0x01, 0x62],
      true,
    ],
  ] as const)("a qualifier is understood where it can be read: %s", (_, id, value, isUnderstood) => {
    const policyQualifiers = [{ policyQualifierId: encodeOid(id), qualifier: Uint8Array.from(value) }];
    const asking = (critical: boolean): ChainResult => {
      const of = [{ policyIdentifier: encodeOid("1.2.3"), policyQualifiers }];
      return ask({
        certificate: deviceWith({
          extensions: endEntity("clientAuth", [], [extension(certificatePolicies, of, critical)]),
        }),
      });
    };
    expect(asking(false).ok).toBe(true);
    const result = asking(true);
    expect(result.ok).toBe(isUnderstood);
    if (!result.ok) {
      expect(firstOf(result).evidence).toMatchObject({
        name: "certificatePolicies",
        part: `the policy qualifier ${id}`,
      });
    }
  });

  test("in an intermediate, with the part that is not understood", () => {
    const result = ask({
      intermediates: [intermediateWith({ extensions: authority({ more: [policies(qualifier, true)] }) })],
    });
    const first = firstOf(result);
    expect(first).toMatchObject({
      code: "ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION",
      certificateIndex: 1,
      evidence: { oid: "2.5.29.32", name: "certificatePolicies", part: "the policy qualifier 1.3.6.1.4.1.55738.1" },
    });
  });

  test.each([
    ["a list of signed certificate timestamps", "1.3.6.1.4.1.11129.2.4.2", Uint8Array.of(0x04, 0x02, 0x00, 0x00)],
    ["a TLS feature", "1.3.6.1.5.5.7.1.24", Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x05)],
    ["the poison of a precertificate", "1.3.6.1.4.1.11129.2.4.3", Uint8Array.of(0x05, 0x00)],
  ])("%s", (_, oid, value) => {
    const more = { oid: encodeOid(oid), critical: true, value, valueOffset: 0 };
    const result = ask({ certificate: deviceWith({ extensions: endEntity("clientAuth", [], [more]) }) });
    expect(firstOf(result).code).toMatch(/ERR_CHAIN_(UNKNOWN_CRITICAL_EXTENSION|CERTIFICATE_MALFORMED)/);
  });
});

test("webpki: a root that is limited to a purpose is refused, with what is wrong", () => {
  const root = entity("Limited Root");
  const device = entity("button-2");
  const verify = (more: readonly Extension[], profile: "webpki" | "rfc5280"): readonly string[] => {
    const result = createChainVerifier({
      provider: nodeProvider,
      trustAnchors: [issue({ subject: root, issuer: root, extensions: authority({ more }) })],
      profile,
    }).verify({
      certificate: issue({
        subject: device,
        issuer: root,
        extensions: endEntity("clientAuth", [{ type: "dNSName", value: "a.example" }]),
      }),
      purpose: "clientAuth",
      time: now,
    });
    return result.ok ? [] : result.failures.map(({ code }) => code);
  };
  const usage = extension(extendedKeyUsage, [keyPurposes.clientAuth]);
  expect(verify([], "webpki")).not.toContain("ERR_CHAIN_EXTENDED_KEY_USAGE_FORM");
  expect(verify([usage], "webpki")).toContain("ERR_CHAIN_EXTENDED_KEY_USAGE_FORM");
  expect(verify([usage], "rfc5280")).toEqual([]);
});

describe("an intermediate that cannot be read is named as malformed, with its place", () => {
  const twice = intermediateWith({ extensions: [...authority(), ...authority().slice(0, 1)] });
  const emptyConstraints = intermediateWith({
    extensions: authority({
      more: [{ oid: Uint8Array.of(0x55, 0x1d, 30), critical: true, value: Uint8Array.of(0x30, 0x00), valueOffset: 0 }],
    }),
  });
  // The signature's BIT STRING says that one bit of it is unused.
  const signatureAt =
    intermediateCertificate.length - parseCertificate(intermediateCertificate).signatureValue.length - 1;
  const unusedBit = Uint8Array.from(intermediateCertificate);
  unusedBit[signatureAt] = 1;

  test.each([
    ["two basicConstraints", twice, "ERR_X509_DUPLICATE_EXTENSION"],
    ["an empty nameConstraints", emptyConstraints, "ERR_X509_EMPTY_LIST"],
    ["an unused bit in the signature", unusedBit, "ERR_X509_MALFORMED"],
    ["octets after the end", Uint8Array.from([...intermediateCertificate, 0]), "ERR_X509_MALFORMED"],
    ["octets that are no certificate", Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x01), "ERR_X509_MALFORMED"],
  ])("%s", (_, malformed, reason) => {
    const other = issue({ subject: entity("Other"), issuer: root, extensions: authority() });
    const first = firstOf(ask({ intermediates: [other, malformed] }));
    expect(first).toMatchObject({
      code: "ERR_CHAIN_CERTIFICATE_MALFORMED",
      certificateIndex: 1,
      evidence: { reason, source: "intermediates", position: 1 },
    });
    expect(describeFailure(first)).toContain("one of the intermediates given, number 2");
    // The verifier's own pool likewise.
    const own = firstOf(ask({ intermediates: [] }, { intermediates: [malformed] }));
    expect(own).toMatchObject({ evidence: { reason, source: "verifier", position: 0 } });
    // Beside one that can be read it does not matter.
    expect(ask({ intermediates: [malformed, intermediateCertificate] }).ok).toBe(true);
  });
});

describe("an intermediate that cannot be an issuer is named with its reason, not as missing", () => {
  test.each([
    ["expired", { notAfter: now - 1 }, "ERR_CHAIN_EXPIRED"],
    ["of the future", { notBefore: now + 1 }, "ERR_CHAIN_NOT_YET_VALID"],
    ["no authority", { extensions: endEntity("clientAuth") }, "ERR_CHAIN_NOT_A_CA"],
    ["of version 1", { extensions: [], version: 1 }, "ERR_CHAIN_NOT_A_CA"],
    ["not for signing", { extensions: authority({ usages: ["cRLSign"] }) }, "ERR_CHAIN_KEY_USAGE"],
    [
      "for another purpose",
      { extensions: [...authority(), ...endEntity("serverAuth").slice(1)] },
      "ERR_CHAIN_EXTENDED_KEY_USAGE",
    ],
    [
      "with an unknown critical extension",
      { extensions: authority({ more: [unknownExtension(true)] }) },
      "ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION",
    ],
  ] as const)("%s", (_, input, code) => {
    const unfit = intermediateWith(input);
    const result = ask({ intermediates: [unfit] }, { checks: everyCheck("off") });
    const codes = result.ok ? [] : result.failures.map((found) => `${found.code}@${found.certificateIndex}`);
    expect(codes).toContain(`${code}@1`);
    // Another certificate of the same authority is taken instead, in either order.
    expect(ask({ intermediates: [unfit, intermediateCertificate] }).ok).toBe(true);
    expect(ask({ intermediates: [intermediateCertificate, unfit] }).ok).toBe(true);
  });
});

describe("revocation", () => {
  const signer = { certificate: parseCertificate(intermediateCertificate), privateKey: intermediate.keys.privateKey };
  const serialNumber = Uint8Array.of(0x07);
  const certificate = deviceWith({ serialNumber: 7 });

  function list(nextUpdate: number, revoked: readonly Uint8Array[] = []): Uint8Array {
    return issueCertificateRevocationList({
      provider: nodeProvider,
      issuer: signer,
      thisUpdate: now - 100,
      nextUpdate,
      number: 1,
      entries: revoked.map((each) => ({
        serialNumber: each,
        revocationDate: now - 50,
        reason: "keyCompromise" as const,
      })),
    }).encoding;
  }

  function under(inputs: Partial<RevocationInputs>): ChainResult {
    return ask({ certificate, revocation: checkRevocation({ mode: "hard", ...inputs }) });
  }

  test("a revoked device is said to be that before an authority whose list is missing", () => {
    const result = under({ revocationLists: [list(now + 100, [serialNumber])] });
    expect(result.ok ? [] : result.failures.map((found) => `${found.code}@${found.certificateIndex}`)).toEqual([
      "ERR_CHAIN_REVOKED@0",
      "ERR_CHAIN_REVOCATION_UNKNOWN@1",
    ]);
  });

  test("an unknown status has reasons", () => {
    const reasons = (inputs: Partial<RevocationInputs>): string[] => {
      const result = under({ scope: "endEntity", ...inputs });
      const first = firstOf(result);
      if (first.code !== "ERR_CHAIN_REVOCATION_UNKNOWN") throw new Error(first.code);
      expect(describeFailure(first).length).toBeGreaterThan(20);
      return first.evidence.reasons.map(({ code }) => code);
    };
    const foreign = issueCertificateRevocationList({
      provider: nodeProvider,
      issuer: { certificate: parseCertificate(rootCertificate), privateKey: root.keys.privateKey },
      thisUpdate: now - 100,
      nextUpdate: now + 100,
      number: 1,
      entries: [],
    });
    expect(reasons({})).toEqual(["ERR_REVOCATION_NO_SOURCE"]);
    expect(reasons({ revocationLists: [foreign] })).toEqual(["ERR_REVOCATION_NO_SOURCE"]);
    expect(reasons({ revocationLists: [list(now - 1)] })).toEqual(["ERR_REVOCATION_LIST_STALE"]);
    expect(reasons({ revocationLists: [Uint8Array.of(0x30, 0x00)] })).toEqual(["ERR_REVOCATION_LIST_MALFORMED"]);
    expect(reasons({ revocationLists: [list(now + 100)], maximumAgeSeconds: 10 })).toEqual([
      "ERR_REVOCATION_LIST_TOO_OLD",
    ]);
    expect(reasons({ ocspResponses: [Uint8Array.of(0x30, 0x03, 0x0a, 0x01, 0x03)] })).toEqual([
      "ERR_REVOCATION_OCSP_STATUS",
    ]);
    expect(reasons({ check: () => "unknown" })).toEqual(["ERR_REVOCATION_HOOK_UNKNOWN"]);
  });

  test("what a list names is revoked also where the list is stale or has an entry that cannot be read, in soft mode", () => {
    const soft = (der: Uint8Array): string[] => {
      const result = under({ mode: "soft", scope: "endEntity", revocationLists: [der] });
      return result.ok ? result.warnings.map(({ code }) => code) : result.failures.map(({ code }) => code);
    };
    expect(soft(list(now - 1, [serialNumber]))).toEqual(["ERR_CHAIN_REVOKED"]);
    expect(soft(list(now - 1))).toEqual(["ERR_CHAIN_REVOCATION_UNKNOWN"]);
    expect(soft(list(now + 100, [Uint8Array.of(0x08)]))).toEqual([]);
    // reasonCode keyCompromise, an ENUMERATED 1, becomes 7, which there is not: of all entries, so the list is signed again.
    const broken = (revoked: readonly Uint8Array[]): Uint8Array => resigned(list(now + 100, revoked));
    expect(soft(broken([Uint8Array.of(0x08)]))).toEqual(["ERR_CHAIN_REVOCATION_UNKNOWN"]);
    expect(soft(broken([Uint8Array.of(0x08), serialNumber]))).toEqual(["ERR_CHAIN_REVOKED"]);
  });

  /** The list with its first reasonCode changed to one that does not exist, signed again. */
  function resigned(der: Uint8Array): Uint8Array {
    const changed = replaced(der, [0x0a, 0x01, 0x01], [0x0a, 0x01, 0x07]);
    // SEQUENCE { tbsCertList, AlgorithmIdentifier of 12 octets, BIT STRING }.
    const tbsStart = (changed[1] ?? 0) < 0x80 ? 2 : 2 + ((changed[1] ?? 0) & 0x7f);
    const lengthAt = tbsStart + 1;
    const octet = changed[lengthAt] ?? 0;
    const longOctets = octet < 0x80 ? 0 : octet & 0x7f;
    let length = octet;
    if (longOctets > 0) {
      length = 0;
      for (let index = 1; index <= longOctets; index++) length = length * 256 + (changed[lengthAt + index] ?? 0);
    }
    const tbs = changed.subarray(tbsStart, lengthAt + 1 + longOctets + length);
    const signature = nodeProvider.sign(intermediate.keys.privateKey, { name: "ecdsa", hash: "SHA-256" }, tbs);
    const algorithm = changed.subarray(tbsStart + tbs.length, tbsStart + tbs.length + 12);
    const body = Uint8Array.from([...tbs, ...algorithm, 0x03, signature.length + 1, 0x00, ...signature]);
    return Uint8Array.from([0x30, 0x82, body.length >> 8, body.length & 0xff, ...body]);
  }
});

describe("a refusal can be mended from its text", () => {
  const stranger = entity("Stranger Root");
  const strangerRoot = issue({ subject: stranger, issuer: stranger, extensions: authority() });
  const remade = entity("Pizza Root", newKeys());
  const remadeRoot = issue({ subject: remade, issuer: remade, extensions: authority() });
  const narrow = intermediateWith({
    extensions: authority({
      nameConstraints: { permittedSubtrees: [dns("pizza.example"), dns("pasta.example")], excludedSubtrees: undefined },
    }),
  });
  const excluding = intermediateWith({
    extensions: authority({
      nameConstraints: { permittedSubtrees: undefined, excludedSubtrees: [dns("evil.example")] },
    }),
  });
  const named = (name: string): Uint8Array => deviceWith({ extensions: endEntity("clientAuth", [dns(name)]) });
  const shortRoot = issue({ subject: root, issuer: root, extensions: authority({ pathLenConstraint: 0 }) });
  const gold = "1.3.6.1.4.1.32473.1";
  const mapsAny = extension(policyMappings, [
    { issuerDomainPolicy: encodeOid(gold), subjectDomainPolicy: encodeOid("2.5.29.32.0") },
  ]);

  /** What is asked, and what the text has to say. */
  const refusals: readonly (readonly [string, () => ChainResult, readonly string[]])[] = [
    [
      "an untrusted root",
      () => ask({ intermediates: [intermediateCertificate, rootCertificate] }, { trustAnchors: [strangerRoot] }),
      ["CN=button-1 <- CN=Pizza Intermediate <- CN=Pizza Root", "no trust anchor", '"CN=Stranger Root"'],
    ],
    [
      "a missing intermediate",
      () => ask({ intermediates: [] }),
      ['"CN=Pizza Intermediate"', "key identifier", "Send the certificate of", '"CN=Pizza Root"'],
    ],
    ["expired", () => ask({ time: now + 100_000 }), ["2026-11-24T12:00:00Z", "2026-11-24T15:46:40Z", "Renew"]],
    ["not yet valid", () => ask({ time: now - 100_000 }), ["is valid from 2026-11-22T12:00:00Z on", "Wait until"]],
    [
      "another purpose",
      () => ask({ purpose: "serverAuth" }),
      ["is for the purposes clientAuth; serverAuth is needed", "with serverAuth in its extendedKeyUsage"],
    ],
    [
      "another name",
      () =>
        ask({
          certificate: named("a.example"),
          referenceNames: [{ type: "dns", value: "b.example" }],
        }),
      ['is for "a.example"; "b.example" is asked for', "subjectAltName"],
    ],
    [
      "a name that is not permitted",
      () => ask({ certificate: named("other.example"), intermediates: [narrow] }),
      ['"other.example"', '"CN=Pizza Intermediate" permit "pizza.example", "pasta.example"', "add"],
    ],
    [
      "a name that is excluded",
      () => ask({ certificate: named("a.evil.example"), intermediates: [excluding] }),
      ['"a.evil.example"', 'exclude "evil.example"'],
    ],
    [
      "too long a path",
      () => ask({}, { trustAnchors: [shortRoot] }),
      ["makes 1 intermediate certificates below", '"CN=Pizza Root"', "pathLenConstraint allows 0", "of 1 or more"],
    ],
    [
      "too long a path for the caller",
      () => ask({ maximumPathLength: 0 }),
      ["maximumPathLength allows 0", "Set maximumPathLength to 1"],
    ],
    [
      "a root made again under its old name",
      () => ask({}, { trustAnchors: [remadeRoot] }),
      ["was signed by the key", "the certificate of that name which is at hand has the key", "Use the certificate of"],
    ],
    [
      "a changed certificate",
      () =>
        ask({ certificate: replaced(deviceCertificate, [...Buffer.from("button-1")], [...Buffer.from("button-2")]) }),
      ['was not made by the key of "CN=Pizza Intermediate"', "changed after signing"],
    ],
    [
      "no policy",
      () => ask({ policies: { requireExplicitPolicy: true, initialPolicySet: [gold] } }),
      ["has no certificate policies", gold, "with the policy"],
    ],
    [
      "anyPolicy mapped",
      () =>
        ask({
          intermediates: [
            intermediateWith({
              extensions: authority({
                more: [
                  extension(certificatePolicies, [{ policyIdentifier: encodeOid(gold), policyQualifiers: [] }]),
                  mapsAny,
                ],
              }),
            }),
          ],
        }),
      ["maps anyPolicy", "2.5.29.32.0"],
    ],
    [
      "no certificate authority",
      () => ask({ intermediates: [intermediateWith({ extensions: endEntity("clientAuth") })] }),
      ['"CN=Pizza Intermediate" (intermediate 1)', "no certificate authority", "basicConstraints cA TRUE"],
    ],
    [
      "a weak key",
      () =>
        ask(
          { certificate: deviceWith({ subject: { name: device.name, keys: weakKeys() } }) },
          { profile: "iotDevice" },
        ),
      ["1.3.101.110", "accepted are RSA of 2048 bits or more", "Make a new key"],
    ],
    [
      "a limit",
      () => ask({}, { limits: { certificateOctets: 100 } }),
      ["certificateOctets is 100", "set limits.certificateOctets to"],
    ],
    [
      "an unknown status",
      () => ask({ revocation: checkRevocation({ mode: "hard" }) }),
      ['no revocation list and no OCSP response of "CN=Pizza Root" was given', 'mode "soft"'],
    ],
    [
      "a critical extension",
      () => ask({ certificate: deviceWith({ extensions: endEntity("clientAuth", [], [unknownExtension(true)]) }) }),
      ["1.3.6.1.4.1.55738.666.1", "not understood", "not critical"],
    ],
    [
      "a serial number",
      () => ask({ certificate: deviceWith({ serialNumber: 0 }) }),
      ["has a serial number that is zero; it has to be positive", "at most 20 octets"],
    ],
  ];

  function weakKeys(): ReturnType<typeof newKeys> {
    return nodeProvider.generateKeyPair({ name: "x25519" });
  }

  test.each(refusals)("%s", (_, act, words) => {
    const result = act();
    if (result.ok) throw new Error("accepted");
    const lines = explainChain(result);
    const text = lines.join("\n");
    for (const word of words) expect(text).toContain(word);
    // The last line says what mends it; checks that hold are not listed unless they are asked for.
    expect(lines.at(-1)).toBe(`  mend   ${mendFailure(firstOf(result))}`);
    expect(text).not.toContain("  holds  ");
    expect(explainChain(result, { holding: true }).length).toBeGreaterThanOrEqual(lines.length);
    // No certificate is only a number.
    expect(text).not.toMatch(/certificate \d/);
  });

  test("certificates of one name are told apart by their keys", () => {
    const second = entity("Pizza Root");
    const crossed = issue({ subject: second, issuer: root, extensions: authority() });
    const certificate = issue({ subject: device, issuer: second, extensions: endEntity("serverAuth") });
    const [head] = explainChain(ask({ certificate, intermediates: [crossed] }));
    expect(head).toMatch(/CN=button-1 <- CN=Pizza Root \[key [0-9a-f]{40}\] <- CN=Pizza Root \[key [0-9a-f]{40}\]/);
  });

  test("long names are cut, so that a peer does not fill a log", () => {
    const longName = makeName([{ type: "CN", value: "\u{1f355}".repeat(3000) }]);
    const long = { name: longName, keys: newKeys() };
    const certificate = issue({
      subject: long,
      issuer: { ...long, keys: root.keys },
      extensions: endEntity("clientAuth"),
    });
    const asked = [
      ask({ certificate }),
      ask({
        certificate: issue({
          subject: long,
          issuer: root,
          extensions: endEntity("serverAuth", [dns("a".repeat(60_000))]),
        }),
      }),
      ask({ certificate: named(`${"a".repeat(60_000)}.evil.example`), intermediates: [excluding] }),
    ];
    for (const result of asked) {
      const lines = explainChain(result, { holding: true });
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(2000);
      expect(lines.join("\n").isWellFormed()).toBe(true);
      expect(lines.join("\n")).toMatch(/\(\d+ characters\)/);
    }
  });

  test("a certificate that cannot be read, or is on hold, has a next step that fits", () => {
    const text = new TextEncoder().encode(certificateToPem(parseCertificate(deviceCertificate)));
    const [, fails, mend] = explainChain(ask({ certificate: text }));
    expect(fails).toMatch(/^ {2}fails {2}the certificate in question cannot be read: .*the input is text, not DER/);
    expect(mend).toBe(
      "  mend   Give the certificate in question whole and in DER (certificatesFromPem of @latchkey/x509 reads PEM), or have it issued again.",
    );
    const { serialNumber } = parseCertificate(deviceCertificate);
    const held = issueCertificateRevocationList({
      provider: nodeProvider,
      issuer: { certificate: parseCertificate(intermediateCertificate), privateKey: intermediate.keys.privateKey },
      thisUpdate: now - 10,
      nextUpdate: now + 10,
      number: 1,
      entries: [{ serialNumber, revocationDate: now - 10, reason: "certificateHold" }],
    });
    const revocation = checkRevocation({ mode: "hard", scope: "endEntity", revocationLists: [held] });
    expect(explainChain(ask({ revocation })).at(-1)).toMatch(/is on hold: ask its issuer to release it/);
    const byHook = checkRevocation({ mode: "hard", check: () => "unknown" });
    expect(explainChain(ask({ revocation: byHook })).at(-1)).toMatch(
      /Let your own check know the certificate, or give/,
    );
  });

  test("names are text, whatever is in them", () => {
    const odd = { name: makeName([{ type: "CN", value: "a,b\n" }]), keys: newKeys() };
    const lines = explainChain(ask({ certificate: issue({ subject: odd, issuer: entity("Nobody") }) }));
    expect(lines.every((line) => !line.includes("\n"))).toBe(true);
  });
});
