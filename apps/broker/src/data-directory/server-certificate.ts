/** What the listener shows, as PEM. */

import { isIP } from "node:net";
import type { LocalAuthority } from "@latchkey/registry";
import { certificateToPem } from "@latchkey/x509";
import { privateKeyToPem } from "./key-pair-files.ts";

/** What the listener shows. */
export interface ServerCredential {
  /** PEM of the certificate. */
  readonly certificate: string;
  /** PEM of its key. */
  readonly privateKey: string;
  /** The last second in which it is valid, since 1970. */
  readonly notAfter: number;
  /** A sentence for the log where a certificate that should be replaced is kept because the new one cannot be written. */
  readonly warning: string | undefined;
}

/** The server's certificate for `names`, which are DNS names and IP addresses; see `LocalAuthority.serverPair`. */
export async function serverCredential(authority: LocalAuthority, names: readonly string[]): Promise<ServerCredential> {
  const { certificate, privateKey, warning } = await authority.serverPair({
    dnsNames: names.filter((name) => isIP(name) === 0),
    ipAddresses: names.filter((name) => isIP(name) !== 0),
  });
  return {
    certificate: certificateToPem(certificate),
    privateKey: privateKeyToPem(privateKey),
    notAfter: certificate.validity.notAfter,
    warning,
  };
}
