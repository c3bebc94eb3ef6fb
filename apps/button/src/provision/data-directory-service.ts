/** Identities from a broker's data directory, beside the running broker: it sees the change in the registry's feed. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UsageError } from "@latchkey/command-line";
import { nodeProvider } from "@latchkey/crypto/node";
import { createRegistry, isRegistryError, resourceArn, type Registry, type Scope } from "@latchkey/registry";
import { openSqliteStorage } from "@latchkey/registry/node";
import { certificatesFromPem, privateKeyFromPem, type CertificateIssuer } from "@latchkey/x509";
import type { IdentityService, IssuedCertificate } from "./identity-service.ts";

/** A data directory that was opened: its registry, its only account, and the authority that vouches for devices. */
export interface OpenedDataDirectory extends AsyncDisposable {
  readonly registry: Registry;
  readonly scope: Scope;
  readonly deviceAuthority: CertificateIssuer;
  readonly rootPem: string;
}

/** Opens the data directory of a broker that was started once. Throws `UsageError`. */
export async function openDataDirectory(directory: string): Promise<OpenedDataDirectory> {
  const file = (name: string): string => join(directory, name);
  if (!existsSync(file("registry.db"))) {
    throw new UsageError(
      `${directory} is not a broker's data directory: it has no registry.db. Start a broker on it once, or name another one with --data`,
    );
  }
  const deviceAuthority = await readAuthority(file("device-ca.pem"), file("device-ca.key"));
  const rootPem = await readText(file("server-ca.pem"));
  const registry = createRegistry({
    storage: openSqliteStorage(file("registry.db")),
    provider: nodeProvider,
    nowSeconds: () => Math.floor(Date.now() / 1000),
    issuer: deviceAuthority,
  });
  try {
    const scope = onlyAccount(registry);
    return {
      registry,
      scope,
      deviceAuthority,
      rootPem,
      [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
    };
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
}

/** The identity service of a data directory. Throws `UsageError`. */
export async function dataDirectoryService(directory: string): Promise<IdentityService> {
  return registryService(await openDataDirectory(directory));
}

/** The identity service of a registry, which it closes with itself. */
export function registryService({
  registry,
  scope,
  rootPem,
}: Pick<OpenedDataDirectory, "registry" | "scope" | "rootPem">): IdentityService {
  const { certificates, authorities, policies } = registry;
  const issued = (certificateId: string): IssuedCertificate => ({
    certificateId,
    certificateArn: resourceArn(scope, "cert", certificateId),
  });
  return {
    createKeysAndCertificate: async () => {
      const made = await certificates.createKeysAndCertificate(scope, { setAsActive: true, keyAlgorithm: "p-256" });
      const { certificateId, certificatePem } = made.record;
      return { ...issued(certificateId), certificatePem, privateKeyPem: made.privateKeyPem };
    },
    createCertificateFromCsr: async (requestPem) => {
      const { certificateId, certificatePem } = await certificates.createFromCsr(scope, requestPem, {
        setAsActive: true,
      });
      return { ...issued(certificateId), certificatePem };
    },
    registrationCode: () => authorities.registrationCode(scope),
    registerAuthority: async (caCertificatePem, verificationCertificatePem) => {
      const registration = { caCertificatePem, verificationCertificatePem, setAsActive: true };
      await unlessThere(() => authorities.register(scope, registration));
    },
    registerCertificate: async (certificatePem, caCertificatePem) => {
      const registration = { certificatePem, caCertificatePem, status: "ACTIVE" } as const;
      return issued((await certificates.register(scope, registration)).certificateId);
    },
    createPolicy: (policyName, document) => unlessThere(() => policies.create(scope, policyName, document)),
    attachPolicy: (policyName, arn) => policies.attach(scope, policyName, policies.targetOfArn(scope, arn)),
    root: async () => rootPem,
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

async function unlessThere(body: () => Promise<unknown>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "ERR_REGISTRY_ALREADY_EXISTS") throw error;
  }
}

function onlyAccount(registry: Registry): Scope {
  const { items } = registry.listAccounts();
  const [first] = items;
  if (first !== undefined && items.length === 1) return { account: first.account, region: first.region };
  const count = items.length === 0 ? "no account" : "several accounts";
  throw new UsageError(`the data directory has ${count}: buttons are made where it has exactly one`);
}

async function readAuthority(certificateFile: string, keyFile: string): Promise<CertificateIssuer> {
  const certificatePem = await readText(certificateFile);
  const keyPem = await readText(keyFile);
  try {
    const [certificate] = certificatesFromPem(certificatePem);
    if (certificate === undefined) throw new UsageError(`${certificateFile} holds no certificate`);
    return { certificate, privateKey: privateKeyFromPem(keyPem, { provider: nodeProvider }) };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`the authority in ${certificateFile} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new UsageError(`the data directory cannot be read: ${messageOf(cause)}`, { cause });
  }
}
