/**
 * The three ways to an identity: the service makes everything (one click), the service signs a request (CSR), or the maker's own
 * authority signs. Whatever the way, the button ends with its certificate, its key, the root and the endpoint in one directory.
 */

import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateRequestToPem,
  certificateToPem,
  createCertificationRequest,
  deviceCertificate,
  issueCertificate,
  makeName,
  privateKeyToPem,
  validityFrom,
  type Name,
} from "@latchkey/x509";
import { makeDeviceDirectory, removeDevice, writeDevice, writePrivateKey, type Endpoint } from "../device-directory.ts";
import { buttonPolicy, ownPolicyName, serialNumberVariable, sharedPolicyName } from "./button-policy.ts";
import type { IdentityService, IssuedCertificate } from "./identity-service.ts";
import { backdatedSeconds, openOwnAuthority, verificationCertificate } from "./own-authority.ts";

/** The ways, by the words of `--way`. */
export const ways = ["one-click", "csr", "own-ca"] as const;

/** One way to an identity. */
export type Way = (typeof ways)[number];

/** A button to make. */
export interface ButtonToMake {
  readonly directory: string;
  readonly serialNumber: string;
  readonly endpoint: Endpoint;
  readonly way: Way;
  /** The directory of the maker's authority, for the way `own-ca`. */
  readonly ownAuthorityDirectory: string;
  readonly nowSeconds: number;
}

/** A button that was made. */
export interface ProvisionedButton {
  readonly certificateId: string;
  readonly policyName: string;
  /** Where the private key was made, and where it has been since, as a sentence. */
  readonly keyStory: string;
}

const deviceDays = 3650;

type Identity = IssuedCertificate & { readonly certificatePem: string };

/** Makes a button. Throws `UsageError` and what the service throws; then no file stays behind. */
export async function provision(service: IdentityService, button: ButtonToMake): Promise<ProvisionedButton> {
  const { directory, serialNumber, endpoint } = button;
  await makeDeviceDirectory(directory);
  try {
    const identity = await waysToIdentity[button.way](service, button);
    const roots = await service.root();
    await writeDevice(directory, { serialNumber, endpoint, certificate: identity.certificatePem, roots });
    // AWS's own certificates have no serial number, so that button needs a policy of its own.
    const isNamed = button.way !== "one-click";
    const policyName = isNamed ? sharedPolicyName : ownPolicyName(serialNumber);
    const { certificateArn, certificateId } = identity;
    await service.createPolicy(policyName, buttonPolicy(certificateArn, isNamed ? serialNumberVariable : serialNumber));
    await service.attachPolicy(policyName, certificateArn);
    return { certificateId, policyName, keyStory: keyStories[button.way] };
  } catch (error) {
    await removeDevice(directory);
    throw error;
  }
}

const keyStories: Readonly<Record<Way, string>> = {
  "one-click": "the service made the key and handed it over once",
  csr: "the button made the key and sent a request; the key never left",
  "own-ca": "the button made the key and its maker's CA signed; the key never left",
};

const waysToIdentity: Readonly<Record<Way, (service: IdentityService, button: ButtonToMake) => Promise<Identity>>> = {
  "one-click": async (service, { directory }) => {
    const { privateKeyPem, ...identity } = await service.createKeysAndCertificate();
    await writePrivateKey(directory, privateKeyPem);
    return identity;
  },
  csr: async (service, { directory, serialNumber }) => {
    const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
    await writePrivateKey(directory, privateKeyToPem(privateKey, { provider: nodeProvider }));
    const subject = subjectOf(serialNumber);
    const request = createCertificationRequest({ provider: nodeProvider, privateKey, subject });
    return service.createCertificateFromCsr(certificateRequestToPem(request));
  },
  "own-ca": async (service, { directory, serialNumber, ownAuthorityDirectory, nowSeconds }) => {
    const issuer = await openOwnAuthority(ownAuthorityDirectory, nowSeconds);
    const authorityPem = certificateToPem(issuer.certificate);
    const code = await service.registrationCode();
    await service.registerAuthority(authorityPem, verificationCertificate(issuer, code, nowSeconds));
    const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
    await writePrivateKey(directory, privateKeyToPem(privateKey, { provider: nodeProvider }));
    const notBefore = Math.max(nowSeconds - backdatedSeconds, issuer.certificate.validity.notBefore);
    const template = deviceCertificate({
      subject: subjectOf(serialNumber),
      validity: validityFrom(notBefore, deviceDays),
    });
    const certificate = issueCertificate({ provider: nodeProvider, issuer, template, publicKey });
    const certificatePem = certificateToPem(certificate);
    return { ...(await service.registerCertificate(certificatePem, authorityPem)), certificatePem };
  },
};

/** The name that policies know as `iot:Certificate.Subject.SerialNumber`. */
function subjectOf(serialNumber: string): Name {
  return makeName([
    { type: "commonName", value: `button ${serialNumber}` },
    { type: "serialNumber", value: serialNumber },
  ]);
}
