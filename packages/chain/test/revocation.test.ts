/** Revocation along a path: lists of every kind, the caller's own check, soft and hard. */

import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateIssuer,
  cRLDistributionPoints,
  type CertificateRevocationList,
  type DistributionPoint,
  deltaCRLIndicator,
  type Extension,
  type GeneralName,
  issueCertificateRevocationList,
  type IssuingDistributionPoint,
  issuingDistributionPoint,
  parseCertificate,
  parseCertificateRevocationList,
  type ReasonFlag,
  type RevocationReason,
} from "@latchkey/x509";
import { encodeDer } from "@latchkey/asn1";
import { defaultSignatureAlgorithm, encodeSignatureAlgorithm } from "@latchkey/crypto";
import { describe, expect, test } from "vitest";
import { type ChainResult, createChainVerifier, type VerifyInputs } from "../src/index.ts";
import { checkRevocation, type RevocationInputs } from "../src/revocation.ts";
import { authority, endEntity, entity, type Entity, extension, family, issue, now, listScope } from "./issuing.ts";

const { root, intermediate, device, rootCertificate, intermediateCertificate } = family();
const uri = (value: string): GeneralName => ({ type: "uniformResourceIdentifier", value });

interface ListInput {
  readonly issuer: Entity;
  readonly certificate: Uint8Array;
  readonly revoked?: readonly (readonly [serialNumber: number | Uint8Array, reason?: RevocationReason])[];
  readonly number?: number;
  readonly thisUpdate?: number;
  readonly nextUpdate?: number;
  readonly extensions?: readonly Extension[];
}

function list(input: ListInput): CertificateRevocationList {
  return issueCertificateRevocationList({
    provider: nodeProvider,
    issuer: { certificate: parseCertificate(input.certificate), privateKey: input.issuer.keys.privateKey },
    thisUpdate: input.thisUpdate ?? now - 100,
    nextUpdate: input.nextUpdate ?? now + 100,
    number: input.number ?? 1,
    entries: (input.revoked ?? []).map(([serialNumber, reason]) => ({
      serialNumber: typeof serialNumber === "number" ? Uint8Array.of(serialNumber) : serialNumber,
      revocationDate: now - 50,
      reason,
    })),
    extensions: input.extensions,
  });
}

const rootList = list({ issuer: root, certificate: rootCertificate });

function byIntermediate(input: Partial<ListInput> = {}): CertificateRevocationList {
  return list({ issuer: intermediate, certificate: intermediateCertificate, ...input });
}

function deviceOf(serialNumber: number, points?: readonly DistributionPoint[]): Uint8Array {
  const more = points === undefined ? [] : [extension(cRLDistributionPoints, points)];
  return issue({ subject: device, issuer: intermediate, serialNumber, extensions: endEntity("clientAuth", [], more) });
}

const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors: [rootCertificate] });

function ask(
  revocationLists: readonly (CertificateRevocationList | Uint8Array)[],
  inputs: Partial<VerifyInputs> = {},
  revocation: Partial<RevocationInputs> = {},
): ChainResult {
  return verifier.verify({
    certificate: deviceOf(7),
    intermediates: [intermediateCertificate],
    purpose: "clientAuth",
    time: now,
    revocation: checkRevocation({ mode: "hard", revocationLists, ...revocation }),
    ...inputs,
  });
}

function verdictOf(result: ChainResult): string {
  return result.ok
    ? "ok"
    : result.failures.map(({ code, certificateIndex }) => `${code}@${certificateIndex}`).join(" ");
}

const revoked = "ERR_CHAIN_REVOKED@0";
const unknown = "ERR_CHAIN_REVOCATION_UNKNOWN@0";

/** The intermediate's list of these serial numbers; one octet of the entry of 6 changed, and signed again. */
function withFault(octet: number, value: number, serials: readonly number[]): Uint8Array {
  const whole = byIntermediate({ revoked: serials.map((serial) => [serial] as const) });
  const entry = whole.revokedCertificates.find(Uint8Array.of(6));
  const tbs = whole.tbsCertList.slice();
  tbs[(entry?.serialNumber.byteOffset ?? 0) - 4 - whole.tbsCertList.byteOffset + octet] = value;
  const algorithm = defaultSignatureAlgorithm(intermediate.keys.privateKey.algorithm);
  return encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.encoded(tbs);
      fields.encoded(encodeSignatureAlgorithm(algorithm));
      fields.bitString(nodeProvider.sign(intermediate.keys.privateKey, algorithm, tbs));
    });
  });
}

describe("a list with an entry that has a structural fault", () => {
  const faults: readonly (readonly [string, number, number])[] = [
    ["another tag than SEQUENCE", 0, 0x31],
    ["a serial number that is a BOOLEAN", 2, 0x01],
    ["a serial number without content", 3, 0x00],
    ["a date with a letter", 8, 0x41],
  ];
  test.each(faults)("refuses what the other entries name, and calls nothing good: %s", (_, octet, value) => {
    for (const parse of [(der: Uint8Array) => der, unchecked]) {
      const naming = parse(withFault(octet, value, [5, 6, 7]));
      for (const mode of ["hard", "soft"] as const)
        expect(verdictOf(ask([rootList, naming], {}, { mode }))).toBe(revoked);
      const silent = parse(withFault(octet, value, [5, 6, 8]));
      expect(verdictOf(ask([rootList, silent]))).toBe(unknown);
      const soft = ask([rootList, silent], {}, { mode: "soft" });
      expect(soft.ok && soft.warnings.map(({ code }) => code)).toEqual(["ERR_CHAIN_REVOCATION_UNKNOWN"]);
    }
  });

  test("refuses the certificate that the faulty entry names, and not good where that entry hides its serial number", () => {
    const certificate = deviceOf(6);
    expect(verdictOf(ask([rootList, withFault(8, 0x41, [5, 6])], { certificate }))).toBe(revoked);
    expect(verdictOf(ask([rootList, withFault(2, 0x01, [5, 6])], { certificate }))).toBe(unknown);
  });
});

function unchecked(der: Uint8Array): CertificateRevocationList {
  return parseCertificateRevocationList(der, { checkContents: false });
}

describe("complete lists", () => {
  test("say the status of each certificate of the path, with date and reason", () => {
    const result = ask([rootList, byIntermediate({ revoked: [[7, "keyCompromise"]] })]);
    expect(verdictOf(result)).toBe(revoked);
    expect(result.ok ? undefined : result.failures[0]?.evidence).toEqual({
      source: "crl",
      reason: "keyCompromise",
      revokedAt: now - 50,
      revokedAtDate: "2026-11-23T11:59:10Z",
    });
    const good = ask([rootList, byIntermediate({ revoked: [[8]] })]);
    expect(verdictOf(good)).toBe("ok");
    expect(good.ok && good.validUntil).toBe(now + 100);
    const { serialNumber } = parseCertificate(intermediateCertificate);
    const revokedIntermediate = list({ issuer: root, certificate: rootCertificate, revoked: [[serialNumber]] });
    expect(verdictOf(ask([revokedIntermediate, byIntermediate()]))).toBe("ERR_CHAIN_REVOKED@1");
    expect(verdictOf(ask([revokedIntermediate, byIntermediate()], {}, { scope: "endEntity" }))).toBe("ok");
  });

  test("count as bytes as they do parsed", () => {
    expect(verdictOf(ask([rootList.encoding, byIntermediate({ revoked: [[7]] }).encoding]))).toBe(revoked);
  });

  test("that are missing, old, early, by others or tampered with say nothing: hard refuses, soft warns", () => {
    const tampered = Uint8Array.from(byIntermediate().encoding);
    tampered[tampered.length - 1]! ^= 1;
    const stranger = entity("Pizza Intermediate");
    const strangers = issue({ subject: stranger, issuer: stranger, extensions: authority() });
    const useless: (CertificateRevocationList | Uint8Array)[][] = [
      [],
      [byIntermediate({ nextUpdate: now - 1 })],
      [byIntermediate({ thisUpdate: now + 1 })],
      [parseCertificateRevocationList(tampered)],
      [list({ issuer: stranger, certificate: strangers })],
      [Uint8Array.of(0x30, 0x00)],
    ];
    for (const lists of useless) {
      expect(verdictOf(ask([rootList, ...lists]))).toBe(unknown);
      const soft = ask([rootList, ...lists], {}, { mode: "soft" });
      expect(soft.ok && soft.warnings.map(({ code }) => code)).toEqual(["ERR_CHAIN_REVOCATION_UNKNOWN"]);
    }
    expect(verdictOf(ask([rootList, byIntermediate()], {}, { maximumAgeSeconds: 99 }))).toContain(unknown);
    // A good list beside a useless one is enough.
    expect(verdictOf(ask([rootList, ...useless.flat(), byIntermediate()]))).toBe("ok");
  });

  test("count from their first second to their last, and for as long as the youngest limit says", () => {
    const until = (made: CertificateRevocationList, age?: number): number | string => {
      const inputs = age === undefined ? {} : { maximumAgeSeconds: age };
      const result = ask([made], {}, { scope: "endEntity", ...inputs });
      return result.ok ? result.validUntil : verdictOf(result);
    };
    expect(until(byIntermediate({ thisUpdate: now }))).toBe(now + 100);
    expect(until(byIntermediate({ nextUpdate: now }))).toBe(now);
    const made = byIntermediate({ thisUpdate: now - 60, nextUpdate: now + 100 });
    expect(until(made, 60)).toBe(now);
    expect(until(made, 90)).toBe(now + 30);
    expect(until(made, 500)).toBe(now + 100);
    expect(until(made, 59)).toBe(unknown);
  });

  test("a parsed list is checked once by each key, whether its signature holds or not", () => {
    const stranger = entity("Pizza Intermediate");
    const strangers = issue({ subject: stranger, issuer: stranger, extensions: authority() });
    let checked = 0;
    const verify: typeof nodeProvider.verify = (...signed) => {
      checked++;
      return nodeProvider.verify(...signed);
    };
    const counting = createChainVerifier({ provider: { ...nodeProvider, verify }, trustAnchors: [rootCertificate] });
    const lists = [rootList, byIntermediate(), list({ issuer: stranger, certificate: strangers, thisUpdate: now - 5 })];
    const certificate = deviceOf(7);
    const costs = [1, 2].map(() => {
      checked = 0;
      const revocation = checkRevocation({ mode: "hard", revocationLists: lists });
      const intermediates = [intermediateCertificate];
      expect(counting.verify({ certificate, intermediates, purpose: "clientAuth", time: now, revocation }).ok).toBe(
        true,
      );
      return checked;
    });
    // Two certificates and three lists; then the certificate in question alone.
    expect(costs).toEqual([5, 1]);
  });

  test("must be signed by a key that is for it", () => {
    const keyless = issue({ subject: intermediate, issuer: root, extensions: authority({ usages: ["keyCertSign"] }) });
    expect(verdictOf(ask([rootList, byIntermediate()], { intermediates: [keyless] }))).toBe(unknown);
  });

  test("a newer list takes effect with the next answer", () => {
    const older = byIntermediate({ thisUpdate: now - 100 });
    const newer = byIntermediate({ thisUpdate: now - 10, number: 2, revoked: [[7]] });
    expect(verdictOf(ask([rootList, older]))).toBe("ok");
    expect(verdictOf(ask([rootList, older, newer]))).toBe(revoked);
    expect(verdictOf(ask([rootList, newer, older]))).toBe(revoked);
  });
});

describe("scopes", () => {
  const point = (value: string, reasons?: readonly ReasonFlag[]): DistributionPoint => ({
    distributionPoint: { type: "fullName", names: [uri(value)] },
    reasons,
    cRLIssuer: undefined,
  });
  const scope = (limits: Partial<IssuingDistributionPoint>): Extension =>
    extension(issuingDistributionPoint, listScope(limits), true);
  const named = (...values: string[]): Partial<IssuingDistributionPoint> => ({
    distributionPoint: { type: "fullName", names: values.map(uri) },
  });

  test("a list for another point, or another kind of certificates, says nothing", () => {
    const certificate = deviceOf(7, [point("http://x/1")]);
    const verdict = (limits: Partial<IssuingDistributionPoint>): string =>
      verdictOf(ask([rootList, byIntermediate({ extensions: [scope(limits)] })], { certificate }));
    expect(verdict(named("http://x/1"))).toBe("ok");
    expect(verdict(named("http://x/2"))).toBe(unknown);
    expect(verdict(named("http://x/2", "http://x/1"))).toBe("ok");
    expect(verdict({ onlyContainsUserCerts: true })).toBe("ok");
    expect(verdict({ onlyContainsCACerts: true })).toBe(unknown);
    expect(verdict({ onlyContainsAttributeCerts: true })).toBe(unknown);
  });

  test("lists for some reasons count once they are all there", () => {
    const some: ReasonFlag[] = ["keyCompromise", "cACompromise"];
    const others: ReasonFlag[] = [
      "affiliationChanged",
      "superseded",
      "cessationOfOperation",
      "certificateHold",
      "privilegeWithdrawn",
      "aACompromise",
    ];
    const first = byIntermediate({ extensions: [scope({ onlySomeReasons: some })] });
    const second = byIntermediate({ extensions: [scope({ onlySomeReasons: others })] });
    const secondRevokes = byIntermediate({
      extensions: [scope({ onlySomeReasons: others })],
      revoked: [[7, "superseded"]],
    });
    expect(verdictOf(ask([rootList, first]))).toBe(unknown);
    expect(verdictOf(ask([rootList, first, second]))).toBe("ok");
    expect(verdictOf(ask([rootList, first, secondRevokes]))).toBe(revoked);
    const byPoints = deviceOf(7, [point("http://x/1", some), point("http://x/2", others)]);
    const parts = [
      byIntermediate({ extensions: [scope(named("http://x/1"))] }),
      byIntermediate({ extensions: [scope(named("http://x/2"))] }),
    ];
    expect(verdictOf(ask([rootList, parts[0]!], { certificate: byPoints }))).toBe(unknown);
    expect(verdictOf(ask([rootList, ...parts], { certificate: byPoints }))).toBe("ok");
  });

  test("delta lists add and take away, if they fit their base", () => {
    const base = (number: number): Extension => extension(deltaCRLIndicator, Uint8Array.of(number), true);
    const complete = byIntermediate({ number: 5 });
    const held = byIntermediate({ number: 5, revoked: [[7, "certificateHold"]] });
    const adds = byIntermediate({ number: 6, extensions: [base(5)], revoked: [[7, "keyCompromise"]] });
    const takesAway = byIntermediate({ number: 6, extensions: [base(4)], revoked: [[7, "removeFromCRL"]] });
    expect(verdictOf(ask([rootList, complete, adds]))).toBe(revoked);
    expect(verdictOf(ask([rootList, held]))).toBe(revoked);
    expect(verdictOf(ask([rootList, held, takesAway]))).toBe("ok");
    // A delta alone, one for a later base, and one that is not newer say nothing.
    expect(verdictOf(ask([rootList, adds]))).toBe(unknown);
    expect(
      verdictOf(ask([rootList, complete, byIntermediate({ number: 9, extensions: [base(6)], revoked: [[7]] })])),
    ).toBe("ok");
    expect(
      verdictOf(ask([rootList, complete, byIntermediate({ number: 5, extensions: [base(4)], revoked: [[7]] })])),
    ).toBe("ok");
    // One that is stale takes nothing away, and still says what it adds.
    const staleAdds = byIntermediate({ number: 6, extensions: [base(5)], revoked: [[7]], nextUpdate: now - 1 });
    expect(verdictOf(ask([rootList, complete, staleAdds]))).toBe(revoked);
    const staleTakes = byIntermediate({
      number: 6,
      extensions: [base(4)],
      revoked: [[7, "removeFromCRL"]],
      nextUpdate: now - 1,
    });
    expect(verdictOf(ask([rootList, held, staleTakes]))).toBe(revoked);
  });
});

test("a list by a key that may not sign lists counts for nothing, and the reason says so", () => {
  const forCertificates = issue({
    subject: intermediate,
    issuer: root,
    extensions: authority({ usages: ["keyCertSign"] }),
  });
  const result = ask([rootList, byIntermediate()], { intermediates: [forCertificates] });
  const [first] = result.ok ? [] : result.failures;
  if (first?.code !== "ERR_CHAIN_REVOCATION_UNKNOWN") throw new Error(verdictOf(result));
  expect(first.evidence.reasons.map(({ code }) => code)).toEqual(["ERR_REVOCATION_LIST_SIGNER_KEY_USAGE"]);
});

describe("indirect lists", () => {
  const clerk = entity("Revocation Clerk");
  const clerkCertificate = issue({ subject: clerk, issuer: root, extensions: authority({ usages: ["cRLSign"] }) });
  const certificate = deviceOf(7, [
    {
      distributionPoint: undefined,
      reasons: undefined,
      cRLIssuer: [{ type: "directoryName", value: clerk.name }],
    },
  ]);

  /** By hand, for the entries of an indirect list name whose certificates they are. */
  function indirect(
    entries: readonly { readonly serialNumber: number; readonly issuer?: Entity }[],
    isIndirect = true,
  ): Uint8Array {
    const algorithm = defaultSignatureAlgorithm(clerk.keys.privateKey.algorithm);
    const scope = extension(
      issuingDistributionPoint,
      listScope({
        distributionPoint: { type: "fullName", names: [{ type: "directoryName", value: clerk.name }] },
        indirectCRL: isIndirect,
      }),
      true,
    );
    const number = {
      oid: Uint8Array.of(0x55, 0x1d, 20),
      critical: false,
      value: Uint8Array.of(2, 1, 1),
      valueOffset: 0,
    };
    const tbs = encodeDer((writer) => {
      writer.sequence((fields) => {
        fields.integer(1);
        fields.encoded(encodeSignatureAlgorithm(algorithm));
        fields.encoded(clerk.name.encoding);
        fields.time(now - 100);
        fields.time(now + 100);
        if (entries.length > 0) {
          fields.sequence((entriesBody) => {
            for (const { serialNumber, issuer } of entries) {
              entriesBody.sequence((entry) => {
                entry.integer(serialNumber);
                entry.time(now - 50);
                if (issuer === undefined) return;
                const names = extension(
                  certificateIssuer,
                  [{ type: "directoryName" as const, value: issuer.name }],
                  true,
                );
                entry.sequence((extensions) => writeExtension(extensions, names));
              });
            }
          });
        }
        fields.explicit(0, (explicit) =>
          explicit.sequence((extensions) => {
            for (const each of [number, scope]) writeExtension(extensions, each);
          }),
        );
      });
    });
    return encodeDer((writer) => {
      writer.sequence((fields) => {
        fields.encoded(tbs);
        fields.encoded(encodeSignatureAlgorithm(algorithm));
        fields.bitString(nodeProvider.sign(clerk.keys.privateKey, algorithm, tbs));
      });
    });
  }

  function writeExtension(
    writer: Parameters<Parameters<typeof encodeDer>[0]>[0],
    { oid, critical, value }: Extension,
  ): void {
    writer.sequence((fields) => {
      fields.oid(oid);
      fields.booleanDefaultFalse(critical);
      fields.octetString(value);
    });
  }

  const known = { certificate, intermediates: [intermediateCertificate, clerkCertificate] };

  test("are about the certificates that their entries name, if their signer is trusted", () => {
    expect(verdictOf(ask([rootList, indirect([{ serialNumber: 7, issuer: intermediate }])], known))).toBe(revoked);
    expect(verdictOf(ask([rootList, indirect([])], known))).toBe("ok");
    // Serial number 7 of another issuer.
    expect(verdictOf(ask([rootList, indirect([{ serialNumber: 7, issuer: root }])], known))).toBe("ok");
    expect(verdictOf(ask([rootList, indirect([{ serialNumber: 7 }])], known))).toBe("ok");
    // An entry without an issuer is of the issuer of the entry before.
    const carried = indirect([{ serialNumber: 6, issuer: intermediate }, { serialNumber: 7 }]);
    expect(verdictOf(ask([rootList, carried], known))).toBe(revoked);
  });

  test("say nothing where they may not", () => {
    expect(verdictOf(ask([rootList, indirect([])], { certificate }))).toBe(unknown);
    expect(verdictOf(ask([rootList, indirect([], false)], known))).toBe(unknown);
    // The certificate says that another issuer has its status: the issuer's own list is no substitute.
    expect(verdictOf(ask([rootList, byIntermediate()], known))).toBe(unknown);
    // The clerk is revoked itself.
    const { serialNumber } = parseCertificate(clerkCertificate);
    const clerkRevoked = list({ issuer: root, certificate: rootCertificate, revoked: [[serialNumber]] });
    expect(verdictOf(ask([clerkRevoked, indirect([])], known))).toBe(unknown);
    // The signer of the lists may be on them itself, if its certificate says so.
    const cRLIssuer: GeneralName[] = [{ type: "directoryName", value: clerk.name }];
    const itself = extension(cRLDistributionPoints, [{ distributionPoint: undefined, reasons: undefined, cRLIssuer }]);
    const onItsOwn = issue({
      subject: clerk,
      issuer: intermediate,
      serialNumber: 9,
      extensions: authority({ usages: ["cRLSign"], more: [itself] }),
    });
    const withClerk = { ...known, intermediates: [intermediateCertificate, onItsOwn] };
    expect(verdictOf(ask([rootList, indirect([])], withClerk))).toBe("ok");
    expect(verdictOf(ask([rootList, indirect([{ serialNumber: 9, issuer: intermediate }])], withClerk))).toBe(unknown);
    expect(verdictOf(ask([rootList, indirect([{ serialNumber: 7, issuer: intermediate }])], withClerk))).toBe(revoked);
    // A clerk whose own certificate does not hold is not listened to.
    const late = issue({
      subject: clerk,
      issuer: root,
      extensions: authority({ usages: ["cRLSign"] }),
      notAfter: now - 1,
    });
    expect(verdictOf(ask([rootList, indirect([])], { ...known, intermediates: [intermediateCertificate, late] }))).toBe(
      unknown,
    );
    // Two that vouch for each other end.
    const mutual = issue({
      subject: clerk,
      issuer: clerk,
      extensions: authority({ usages: ["cRLSign", "keyCertSign"] }),
    });
    expect(
      verdictOf(ask([rootList, indirect([])], { ...known, intermediates: [intermediateCertificate, mutual] })),
    ).toBe(unknown);
  });
});

describe("the caller's own check", () => {
  test("decides where it knows", () => {
    const seen: string[] = [];
    const check = (answer: "good" | "revoked" | "unknown"): Partial<RevocationInputs> => ({
      check: (certificate, issuer) => {
        seen.push(`${certificate.serialNumber.length} ${issuer?.encoding.length}`);
        return answer;
      },
    });
    expect(verdictOf(ask([], {}, check("good")))).toBe("ok");
    expect(seen).toHaveLength(2);
    expect(verdictOf(ask([], {}, check("revoked")))).toContain("ERR_CHAIN_REVOKED@1");
    expect(verdictOf(ask([], {}, check("unknown")))).toContain(unknown);
    // Another source's revocation is not overruled, and what it knows fills a gap.
    expect(verdictOf(ask([rootList, byIntermediate({ revoked: [[7]] })], {}, check("good")))).toBe(revoked);
    expect(verdictOf(ask([rootList, byIntermediate()], {}, check("unknown")))).toBe("ok");
  });
});
