/** Finding a path among several, and what is remembered between answers. */

import type { CryptoProvider } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, test } from "vitest";
import { extendedKeyUsage, keyPurposes } from "@latchkey/x509";
import {
  type ChainResult,
  type ChainVerifierOptions,
  createChainVerifier,
  everyCheck,
  type RefusedChain,
} from "../src/index.ts";
import { authority, dns, endEntity, entity, extension, family, issue, now, unknownExtension } from "./issuing.ts";

/** A provider that counts the signatures it checks. */
function counting(): { readonly provider: CryptoProvider; readonly count: () => number } {
  let checked = 0;
  const verify: CryptoProvider["verify"] = (...signed) => {
    checked++;
    return nodeProvider.verify(...signed);
  };
  return { provider: { ...nodeProvider, verify }, count: () => checked };
}

const a = entity("A");
const b = entity("B");
const rootA = entity("Root A");
const rootB = entity("Root B");
const device = entity("device");
const leaf = issue({ subject: device, issuer: a, extensions: endEntity("clientAuth") });
const certificates = {
  rootA: issue({ subject: rootA, issuer: rootA, extensions: authority() }),
  rootB: issue({ subject: rootB, issuer: rootB, extensions: authority() }),
  aByRootA: issue({ subject: a, issuer: rootA, extensions: authority() }),
  aByB: issue({ subject: a, issuer: b, extensions: authority() }),
  bByA: issue({ subject: b, issuer: a, extensions: authority() }),
  bByRootB: issue({ subject: b, issuer: rootB, extensions: authority() }),
};

function pathOf(
  trustAnchors: readonly Uint8Array[],
  intermediates: readonly Uint8Array[],
  options: Partial<ChainVerifierOptions> = {},
): string {
  const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors, ...options });
  const result = verifier.verify({ certificate: leaf, intermediates, purpose: "clientAuth", time: now });
  if (!result.ok) return `${result.failures[0]?.code} after ${result.tried.length + 1}`;
  const names = new Map(Object.entries(certificates).map(([name, der]) => [der.join(), name]));
  return result.path.map(({ encoding }) => names.get(encoding.join()) ?? "leaf").join(" ");
}

describe("a path among several", () => {
  test("the shortest is taken, whatever the order", () => {
    const pool = [certificates.aByB, certificates.bByRootB, certificates.aByRootA];
    expect(pathOf([certificates.rootA, certificates.rootB], pool)).toBe("leaf aByRootA");
    expect(pathOf([certificates.rootA, certificates.rootB], pool.toReversed())).toBe("leaf aByRootA");
    expect(pathOf([certificates.rootB], pool)).toBe("leaf aByB bByRootB");
  });

  test("where one branch is expired, the other is taken (the AddTrust case)", () => {
    const expired = issue({ subject: a, issuer: rootA, extensions: authority(), notAfter: now - 1 });
    expect(pathOf([certificates.rootA, certificates.rootB], [expired, certificates.aByB, certificates.bByRootB])).toBe(
      "leaf aByB bByRootB",
    );
  });

  test("where one branch breaks name constraints, the other is taken", () => {
    const narrow = issue({
      subject: a,
      issuer: rootA,
      extensions: authority({
        nameConstraints: { permittedSubtrees: [{ type: "directoryName", value: b.name }], excludedSubtrees: undefined },
      }),
    });
    expect(pathOf([certificates.rootA, certificates.rootB], [narrow, certificates.aByB, certificates.bByRootB])).toBe(
      "leaf aByB bByRootB",
    );
  });

  test("keys of one name are tried until one fits, also without key identifiers", () => {
    const others = Array.from({ length: 20 }, () =>
      issue({ subject: entity("A"), issuer: rootA, extensions: authority(), keyIdentifiers: "none" }),
    );
    expect(pathOf([certificates.rootA], [...others, certificates.aByRootA])).toBe("leaf aByRootA");
  });

  test("cycles end", () => {
    const pool = [certificates.aByB, certificates.bByA];
    expect(pathOf([certificates.rootA], pool)).toBe("ERR_CHAIN_NO_ISSUER after 1");
    expect(pathOf([certificates.rootB], [...pool, certificates.bByRootB])).toBe("leaf aByB bByRootB");
  });

  test("no path visits an entity twice", () => {
    const late = issue({ subject: b, issuer: rootB, extensions: authority(), notAfter: now - 1 });
    const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors: [certificates.rootB] });
    const intermediates = [certificates.aByB, certificates.bByA, late];
    const result = verifier.verify({ certificate: leaf, intermediates, purpose: "clientAuth", time: now });
    if (result.ok) throw new Error("accepted");
    expect(result.failures[0]?.code).toBe("ERR_CHAIN_EXPIRED");
    for (const { path } of [result, ...result.tried]) {
      const subjects = path.map(({ subject }) => subject.encoding.join());
      expect(new Set(subjects).size).toBe(subjects.length);
    }
  });

  test("all that was tried is kept, the most telling first", () => {
    const late = { extensions: authority(), notAfter: now - 1 };
    const pool = [issue({ subject: a, issuer: rootA, ...late }), issue({ subject: a, issuer: rootB, ...late })];
    const verifier = createChainVerifier({
      provider: nodeProvider,
      trustAnchors: [certificates.rootA, certificates.rootB],
    });
    const result = verifier.verify({ certificate: leaf, intermediates: pool, purpose: "serverAuth", time: now });
    if (result.ok) throw new Error("accepted");
    const [first, second] = [result, ...result.tried].map(({ failures }) => failures.map(({ code }) => code));
    expect(first).toEqual(["ERR_CHAIN_EXPIRED", "ERR_CHAIN_EXTENDED_KEY_USAGE"]);
    expect(second).toEqual(first);
  });
});

describe("what a search costs and says", () => {
  const nameless = { keyIdentifiers: "none", extensions: authority() } as const;
  const impostors = Array.from({ length: 3 }, () => issue({ subject: entity("A"), issuer: rootA, ...nameless }));
  const genuine = issue({ subject: a, issuer: rootA, ...nameless });

  function search(
    intermediates: readonly Uint8Array[],
    trustAnchors: readonly Uint8Array[],
    options: Partial<ChainVerifierOptions> = {},
  ): { readonly result: ChainResult; readonly signatures: number } {
    const { provider, count } = counting();
    const verifier = createChainVerifier({ provider, trustAnchors, ...options });
    const result = verifier.verify({ certificate: leaf, intermediates, purpose: "clientAuth", time: now });
    return { result, signatures: count() };
  }

  function refusal(...inputs: Parameters<typeof search>): RefusedChain {
    const { result } = search(...inputs);
    if (result.ok) throw new Error("accepted");
    return result;
  }

  test("a certificate whose signature does not hold is passed over, and each pair is checked once", () => {
    const checks = everyCheck("off");
    expect(search([...impostors, genuine], [certificates.rootA], { checks })).toMatchObject({
      result: { ok: true },
      signatures: 5,
    });
    // The search for an explanation looks at the same pairs again.
    const { result, signatures } = search(impostors, [certificates.rootA], { checks });
    expect([result.ok, signatures]).toEqual([false, 3]);
  });

  test("what cannot be an issuer costs no signature", () => {
    const usage = extension(extendedKeyUsage, [keyPurposes.serverAuth]);
    for (const more of [[unknownExtension(true)], [usage]]) {
      const unfit = issue({ subject: entity("A"), issuer: rootA, ...nameless, extensions: authority({ more }) });
      const { result, signatures } = search([unfit, genuine], [certificates.rootA], { checks: everyCheck("off") });
      expect([result.ok, signatures]).toEqual([true, 2]);
    }
  });

  test("a path longer than the limit is said to be that only where it leads to an anchor", () => {
    const pool = [certificates.aByB, certificates.bByRootB];
    const limits = { intermediates: 1 };
    expect(refusal(pool, [certificates.rootB], { limits })).toMatchObject({
      failures: [{ code: "ERR_CHAIN_LIMIT", evidence: { limit: "intermediates", maximum: 1, used: 2 } }],
    });
    const nowhere = refusal(pool, [certificates.rootA], { limits });
    expect(nowhere.failures.map(({ code }) => code)).toEqual(["ERR_CHAIN_NO_ISSUER"]);
  });

  test("of many anchors twenty are named, and all are counted", () => {
    const anchors = Array.from({ length: 22 }, (_, index) => {
      const root = entity(`Root ${index}`);
      return issue({ subject: root, issuer: root, extensions: authority() });
    });
    const [first] = refusal([], anchors).failures;
    if (first?.code !== "ERR_CHAIN_NO_ISSUER") throw new Error(first?.code);
    expect(first.evidence.trustAnchors).toHaveLength(20);
    expect(first.evidence.trustAnchors[19]).toBe("CN=Root 19");
    expect(first.evidence.trustAnchorCount).toBe(22);
    expect(first.evidence.hasCandidates).toBe(false);
  });

  test("the first of several dead ends is looked into for what else is wrong, each certificate in its place", () => {
    const late = (issuer: string): Uint8Array =>
      issue({ subject: a, issuer: entity(issuer), extensions: authority(), notAfter: now - 1, serialNumber: 0 });
    const result = refusal([late("X"), late("Y")], [certificates.rootA], { profile: "webpki" });
    const found = result.failures.map(({ code, certificateIndex }) => `${code}@${certificateIndex}`);
    expect(found[0]).toBe("ERR_CHAIN_NO_ISSUER@1");
    expect(found).toContain("ERR_CHAIN_EXPIRED@1");
    expect(found).toContain("ERR_CHAIN_SERIAL_NUMBER@1");
    expect(found.join(" ")).not.toContain("ERR_CHAIN_END_ENTITY_IS_CA");
    expect(result.tried.map(({ failures }) => failures.map(({ code }) => code))).toEqual([["ERR_CHAIN_NO_ISSUER"]]);
    expect(result.checks).toContainEqual({ check: "extendedKeyUsage", certificateIndex: 0 });
  });
});

describe("memory", () => {
  const { root, intermediate, rootCertificate, intermediateCertificate } = family();

  function fleet(count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, index) =>
      issue({
        subject: entity(`button-${index}`, intermediate.keys),
        issuer: intermediate,
        extensions: endEntity("clientAuth"),
      }),
    );
  }

  function verifying(
    provider: CryptoProvider,
    options: Partial<ChainVerifierOptions> = {},
  ): (leaf: Uint8Array, time?: number) => string {
    const verifier = createChainVerifier({ provider, trustAnchors: [rootCertificate], ...options });
    return (certificate, time = now) => {
      const intermediates = [Uint8Array.from(intermediateCertificate)];
      const result = verifier.verify({ certificate, intermediates, purpose: "clientAuth", time });
      return result.ok ? "ok" : (result.failures[0]?.code ?? "");
    };
  }

  test("the thousandth device under one intermediate costs one signature check", () => {
    const { provider, count } = counting();
    const verify = verifying(provider);
    const devices = fleet(1000);
    for (const [index, each] of devices.entries()) {
      const before = count();
      expect(verify(each)).toBe("ok");
      expect(count() - before).toBe(index === 0 ? 2 : 1);
    }
  });

  test("without memory each costs two", () => {
    const { provider, count } = counting();
    const verify = verifying(provider, { rememberedCertificates: 0 });
    for (const each of fleet(5)) verify(each);
    expect(count()).toBe(10);
  });

  test("does not outlive validity, and holds nothing of a path that failed", () => {
    const { provider, count } = counting();
    const verify = verifying(provider);
    const [first, second] = fleet(2);
    expect(verify(first!, now + 1e6)).toBe("ERR_CHAIN_EXPIRED");
    expect(count()).toBe(2);
    expect(verify(first!)).toBe("ok");
    expect(count()).toBe(4);
    expect(verify(second!, now + 86_401)).toBe("ERR_CHAIN_EXPIRED");
    expect(verify(second!)).toBe("ok");
  });

  test("is of octets, not of buffers: what is written over later is not believed", () => {
    const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors: [rootCertificate] });
    const buffer = Uint8Array.from(intermediateCertificate);
    const [first, second] = fleet(2);
    const ask = (certificate: Uint8Array): boolean =>
      verifier.verify({ certificate, intermediates: [buffer], purpose: "clientAuth", time: now }).ok;
    expect(ask(first!)).toBe(true);
    const impostor = entity("Pizza Intermediate");
    const forged = issue({ subject: impostor, issuer: root, signer: impostor.keys, extensions: authority() });
    const signature = buffer.slice(-16);
    buffer.fill(0);
    buffer.set(forged.subarray(0, buffer.length));
    expect(ask(second!)).toBe(false);
    // The same last octets, by which memory looks, and other octets before them.
    buffer.set(intermediateCertificate);
    buffer[buffer.length - 40]! ^= 1;
    expect(buffer.slice(-16)).toEqual(signature);
    expect(ask(second!)).toBe(false);
  });

  test("is bounded, and the end entity is not kept", () => {
    const { provider, count } = counting();
    const verifier = createChainVerifier({ provider, trustAnchors: [rootCertificate], rememberedCertificates: 1 });
    const branches = ["X", "Y"].map((name) => {
      const issuer = entity(name);
      return {
        intermediates: [issue({ subject: issuer, issuer: root, extensions: authority() })],
        certificate: issue({ subject: device, issuer, extensions: endEntity("clientAuth", [dns("x.example")]) }),
        purpose: "clientAuth" as const,
        time: now,
      };
    });
    const costs = [0, 0, 1, 0].map((which) => {
      const before = count();
      verifier.verify(branches[which]!);
      return count() - before;
    });
    expect(costs).toEqual([2, 1, 2, 2]);
  });
});
