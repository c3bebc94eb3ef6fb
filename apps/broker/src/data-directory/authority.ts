/** The broker's two certificate authorities: one vouches for the server, one for devices. */

import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateAuthority,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
  type Certificate,
  type CertificateIssuer,
  type Validity,
} from "@latchkey/x509";
import { fitTogether, keyPairFiles, readKeyPair, writeKeyPair, type KeyPairFiles } from "./key-pair-files.ts";

const authorityDays = 20 * 365;
/** Clocks of devices are behind; AWS IoT and public authorities date certificates back by minutes, too. */
const backdatedSeconds = 5 * 60;

/**
 * Reads an authority, or makes it where its certificate is not there. Throws an `Error` that names the file and what to do
 * where key and certificate do not belong together, or the authority is not valid now.
 */
export async function openAuthority(
  directory: string,
  name: string,
  commonName: string,
  nowSeconds: number,
): Promise<CertificateIssuer> {
  const files = keyPairFiles(directory, name);
  const kept = await readKeyPair(files);
  if (kept !== undefined) {
    if (!fitTogether(kept)) throw new Error(`${files.privateKey} is not the key of ${files.certificate}`);
    checkIsValidNow(files, kept.certificate, nowSeconds);
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
      validity: validityFrom(nowSeconds - backdatedSeconds, authorityDays),
      pathLenConstraint: 0,
    }),
  });
  await writeKeyPair(files, { certificate, privateKey });
  return { certificate, privateKey };
}

/**
 * `days` of validity for a new certificate, from some minutes before now, since clocks of devices are behind; never from
 * before its issuer's own start.
 */
export function validityUnder(issuer: Certificate, nowSeconds: number, days: number): Validity {
  return validityFrom(Math.max(nowSeconds - backdatedSeconds, issuer.validity.notBefore), days);
}

function checkIsValidNow(files: KeyPairFiles, { validity }: Certificate, nowSeconds: number): void {
  const pair = `${files.certificate} and ${files.privateKey}`;
  if (nowSeconds > validity.notAfter) {
    throw new Error(
      `the authority in ${files.certificate} expired at ${dateText(validity.notAfter)}. Move ${pair} away, start again ` +
        "to have a new one made, and give devices new certificates and the new root",
    );
  }
  if (nowSeconds < validity.notBefore) {
    throw new Error(
      `the authority in ${files.certificate} begins only at ${dateText(validity.notBefore)}, and this machine's clock ` +
        `says ${dateText(nowSeconds)}. Set the clock, or move ${pair} away and start again to have a new one made`,
    );
  }
}

function dateText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000", "");
}
