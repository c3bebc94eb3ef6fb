/**
 * `@latchkey/registry`. No other package does this, so most rows stand alone; the resolving rows stand beside what node:crypto
 * takes for the signature alone.
 *
 * Rows that must not hold up the event loop note its longest wait, and the bulk row its memory.
 */

import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  createMemoryStorage,
  createRegistry,
  defaultScope,
  requestContext,
  type ConnectionRights,
  type Registry,
  type Storage,
} from "@latchkey/registry";
import { openSqliteStorage } from "@latchkey/registry/node";
import {
  certificateAuthority,
  certificatesFromPem,
  certificateToPem,
  createCertificationRequest,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
  type CertificateIssuer,
} from "@latchkey/x509";
import { encodePem } from "@latchkey/asn1";
import type { Contender, Scenario, Suite } from "../scenario.ts";

const now = 1_795_392_000;
const batch = 64;

export const suite: Suite = {
  name: "registry",
  scenarios: {
    "registry/resolve-principal/warm": () => resolvePrincipal(1, false),
    "registry/resolve-principal/4096-devices": () => resolvePrincipal(4096, false),
    "registry/resolve-principal/cold": () => resolvePrincipal(4096, true),
    "registry/connect/sqlite/4096-devices": connectThroughFile,
    "registry/issue/csr-p256": issueFromRequest,
    "registry/issue/one-click-rsa2048": issueOneClick,
    "registry/bulk/100000": bulkImport,
    "registry/change/10000-connections": changeForAll,
  },
};

interface Opened {
  readonly registry: Registry;
  readonly issuer: CertificateIssuer;
}

async function openRegistry(storage: Storage = createMemoryStorage()): Promise<Opened> {
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = certificateAuthority({
    subject: makeName([{ type: "commonName", value: "Device CA" }]),
    validity: validityFrom(now - 600, 3650),
  });
  const issuer = {
    privateKey,
    certificate: issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template }),
  };
  const registry = createRegistry({
    storage,
    provider: nodeProvider,
    nowSeconds: () => now,
    issuer,
  });
  await registry.createAccount(defaultScope);
  await registry.authorities.registerLocal(defaultScope, issuer.certificate);
  return { registry, issuer };
}

/** Certificates of `count` devices, registered and ACTIVE, as DER. */
async function registerDevices({ registry }: Opened, count: number): Promise<Uint8Array[]> {
  const ders: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const { record } = await registry.certificates.createKeysAndCertificate(defaultScope, {
      keyAlgorithm: "p-256",
      setAsActive: true,
    });
    const [certificate] = certificatesFromPem(record.certificatePem);
    if (certificate !== undefined) ders.push(certificate.encoding);
  }
  return ders;
}

/**
 * `isCold`: the authority has changed since the last batch, so that nothing is remembered of its devices. Otherwise a device that
 * comes again costs no signature check, which is all that the peer does.
 */
async function resolvePrincipal(devices: number, isCold: boolean): Promise<Scenario> {
  const opened = await openRegistry();
  const { registry, issuer } = opened;
  const ders = await registerDevices(opened, devices);
  const [authority] = registry.authorities.list(defaultScope).items;
  const authorityKey = new X509Certificate(certificateToPem(issuer.certificate)).publicKey;
  let next = 0;
  const nextDer = (): Uint8Array => ders[next++ % ders.length] ?? new Uint8Array();
  return {
    unit: "certificate",
    bytesPerOperation: ders[0]?.length ?? 0,
    subject: {
      name: "@latchkey/registry",
      run: async () => {
        if (isCold)
          await registry.authorities.update(defaultScope, authority?.certificateId ?? "", { autoRegistration: false });
        let done = 0;
        for (let i = 0; i < batch; i++) if ((await registry.resolvePrincipal([nextDer()], "localhost")).ok) done++;
        return done;
      },
    },
    peers: [
      {
        name: "bare",
        run: () => {
          let done = 0;
          for (let i = 0; i < batch; i++) if (new X509Certificate(nextDer()).verify(authorityKey)) done++;
          return done;
        },
      },
    ],
  };
}

/** What a connection asks of a registry in a file: who it is, its rights, its first decision. Devices come again in turns. */
async function connectThroughFile(): Promise<Scenario> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const opened = await openRegistry(openSqliteStorage(join(folder, "registry.db")));
  const { registry } = opened;
  await registry.policies.create(defaultScope, "button", documentFor("button"));
  const ders = await registerDevices(opened, 4096);
  for (const { certificateId } of registry.certificates.list(defaultScope, { pageSize: 4096 }).items) {
    await registry.policies.attach(defaultScope, "button", { kind: "cert", certificateId });
  }
  const table = registry.connectionRights();
  const resource = "arn:aws:iot:us-east-1:000000000000:topic/button";
  let next = 0;
  return alone("connection", {
    name: "@latchkey/registry",
    run: async () => {
      let allowed = 0;
      for (let i = 0; i < batch; i++) {
        const index = next++ % ders.length;
        const result = await registry.resolvePrincipal([ders[index] ?? new Uint8Array()], "localhost");
        if (!result.ok) throw new Error(result.reason);
        const rights = table.open(result.principal, `client-${index}`);
        const context = requestContext(rights, { protocol: "mqtt" });
        if (rights.matcher.decide({ action: "iot:Publish", resource, context }) === "allow") allowed++;
        table.close(rights);
      }
      return allowed;
    },
    teardown: async () => {
      await registry[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  });
}

/** A policy document that allows publishing on one topic. */
function documentFor(topic: string): string {
  const Resource = `arn:aws:iot:us-east-1:000000000000:topic/${topic}`;
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "iot:Publish", Resource }],
  });
}

async function issueFromRequest(): Promise<Scenario> {
  const { registry } = await openRegistry();
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const subject = makeName([{ type: "commonName", value: "device" }]);
  const request = createCertificationRequest({ provider: nodeProvider, privateKey, subject });
  const pem = encodePem("CERTIFICATE REQUEST", request.encoding);
  return alone("certificate", {
    name: "@latchkey/registry",
    run: async () => {
      for (let i = 0; i < 16; i++) await registry.certificates.createFromCsr(defaultScope, pem);
      return 16;
    },
  });
}

async function issueOneClick(): Promise<Scenario> {
  const { registry } = await openRegistry();
  return alone("certificate", {
    name: "@latchkey/registry",
    ...watchingTheLoop(),
    run: async () => {
      const { privateKeyPem } = await registry.certificates.createKeysAndCertificate(defaultScope);
      return privateKeyPem === "" ? 0 : 1;
    },
  });
}

/** 100,000 certificates of one key, each with its own serial number, into an empty registry each time. */
async function bulkImport(): Promise<Scenario> {
  const { issuer } = await openRegistry();
  const { publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = deviceCertificate({
    subject: makeName([{ type: "commonName", value: "device" }]),
    validity: validityFrom(now - 600, 365),
  });
  const lines = Array.from({ length: 100_000 }, () =>
    JSON.stringify({
      certificatePem: certificateToPem(issueCertificate({ provider: nodeProvider, issuer, publicKey, template })),
      status: "ACTIVE",
    }),
  );
  const watch = watchingTheLoop();
  let mebibytes = 0;
  return alone("certificate", {
    name: "@latchkey/registry",
    setup: watch.setup,
    run: async () => {
      const { registry } = await openRegistry();
      const result = await registry.importLines(defaultScope, lines, nextTurn);
      return result.registered;
    },
    teardown: () => {
      watch.teardown();
      mebibytes = process.memoryUsage().rss / 1_048_576;
    },
    notes: () => [
      ...watch.notes(),
      `${mebibytes.toFixed(0)} MiB of resident memory, the lines that were imported included`,
    ],
  });
}

/** A policy of 10,000 connections gets a new default version; one operation ends when all have decided by it. */
async function changeForAll(): Promise<Scenario> {
  const connections = 10_000;
  const opened = await openRegistry();
  const { registry } = opened;
  await registry.policies.create(defaultScope, "button", documentFor("0"));
  const table = registry.connectionRights();
  const rights: ConnectionRights[] = [];
  for (const der of await registerDevices(opened, connections)) {
    const result = await registry.resolvePrincipal([der], "localhost");
    if (!result.ok) throw new Error(result.reason);
    const { certificateId } = result.principal;
    await registry.policies.attach(defaultScope, "button", { kind: "cert", certificateId });
    rights.push(table.open(result.principal, `client-${rights.length}`));
  }
  const contexts = rights.map((one) => requestContext(one, { protocol: "mqtt" }));
  let version = 1;
  return alone("change", {
    name: "@latchkey/registry",
    ...watchingTheLoop(),
    run: async () => {
      const sequence = registry.sequence();
      version++;
      await registry.policies.createVersion(defaultScope, "button", documentFor(String(version)), {
        setAsDefault: true,
      });
      await registry.policies.deleteVersion(defaultScope, "button", String(version - 1));
      const changes = registry.changesAfter(sequence);
      let looked = 0;
      if (changes.isComplete) {
        for (const _ of table.apply(changes.changes)) if (++looked % 20 === 0) await nextTurn();
      }
      const resource = `arn:aws:iot:us-east-1:000000000000:topic/${version}` as const;
      let allowed = 0;
      for (const [index, one] of rights.entries()) {
        const context = contexts[index] ?? {};
        if (one.matcher.decide({ action: "iot:Publish", resource, context }) === "allow") allowed++;
        if (index % 1000 === 999) await nextTurn();
      }
      if (allowed !== connections) throw new Error(`${allowed} of ${connections} connections decided anew`);
      return 1;
    },
  });
}

function alone(unit: string, subject: Contender): Scenario {
  return { unit, bytesPerOperation: 0, subject, peers: [] };
}

/** Notes the longest wait of the event loop between `setup` and `teardown`. */
function watchingTheLoop(): Required<Pick<Contender, "notes">> & {
  readonly setup: () => void;
  readonly teardown: () => void;
} {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  return {
    setup: () => {
      delay.enable();
    },
    teardown: () => {
      delay.disable();
    },
    notes: () => [`the event loop waited at most ${(delay.max / 1e6).toFixed(1)} ms`],
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
