/** A certificate authority of the buttons' maker, as a directory with ca.pem and ca.key. Its key signs here and goes nowhere. */

import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UsageError } from "@latchkey/command-line";
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
  validityFrom,
  type CertificateIssuer,
} from "@latchkey/x509";

const authorityDays = 20 * 365;
const verificationDays = 1;
/** Clocks of devices and servers differ by minutes. */
export const backdatedSeconds = 5 * 60;

/** Reads the authority of a directory, or makes one where there is none. Throws `UsageError`. */
export async function openOwnAuthority(directory: string, nowSeconds: number): Promise<CertificateIssuer> {
  const certificateFile = join(directory, "ca.pem");
  const keyFile = join(directory, "ca.key");
  try {
    if (existsSync(certificateFile)) {
      const [certificate] = certificatesFromPem(await readFile(certificateFile, "utf8"));
      if (certificate === undefined) throw new Error(`${certificateFile} holds no certificate`);
      return {
        certificate,
        privateKey: privateKeyFromPem(await readFile(keyFile, "utf8"), { provider: nodeProvider }),
      };
    }
    const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
    const template = certificateAuthority({
      subject: makeName([
        { type: "organizationName", value: "Button maker" },
        { type: "commonName", value: "Button maker CA" },
      ]),
      validity: validityFrom(nowSeconds - backdatedSeconds, authorityDays),
      pathLenConstraint: 0,
    });
    const certificate = issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(keyFile, privateKeyToPem(privateKey, { provider: nodeProvider }), { flag: "wx", mode: 0o600 });
    await writeFile(certificateFile, certificateToPem(certificate), { flag: "wx" });
    return { certificate, privateKey };
  } catch (cause) {
    throw new UsageError(`the authority in ${directory} cannot be opened: ${messageOf(cause)}`, { cause });
  }
}

/** The certificate that proves to a service that the authority's key is here: the registration code is its common name. */
export function verificationCertificate(
  issuer: CertificateIssuer,
  registrationCode: string,
  nowSeconds: number,
): string {
  const { publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = deviceCertificate({
    subject: makeName([{ type: "commonName", value: registrationCode }]),
    validity: validityFrom(nowSeconds - backdatedSeconds, verificationDays),
  });
  return certificateToPem(issueCertificate({ provider: nodeProvider, issuer, template, publicKey }));
}
