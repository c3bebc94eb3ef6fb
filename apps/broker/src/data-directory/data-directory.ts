/**
 * The broker's data directory: who it is, who may vouch for devices, and the registry.
 *
 *     server-ca.pem, server-ca.key   the root that vouches for the server; devices are given server-ca.pem
 *     device-ca.pem, device-ca.key   the authority that vouches for devices; registered in the registry
 *     server.pem, server.key         what the listener shows; made anew when it runs out or is to have other names
 *     registry.db                    certificates, policies, attachments
 *     sessions.db                    sessions, what is owed to their clients, retained messages (session-file.ts)
 *     lock.db, broker.lock.db        see directory-lock.ts
 *
 * Key files and the registry can be read by their owner only. Files are written whole or not at all (write-file.ts). The
 * server's pair can be made again, so one that does not fit together is.
 */

import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join, resolve } from "node:path";
import { brokerLockFile, messageOf, UsageError } from "@latchkey/command-line";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  createRegistry,
  openLocalAuthority,
  type LocalAuthority,
  type Registry,
  type Scope,
  type Storage,
} from "@latchkey/registry";
import { openSqliteStorage } from "@latchkey/registry/node";
import type { Certificate, CertificateIssuer } from "@latchkey/x509";
import { BrokerError } from "../errors.ts";
import { isLockedByAnother, takeLock, type DirectoryLock } from "./directory-lock.ts";
import { keyPairStore } from "./key-pair-files.ts";
import { serverCredential, type ServerCredential } from "./server-certificate.ts";
import { makeDirectory } from "./write-file.ts";

/** Where it is where nothing else is said. */
export const defaultDataDirectory = "latchkey-data";

/** An opened data directory. */
export interface DataDirectory extends AsyncDisposable {
  readonly registry: Registry;
  readonly storage: Storage;
  /** The account and region that commands work in. */
  readonly scope: Scope;
  /** The root that devices are to trust. */
  readonly serverAuthority: Certificate;
  readonly deviceAuthority: CertificateIssuer;
}

/** A data directory that a broker runs on. */
export interface BrokerDirectory extends DataDirectory {
  readonly server: ServerCredential;
  /** Reads the server's certificate again, and makes another where it runs out soon. Throws as `openBrokerDirectory`. */
  renewServer(): Promise<ServerCredential>;
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
  options: { readonly serverNames: readonly string[]; readonly scope: Scope; readonly now: () => Date },
): Promise<BrokerDirectory> {
  await mapErrors(directory, () => makeDirectory(resolve(directory)));
  const running = takeRunningLock(directory);
  try {
    const opened = await openDataDirectory(directory, { ...options, isLookedAtOnceATurn: true });
    try {
      // The name that DescribeEndpoint gives has to be the server's, too.
      const names = [...options.serverNames, opened.registry.describeAccount(options.scope).endpoint];
      const renewServer = (): Promise<ServerCredential> =>
        mapErrors(directory, () => serverCredential(opened.localAuthority, names));
      return {
        ...opened,
        server: await renewServer(),
        renewServer,
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

/**
 * Opens a data directory that a broker has made, for a command that works in its only account.
 *
 * Throws as `openBrokerDirectory` does, and `UsageError` where it has several accounts.
 */
export async function openExistingDirectory(directory: string, now: () => Date): Promise<DataDirectory> {
  if (!existsSync(join(directory, "registry.db"))) {
    throw new BrokerError(
      "ERR_BROKER_DATA_DIRECTORY",
      `${directory} is not a data directory: it has no registry.db. Run "latchkey start --data ${directory}" once, or ` +
        "name the folder that your broker uses with --data",
    );
  }
  return openDataDirectory(directory, { scope: undefined, now, isLookedAtOnceATurn: false });
}

type OpenedDirectory = DataDirectory & { readonly localAuthority: LocalAuthority };

interface OpeningOptions {
  /** Undefined for the only one that there is. */
  readonly scope: Scope | undefined;
  readonly now: () => Date;
  /** As `SqliteStorageOptions` has it: a broker asks for each connection. */
  readonly isLookedAtOnceATurn: boolean;
}

async function openDataDirectory(directory: string, options: OpeningOptions): Promise<OpenedDirectory> {
  const lock = await mapErrors(directory, async () => takeLock(join(directory, "lock.db"), openingTimeoutMs));
  try {
    return await openLocked(directory, options);
  } finally {
    lock[Symbol.dispose]();
  }
}

async function openLocked(
  directory: string,
  { scope, now, isLookedAtOnceATurn }: OpeningOptions,
): Promise<OpenedDirectory> {
  const nowSeconds = (): number => secondsOf(now());
  const localAuthority = await mapErrors(directory, () =>
    openLocalAuthority({ pairs: keyPairStore(directory), provider: nodeProvider, nowSeconds }),
  );
  const { issuer } = localAuthority;
  const storage = await openStorage(directory, isLookedAtOnceATurn);
  const registry = createRegistry({ storage, provider: nodeProvider, nowSeconds, issuer });
  try {
    const opened = scope ?? onlyAccount(registry);
    await registry.createAccount(opened);
    return {
      registry,
      storage,
      scope: opened,
      serverAuthority: localAuthority.root,
      deviceAuthority: issuer,
      localAuthority,
      [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
    };
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
}

/** A broker that was started once has made its account. */
function onlyAccount(registry: Registry): Scope {
  const { items } = registry.listAccounts();
  const [first] = items;
  if (first !== undefined && items.length === 1) return { account: first.account, region: first.region };
  const names = items.map(({ account, region }) => `${account} in ${region}`).join(", ");
  throw new UsageError(
    items.length === 0
      ? "the data directory has no account yet: start the broker on it once"
      : `the data directory has several accounts, and commands work in one: ${names}`,
  );
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** A command that looks whether a broker runs has the lock for a moment. */
const lookingTimeoutMs = 200;

function takeRunningLock(directory: string): DirectoryLock {
  try {
    return takeLock(join(directory, brokerLockFile), lookingTimeoutMs);
  } catch (cause) {
    const why = isLockedByAnother(cause)
      ? "another broker runs on it. Stop that one, or give this one a directory of its own with --data"
      : messageOf(cause);
    throw new BrokerError("ERR_BROKER_DATA_DIRECTORY", `data directory ${directory}: ${why}`, { cause });
  }
}

/** Takes from others what they may read of the registry: its files may have been copied here, or made by hand. */
async function openStorage(directory: string, isLookedAtOnceATurn: boolean): Promise<Storage> {
  const file = join(directory, "registry.db");
  await mapErrors(directory, async () => {
    for (const path of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(path)) await chmod(path, 0o600);
  });
  return openSqliteStorage(file, { isLookedAtOnceATurn });
}

async function mapErrors<T>(directory: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    throw new BrokerError("ERR_BROKER_DATA_DIRECTORY", `data directory ${directory}: ${messageOf(cause)}`, { cause });
  }
}
