/** What questions cost, and where each limit stands: at its number a question is answered, one below it is not. */

import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificatePolicies,
  cRLDistributionPoints,
  deltaCRLIndicator,
  type DistributionPointName,
  type Extension,
  issueCertificateRevocationList,
  issuingDistributionPoint,
  parseCertificate,
  parseSubjectPublicKeyInfo,
} from "@latchkey/x509";
import { encodeDer, encodeOid } from "@latchkey/asn1";
import { describe, expect, test } from "vitest";
import { Budget, limitFailure, nameWeight, price } from "../src/budget.ts";
import {
  type ChainLimits,
  createChainVerifier,
  defaultLimits,
  everyCheck,
  type LimitName,
  type RevocationChecker,
  type VerifyInputs,
} from "../src/index.ts";
import { checkRevocation } from "../src/revocation.ts";
import {
  authority,
  dns,
  endEntity,
  type Entity,
  edwardsEntity,
  extension,
  issue,
  listScope,
  now,
  relativePointName,
} from "./issuing.ts";
import { signedOcspResponse } from "./ocsp-response.ts";

// Keys and signatures of one length, so that the same question always costs the same.
const [root, middle, leaf] = [edwardsEntity("Root"), edwardsEntity("Middle"), edwardsEntity("leaf")];
const rootCertificate = issue({ subject: root, issuer: root, extensions: authority(), serialNumber: 1 });
const middleCertificate = middleWith();
const leafCertificate = leafWith();

function middleWith(more: readonly Extension[] = [], input: Parameters<typeof authority>[0] = {}): Uint8Array {
  return issue({ subject: middle, issuer: root, extensions: authority({ more, ...input }), serialNumber: 2 });
}

function leafWith(names: Parameters<typeof endEntity>[1] = [], more: readonly Extension[] = []): Uint8Array {
  return issue({ subject: leaf, issuer: middle, extensions: endEntity("clientAuth", names, more), serialNumber: 3 });
}

type Question = Partial<VerifyInputs>;

/** "ok", or the limit that ended the answer and what it would have taken. */
function ask(question: Question, limits: Partial<ChainLimits>): string {
  const result = createChainVerifier({
    provider: nodeProvider,
    trustAnchors: [rootCertificate],
    checks: everyCheck("off"),
    limits,
  }).verify({
    certificate: leafCertificate,
    intermediates: [middleCertificate],
    purpose: "clientAuth",
    time: now,
    ...question,
  });
  if (result.ok) return "ok";
  const [first] = result.failures;
  if (first?.code !== "ERR_CHAIN_LIMIT" || result.failures.length > 1) return `${first?.code}`;
  return `${first.evidence.limit} ${first.evidence.maximum} ${first.evidence.used}`;
}

/** The least `work` with which a question is answered. */
function costOf(question: Question): number {
  let [low, high] = [0, defaultLimits.work];
  expect(ask(question, { work: high })).toBe("ok");
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (ask(question, { work: middle }) === "ok") high = middle;
    else low = middle + 1;
  }
  return low;
}

interface ListChanges {
  readonly base?: number;
  readonly number?: number;
  readonly point?: DistributionPointName;
}

function list(
  issuer: Entity,
  certificate: Uint8Array,
  entries: readonly number[],
  { base, number = 1, point: ownPoint }: ListChanges = {},
): Uint8Array {
  const scope = listScope({ distributionPoint: ownPoint });
  return issueCertificateRevocationList({
    provider: nodeProvider,
    issuer: { certificate: parseCertificate(certificate), privateKey: issuer.keys.privateKey },
    thisUpdate: now - 100,
    nextUpdate: now + 100,
    number,
    extensions: [
      ...(base === undefined ? [] : [extension(deltaCRLIndicator, Uint8Array.of(base), true)]),
      ...(ownPoint === undefined ? [] : [extension(issuingDistributionPoint, scope, true)]),
    ],
    entries: entries.map((each) => ({
      serialNumber: Uint8Array.of(each),
      revocationDate: now - 50,
      reason: undefined,
    })),
  }).encoding;
}

const policies = extension(
  certificatePolicies,
  [1, 2, 3].map((each) => ({ policyIdentifier: encodeOid(`1.3.6.1.4.1.32473.${each}`), policyQualifiers: [] })),
);
const constraints = {
  permittedSubtrees: [dns("a.example"), dns("b.example")],
  excludedSubtrees: [dns("c.a.example")],
};
const names = [dns("x.a.example"), dns("y.b.example")];
const strangers = Array.from({ length: 20 }, (_, index) =>
  issue({ subject: edwardsEntity("Stranger"), issuer: root, extensions: authority(), serialNumber: index + 10 }),
);
const impostors = Array.from({ length: 4 }, (_, index) =>
  issue({
    subject: edwardsEntity("Middle"),
    issuer: root,
    extensions: authority(),
    serialNumber: index + 10,
    keyIdentifiers: "none",
  }),
);
const anonymous = issue({
  subject: middle,
  issuer: root,
  extensions: authority(),
  serialNumber: 9,
  keyIdentifiers: "none",
});
const lists = [list(root, rootCertificate, []), list(middle, middleCertificate, [4, 5, 6])];
const point = extension(cRLDistributionPoints, [
  // This one first, for the second covers everything.
  { distributionPoint: undefined, reasons: undefined, cRLIssuer: [{ type: "directoryName", value: middle.name }] },
  {
    distributionPoint: { type: "fullName", names: [{ type: "uniformResourceIdentifier", value: "u:1" }] },
    reasons: undefined,
    cRLIssuer: undefined,
  },
]);

/** An OCSP response by the issuer: the certificate is good. */
function goodResponse({ keys, name }: Entity, serialNumber: number): Uint8Array {
  const { subjectPublicKey } = parseSubjectPublicKeyInfo(keys.publicKey.spki);
  const data = encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.explicit(1, (responder) => responder.encoded(name.encoding));
      fields.generalizedTime(now - 10);
      fields.sequence((responses) => {
        responses.sequence((single) => {
          single.sequence((id) => {
            id.sequence((algorithm) => algorithm.oid(encodeOid("2.16.840.1.101.3.4.2.1")));
            id.octetString(nodeProvider.hash("SHA-256", name.encoding));
            id.octetString(nodeProvider.hash("SHA-256", subjectPublicKey));
            id.integer(serialNumber);
          });
          single.primitive(0x80, new Uint8Array());
          single.generalizedTime(now - 10);
          single.explicit(0, (nextUpdate) => nextUpdate.generalizedTime(now + 100));
        });
      });
    });
  });
  return signedOcspResponse(data, keys.privateKey, []);
}

function withLists(revocationLists: readonly Uint8Array[], mode: "hard" | "soft" = "hard"): RevocationChecker {
  return checkRevocation({ mode, revocationLists });
}

/** A certificate with two names for its point, and a list with these names for its own. */
function aboutPoint(ownPoint: DistributionPointName): Question {
  const own = list(middle, middleCertificate, [], { point: ownPoint });
  return { certificate: leafWith([], [point]), revocation: withLists([...lists.slice(0, 1), own], "soft") };
}

const questions: Readonly<Record<string, Question>> = {
  "a chain of three": {},
  "twenty strangers beside it": { intermediates: [...strangers, middleCertificate] },
  "four impostors before it": { intermediates: [...impostors, anonymous] },
  "name constraints": {
    certificate: leafWith(names),
    intermediates: [middleWith([], { nameConstraints: constraints })],
  },
  "directory names": {
    certificate: leafWith([{ type: "directoryName", value: leaf.name }]),
    intermediates: [
      middleWith([], {
        nameConstraints: {
          permittedSubtrees: [middle, leaf].map(({ name }) => ({ type: "directoryName", value: name })),
          excludedSubtrees: undefined,
        },
      }),
    ],
  },
  policies: { certificate: leafWith([], [policies]), intermediates: [middleWith([policies])] },
  "revocation lists": { revocation: checkRevocation({ mode: "hard", revocationLists: lists }) },
  "OCSP responses": {
    revocation: checkRevocation({ mode: "hard", ocspResponses: [goodResponse(middle, 3), goodResponse(root, 2)] }),
  },
  "lists and distribution points": {
    certificate: leafWith([], [point]),
    revocation: checkRevocation({ mode: "soft", revocationLists: lists }),
  },
  "a list for points of its own": aboutPoint({
    type: "fullName",
    names: [
      { type: "uniformResourceIdentifier", value: "u:2" },
      { type: "iPAddress", value: new Uint8Array(16) },
      { type: "directoryName", value: middle.name },
    ],
  }),
  "a list with a relative name": aboutPoint(relativePointName("point 2")),
  "delta lists": {
    revocation: withLists([
      ...lists,
      list(middle, middleCertificate, [4], { base: 1, number: 2 }),
      list(middle, middleCertificate, [5], { base: 1, number: 3 }),
    ]),
  },
};

test.each([
  ["a chain of three", 444],
  ["twenty strangers beside it", 669],
  ["four impostors before it", 1277],
  ["name constraints", 474],
  ["directory names", 473],
  ["policies", 471],
  ["revocation lists", 686],
  ["OCSP responses", 675],
  ["lists and distribution points", 704],
  ["a list for points of its own", 608],
  ["a list with a relative name", 603],
  ["delta lists", 926],
])("the work of a question: %s takes %i microseconds", (name, cost) => {
  // A change here changes what the limit means to callers: then the README and a changeset say so.
  expect(costOf(questions[name]!)).toBe(cost);
});

describe("limits", () => {
  const octets = leafCertificate.length + middleCertificate.length;
  const revocation = checkRevocation({ mode: "hard", revocationLists: lists });
  const ocspResponses = [Uint8Array.of(0x30, 3, 0x0a, 1, 3)];
  const withResponse = checkRevocation({ mode: "hard", revocationLists: lists, ocspResponses });
  const statementOctets = lists.reduce((sum, { length }) => sum + length, 0);
  test.each<[LimitName, number, Question]>([
    ["intermediates", 1, {}],
    ["candidates", 21, questions["twenty strangers beside it"]!],
    ["certificateOctets", Math.max(leafCertificate.length, middleCertificate.length), {}],
    ["certificateOctets", leafWith(names, [point]).length, { certificate: leafWith(names, [point]) }],
    ["certificateOctets", middleWith([policies]).length, { intermediates: [middleWith([policies])] }],
    ["octets", octets, {}],
    ["statements", 2, { revocation }],
    ["statementOctets", statementOctets, { revocation }],
    ["statements", 3, { revocation: withResponse }],
    ["statementOctets", statementOctets + 5, { revocation: withResponse }],
    ["signatures", 2, {}],
    ["signatures", 6, questions["four impostors before it"]!],
    ["signatures", 4, { revocation }],
    ["nameComparisons", 6, questions["name constraints"]!],
  ])("%s: %i are needed", (limit, needed, question) => {
    expect(ask(question, { [limit]: needed })).toBe("ok");
    expect(ask(question, { [limit]: needed - 1 })).toBe(`${limit} ${needed - 1} ${needed}`);
  });

  test("the limit that ends an answer while revocation is checked is its only failure", () => {
    const question = { revocation };
    for (let below = 1; below < 40; below += 3) {
      expect(ask(question, { work: costOf(question) - below })).toMatch(/^work /);
    }
  });
});

describe("the account", () => {
  test("charges before the work, and ends for good", () => {
    const budget = new Budget({ ...defaultLimits, work: 10 });
    expect(budget.spend(10)).toBe(true);
    expect(budget.exceeded).toBeUndefined();
    expect(budget.spend(0)).toBe(true);
    expect(budget.spend(0.5)).toBe(false);
    expect(budget.work).toBe(10.5);
    expect(budget.exceeded).toMatchObject({ evidence: { limit: "work", maximum: 10, used: 11 } });
    expect(budget.spend(0)).toBe(false);
    expect(budget.exceed("octets", 1)).toBe(false);
    expect(budget.exceeded).toMatchObject({ evidence: { limit: "work" } });
  });

  test("counts a signature by the weight of its key and the octets that are signed", () => {
    const budget = new Budget({ ...defaultLimits, signatures: 2 });
    expect([budget.spendSignature(2, 100), budget.spendSignature(1, 0), budget.spendSignature(1, 0)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(budget.work).toBeCloseTo(3 * price.signature + 100 * price.signedOctet);
  });

  test("counts names by their lookups and octets", () => {
    const budget = new Budget({ ...defaultLimits, nameComparisons: 5 });
    expect(budget.spendNameComparisons(5, 3, 7)).toBe(true);
    expect(budget.work).toBeCloseTo(3 * price.nameLookup + 7 * price.nameLookupOctet);
    expect(budget.spendNameComparisons(6, 0, 0)).toBe(false);
    expect(budget.exceeded).toEqual(limitFailure("nameComparisons", budget.limits, 6));
  });

  test("weighs an octet beyond ASCII as four", () => {
    expect(nameWeight(Uint8Array.of(0x00, 0x7f, 0x80, 0xff))).toBe(2 + 2 * 4);
  });
});
