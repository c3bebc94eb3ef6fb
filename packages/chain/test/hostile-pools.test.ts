/**
 * Questions that are made to cost. Each ends in a verdict or in the named limit, within the CPU of a number of bare
 * signature checks that is measured in the same run, and never in an exception.
 */

import { encodeOid } from "@latchkey/asn1";
import type { KeyPair } from "@latchkey/crypto";
import { nobleProvider } from "@latchkey/crypto/noble";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificatePolicies,
  cRLDistributionPoints,
  type Extension,
  extendedKeyUsage,
  type GeneralName,
  issueCertificateRevocationList,
  issuingDistributionPoint,
  makeName,
  type Name,
  nameConstraints,
  parseCertificate,
  policyMappings,
  subjectAltName,
} from "@latchkey/x509";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Budget } from "../src/budget.ts";
import {
  type ChainResult,
  type ChainVerifierOptions,
  createChainVerifier,
  defaultLimits,
  type VerifyInputs,
} from "../src/index.ts";
import { checkRevocation } from "../src/revocation.ts";
import { authority, dns, endEntity, entity, type Entity, extension, family, issue, newKeys, now } from "./issuing.ts";

const { root, rootCertificate, intermediate, intermediateCertificate, device, deviceCertificate } = family();
const keyRing = Array.from({ length: 40 }, newKeys);

function keysAt(index: number): KeyPair {
  return keyRing[index % keyRing.length]!;
}

type Question = Partial<VerifyInputs>;

function ask(inputs: Question, options: Partial<ChainVerifierOptions> = {}): ChainResult {
  const verifier = createChainVerifier({
    provider: nodeProvider,
    trustAnchors: [rootCertificate],
    rememberedCertificates: 0,
    ...options,
  });
  return verifier.verify({ certificate: deviceCertificate, purpose: "clientAuth", time: now, ...inputs });
}

function verdictOf(result: ChainResult): string {
  if (result.ok) return "ok";
  const [first] = result.failures;
  return first?.code === "ERR_CHAIN_LIMIT" ? `limit: ${first.evidence.limit}` : (first?.code ?? "");
}

/** Milliseconds of CPU of this process. */
function cpuOf(act: () => void): number {
  const start = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const priceKeys = newKeys();
const priceData = new Uint8Array(500);
const priceSignature = nodeProvider.sign(priceKeys.privateKey, { name: "ecdsa", hash: "SHA-256" }, priceData);

/** The CPU of 700 signature checks now: what 50 ms are where the prices were measured. */
function allowance(): number {
  return cpuOf(() => {
    for (let index = 0; index < 700; index++) {
      nodeProvider.verify(priceKeys.publicKey, { name: "ecdsa", hash: "SHA-256" }, priceData, priceSignature);
    }
  });
}

/** A neighbour takes the processor's cache away for a while: the best of so many attempts counts. */
const attempts = 8;
/** Machines differ in what JavaScript costs beside OpenSSL. What no budget holds costs a hundred times as much. */
const tolerance = 3;

const mebibyte = 1_048_576;

function names(count: number, make: (index: number) => GeneralName): GeneralName[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function leaf(extensions: readonly Extension[], issuer: Entity = root): Uint8Array {
  return issue({ subject: device, issuer, extensions });
}

function leafWithNames(count: number, make: (index: number) => GeneralName, issuer: Entity = root): Uint8Array {
  return leaf(endEntity("clientAuth", names(count, make)), issuer);
}

function leafWithPoints(count: number): Uint8Array {
  const points = Array.from({ length: count }, (_, index) => ({
    distributionPoint: { type: "fullName" as const, names: [uri(`http://x/${index}`)] },
    reasons: undefined,
    cRLIssuer: undefined,
  }));
  return leaf(endEntity("clientAuth", [], [extension(cRLDistributionPoints, points)]));
}

function policies(count: number): Extension {
  const all = Array.from({ length: count }, (_, index) => ({
    policyIdentifier: encodeOid(`1.2.${index}`),
    policyQualifiers: [],
  }));
  return extension(certificatePolicies, all);
}

function mappings(count: number, policy: (index: number) => readonly [number, number]): Extension {
  return extension(
    policyMappings,
    Array.from({ length: count }, (_, index) => {
      const [from, to] = policy(index);
      return { issuerDomainPolicy: encodeOid(`1.2.${from}`), subjectDomainPolicy: encodeOid(`1.2.${to}`) };
    }),
  );
}

function constraints(count: number, make: (index: number) => GeneralName): Extension {
  return extension(nameConstraints, { permittedSubtrees: undefined, excludedSubtrees: names(count, make) }, true);
}

function longName(parts: number, prefix = ""): Name {
  return makeName(Array.from({ length: parts }, (_, index) => ({ type: "OU", value: `${prefix}${index}` })));
}

/** Certificates that all certify each other, a holder above them, and a device below the first. */
function mesh(
  count: number,
  holder: Entity,
  make: (index: number) => Entity,
  more: readonly Extension[] = [],
  leafExtensions: readonly Extension[] = endEntity("clientAuth"),
): { readonly certificate: Uint8Array; readonly intermediates: Uint8Array[] } {
  const people = Array.from({ length: count }, (_, index) => make(index));
  const intermediates = people.flatMap((subject) =>
    [...people, holder]
      .filter((issuer) => issuer !== subject)
      .map((issuer) => issue({ subject, issuer, extensions: authority({ more }) })),
  );
  return { certificate: leaf(leafExtensions, people[0]), intermediates };
}

/** Below the holder of one end-entity certificate: nothing of it can be accepted. */
function meshBelowDevice(count: number, make: (index: number) => Entity, more: readonly Extension[] = []): Question {
  const holder = entity("holder");
  const own = issue({ subject: holder, issuer: root, extensions: endEntity("clientAuth") });
  const { certificate, intermediates } = mesh(count, holder, make, more);
  return { certificate, intermediates: [...intermediates, own] };
}

function person(index: number): Entity {
  return entity(`M${index}`, keysAt(index));
}

/** Levels of certificates of one name each; every path through them is whole. */
function levels(depth: number, width: number, more: readonly Extension[]): Question {
  const people = Array.from({ length: depth }, (_, index) => entity(`Level ${index}`, keysAt(index)));
  const intermediates = people.flatMap((subject, level) =>
    Array.from({ length: width }, (_, index) =>
      issue({
        subject,
        issuer: people[level - 1] ?? root,
        extensions: authority({ more }),
        notAfter: now + 86_400 + index,
      }),
    ),
  );
  return { certificate: leaf(endEntity("clientAuth"), people.at(-1)), intermediates };
}

function sameNameKeys(keys: readonly KeyPair[]): Question {
  return {
    certificate: issue({
      subject: device,
      issuer: entity("Pizza Intermediate"),
      extensions: endEntity("clientAuth"),
      keyIdentifiers: "none",
    }),
    intermediates: keys.map((each) =>
      issue({
        subject: entity("Pizza Intermediate", each),
        issuer: root,
        extensions: authority(),
        keyIdentifiers: "none",
      }),
    ),
  };
}

const explicit = { policies: { requireExplicitPolicy: true } };

function constrained(subtrees: number, make: (index: number) => GeneralName): Uint8Array {
  return issue({
    subject: intermediate,
    issuer: root,
    extensions: authority({ more: [constraints(subtrees, make)] }),
  });
}

/** A question about names below constraints of one form. */
function product(
  count: number,
  name: (index: number) => GeneralName,
  subtree: (index: number) => GeneralName,
): Question {
  return {
    certificate: leafWithNames(count, name, intermediate),
    intermediates: [constrained(count, subtree)],
  };
}

function uri(value: string): GeneralName {
  return { type: "uniformResourceIdentifier", value };
}

function directory(value: string): GeneralName {
  return {
    type: "directoryName",
    value: makeName([
      { type: "O", value: "same" },
      { type: "CN", value },
    ]),
  };
}

const shapes: [name: string, make: () => Question, options?: Partial<ChainVerifierOptions>][] = [
  ["a mesh below a device, 7 names", () => meshBelowDevice(7, person)],
  ["a mesh below a device, 14 names of one key", () => meshBelowDevice(14, (index) => entity(`M${index}`, keysAt(0)))],
  ["a mesh below a device, 25 names", () => meshBelowDevice(25, person)],
  [
    "a mesh below a device, names of 400 parts",
    () => meshBelowDevice(8, (index) => ({ name: longName(400, `${index}-`), keys: keysAt(index) })),
  ],
  [
    "a mesh below a device, 1,000 alternative names each",
    () =>
      meshBelowDevice(8, person, [
        extension(
          subjectAltName,
          names(1000, (index) => dns(`a${index}.example`)),
        ),
      ]),
  ],
  [
    "a mesh of authorities whose paths all fail by a name",
    () => mesh(9, root, person, [constraints(1, () => dns("bad"))], endEntity("clientAuth", [dns("a.bad")])),
  ],
  ["a mesh of authorities with 500 policies each", () => ({ ...mesh(6, root, person, [policies(500)]), ...explicit })],
  ["3 levels of 6 with 18,000 policies each", () => ({ ...levels(3, 6, [policies(18_000)]), ...explicit })],
  ["3 levels of 6 with 2,000 policies each", () => ({ ...levels(3, 6, [policies(2000)]), ...explicit })],
  [
    "3 levels of 6 with policies and mappings",
    () => ({
      ...levels(3, 6, [policies(2000), mappings(2000, (index) => [index, (index * 7) % 2000])]),
      ...explicit,
    }),
  ],
  [
    "8 levels where each policy is mapped to each",
    () => ({
      ...levels(8, 2, [policies(26), mappings(676, (index) => [index % 26, Math.floor(index / 26)])]),
      ...explicit,
    }),
  ],
  [
    "3 levels of 6 with 9,000 excluded names each",
    () => levels(3, 6, [constraints(9000, (i) => dns(`c${i}.example`))]),
  ],
  ["1,000 unrelated candidates", () => ({ intermediates: unrelated(1000) })],
  ["1,024 keys of one name", () => sameNameKeys(Array.from({ length: 1024 }, (_, index) => keysAt(index)))],
  ["100 P-521 keys of one name", () => sameNameKeys(strongKeys())],
  ["100 P-521 keys of one name, by noble", () => sameNameKeys(strongKeys()), { provider: nobleProvider }],
  ["40 P-256 keys of one name, by noble", () => sameNameKeys(keyRing), { provider: nobleProvider }],
  ["a leaf with 25,000 DNS names", () => ({ certificate: leafWithNames(25_000, (index) => dns(`a${index}.b`)) })],
  ["a leaf with 80,000 empty DNS names", () => ({ certificate: leafWithNames(80_000, () => dns("")) })],
  ["a leaf with 12,000 directory names", () => ({ certificate: leafWithNames(12_000, () => directory("x")) })],
  ["a leaf with 15,000 policies", () => ({ certificate: leaf(endEntity("clientAuth", [], [policies(15_000)])) })],
  [
    "a leaf with 25,000 purposes",
    () => ({
      certificate: leaf([
        extension(
          extendedKeyUsage,
          Array.from({ length: 25_000 }, (_, i) => encodeOid(`1.2.${i}`)),
        ),
      ]),
    }),
  ],
  [
    "a leaf with a subject of 15,000 parts",
    () => ({
      certificate: issue({
        subject: { name: longName(15_000), keys: device.keys },
        issuer: root,
        extensions: endEntity("clientAuth"),
      }),
    }),
  ],
  [
    "8,000 distribution points and 256 lists",
    () => ({
      certificate: leafWithPoints(8000),
      revocation: checkRevocation({
        mode: "hard",
        revocationLists: Array.from({ length: 256 }, (_, index) => staleList(index)),
      }),
    }),
  ],
  [
    "an issuer of lists with a name of 10,000 parts, and 256 lists",
    () => ({
      certificate: leaf(
        endEntity(
          "clientAuth",
          [],
          [
            extension(cRLDistributionPoints, [
              {
                distributionPoint: undefined,
                reasons: undefined,
                cRLIssuer: [{ type: "directoryName" as const, value: longName(10_000) }],
              },
            ]),
          ],
        ),
      ),
      revocation: checkRevocation({
        mode: "hard",
        revocationLists: Array.from({ length: 256 }, (_, index) => staleList(index)),
      }),
    }),
  ],
  [
    "a list for 10,000 distribution points, and a certificate with 4,000",
    () => ({
      certificate: leafWithPoints(4000),
      revocation: checkRevocation({
        mode: "hard",
        revocationLists: [listForPoints(names(10_000, (index) => uri(`http://y/${index}`)))],
      }),
    }),
  ],
  [
    "1,000 DNS names below 1,000 constraints",
    () =>
      product(
        1000,
        (i) => dns(`t${i}.test`),
        (i) => dns(`c${i}.example`),
      ),
  ],
  [
    "1,000 directory names below 1,000 constraints",
    () =>
      product(
        1000,
        (index) => directory(`a${index}`),
        (index) => directory(`b${index}`),
      ),
  ],
  [
    "1,000 addresses below 1,000 constraints",
    () =>
      product(
        1000,
        (i) => ({ type: "iPAddress", value: Uint8Array.of(10, 8, i >> 8, i & 255) }),
        (i) => ({ type: "iPAddress", value: Uint8Array.of(10, 9, i >> 8, i & 255, 255, 255, 255, 255) }),
      ),
  ],
  [
    "a DNS name of 100,000 labels below as long a constraint",
    () =>
      product(
        1,
        () => dns(`${"a.".repeat(60_000)}b`),
        () => dns(`${"a.".repeat(60_000)}c`),
      ),
  ],
];

function unrelated(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    issue({
      subject: entity(`CA ${index}`, keysAt(index)),
      issuer: entity(`CA ${(index + 1) % count}`, keysAt(index + 1)),
      extensions: authority(),
    }),
  );
}

let strong: KeyPair[] | undefined;
function strongKeys(): KeyPair[] {
  strong ??= Array.from({ length: 100 }, () => nodeProvider.generateKeyPair({ name: "ec", curve: "P-521" }));
  return strong;
}

function listForPoints(points: readonly GeneralName[]): Uint8Array {
  const scope = {
    distributionPoint: { type: "fullName" as const, names: points },
    onlyContainsUserCerts: false,
    onlyContainsCACerts: false,
    onlySomeReasons: undefined,
    indirectCRL: false,
    onlyContainsAttributeCerts: false,
  };
  return issueCertificateRevocationList({
    provider: nodeProvider,
    issuer: { certificate: parseCertificate(rootCertificate), privateKey: root.keys.privateKey },
    thisUpdate: now - 1000,
    nextUpdate: now + 1000,
    number: 1,
    entries: [],
    extensions: [extension(issuingDistributionPoint, scope, true)],
  }).encoding;
}

function staleList(age: number): ReturnType<typeof issueCertificateRevocationList> {
  return issueCertificateRevocationList({
    provider: nodeProvider,
    issuer: { certificate: parseCertificate(rootCertificate), privateKey: root.keys.privateKey },
    thisUpdate: now - 1000 - age,
    nextUpdate: now - 1 - age,
    number: 1,
    entries: [],
  });
}

describe("a question that is made to cost", () => {
  test.each(shapes)("%s", (_, make, options) => {
    const question = make();
    let result = ask(question, options);
    const before = process.memoryUsage().heapUsed;
    let share = cpuOf(() => (result = ask(question, options))) / allowance();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * mebibyte);
    for (let attempt = 1; attempt < attempts && share >= tolerance; attempt++) {
      share = Math.min(share, cpuOf(() => (result = ask(question, options))) / allowance());
    }
    expect(share).toBeLessThan(tolerance);
    for (const failure of result.ok ? [] : result.failures) {
      if (failure.code === "ERR_CHAIN_LIMIT") expect(failure.evidence.used).toBeGreaterThan(failure.evidence.maximum);
    }
  });
});

describe("work that a question is charged for", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  function workOf(question: Question): number {
    const spend = vi.spyOn(Budget.prototype, "spend");
    ask(question, { limits: { work: 1e9, candidates: 1e6, nameComparisons: 1e9 } });
    const charged = spend.mock.calls.reduce((sum, [microseconds]) => sum + microseconds, 0);
    vi.restoreAllMocks();
    return charged;
  }

  test("grows no faster than the candidates of one name", () => {
    const few = workOf(sameNameKeys(keyRing.slice(0, 10)));
    const many = workOf(sameNameKeys(keyRing));
    expect(many / few).toBeLessThan(4.5);
  });

  test("grows no faster than names and constraints together", () => {
    const of = (count: number): number =>
      workOf(
        product(
          count,
          (index) => dns(`t${index}.test`),
          (index) => dns(`c${index}.example`),
        ),
      );
    expect(of(800) / of(200)).toBeLessThan(4.5);
  });

  test("does not depend on large certificates that are not needed", () => {
    const large = Array.from({ length: 15 }, (_, index) =>
      issue({
        subject: entity(`Large ${index}`, keysAt(index)),
        issuer: entity("Elsewhere", keysAt(index)),
        extensions: [
          ...authority(),
          extension(
            subjectAltName,
            names(15_000, (at) => dns(`a${at}.b`)),
          ),
        ],
      }),
    );
    const without = workOf({ intermediates: [intermediateCertificate] });
    const beside = workOf({ intermediates: [...large, intermediateCertificate] });
    expect(verdictOf(ask({ intermediates: [...large, intermediateCertificate] }))).toBe("ok");
    expect(beside - without).toBeLessThan(15 * 20);
  });

  test("weighs a signature by its key and by the provider", () => {
    const strongOnes = strongKeys().slice(0, 10);
    const weak = keyRing.slice(0, 10);
    expect(workOf(sameNameKeys(strongOnes)) / workOf(sameNameKeys(weak))).toBeGreaterThan(5);
  });
});

describe("limits", () => {
  test("10,000 intermediates are refused by their number, or looked at where that is allowed", () => {
    // Copies with serial numbers of their own: their own signatures are never checked, only those below them.
    const copies = Array.from({ length: 10_000 }, (_, index) => {
      const copy = Uint8Array.from(strangers[index % strangers.length]!);
      const { byteOffset } = parseCertificate(copy, { checkContents: false }).serialNumber;
      new DataView(copy.buffer).setUint32(byteOffset, 0x4000_0000 + index);
      return copy;
    });
    const intermediates = [...copies, intermediateCertificate];
    expect(verdictOf(ask({ intermediates }))).toBe("limit: candidates");
    const limits = { candidates: 20_000, work: 500_000 };
    // The key identifier finds the right one among them.
    expect(verdictOf(ask({ intermediates }, { limits }))).toBe("ok");
    expect(verdictOf(ask({ intermediates: copies }, { limits }))).toBe("limit: signatures");
  });
  const strangers = keyRing.map((keys) =>
    issue({
      subject: entity("Pizza Intermediate", keys),
      issuer: root,
      extensions: authority(),
      keyIdentifiers: "none",
      serialNumber: 0x4000_0000,
    }),
  );

  test("a mesh that leads nowhere is left at once, and the shortest way out of one is found", () => {
    const { certificate, intermediates } = mesh(20, entity("Nobody"), person);
    expect(verdictOf(ask({ certificate, intermediates }))).toBe("ERR_CHAIN_NO_ISSUER");
    const anchored = issue({ subject: person(19), issuer: root, extensions: authority() });
    const found = ask({ certificate, intermediates: [...intermediates, anchored] });
    expect(found.ok && found.path).toHaveLength(3);
    // A way out that has expired cannot be taken, and is what is reported.
    const expired = issue({ subject: person(19), issuer: root, extensions: authority(), notAfter: now - 1 });
    const late = ask({ certificate, intermediates: [...intermediates, expired] });
    expect(late.ok ? [] : late.failures.map(({ code }) => code)).not.toContain("ERR_CHAIN_LIMIT");
  });

  test("a large pool with a path in it holds", () => {
    const others = Array.from({ length: 200 }, (_, index) =>
      issue({
        subject: entity(`Certificate Authority ${index}`, keysAt(index)),
        issuer: index % 2 === 0 ? root : entity(`Root ${index}`, keysAt(index + 1)),
        extensions: authority(),
      }),
    );
    const line = Array.from({ length: 8 }, (_, index) => entity(`Line ${index}`, keysAt(index)));
    const path = line.map((subject, index) =>
      issue({ subject, issuer: line[index - 1] ?? root, extensions: authority() }),
    );
    const certificate = leaf(endEntity("clientAuth"), line.at(-1));
    expect(verdictOf(ask({ certificate, intermediates: [...others, ...path] }))).toBe("ok");
  });

  test("names times constraints over the limit are refused before they are compared", () => {
    const question = product(
      2048,
      (index) => dns(`t${index}.test`),
      (index) => dns(`c${index}.example`),
    );
    expect(verdictOf(ask(question))).toBe("limit: nameComparisons");
    expect(verdictOf(ask(question, { limits: { nameComparisons: 5_000_000 } }))).toBe("ok");
  });

  test("a path that is longer than the limit", () => {
    const line = Array.from({ length: 100 }, (_, index) => entity(`Link ${index}`, keysAt(index)));
    const intermediates = line.map((subject, index) =>
      issue({ subject, issuer: line[index - 1] ?? root, extensions: authority() }),
    );
    const certificate = leaf(endEntity("clientAuth"), line.at(-1));
    const result = ask({ certificate, intermediates });
    expect(verdictOf(result)).toBe("limit: intermediates");
    expect(result.ok ? undefined : result.failures[0]?.evidence).toEqual({
      limit: "intermediates",
      maximum: defaultLimits.intermediates,
      used: 11,
    });
    const limits = { intermediates: 100, signatures: 200, work: 100_000 };
    expect(verdictOf(ask({ certificate, intermediates }, { limits }))).toBe("ok");
  });

  test("octets of one certificate, and of all", () => {
    const filler = (size: number): Extension => ({
      oid: encodeOid("1.2.3"),
      critical: false,
      value: new Uint8Array(size),
      valueOffset: 0,
    });
    const huge = leaf([...endEntity("clientAuth"), filler(5_000_000)], intermediate);
    const intermediates = [intermediateCertificate];
    expect(verdictOf(ask({ certificate: huge, intermediates }))).toBe("limit: certificateOctets");
    expect(verdictOf(ask({ intermediates: [huge, intermediateCertificate] }))).toBe("limit: certificateOctets");
    const limits = { certificateOctets: 6e6, work: 1e6 };
    expect(verdictOf(ask({ certificate: huge, intermediates }, { limits }))).toBe("ok");
    const large = leaf([...endEntity("clientAuth"), filler(200_000)], intermediate);
    expect(verdictOf(ask({ intermediates: Array.from({ length: 90 }, () => large) }))).toBe("limit: octets");
  });

  test("126,000 alternative names are no exception", () => {
    const certificate = leafWithNames(126_000, () => dns("a.b"), intermediate);
    const permitted = {
      permittedSubtrees: [dns("b"), { type: "directoryName" as const, value: makeName([]) }],
      excludedSubtrees: undefined,
    };
    const narrow = issue({
      subject: intermediate,
      issuer: root,
      extensions: authority({ nameConstraints: permitted }),
    });
    const limits = { certificateOctets: 2e6, work: 1e6 };
    expect(verdictOf(ask({ certificate, intermediates: [narrow] }, { limits }))).toBe("ok");
  });

  test("lists and responses, by number and by octets", () => {
    const asking = (revocationLists: readonly Uint8Array[]): string =>
      verdictOf(
        ask({
          intermediates: [intermediateCertificate],
          revocation: checkRevocation({ mode: "hard", revocationLists }),
        }),
      );
    expect(asking(Array.from({ length: 300 }, () => new Uint8Array(8)))).toBe("limit: statements");
    expect(asking([new Uint8Array(1_048_577)])).toBe("limit: statementOctets");
  });

  test("an answer that a limit ended is never an acceptance", () => {
    const question = { intermediates: [intermediateCertificate] };
    for (let work = 0; work < 400; work += 10) {
      const result = ask(question, { limits: { work } });
      if (!result.ok) expect(verdictOf(result)).toBe("limit: work");
    }
    expect(verdictOf(ask(question, { limits: { work: 10 } }))).toBe("limit: work");
    expect(verdictOf(ask(question, { limits: { work: 1000 } }))).toBe("ok");
  });
});
