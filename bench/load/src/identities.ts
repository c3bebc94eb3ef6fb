/**
 * The certificates of a run: one authority for servers, one for devices, and a device for each client, each with its own
 * key. Made by `@latchkey/x509`, kept on disk, the same for all targets.
 *
 * The folder is named after a hash of what makes the certificates (this file and the sources of asn1, crypto and x509), so
 * a changed maker starts a new folder, and after a period of five years, so that no certificate that is used runs out. Files
 * are written under another name and linked to their own, if there is none yet: two benches may run at a time. `identity-cache.ts` bounds what is kept.
 *
 * An RSA key takes a hundred times as long to make as a P-256 key. So there are 64 RSA devices at most, and more clients
 * than that share them in turn; the result says so. P-256 devices are never shared.
 */

import { createHash } from "node:crypto";
import { existsSync, linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateAuthority,
  certificatesFromPem,
  certificateToPem,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  privateKeyFromPem,
  privateKeyToPem,
  serverCertificate,
  validityFrom,
  type CertificateIssuer,
} from "@latchkey/x509";
import { draftOf, openCacheFolder } from "./identity-cache.ts";

/** Keys of the authorities, the server and the devices. */
export type KeyType = "p256" | "rsa";

/** A certificate and its key, PEM. */
export interface PemPair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** What a target is started with. */
export interface Authorities {
  /** The folder of the files. */
  readonly folder: string;
  readonly keyType: KeyType;
  /** The root that vouches for `server`. */
  readonly serverAuthority: PemPair;
  /** For localhost, 127.0.0.1 and ::1. */
  readonly server: PemPair;
  /** The root that vouches for devices. */
  readonly deviceAuthority: PemPair;
}

/** A device: its client identifier is its common name. */
export interface Device extends PemPair {
  readonly commonName: string;
}

const validDays = 3650;
/** Half of that: what is made in one period is valid at the end of the next. */
const periodSeconds = (validDays / 2) * 86_400;
/** Devices of one file. */
const devicesPerFile = 1000;
/** Devices that are made before other work has its turn: about 10 ms. */
const devicesPerTurn = 10;
/** Different RSA devices; see above. */
const mostRsaDevices = 64;
const rsaBits = 2048;

const here = fileURLToPath(new URL(".", import.meta.url));
const cacheFolder = join(here, "../node_modules/.cache/identities");

/** How many different devices there are for `clients` clients. */
export function distinctDevices(keyType: KeyType, clients: number): number {
  return keyType === "rsa" ? Math.min(clients, mostRsaDevices) : clients;
}

/** The name of device `index`, which is its certificate's common name and its client identifier. */
export function deviceName(index: number): string {
  return `bench-${String(index).padStart(6, "0")}`;
}

/** Opens the authorities of a key type below `cache`; makes them where they are not there. */
export function openAuthorities(keyType: KeyType, cache: string = cacheFolder): Authorities {
  const period = Math.floor(Date.now() / 1000 / periodSeconds);
  const folder = openCacheFolder(cache, `${makerHash()}-${period}-${keyType}`);
  const file = join(folder, "authorities.json");
  if (!existsSync(file)) writeFirst(file, JSON.stringify(makeAuthorities(keyType)));
  return { folder, ...(JSON.parse(readFileSync(file, "utf8")) as Omit<Authorities, "folder">) };
}

/**
 * Makes the devices that are missing among the first `count`; `onProgress` hears how many there are. False where `signal` ended it:
 * what is whole by then is kept.
 */
export async function makeDevices(
  authorities: Authorities,
  count: number,
  signal: AbortSignal,
  onProgress: (made: number) => void,
): Promise<boolean> {
  const needed = distinctDevices(authorities.keyType, count);
  const [certificate] = certificatesFromPem(authorities.deviceAuthority.certificate);
  if (certificate === undefined) throw new TypeError("the device authority's file holds no certificate");
  const privateKey = privateKeyFromPem(authorities.deviceAuthority.privateKey, { provider: nodeProvider });
  const issuer = { certificate, privateKey };
  for (let first = 0; first < needed; first += devicesPerFile) {
    const file = devicesFile(authorities.folder, first);
    const size = Math.min(devicesPerFile, authorities.keyType === "rsa" ? mostRsaDevices : devicesPerFile);
    if (existsSync(file)) continue;
    const devices: Device[] = [];
    for (let index = first; index < first + size; index++) {
      devices.push(makeDevice(issuer, authorities.keyType, deviceName(index)));
      // Signals are heard between two turns.
      if (devices.length % devicesPerTurn === 0) await setImmediate();
      if (signal.aborted) return false;
      if (devices.length % 50 === 0) onProgress(first + devices.length);
    }
    writeFirst(file, JSON.stringify(devices));
  }
  return !signal.aborted;
}

/** Reads devices from the files that `makeDevices` made. Each worker thread has its own reader. */
export class DeviceReader {
  readonly #folder: string;
  readonly #keyType: KeyType;
  readonly #files = new Map<number, readonly Device[]>();

  constructor(folder: string, keyType: KeyType) {
    this.#folder = folder;
    this.#keyType = keyType;
  }

  /** Device `index`; RSA devices repeat. */
  device(index: number): Device {
    const distinct = this.#keyType === "rsa" ? index % mostRsaDevices : index;
    const first = distinct - (distinct % devicesPerFile);
    let devices = this.#files.get(first);
    if (devices === undefined) {
      devices = JSON.parse(readFileSync(devicesFile(this.#folder, first), "utf8")) as readonly Device[];
      this.#files.set(first, devices);
    }
    const device = devices[distinct - first];
    if (device === undefined) throw new RangeError(`there is no device ${index}`);
    return device;
  }
}

function devicesFile(folder: string, first: number): string {
  return join(folder, `devices-${String(first).padStart(6, "0")}.json`);
}

function newKeyPair(keyType: KeyType): KeyPair {
  return nodeProvider.generateKeyPair(
    keyType === "p256" ? { name: "ec", curve: "P-256" } : { name: "rsa", modulusBits: rsaBits },
  );
}

function makeAuthorities(keyType: KeyType): Omit<Authorities, "folder"> {
  const now = Math.floor(Date.now() / 1000);
  const validity = validityFrom(now - 3600, validDays);
  const authority = (commonName: string): CertificateIssuer => {
    const { privateKey } = newKeyPair(keyType);
    const template = certificateAuthority({
      subject: makeName([
        { type: "organizationName", value: "Latchkey" },
        { type: "commonName", value: commonName },
      ]),
      validity,
      pathLenConstraint: 0,
    });
    return { certificate: issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template }), privateKey };
  };
  const serverIssuer = authority("Latchkey Bench Server CA");
  const { privateKey, publicKey } = newKeyPair(keyType);
  const server = issueCertificate({
    provider: nodeProvider,
    issuer: serverIssuer,
    publicKey,
    template: serverCertificate({
      subject: makeName([{ type: "commonName", value: "Latchkey bench target" }]),
      validity,
      dnsNames: ["localhost"],
      ipAddresses: ["127.0.0.1", "::1"],
    }),
  });
  return {
    keyType,
    serverAuthority: pemPair(serverIssuer),
    server: pemPair({ certificate: server, privateKey }),
    deviceAuthority: pemPair(authority("Latchkey Bench Device CA")),
  };
}

function makeDevice(issuer: CertificateIssuer, keyType: KeyType, commonName: string): Device {
  const { privateKey, publicKey } = newKeyPair(keyType);
  const certificate = issueCertificate({
    provider: nodeProvider,
    issuer,
    publicKey,
    template: deviceCertificate({
      subject: makeName([{ type: "commonName", value: commonName }]),
      validity: validityFrom(Math.floor(Date.now() / 1000) - 3600, validDays),
    }),
  });
  return { commonName, ...pemPair({ certificate, privateKey }) };
}

function pemPair({ certificate, privateKey }: CertificateIssuer): PemPair {
  return {
    certificate: certificateToPem(certificate),
    privateKey: privateKeyToPem(privateKey, { provider: nodeProvider }),
  };
}

/** Sixteen hexadecimal digits that change with what makes the certificates. */
function makerHash(): string {
  const hash = createHash("sha256").update(readFileSync(fileURLToPath(import.meta.url)));
  for (const name of ["asn1", "crypto", "x509"]) {
    const folder = join(here, "../../../packages", name, "src");
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
      if (file.endsWith(".ts")) hash.update(file).update(readFileSync(join(folder, file)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** Writes a file whole unless there is one: of two benches that start together, both use what the first wrote. */
function writeFirst(file: string, content: string): void {
  const temporary = draftOf(file);
  try {
    writeFileSync(temporary, content, { mode: 0o600 });
    linkSync(temporary, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}
