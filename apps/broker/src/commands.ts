/** What the command line does besides running the broker: certificates and policies in a data directory. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { encodePem } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import { parsePolicy } from "@latchkey/policy";
import type { CertificateStatus } from "@latchkey/registry";
import {
  certificateId,
  certificateToPem,
  deviceCertificate,
  issueCertificate,
  makeName,
  validityFrom,
} from "@latchkey/x509";
import { makeDirectory, openDataDirectory, writeFileWhole, type DataDirectory } from "./data-directory.ts";
import { BrokerError, messageOf } from "./errors.ts";

/** Runs `body` on an opened data directory and closes it again. */
export async function withDataDirectory<T>(directory: string, body: (data: DataDirectory) => Promise<T>): Promise<T> {
  if (!existsSync(join(directory, "registry.db"))) {
    throw new BrokerError(
      "ERR_BROKER_DATA_DIRECTORY",
      `${directory} is no data directory: start the broker there first`,
    );
  }
  const data = await openDataDirectory(directory, { serverNames: undefined, now: new Date() });
  try {
    return await body(data);
  } finally {
    await data[Symbol.asyncDispose]();
  }
}

/** A device to give an identity to. */
export interface NewDevice {
  readonly commonName: string;
  /** The name attribute that policies know as `iot:Certificate.Subject.SerialNumber`. */
  readonly serialNumber: string | undefined;
  /** Policies to attach. */
  readonly policyNames: readonly string[];
  readonly days: number;
  /** Where certificate.pem, private.key and root-ca.pem are written. */
  readonly outDirectory: string;
}

/**
 * Makes a key and a certificate for a device (the article's one-click generation), registers it as active and writes the
 * three files that the device needs. Gives the certificateId.
 */
export async function createDevice(data: DataDirectory, device: NewDevice, now: Date): Promise<string> {
  for (const name of device.policyNames) {
    if ((await data.registry.policy(name)) === undefined)
      throw new BrokerError("ERR_BROKER_USAGE", `there is no policy ${name}`);
  }
  const file = (name: string): string => join(device.outDirectory, name);
  const taken = ["private.key", "certificate.pem", "root-ca.pem"].map(file).find((one) => existsSync(one));
  if (taken !== undefined) throw new BrokerError("ERR_BROKER_USAGE", `${taken} exists already: take another folder`);
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const certificate = issueCertificate({
    provider: nodeProvider,
    issuer: data.deviceAuthority,
    publicKey,
    template: deviceCertificate({
      subject: makeName([
        { type: "commonName", value: device.commonName },
        ...(device.serialNumber === undefined ? [] : [{ type: "serialNumber", value: device.serialNumber }]),
      ]),
      validity: validityFrom(nowSeconds, device.days),
    }),
  });
  const id = certificateId(certificate, nodeProvider);
  // The key is only here: it is written before anybody hears of the certificate.
  await makeDirectory(resolve(device.outDirectory));
  await writeFileWhole(file("private.key"), encodePem("PRIVATE KEY", nodeProvider.exportPkcs8(privateKey)), 0o600);
  await writeFileWhole(file("certificate.pem"), certificateToPem(certificate), 0o644);
  await writeFileWhole(file("root-ca.pem"), certificateToPem(data.serverAuthority), 0o644);
  await data.registry.createCertificate({
    certificateId: id,
    der: certificate.encoding,
    status: "ACTIVE",
    createdAtSeconds: nowSeconds,
  });
  for (const name of device.policyNames) await data.registry.attachPolicy(name, id);
  return id;
}

/** Stores a policy after reading it, so that a broker never meets one that it cannot read. */
export async function createPolicy(data: DataDirectory, policyName: string, file: string): Promise<void> {
  let document: string;
  try {
    document = await readFile(file, "utf8");
  } catch (cause) {
    throw new BrokerError("ERR_BROKER_USAGE", `cannot read the policy document: ${messageOf(cause)}`, { cause });
  }
  const result = parsePolicy(document, { name: policyName });
  if (!result.ok) {
    const faults = result.errors.map(({ line, column, path, message }) => `  ${line}:${column} ${path}: ${message}`);
    throw new BrokerError("ERR_BROKER_USAGE", `${file} is not a policy:\n${faults.join("\n")}`);
  }
  await data.registry.createPolicy({ policyName, document });
}

/** A status by its name on the command line. */
export function statusOf(text: string): CertificateStatus {
  const status = (["ACTIVE", "INACTIVE", "REVOKED"] as const).find((one) => one === text.toUpperCase());
  if (status === undefined) throw new BrokerError("ERR_BROKER_USAGE", `${text} is none of ACTIVE, INACTIVE, REVOKED`);
  return status;
}
