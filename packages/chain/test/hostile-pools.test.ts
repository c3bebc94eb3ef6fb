/** Inputs made to cost: each ends in a verdict or in the named limit, quickly. */

import { nodeProvider } from "@latchkey/crypto/node";
import { type GeneralName, makeName, parseCertificate } from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { type ChainResult, type ChainVerifierOptions, createChainVerifier, type VerifyInputs } from "../src/index.ts";
import { checkRevocation } from "../src/revocation.ts";
import { authority, dns, endEntity, entity, family, issue, newKeys, now } from "./issuing.ts";

const { root, rootCertificate, intermediate, intermediateCertificate, device, deviceCertificate } = family();

/** The verdict, and the time of the best of three answers: the first may still be compiling. */
function ask(
  inputs: Partial<VerifyInputs>,
  options: Partial<ChainVerifierOptions> = {},
): { verdict: string; ms: number; length: number } {
  const verifier = createChainVerifier({
    provider: nodeProvider,
    trustAnchors: [rootCertificate],
    rememberedCertificates: 0,
    ...options,
  });
  let ms = Number.POSITIVE_INFINITY;
  let result: ChainResult | undefined;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    result = verifier.verify({ certificate: deviceCertificate, purpose: "clientAuth", time: now, ...inputs });
    ms = Math.min(ms, performance.now() - start);
  }
  return { verdict: result === undefined ? "" : verdictOf(result), ms, length: result?.path.length ?? 0 };
}

function verdictOf(result: ChainResult): string {
  if (result.ok) return "ok";
  const [first] = result.failures;
  return first?.code === "ERR_CHAIN_LIMIT" ? `limit: ${first.evidence.limit}` : (first?.code ?? "");
}

/** Issue bound: each under 100 ms. A loaded machine gets some more here; a quadratic blow-up takes seconds. */
const boundMs = 250;

describe("hostile pools", () => {
  const keyRing = Array.from({ length: 50 }, newKeys);
  const strangers = keyRing.map((keys) =>
    issue({
      subject: entity("Pizza Intermediate", keys),
      issuer: root,
      extensions: authority(),
      keyIdentifiers: "none",
      serialNumber: 0x4000_0000,
    }),
  );
  // Copies with serial numbers of their own: their own signatures are never looked at, only those below them.
  const wrongKeys = Array.from({ length: 10_000 }, (_, index) => {
    const copy = Uint8Array.from(strangers[index % strangers.length]!);
    const { byteOffset } = parseCertificate(copy, { checkContents: false }).serialNumber;
    new DataView(copy.buffer).setUint32(byteOffset, 0x4000_0000 + index);
    return copy;
  });

  test("10,000 intermediates of one name: refused by number", () => {
    const { verdict, ms } = ask({ intermediates: [...wrongKeys, intermediateCertificate] });
    expect(verdict).toBe("limit: candidates");
    expect(ms).toBeLessThan(boundMs);
  });

  test("10,000 intermediates of one name, all let in: the key identifier finds the right one", () => {
    const intermediates = [...wrongKeys, intermediateCertificate].map((der) => parseCertificate(der));
    const { verdict, ms } = ask({ intermediates }, { limits: { candidates: 20_000 } });
    expect(verdict).toBe("ok");
    expect(ms).toBeLessThan(boundMs);
  });

  test("10,000 intermediates of one name, all let in, none right: the budget of signatures ends it", () => {
    const intermediates = wrongKeys.map((der) => parseCertificate(der));
    const { verdict, ms } = ask({ intermediates }, { limits: { candidates: 20_000 } });
    expect(verdict).toBe("limit: signatures");
    expect(ms).toBeLessThan(boundMs);
  });

  test("a 20-way mesh of cross-signs that leads nowhere is left at once", () => {
    const people = Array.from({ length: 20 }, (_, index) => entity(`Mesh ${index}`, keyRing[index]));
    const intermediates = people.flatMap((subject) =>
      people
        .filter((issuer) => issuer !== subject)
        .map((issuer) => issue({ subject, issuer, extensions: authority() })),
    );
    const certificate = issue({ subject: device, issuer: people[0]!, extensions: endEntity("clientAuth") });
    expect(ask({ certificate, intermediates })).toMatchObject({ verdict: "ERR_CHAIN_NO_ISSUER" });
    // One of them is vouched for: the shortest way to it is found among 18! others.
    const anchored = issue({ subject: people[19]!, issuer: root, extensions: authority() });
    const found = ask({ certificate, intermediates: [...intermediates, anchored] });
    expect(found).toMatchObject({ verdict: "ok", length: 3 });
    expect(found.ms).toBeLessThan(boundMs);
    // And it is one that does not help: every path fails, until a budget is spent.
    const useless = issue({ subject: people[19]!, issuer: root, extensions: authority(), notAfter: now - 1 });
    const spent = ask({ certificate, intermediates: [...intermediates, useless] });
    expect(spent.verdict).toMatch(/^limit: (signatures|steps|paths)$/);
    expect(spent.ms).toBeLessThan(boundMs);
  });

  test("2,048 names against 2,048 constraints: the budget of comparisons ends it before they are made", () => {
    const constraint = (index: number): GeneralName => dns(`c${index}.example`);
    const subtrees = Array.from({ length: 2048 }, (_, index) => constraint(index));
    const narrow = issue({
      subject: intermediate,
      issuer: root,
      extensions: authority({ nameConstraints: { permittedSubtrees: undefined, excludedSubtrees: subtrees } }),
    });
    const names = Array.from({ length: 2048 }, (_, index) => dns(`t${index}.test`));
    const certificate = issue({ subject: device, issuer: intermediate, extensions: endEntity("clientAuth", names) });
    const { verdict, ms } = ask({ certificate, intermediates: [narrow] });
    expect(verdict).toBe("limit: nameComparisons");
    expect(ms).toBeLessThan(boundMs);
    // Nor is much done in many small steps: each of ten authorities constrains a thousand names.
    const line = [root, ...keyRing.slice(0, 10).map((keys, index) => entity(`Link ${index}`, keys))];
    const thousand = { permittedSubtrees: undefined, excludedSubtrees: subtrees.slice(0, 1000) };
    const constrained = line
      .slice(1)
      .map((subject, index) =>
        issue({ subject, issuer: line[index]!, extensions: authority({ nameConstraints: thousand }) }),
      );
    const leaf = { extensions: endEntity("clientAuth", names.slice(0, 1000)), subject: device, issuer: line.at(-1)! };
    const spread = ask({ certificate: issue(leaf), intermediates: constrained });
    expect(spread.verdict).toBe("limit: allNameComparisons");
    expect(spread.ms).toBeLessThan(boundMs);
    // Half of each is within the budget, and is compared.
    const few = issue({
      subject: device,
      issuer: intermediate,
      extensions: endEntity("clientAuth", names.slice(0, 500)),
    });
    const compared = ask({ certificate: few, intermediates: [narrow] });
    expect(compared.verdict).toBe("ok");
    expect(compared.ms).toBeLessThan(boundMs);
  });

  test("a chain of 100 that holds but for its length", () => {
    const line = [root, ...Array.from({ length: 100 }, (_, index) => entity(`Link ${index}`, keyRing[index % 50]))];
    const intermediates = line
      .slice(1)
      .map((subject, index) => issue({ subject, issuer: line[index]!, extensions: authority() }));
    const certificate = issue({ subject: device, issuer: line.at(-1)!, extensions: endEntity("clientAuth") });
    const { verdict, ms } = ask({ certificate, intermediates });
    expect(verdict).toBe("limit: intermediates");
    expect(ms).toBeLessThan(boundMs);
    expect(ask({ certificate, intermediates }, { limits: { intermediates: 100, signatures: 200 } }).verdict).toBe("ok");
  });

  test("a certificate of 5 MB", () => {
    const huge = issue({
      subject: device,
      issuer: intermediate,
      extensions: [
        ...endEntity("clientAuth"),
        { oid: Uint8Array.of(0x2a, 0x03), critical: false, value: new Uint8Array(5_000_000), valueOffset: 0 },
      ],
    });
    const asTarget = ask({ certificate: huge, intermediates: [intermediateCertificate] });
    expect(asTarget.verdict).toBe("limit: certificateOctets");
    expect(asTarget.ms).toBeLessThan(boundMs);
    expect(ask({ intermediates: [huge, intermediateCertificate] }).verdict).toBe("limit: certificateOctets");
    const letIn = ask(
      { certificate: huge, intermediates: [intermediateCertificate] },
      { limits: { certificateOctets: 6e6 } },
    );
    expect(letIn.verdict).toBe("ok");
  });

  test("a subject of 2,048 attributes, and 2,048 alternative names against one reference name", () => {
    const subject = {
      name: makeName(Array.from({ length: 2048 }, (_, index) => ({ type: "OU", value: `u${index}` }))),
      keys: newKeys(),
    };
    const names = Array.from({ length: 2048 }, (_, index) => dns(`*.t${index}.test`));
    const certificate = issue({ subject, issuer: intermediate, extensions: endEntity("serverAuth", names) });
    const { verdict, ms } = ask({
      certificate,
      intermediates: [intermediateCertificate],
      purpose: "serverAuth",
      referenceNames: [{ type: "dns", value: "a.t2047.test" }],
    });
    expect(verdict).toBe("ok");
    expect(ms).toBeLessThan(boundMs);
  });

  test("more revocation lists than are looked at", () => {
    const revocationLists = Array.from({ length: 300 }, () => new Uint8Array(8));
    const { verdict } = ask({
      intermediates: [intermediateCertificate],
      revocation: checkRevocation({ mode: "hard", revocationLists }),
    });
    expect(verdict).toBe("limit: statements");
  });
});
