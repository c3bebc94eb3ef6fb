/**
 * The broker's data directory: who it is, who may vouch for devices, and the registry.
 *
 *     server-ca.pem, server-ca.key   the root that vouches for the server; devices are given server-ca.pem
 *     device-ca.pem, device-ca.key   the authority that vouches for devices; registered in the registry
 *     server.pem, server.key         what the listener shows; made anew when it runs out or is to have other names
 *     registry.db                    certificates, policies, attachments
 *
 * Key files and the registry can be read by their owner only. A file is written under another name and then renamed, so
 * a process that dies in the middle leaves either the old file or the new one; a key is written before its certificate,
 * so an authority without its key means damage, not an interrupted start. The server's pair can be made again, so one that
 * does not fit together is. One process at a time opens a directory: a lock in SQLite (lock.db), which ends with its
 * process whatever happens.
 */

import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { decodePem, encodePem, equalBytes } from "@latchkey/asn1";
import type { PrivateKey } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import type { RegistryStore } from "@latchkey/registry";
import { openSqliteStore } from "@latchkey/registry/node";
import {
  certificateAuthority,
  certificateId,
  certificatesFromPem,
  certificateToPem,
  extensionValue,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  serverCertificate,
  subjectAltName,
  validityFrom,
  type Certificate,
  type CertificateIssuer,
} from "@latchkey/x509";
import { BrokerError, messageOf } from "./errors.ts";

/** An opened data directory. */
export interface DataDirectory extends AsyncDisposable {
  readonly registry: RegistryStore;
  /** PEM of the listener's certificate. */
  readonly serverCertificate: string;
  /** PEM of its key. */
  readonly serverPrivateKey: string;
  /** The root that devices are to trust. */
  readonly serverAuthority: Certificate;
  readonly deviceAuthority: CertificateIssuer;
}

/** Names and time, for what has to be issued. */
export interface DataDirectoryOptions {
  /** DNS names and IP addresses of the server, besides localhost and the loopback addresses; undefined: as they are. */
  readonly serverNames: readonly string[] | undefined;
  readonly now: Date;
}

const authorityDays = 20 * 365;
const serverDays = 397;
/** A server certificate is replaced when it has less than this left. */
const renewalDays = 30;
const secondsPerDay = 86_400;
/** How long another process may take to open the directory. */
const lockTimeoutMs = 10_000;

/**
 * Opens a data directory; makes what is missing of a new one.
 *
 * Throws `ERR_BROKER_DATA_DIRECTORY` where it cannot be read or written or does not fit together, and what the registry
 * throws.
 */
export async function openDataDirectory(directory: string, options: DataDirectoryOptions): Promise<DataDirectory> {
  await mapErrors(directory, () => makeDirectory(resolve(directory)));
  const lock = await mapErrors(directory, async () => takeLock(join(directory, "lock.db")));
  try {
    return await openLocked(directory, options);
  } finally {
    lock.close();
  }
}

/** Waits for other processes that open the directory. What it gives is to be closed. */
function takeLock(file: string): DatabaseSync {
  const lock = new DatabaseSync(file, { timeout: lockTimeoutMs });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

async function openLocked(directory: string, options: DataDirectoryOptions): Promise<DataDirectory> {
  const nowSeconds = Math.floor(options.now.getTime() / 1000);
  const [serverIssuer, deviceAuthority] = await mapErrors(directory, () =>
    Promise.all([
      openAuthority(directory, "server-ca", "Latchkey Server CA", nowSeconds),
      openAuthority(directory, "device-ca", "Latchkey Device CA", nowSeconds),
    ]),
  );
  const server = await mapErrors(directory, () => openServer(directory, serverIssuer, options.serverNames, nowSeconds));
  const registry = openSqliteStore(join(directory, "registry.db"));
  await mapErrors(directory, () => chmod(join(directory, "registry.db"), 0o600));
  try {
    await registerAuthority(registry, deviceAuthority.certificate, nowSeconds);
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
  return {
    registry,
    ...server,
    serverAuthority: serverIssuer.certificate,
    deviceAuthority,
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

/** Makes a directory and those above it. Node's own recursive mkdir never returns where the system refuses with ENOENT. */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    const above = dirname(directory);
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST" && (await stat(directory)).isDirectory()) return;
    if (code !== "ENOENT" || above === directory) throw error;
    await makeDirectory(above);
    await mkdir(directory, { mode: 0o700 });
  }
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

/** Reads an authority, or makes it where neither its certificate nor its key is there. */
async function openAuthority(
  directory: string,
  name: string,
  commonName: string,
  nowSeconds: number,
): Promise<CertificateIssuer> {
  const files = pairFiles(directory, name);
  const kept = await readPair(files);
  if (kept !== undefined) {
    if (!fitsTogether(kept)) throw new Error(`${files.privateKey} is not the key of ${files.certificate}`);
    return kept;
  }
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const certificate = issueSelfSignedCertificate({
    provider: nodeProvider,
    privateKey,
    template: certificateAuthority({
      subject: makeName([
        { type: "organizationName", value: "Latchkey" },
        { type: "commonName", value: commonName },
      ]),
      validity: validityFrom(nowSeconds, authorityDays),
      pathLenConstraint: 0,
    }),
  });
  await writePair(files, certificate, privateKey);
  return { certificate, privateKey };
}

/** Reads the server's certificate, or issues one where it is missing, runs out soon or has other names. */
async function openServer(
  directory: string,
  issuer: CertificateIssuer,
  names: readonly string[] | undefined,
  nowSeconds: number,
): Promise<Pick<DataDirectory, "serverCertificate" | "serverPrivateKey">> {
  const files = pairFiles(directory, "server");
  const wanted = [...new Set(["localhost", "127.0.0.1", "::1", ...(names ?? [])])];
  const template = serverCertificate({
    subject: makeName([{ type: "commonName", value: "Latchkey broker" }]),
    validity: validityFrom(nowSeconds, serverDays),
    dnsNames: wanted.filter((name) => isIP(name) === 0),
    ipAddresses: wanted.filter((name) => isIP(name) !== 0),
  });
  const kept = await readPair(files);
  const hasNames = (certificate: Certificate): boolean =>
    names === undefined ||
    JSON.stringify(extensionValue(certificate, subjectAltName)) ===
      JSON.stringify(extensionValue(template, subjectAltName));
  const isKept =
    kept !== undefined &&
    fitsTogether(kept) &&
    kept.certificate.validity.notAfter - nowSeconds > renewalDays * secondsPerDay &&
    equalBytes(kept.certificate.issuer.encoding, issuer.certificate.subject.encoding) &&
    hasNames(kept.certificate);
  let pair = kept;
  if (!isKept || pair === undefined) {
    const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
    pair = { certificate: issueCertificate({ provider: nodeProvider, issuer, template, publicKey }), privateKey };
    await writePair(files, pair.certificate, privateKey);
  }
  return {
    serverCertificate: certificateToPem(pair.certificate),
    serverPrivateKey: encodePem("PRIVATE KEY", nodeProvider.exportPkcs8(pair.privateKey)),
  };
}

/** Where a certificate and its key lie. */
interface PairFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

function pairFiles(directory: string, name: string): PairFiles {
  return { certificate: join(directory, `${name}.pem`), privateKey: join(directory, `${name}.key`) };
}

/** Undefined where the certificate is not there; a key alone is left from an interrupted start and is replaced. */
async function readPair(files: PairFiles): Promise<CertificateIssuer | undefined> {
  const pem = await readIfThere(files.certificate);
  if (pem === undefined) return undefined;
  const keyPem = await readIfThere(files.privateKey);
  if (keyPem === undefined) throw new Error(`${files.privateKey} is missing`);
  const certificate = within(files.certificate, () => certificatesFromPem(pem)[0]);
  const privateKey = within(files.privateKey, () => {
    const [block] = decodePem(keyPem);
    return block?.label === "PRIVATE KEY" ? nodeProvider.importPkcs8(block.bytes) : undefined;
  });
  return { certificate, privateKey };
}

function fitsTogether({ certificate, privateKey }: CertificateIssuer): boolean {
  return equalBytes(certificate.subjectPublicKeyInfo.encoding, privateKey.publicKey.spki);
}

/** Names the file in whatever goes wrong with its content. */
function within<T>(file: string, read: () => T | undefined): T {
  let value: T | undefined;
  try {
    value = read();
  } catch (cause) {
    throw new Error(`${file}: ${messageOf(cause)}`, { cause });
  }
  if (value === undefined) throw new Error(`${file} does not hold what it should`);
  return value;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function writePair(files: PairFiles, certificate: Certificate, privateKey: PrivateKey): Promise<void> {
  await writeFileWhole(files.privateKey, encodePem("PRIVATE KEY", nodeProvider.exportPkcs8(privateKey)), 0o600);
  await writeFileWhole(files.certificate, certificateToPem(certificate), 0o644);
}

/**
 * Writes a file so that it is there whole or not at all, and stays after a power cut. Nothing that is there already is
 * opened: a name that cannot be guessed, made anew with its mode from the start.
 */
export async function writeFileWhole(file: string, content: string, mode: number): Promise<void> {
  const unfinished = `${file}.${randomUUID()}.new`;
  try {
    const handle = await open(unfinished, "wx", mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  const folder = await open(dirname(file));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function mapErrors<T>(directory: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    throw new BrokerError("ERR_BROKER_DATA_DIRECTORY", `data directory ${directory}: ${messageOf(cause)}`, { cause });
  }
}
