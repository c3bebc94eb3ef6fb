/**
 * The broker's data directory: who it is, who may vouch for devices, and the registry.
 *
 *     server-ca.pem, server-ca.key   the root that vouches for the server; devices are given server-ca.pem
 *     device-ca.pem, device-ca.key   the authority that vouches for devices; registered in the registry
 *     server.pem, server.key         what the listener shows; made anew when it runs out or is to have other names
 *     registry.db                    certificates, policies, attachments
 *     lock.db, broker.lock.db        see directory-lock.ts
 *
 * Key files and the registry can be read by their owner only. Files are written whole or not at all (write-file.ts). The
 * server's pair can be made again, so one that does not fit together is.
 */

import { closeSync, existsSync, openSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join, resolve } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import type { RegistryStore } from "@latchkey/registry";
import { openSqliteStore } from "@latchkey/registry/node";
import { certificateId, type Certificate, type CertificateIssuer } from "@latchkey/x509";
import { BrokerError, messageOf } from "../errors.ts";
import { openAuthority } from "./authority.ts";
import { isLockedByAnother, takeLock, type DirectoryLock } from "./directory-lock.ts";
import { openServerCertificate, type ServerCredential } from "./server-certificate.ts";
import { makeDirectory } from "./write-file.ts";

/** An opened data directory. */
export interface DataDirectory extends AsyncDisposable {
  readonly registry: RegistryStore;
  /** The root that devices are to trust. */
  readonly serverAuthority: Certificate;
  readonly deviceAuthority: CertificateIssuer;
}

/** A data directory that a broker runs on. */
export interface BrokerDirectory extends DataDirectory {
  readonly server: ServerCredential;
}

/** How long another process may take to make the files of the directory. */
const openingTimeoutMs = 10_000;

/**
 * Opens a data directory for the one broker that runs on it; makes what is missing of a new one. `serverNames` are DNS
 * names and IP addresses of the server, besides localhost and the loopback addresses.
 *
 * Throws `ERR_BROKER_DATA_DIRECTORY` where it cannot be read or written, does not fit together, has an authority that is
 * not valid now, or another broker runs on it; and what the registry throws.
 */
export async function openBrokerDirectory(
  directory: string,
  options: { readonly serverNames: readonly string[]; readonly now: Date },
): Promise<BrokerDirectory> {
  await mapErrors(directory, () => makeDirectory(resolve(directory)));
  const running = takeRunningLock(directory);
  try {
    const opened = await openDataDirectory(directory, options.now);
    try {
      const issuer = { certificate: opened.serverAuthority, privateKey: opened.serverKey };
      const nowSeconds = Math.floor(options.now.getTime() / 1000);
      const server = await mapErrors(directory, () =>
        openServerCertificate(directory, issuer, options.serverNames, nowSeconds),
      );
      return {
        ...opened,
        server,
        async [Symbol.asyncDispose]() {
          await opened[Symbol.asyncDispose]();
          running[Symbol.dispose]();
        },
      };
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    running[Symbol.dispose]();
    throw error;
  }
}

/** Opens a data directory that a broker has made, for a command. Throws as `openBrokerDirectory` does. */
export async function openExistingDirectory(directory: string, now: Date): Promise<DataDirectory> {
  if (!existsSync(join(directory, "registry.db"))) {
    throw new BrokerError(
      "ERR_BROKER_DATA_DIRECTORY",
      `${directory} is not a data directory: it has no registry.db. Run "latchkey start --data ${directory}" once, or ` +
        "name the folder that your broker uses with --data",
    );
  }
  return openDataDirectory(directory, now);
}

async function openDataDirectory(
  directory: string,
  now: Date,
): Promise<DataDirectory & { readonly serverKey: CertificateIssuer["privateKey"] }> {
  const lock = await mapErrors(directory, async () => takeLock(join(directory, "lock.db"), openingTimeoutMs));
  try {
    return await openLocked(directory, now);
  } finally {
    lock[Symbol.dispose]();
  }
}

async function openLocked(
  directory: string,
  now: Date,
): Promise<DataDirectory & { readonly serverKey: CertificateIssuer["privateKey"] }> {
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const [serverAuthority, deviceAuthority] = await mapErrors(directory, async () => [
    await openAuthority(directory, "server-ca", "Latchkey Server CA", nowSeconds),
    await openAuthority(directory, "device-ca", "Latchkey Device CA", nowSeconds),
  ]);
  const registry = await openRegistry(directory);
  try {
    await registerAuthority(registry, deviceAuthority.certificate, nowSeconds);
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
  return {
    registry,
    serverAuthority: serverAuthority.certificate,
    serverKey: serverAuthority.privateKey,
    deviceAuthority,
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

function takeRunningLock(directory: string): DirectoryLock {
  try {
    return takeLock(join(directory, "broker.lock.db"), 0);
  } catch (cause) {
    const why = isLockedByAnother(cause)
      ? "another broker runs on it. Stop that one, or give this one a directory of its own with --data"
      : messageOf(cause);
    throw new BrokerError("ERR_BROKER_DATA_DIRECTORY", `data directory ${directory}: ${why}`, { cause });
  }
}

/** SQLite gives the files beside a database the database's own mode, so the database has it before SQLite opens it. */
async function openRegistry(directory: string): Promise<RegistryStore> {
  const file = join(directory, "registry.db");
  await mapErrors(directory, async () => {
    closeSync(openSync(file, "a", 0o600));
    await chmod(file, 0o600);
  });
  return openSqliteStore(file);
}

async function registerAuthority(registry: RegistryStore, certificate: Certificate, nowSeconds: number): Promise<void> {
  const id = certificateId(certificate, nodeProvider);
  const known = await registry.certificateAuthorities();
  if (known.some((one) => one.certificateId === id)) return;
  await registry.createCertificateAuthority({
    certificateId: id,
    der: certificate.encoding,
    status: "ACTIVE",
    createdAtSeconds: nowSeconds,
  });
}

async function mapErrors<T>(directory: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    throw new BrokerError("ERR_BROKER_DATA_DIRECTORY", `data directory ${directory}: ${messageOf(cause)}`, { cause });
  }
}
