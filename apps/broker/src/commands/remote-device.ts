/** New devices by the API: the key is made here and never sent, the certificate comes from a certification request. */

import { encodePem } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import { createCertificationRequest } from "@latchkey/x509";
import { deviceBundle } from "@latchkey/registry";
import { privateKeyToPem } from "../data-directory/key-pair-files.ts";
import { textIn } from "./answers.ts";
import type { ApiClient } from "./api-client.ts";
import { fillDeviceFolder, type WriteDeviceFile } from "./device-folder.ts";
import { subjectOf, type NewDevice } from "./device.ts";

/** Makes a key here and has a certificate made for it; writes the folder of the device. Gives the certificateId. */
export async function createRemoteDevice(api: ApiClient, device: NewDevice): Promise<string> {
  const subject = subjectOf(device);
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const request = createCertificationRequest({ provider: nodeProvider, privateKey, subject });
  const pem = encodePem("CERTIFICATE REQUEST", request.encoding);
  return fillDeviceFolder(device.outDirectory, async (write) => {
    // The key exists only here: it is on the disk before there is a certificate for it.
    await write({ name: "private.key", content: privateKeyToPem(privateKey), isSecret: true });
    return registerFromCsr(api, pem, device.policyNames, (certificatePem) => writeBundle(api, write, certificatePem));
  });
}

/** Has a certificate made for a request of a device that has its key; writes a folder without the key. Gives the certificateId. */
export async function registerCsrIntoFolder(
  api: ApiClient,
  requestPem: string,
  policyNames: readonly string[],
  out: string,
): Promise<string> {
  return fillDeviceFolder(out, (write) =>
    registerFromCsr(api, requestPem, policyNames, (certificatePem) => writeBundle(api, write, certificatePem)),
  );
}

/** Writes what a device needs besides its key: certificate.pem, root-ca.pem and endpoint.json. */
export async function writeDeviceFolder(api: ApiClient, out: string, certificatePem: string): Promise<void> {
  await fillDeviceFolder(out, (write) => writeBundle(api, write, certificatePem));
}

/**
 * Has a certificate made for a request, and gives it its policies. `keep` stores it before it is ACTIVE. Where one of these fails, the
 * certificate is deleted again, so that none is registered that nobody has. Gives the certificateId.
 */
export async function registerFromCsr(
  api: ApiClient,
  certificateSigningRequest: string,
  policyNames: readonly string[],
  keep: (certificatePem: string) => Promise<void>,
): Promise<string> {
  for (const policyName of policyNames) await api.call("GetPolicy", { policyName });
  const made = await api.call("CreateCertificateFromCsr", { certificateSigningRequest });
  const certificateId = textIn(made, "certificateId");
  const target = textIn(made, "certificateArn");
  try {
    await keep(textIn(made, "certificatePem"));
    for (const policyName of policyNames) await api.call("AttachPolicy", { policyName, target });
    await api.call("UpdateCertificate", { certificateId, newStatus: "ACTIVE" });
  } catch (error) {
    // It is INACTIVE, so that one which cannot be deleted either lets nobody in.
    await api.call("DeleteCertificate", { certificateId, forceDelete: true }).catch(() => {});
    throw error;
  }
  return certificateId;
}

async function writeBundle(api: ApiClient, write: WriteDeviceFile, certificatePem: string): Promise<void> {
  const answer = await api.call("DescribeBroker");
  const rootPem = textIn(answer, "serverAuthorityPem");
  const endpoint = textIn(answer, "endpointAddress");
  for (const file of deviceBundle({ certificatePem, rootPem, endpoint })) await write(file);
}
