/**
 * Random chains, right and wrong in random ways, put to `openssl verify` and to the verifier: the same verdict, or a
 * difference that is listed with the clause that decides it.
 */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePem } from "@latchkey/asn1";
import type { KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import { findProgram } from "@latchkey/tooling-vitest/programs";
import {
  certificatePolicies,
  extendedKeyUsage,
  type Extension,
  type GeneralName,
  keyPurposes,
  type KeyUsage,
  policyConstraints,
} from "@latchkey/x509";
import { afterAll, describe, expect, test } from "vitest";
import { createChainVerifier, everyCheck } from "../src/index.ts";
import {
  authority,
  type CertificateInput,
  dns,
  endEntity,
  type Entity,
  entity,
  extension,
  issue,
  newKeys,
  now,
  unknownExtension,
} from "./issuing.ts";

const openssl = findProgram("openssl");
const chains = 120;

/** mulberry32: the same chains on every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const gold = [{ policyIdentifier: Uint8Array.of(0x2a, 0x03, 0x04), policyQualifiers: [] }];

/** What can be wrong with one certificate of a chain (0 is the root), and how. */
const defects: Readonly<Record<string, (input: CertificateInput, depth: number) => Partial<CertificateInput>>> = {
  none: () => ({}),
  expired: () => ({ notAfter: now - 10 }),
  "not yet valid": () => ({ notBefore: now + 10 }),
  "signed by another key": () => ({ signer: newKeys() }),
  "not an authority": () => ({ extensions: endEntity("clientAuth") }),
  "version 1": () => ({ version: 1 }),
  "path length 0": ({ extensions }) => ({ extensions: replaceAuthority(extensions, { pathLenConstraint: 0 }) }),
  "path length 1": ({ extensions }) => ({ extensions: replaceAuthority(extensions, { pathLenConstraint: 1 }) }),
  "path length 2": ({ extensions }) => ({ extensions: replaceAuthority(extensions, { pathLenConstraint: 2 }) }),
  "no keyCertSign": ({ extensions }) => ({
    extensions: replaceAuthority(extensions, { usages: ["digitalSignature"] }),
  }),
  "purpose serverAuth": ({ extensions = [] }) => ({
    extensions: [
      ...extensions.filter(({ oid }) => oid[2] !== 37),
      extension(extendedKeyUsage, [keyPurposes.serverAuth]),
    ],
  }),
  "unknown critical extension": ({ extensions = [] }) => ({ extensions: [...extensions, unknownExtension(true)] }),
  "unknown extension": ({ extensions = [] }) => ({ extensions: [...extensions, unknownExtension(false)] }),
  "excludes the device": ({ extensions }) => ({
    extensions: replaceAuthority(extensions, constrained([], ["example.com"])),
  }),
  "permits the device": ({ extensions }) => ({
    extensions: replaceAuthority(extensions, constrained(["example.com"], [])),
  }),
  "permits others": ({ extensions }) => ({
    extensions: replaceAuthority(extensions, constrained(["example.org"], [])),
  }),
  "requires a policy": ({ extensions = [] }) => ({
    extensions: [
      ...extensions,
      extension(policyConstraints, { requireExplicitPolicy: 0, inhibitPolicyMapping: undefined }, true),
    ],
  }),
  "has a policy": ({ extensions = [] }) => ({ extensions: [...extensions, extension(certificatePolicies, gold)] }),
  "no key identifiers": () => ({ keyIdentifiers: "none" }),
};

interface AuthorityChange {
  readonly pathLenConstraint?: number;
  readonly usages?: readonly KeyUsage[];
  readonly nameConstraints?: {
    readonly permittedSubtrees: GeneralName[] | undefined;
    readonly excludedSubtrees: GeneralName[] | undefined;
  };
}

function constrained(permitted: readonly string[], excluded: readonly string[]): AuthorityChange {
  const some = (names: readonly string[]): GeneralName[] | undefined =>
    names.length === 0 ? undefined : names.map(dns);
  return { nameConstraints: { permittedSubtrees: some(permitted), excludedSubtrees: some(excluded) } };
}

/** Only authorities have these; an end entity stays as it is. */
function replaceAuthority(extensions: readonly Extension[] = [], change: AuthorityChange): Extension[] {
  const isAuthority = extensions.some(({ oid }) => oid[2] === 19);
  return isAuthority ? authority(change) : [...extensions];
}

interface RandomChain {
  readonly defects: readonly string[];
  /** From the root to the device. */
  readonly certificates: readonly Uint8Array[];
}

function randomChain(random: (below: number) => number, keyRing: readonly KeyPair[]): RandomChain {
  const length = 2 + random(5);
  const names = Object.keys(defects);
  const chosen = Array.from({ length }, () => (random(3) === 0 ? names[random(names.length)]! : "none"));
  let issuer: Entity | undefined;
  const certificates = chosen.map((defect, depth) => {
    const isLast = depth === length - 1;
    const subject: Entity = entity(isLast ? "device" : `CA ${depth}`, keyRing[random(keyRing.length)]);
    const extensions = isLast ? endEntity("clientAuth", [dns("device.example.com")]) : authority();
    const input: CertificateInput = { subject, issuer: issuer ?? subject, extensions };
    issuer = subject;
    return issue({ ...input, ...defects[defect]!(input, depth) });
  });
  return { defects: chosen, certificates };
}

/** Differences that are wanted; each says what OpenSSL does and what decides against it. */
const differences: readonly {
  readonly applies: (chain: RandomChain, ours: string) => boolean;
  readonly reason: string;
}[] = [
  {
    applies: ({ defects: chosen }, ours) => chosen[0] === "requires a policy" && ours === "ERR_CHAIN_POLICY",
    reason: "OpenSSL leaves a root's policyConstraints out; RFC 5937 §3.2 takes them as initial-explicit-policy.",
  },
];

function ourVerdict({ certificates }: RandomChain): string {
  const verifier = createChainVerifier({
    provider: nodeProvider,
    trustAnchors: [certificates[0]!],
    // OpenSSL judges the path and not how certificates should look, but for the anchor's validity.
    checks: { ...everyCheck("off"), anchorValidity: "error" },
  });
  const result = verifier.verify({
    certificate: certificates.at(-1)!,
    intermediates: certificates.slice(1, -1),
    purpose: "clientAuth",
    time: now,
  });
  return result.ok ? "ok" : result.failures.map(({ code }) => code).join(" ");
}

const folder = mkdtempSync(join(tmpdir(), "latchkey-chain-"));
afterAll(() => rmSync(folder, { recursive: true }));

function opensslVerdict({ certificates }: RandomChain, index: number): Promise<string> {
  const file = (name: string, ders: readonly Uint8Array[]): string => {
    const path = join(folder, `${index}-${name}.pem`);
    writeFileSync(path, ders.map((der) => encodePem("CERTIFICATE", der)).join(""));
    return path;
  };
  const [root, ...others] = certificates;
  const options = ["-CAfile", file("root", [root!]), "-no-CApath", "-no-CAstore", "-attime", String(now)];
  const untrusted = others.length > 1 ? ["-untrusted", file("untrusted", others.slice(0, -1))] : [];
  // -policy_check: OpenSSL leaves policies alone without it.
  const command = [
    "verify",
    ...options,
    ...untrusted,
    "-purpose",
    "sslclient",
    "-policy_check",
    file("device", others.slice(-1)),
  ];
  return new Promise((resolve) => {
    execFile(openssl.path!, command, (error, _, stderr) =>
      resolve(error === null ? "ok" : (/error \d+ at.*/.exec(stderr)?.[0] ?? stderr)),
    );
  });
}

describe.skipIf(openssl.path === undefined)("openssl verify", () => {
  test(`says the same of ${chains} random chains, or the difference is listed`, async () => {
    const random = randomNumbers(20261123);
    const keyRing = Array.from({ length: 8 }, newKeys);
    const made = Array.from({ length: chains }, () => randomChain(random, keyRing));
    const verdicts: string[] = [];
    for (let start = 0; start < made.length; start += 4) {
      verdicts.push(
        ...(await Promise.all(made.slice(start, start + 4).map((each, at) => opensslVerdict(each, start + at)))),
      );
    }
    const unlisted: string[] = [];
    const used = new Set<object>();
    let accepted = 0;
    let listed = 0;
    for (const [index, each] of made.entries()) {
      const ours = ourVerdict(each);
      const theirs = verdicts[index]!;
      if (ours === "ok") accepted++;
      if ((ours === "ok") === (theirs === "ok")) continue;
      const difference = differences.find(({ applies }) => applies(each, ours));
      if (difference !== undefined) used.add(difference);
      if (difference === undefined) unlisted.push(`${each.defects.join(", ")}: ours ${ours}, openssl ${theirs}`);
      else listed++;
    }
    console.log(`openssl verify: ${chains} chains, ${accepted} accepted, ${listed} listed differences`);
    expect(unlisted).toEqual([]);
    expect(used.size).toBe(differences.length);
    // Neither all right nor all wrong, or nothing would be compared.
    expect(accepted).toBeGreaterThan(chains / 8);
    expect(accepted).toBeLessThan((chains * 7) / 8);
  }, 30_000);
});
