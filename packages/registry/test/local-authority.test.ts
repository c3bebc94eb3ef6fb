/** The authorities of a first start, behind a store of pairs in memory. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createChainVerifier } from "@latchkey/chain";
import { nodeProvider } from "@latchkey/crypto/node";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import {
  basicConstraints,
  certificatesFromPem,
  extensionValue,
  subjectAltName,
  type CertificateIssuer,
} from "@latchkey/x509";
import { afterAll, describe, expect, test } from "vitest";
import {
  createMemoryStorage,
  createRegistry,
  defaultScope as scope,
  openLocalAuthority,
  validityUnder,
  type KeyPairStore,
  type LocalAuthority,
  type LocalPairName,
} from "../src/index.ts";
import { makeAuthority, pemOf, startSeconds } from "./workshop.ts";

const day = 86_400;
const noNames = { dnsNames: [], ipAddresses: [] };

/** A store whose writes can be made to fail. */
class MemoryPairs implements KeyPairStore {
  readonly pairs = new Map<LocalPairName, CertificateIssuer>();
  readonly written: LocalPairName[] = [];
  fault: Error | undefined;

  async read(name: LocalPairName): Promise<CertificateIssuer | undefined> {
    return this.pairs.get(name);
  }

  async write(name: LocalPairName, pair: CertificateIssuer): Promise<void> {
    if (this.fault !== undefined) throw this.fault;
    this.written.push(name);
    this.pairs.set(name, pair);
  }

  describe(name: LocalPairName): { readonly certificate: string; readonly privateKey: string } {
    return { certificate: `${name}.pem`, privateKey: `${name}.key` };
  }
}

interface Opened {
  readonly pairs: MemoryPairs;
  readonly clock: { nowSeconds: number };
  readonly open: () => Promise<LocalAuthority>;
}

function newStore(): Opened {
  const pairs = new MemoryPairs();
  const clock = { nowSeconds: startSeconds };
  const open = () => openLocalAuthority({ pairs, provider: nodeProvider, nowSeconds: () => clock.nowSeconds });
  return { pairs, clock, open };
}

describe("a first start", () => {
  test("makes a root, an issuing authority and a server certificate, on P-256; the next start finds them", async () => {
    const { pairs, open } = newStore();
    const authority = await open();
    expect(pairs.written).toEqual(["server-ca", "device-ca"]);
    const server = await authority.serverPair({
      dnsNames: ["broker.example", "localhost"],
      ipAddresses: ["192.0.2.1"],
    });
    expect(pairs.written).toEqual(["server-ca", "device-ca", "server"]);
    for (const { certificate, privateKey } of [...pairs.pairs.values()]) {
      expect(privateKey.algorithm).toEqual({ name: "ec", curve: "P-256" });
      expect(certificate.validity.notBefore).toBe(startSeconds - 300);
    }
    expect([authority.root, authority.issuer.certificate].map((one) => extensionValue(one, basicConstraints))).toEqual([
      { cA: true, pathLenConstraint: 0 },
      { cA: true, pathLenConstraint: 0 },
    ]);
    expect(extensionValue(server.certificate, subjectAltName)).toHaveLength(5);
    const again = await open();
    expect([again.rootPem, again.issuer]).toEqual([pemOf(authority.root), authority.issuer]);
    expect(certificatesFromPem(again.rootPem)[0]?.encoding).toEqual(authority.root.encoding);
    expect(pairs.written).toHaveLength(3);
  });

  test("is one of a registry that issues by it", async () => {
    const { issuer } = await newStore().open();
    const storage = createMemoryStorage();
    const nowSeconds = (): number => startSeconds;
    await using registry = createRegistry({ storage, provider: nodeProvider, nowSeconds, issuer });
    await registry.createAccount(scope);
    const { record } = await registry.certificates.createKeysAndCertificate(scope, {
      setAsActive: true,
      keyAlgorithm: "p-256",
    });
    const [device] = certificatesFromPem(record.certificatePem);
    expect(await registry.resolvePrincipal([device?.encoding ?? new Uint8Array()], undefined)).toMatchObject({
      ok: true,
    });
  });
});

test("a certificate begins five minutes ago, and no earlier than its issuer", () => {
  const { certificate } = makeAuthority();
  const { notBefore } = certificate.validity;
  expect(validityUnder(certificate, notBefore + 1000, 1).notBefore).toBe(notBefore + 700);
  expect(validityUnder(certificate, notBefore + 299, 1)).toEqual(validityUnder(certificate, notBefore + 300, 1));
  expect(validityUnder(certificate, notBefore + 10, 2)).toEqual({ notBefore, notAfter: notBefore + 2 * day - 1 });
});

describe("the server's certificate", () => {
  test.each<[string, number, boolean]>([
    ["31 days before its end", 397 - 31, false],
    // It began five minutes early and ends a second before they are over: this is 30 days and a second.
    ["30 days before its end", 397 - 30 - 302 / 86_400, false],
    ["30 days before its end", 397 - 30 - 301 / 86_400, true],
    ["29 days before its end", 397 - 29, true],
    ["after its end", 400, true],
  ])("is another one %s: %d days later, %s", async (_, days, isRenewed) => {
    const { clock, open } = newStore();
    const authority = await open();
    const first = await authority.serverPair(noNames);
    clock.nowSeconds += days * day;
    const later = await authority.serverPair(noNames);
    expect(later.certificate.encoding !== first.certificate.encoding).toBe(isRenewed);
    expect(later.warning).toBeUndefined();
    expect(later.certificate.validity.notAfter - clock.nowSeconds).toBeGreaterThan(30 * day);
  });

  test("is another one for other names, another root, another key, and only then", async () => {
    const { pairs, open } = newStore();
    const authority = await open();
    const names = { dnsNames: ["a.example"], ipAddresses: ["2001:db8::1"] };
    const first = await authority.serverPair(names);
    expect((await authority.serverPair(names)).certificate).toBe(first.certificate);
    const otherNames = await authority.serverPair({ ...names, dnsNames: ["b.example"] });
    expect(otherNames.certificate).not.toBe(first.certificate);
    pairs.pairs.set("server", { certificate: otherNames.certificate, privateKey: first.privateKey });
    const otherKey = await authority.serverPair({ ...names, dnsNames: ["b.example"] });
    expect(otherKey.certificate).not.toBe(otherNames.certificate);
    pairs.pairs.set("server-ca", makeAuthority("Another root"));
    const otherRoot = await (await open()).serverPair({ ...names, dnsNames: ["b.example"] });
    expect(otherRoot.certificate).not.toBe(otherKey.certificate);
  });

  test("is another one for a root that was made again under its old name", async () => {
    const { pairs, open } = newStore();
    const first = await (await open()).serverPair(noNames);
    pairs.pairs.delete("server-ca");
    const authority = await open();
    const second = await authority.serverPair(noNames);
    expect(second.certificate.encoding).not.toEqual(first.certificate.encoding);
    const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors: [authority.root] });
    expect(verifier.verify({ certificate: second.certificate, purpose: "serverAuth", time: startSeconds }).ok).toBe(
      true,
    );
    expect((await (await open()).serverPair(noNames)).certificate).toBe(second.certificate);
  });

  test("is another one where the kept one begins later than now: it was made while the clock was ahead", async () => {
    const { clock, open } = newStore();
    const authority = await open();
    clock.nowSeconds += 100 * day;
    const { validity } = (await authority.serverPair({ ...noNames, dnsNames: ["a.example"] })).certificate;
    const names = { ...noNames, dnsNames: ["a.example"] };
    clock.nowSeconds = validity.notBefore;
    expect((await authority.serverPair(names)).certificate.validity).toEqual(validity);
    clock.nowSeconds--;
    expect((await authority.serverPair(names)).certificate.validity.notBefore).toBe(clock.nowSeconds - 300);
  });

  test("stays with a warning while no new one can be written, until it ends", async () => {
    const { pairs, clock, open } = newStore();
    const authority = await open();
    const first = await authority.serverPair(noNames);
    pairs.fault = new Error("no space left");
    clock.nowSeconds = first.certificate.validity.notAfter;
    expect(await authority.serverPair(noNames)).toEqual({
      certificate: first.certificate,
      privateKey: first.privateKey,
      warning: "the old server certificate stays: a new one cannot be written: no space left",
    });
    clock.nowSeconds++;
    await expect(authority.serverPair(noNames)).rejects.toThrow("no space left");
    pairs.fault = undefined;
    expect((await authority.serverPair(noNames)).warning).toBeUndefined();
  });
});

describe("an authority that cannot be used", () => {
  const code = "ERR_REGISTRY_LOCAL_AUTHORITY";

  test("because its key is another's is refused by name, and nothing is replaced", async () => {
    const { pairs, open } = newStore();
    await open();
    const { certificate } = makeAuthority();
    const privateKey = makeAuthority().privateKey;
    pairs.pairs.set("device-ca", { certificate, privateKey });
    await expect(open()).rejects.toMatchObject({
      code,
      message: "device-ca.key is not the key of device-ca.pem",
      evidence: { certificate: "device-ca.pem", privateKey: "device-ca.key", problem: "mismatch" },
    });
    expect(pairs.written).toHaveLength(2);
  });

  test.each([
    ["expired", 20 * 365 * day + 1, /server-ca\.pem expired at 20\d\d-.*Move server-ca\.pem and server-ca\.key away/],
    ["not-yet-valid", -301, /server-ca\.pem begins only at .*Set the clock/],
  ])("because it is %s says what to do", async (problem, seconds, message) => {
    const { clock, open } = newStore();
    await open();
    clock.nowSeconds += seconds;
    await expect(open()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      evidence: { problem },
    });
  });

  test("is refused from the second before its first and from the second after its last on", async () => {
    const { pairs, clock, open } = newStore();
    await open();
    const { validity } = pairs.pairs.get("device-ca")!.certificate;
    for (const [seconds, isUsable] of [
      [validity.notBefore - 1, false],
      [validity.notBefore, true],
      [validity.notAfter, true],
      [validity.notAfter + 1, false],
    ] as const) {
      clock.nowSeconds = seconds;
      const opened = await open().then(
        () => true,
        (error: { code: string }) => error.code,
      );
      expect([seconds, opened]).toEqual([seconds, isUsable || code]);
    }
  });

  test("because the device authority alone is expired names that one", async () => {
    const { pairs, open } = newStore();
    await open();
    pairs.pairs.set("device-ca", makeAuthority("Latchkey Device CA", { days: 0.5 }));
    await expect(open()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/device-ca\.pem expired .*Move device-ca\.pem and device-ca\.key away/),
    });
  });

  test("an interrupted first start is made good by the next one", async () => {
    const { pairs, open } = newStore();
    pairs.fault = new Error("interrupted");
    await expect(open()).rejects.toThrow("interrupted");
    pairs.fault = undefined;
    await open();
    expect(pairs.written).toEqual(["server-ca", "device-ca"]);
  });
});

const openssl = findProgram("openssl");
const folder = mkdtempSync(join(tmpdir(), "latchkey-local-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(openssl.path === undefined)(
  `OpenSSL verifies the server's certificate (${openssl.skipReason})`,
  async () => {
    const authority = await newStore().open();
    const { certificate } = await authority.serverPair({ dnsNames: ["broker.example"], ipAddresses: [] });
    const file = (name: string, pem: string): string => {
      writeFileSync(join(folder, name), pem);
      return join(folder, name);
    };
    const root = file("root.pem", authority.rootPem);
    const server = file("server.pem", pemOf(certificate));
    const args = [
      "verify",
      "-purpose",
      "sslserver",
      "-verify_hostname",
      "broker.example",
      "-attime",
      String(startSeconds),
    ];
    const { stdout } = await runProgram(openssl.path ?? "", [...args, "-CAfile", root, server]);
    expect(stdout).toContain("server.pem: OK");
  },
);
