/** New and existing device certificates in a data directory. */

import { readFile } from "node:fs/promises";
import { messageOf, UsageError, type DevicePorts } from "@latchkey/command-line";
import { nodeProvider } from "@latchkey/crypto/node";
import { deviceBundle, isRegistryError, validityUnder, type CertificateRecord } from "@latchkey/registry";
import {
  attributeValues,
  certificatesFromPem,
  certificateToPem,
  deviceCertificate,
  issueCertificate,
  makeName,
  X509Error,
  type Certificate,
  type Name,
  type NameAttributeInput,
} from "@latchkey/x509";
import type { DataDirectory } from "../data-directory/data-directory.ts";
import { privateKeyToPem } from "../data-directory/key-pair-files.ts";
import { fillDeviceFolder } from "./device-folder.ts";

/** A device to give an identity to. */
export interface NewDevice {
  readonly commonName: string;
  /** The name attribute that policies know as `iot:Certificate.Subject.SerialNumber`. */
  readonly serialNumber: string | undefined;
  /** Policies to attach. */
  readonly policyNames: readonly string[];
  readonly days: number;
  /** Where certificate.pem, private.key, root-ca.pem and endpoint.json are written. */
  readonly outDirectory: string;
  /** Of the broker, where they are known. */
  readonly ports?: DevicePorts | undefined;
}

/** Upper bound of commonName and serialNumber in characters (RFC 5280 appendix A.1, ub-common-name, ub-serial-number). */
const maximumNameLength = 64;

/**
 * Makes a key and a certificate for a device (the article's one-click generation), registers it as active and writes the
 * files that the device needs. Gives the certificateId. Where any of it fails, nothing is registered and the files are
 * removed again.
 */
export async function createDevice(data: DataDirectory, device: NewDevice, now: Date): Promise<string> {
  checkPolicies(data, device.policyNames);
  const subject = subjectOf(device);
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const certificate = issueCertificate({
    provider: nodeProvider,
    issuer: data.deviceAuthority,
    publicKey,
    template: deviceCertificate({
      subject,
      validity: validityUnder(data.deviceAuthority.certificate, nowSeconds, device.days),
    }),
  });
  return fillDeviceFolder(device.outDirectory, async (write) => {
    // The key exists only here: it is on the disk before the certificate is registered.
    await write({ name: "private.key", content: privateKeyToPem(privateKey), isSecret: true });
    const bundle = deviceBundle({
      certificatePem: certificateToPem(certificate),
      rootPem: certificateToPem(data.serverAuthority),
      endpoint: data.registry.describeAccount(data.scope).endpoint,
      ...device.ports,
    });
    for (const file of bundle) await write(file);
    return registerActive(data, certificate, device.policyNames);
  });
}

/**
 * Registers an existing certificate as active. It must be signed by a registered authority. Gives the certificateId.
 *
 * Throws `UsageError` for a file that cannot be read, and what the registry throws.
 */
export async function registerDevice(
  data: DataDirectory,
  file: string,
  policyNames: readonly string[],
): Promise<string> {
  checkPolicies(data, policyNames);
  let certificatePem: string;
  try {
    certificatePem = await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`--file cannot be read: ${messageOf(cause)}`, { cause });
  }
  const { registry, scope } = data;
  const { certificateId } = await registry.certificates.register(scope, { certificatePem });
  return activate(data, certificateId, policyNames);
}

/** The identifiers of other certificates with this serial number in their subject. */
export function certificatesWithSerialNumber(data: DataDirectory, serialNumber: string): string[] {
  const found: string[] = [];
  for (const record of allCertificates(data)) {
    const [certificate] = certificatesFromPem(record.certificatePem);
    const serials = certificate === undefined ? [] : attributeValues(certificate.subject, "serialNumber");
    if (serials.includes(serialNumber)) found.push(record.certificateId);
  }
  return found;
}

/** All certificates of the account, oldest first, a page at a time. */
function* allCertificates({ registry, scope }: DataDirectory): Generator<CertificateRecord> {
  let nextToken: string | undefined;
  do {
    const page = registry.certificates.list(scope, { nextToken, pageSize: 1000 });
    yield* page.items;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}

/** In one transaction: the device has all its policies, or there is no such certificate. */
async function registerActive(
  { registry, scope }: DataDirectory,
  certificate: Certificate,
  policyNames: readonly string[],
): Promise<string> {
  const record = await registry.certificates.add(scope, certificate, { status: "ACTIVE" }, (writer, made) => {
    const target = { kind: "cert", certificateId: made.certificateId } as const;
    for (const name of policyNames) registry.policies.attachIn(writer, scope, name, target);
  });
  return record.certificateId;
}

/** The certificate has its policies before it is active, so that an interruption leaves it without any right. */
async function activate(data: DataDirectory, certificateId: string, policyNames: readonly string[]): Promise<string> {
  const { registry, scope } = data;
  for (const name of policyNames) await registry.policies.attach(scope, name, { kind: "cert", certificateId });
  await registry.certificates.updateStatus(scope, certificateId, "ACTIVE");
  return certificateId;
}

function checkPolicies({ registry, scope }: DataDirectory, names: readonly string[]): void {
  for (const name of names) {
    try {
      registry.policies.get(scope, name);
    } catch (cause) {
      if (!isRegistryError(cause) || cause.code !== "ERR_REGISTRY_NOT_FOUND") throw cause;
      const command = `latchkey policy create --name ${name} --document FILE`;
      throw new UsageError(`there is no policy ${JSON.stringify(name)}: create it first with "${command}"`, { cause });
    }
  }
}

/** The subject of a new device. Throws `UsageError` where it cannot be one. */
export function subjectOf({ commonName, serialNumber }: NewDevice): Name {
  checkLength("--common-name", commonName);
  const attributes: NameAttributeInput[] = [{ type: "commonName", value: commonName }];
  if (serialNumber !== undefined) {
    checkLength("--serial", serialNumber);
    attributes.push({ type: "serialNumber", value: serialNumber });
  }
  try {
    return makeName(attributes);
  } catch (error) {
    if (!(error instanceof X509Error)) throw error;
    throw new UsageError(`the device's name cannot be written into a certificate: ${error.message}`, { cause: error });
  }
}

function checkLength(flag: string, value: string): void {
  const length = Array.from(value).length;
  if (length >= 1 && length <= maximumNameLength) return;
  throw new UsageError(`${flag} has ${length} characters: from 1 to ${maximumNameLength} are possible`);
}
