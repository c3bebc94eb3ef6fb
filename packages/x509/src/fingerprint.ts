/** Fingerprints and serial numbers as people and AWS IoT write them. */

import type { HashAlgorithm, HashProvider } from "@latchkey/crypto";
import type { Certificate } from "./certificate.ts";
import { hexText } from "./hex-text.ts";

/** The hash of the whole certificate. */
export function fingerprint(
  certificate: Certificate,
  provider: Pick<HashProvider, "hash">,
  algorithm: HashAlgorithm = "SHA-256",
): Uint8Array {
  return provider.hash(algorithm, certificate.encoding);
}

/** The certificate id of AWS IoT: SHA-256 of the DER in 64 lower-case hexadecimal digits. */
export function certificateId(certificate: Certificate, provider: Pick<HashProvider, "hash">): string {
  return hexText(fingerprint(certificate, provider));
}

/** The serial number as AWS IoT's policy variable says it: in decimal, with a minus where it is negative. */
export function serialNumberDecimal(serialNumber: Uint8Array): string {
  const value = BigInt(`0x${hexText(serialNumber)}`);
  return BigInt.asIntN(serialNumber.length * 8, value).toString();
}
