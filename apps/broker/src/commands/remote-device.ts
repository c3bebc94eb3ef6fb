/** New devices by the API: the key is made here and never sent, the certificate comes from a certification request. */

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf, UsageError } from "@latchkey/command-line";
import { encodePem } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import { createCertificationRequest } from "@latchkey/x509";
import { deviceBundle } from "@latchkey/registry";
import { privateKeyToPem } from "../data-directory/key-pair-files.ts";
import { makeDirectory, writeFileWhole } from "../data-directory/write-file.ts";
import { BrokerError } from "../errors.ts";
import { textIn } from "./answers.ts";
import type { ApiClient } from "./api-client.ts";
import { subjectOf, type NewDevice } from "./device.ts";

/** A certificate that was made for a request, with its policies, ACTIVE. */
export interface MadeCertificate {
  readonly certificateId: string;
  readonly certificatePem: string;
}

/** Has a certificate made for a request, and gives it its policies before it is active. */
export async function registerFromCsr(
  api: ApiClient,
  certificateSigningRequest: string,
  policyNames: readonly string[],
): Promise<MadeCertificate> {
  for (const policyName of policyNames) await api.call("GetPolicy", { policyName });
  const made = await api.call("CreateCertificateFromCsr", { certificateSigningRequest });
  const certificateId = textIn(made, "certificateId");
  const target = textIn(made, "certificateArn");
  for (const policyName of policyNames) await api.call("AttachPolicy", { policyName, target });
  await api.call("UpdateCertificate", { certificateId, newStatus: "ACTIVE" });
  return { certificateId, certificatePem: textIn(made, "certificatePem") };
}

/** Makes a key here and has a certificate made for it; writes the folder of the device. Gives the certificateId. */
export async function createRemoteDevice(api: ApiClient, device: NewDevice): Promise<string> {
  const subject = subjectOf(device);
  const folder = resolve(device.outDirectory);
  checkIsFree(folder);
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const request = createCertificationRequest({ provider: nodeProvider, privateKey, subject });
  const { root, endpoint } = await brokerOf(api);
  // The key exists only here: it is on the disk before there is a certificate for it.
  const isNew = await writing(folder, () => makeDirectory(folder));
  try {
    const privateKeyPem = privateKeyToPem(privateKey);
    await writing(folder, () => writeFileWhole(join(folder, "private.key"), privateKeyPem, 0o600));
    const pem = encodePem("CERTIFICATE REQUEST", request.encoding);
    const made = await registerFromCsr(api, pem, device.policyNames);
    await writeFolder(folder, { certificatePem: made.certificatePem, privateKeyPem: undefined, root, endpoint });
    return made.certificateId;
  } catch (error) {
    await rm(join(folder, "private.key"), { force: true });
    if (isNew) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Writes what a device needs besides its key: certificate.pem, root-ca.pem and endpoint.json. */
export async function writeDeviceFolder(api: ApiClient, out: string, certificatePem: string): Promise<void> {
  const folder = resolve(out);
  checkIsFree(folder);
  const { root, endpoint } = await brokerOf(api);
  await writing(folder, () => makeDirectory(folder));
  await writeFolder(folder, { certificatePem, privateKeyPem: undefined, root, endpoint });
}

async function writeFolder(
  folder: string,
  input: {
    readonly certificatePem: string;
    readonly privateKeyPem: string | undefined;
    readonly root: string;
    readonly endpoint: string;
  },
): Promise<void> {
  const { certificatePem, privateKeyPem, root, endpoint } = input;
  for (const file of deviceBundle({ certificatePem, privateKeyPem, rootPem: root, endpoint })) {
    const mode = file.isSecret ? 0o600 : 0o644;
    await writing(folder, () => writeFileWhole(join(folder, file.name), file.content, mode));
  }
}

async function brokerOf(api: ApiClient): Promise<{ readonly root: string; readonly endpoint: string }> {
  const answer = await api.call("DescribeBroker");
  return { root: textIn(answer, "serverAuthorityPem"), endpoint: textIn(answer, "endpointAddress") };
}

function checkIsFree(folder: string): void {
  const names = ["private.key", "certificate.pem", "root-ca.pem"];
  const taken = names.map((name) => join(folder, name)).find((file) => existsSync(file));
  if (taken !== undefined) throw new UsageError(`${taken} exists already: give another folder with --out`);
}

/** Names the folder in what the disk refuses. */
async function writing<T>(folder: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    const message = `the device's files cannot be written to ${folder}: ${messageOf(cause)}`;
    throw new BrokerError("ERR_BROKER_OUTPUT", message, { cause });
  }
}
