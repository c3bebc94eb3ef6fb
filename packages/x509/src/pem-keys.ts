/** Keys out of and into PEM text, imported by a crypto provider. */

import { encodePem } from "@latchkey/asn1";
import type { CryptoProvider, PrivateKey, PublicKey } from "@latchkey/crypto";
import { X509Error } from "./errors.ts";
import { blockOf } from "./pem-files.ts";
import { decryptPrivateKeyInfo, encryptPrivateKeyInfo } from "./private-key.ts";

export interface PrivateKeyPemOptions {
  readonly provider: CryptoProvider;
  /** Needed for `ENCRYPTED PRIVATE KEY`. Text counts as UTF-8. */
  readonly password?: string | Uint8Array | undefined;
}

/**
 * The one private key in PEM text: PKCS #8 in the clear or encrypted, SEC 1 (`EC PRIVATE KEY`), PKCS #1 (`RSA PRIVATE
 * KEY`). Blocks of other kinds are passed over.
 *
 * Throws `ERR_X509_PEM_LABEL`, `ERR_X509_DECRYPTION` also where an encrypted key comes without a password, what
 * `decryptPrivateKeyInfo` throws, and what the provider throws.
 */
export function privateKeyFromPem(text: string | Uint8Array, options: PrivateKeyPemOptions): PrivateKey {
  const { provider, password } = options;
  const labels = ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"];
  const { label, bytes } = blockOf(text, labels);
  if (label === "EC PRIVATE KEY") return provider.importSec1(bytes);
  if (label === "RSA PRIVATE KEY") return provider.importPkcs1PrivateKey(bytes);
  if (label === "PRIVATE KEY") return provider.importPkcs8(bytes);
  if (password === undefined) throw new X509Error("ERR_X509_DECRYPTION", "an encrypted private key needs its password");
  return provider.importPkcs8(decryptPrivateKeyInfo(bytes, { provider, password }));
}

export interface PrivateKeyToPemOptions extends PrivateKeyPemOptions {
  /** Rounds of PBKDF2 where there is a password. Default 600,000. */
  readonly iterations?: number | undefined;
}

/** The PEM text of a private key: PKCS #8, encrypted where there is a password. */
export function privateKeyToPem(key: PrivateKey, options: PrivateKeyToPemOptions): string {
  const { provider, password, iterations } = options;
  const pkcs8 = provider.exportPkcs8(key);
  if (password === undefined) return encodePem("PRIVATE KEY", pkcs8);
  return encodePem("ENCRYPTED PRIVATE KEY", encryptPrivateKeyInfo(pkcs8, { provider, password, iterations }));
}

/** The one public key in PEM text, `PUBLIC KEY` or PKCS #1 (`RSA PUBLIC KEY`). Throws `ERR_X509_PEM_LABEL`. */
export function publicKeyFromPem(text: string | Uint8Array, provider: CryptoProvider): PublicKey {
  const { label, bytes } = blockOf(text, ["PUBLIC KEY", "RSA PUBLIC KEY"]);
  return label === "PUBLIC KEY" ? provider.importSpki(bytes) : provider.importPkcs1PublicKey(bytes);
}

/** The PEM text of a public key as SubjectPublicKeyInfo. */
export function publicKeyToPem(key: PublicKey): string {
  return encodePem("PUBLIC KEY", key.spki);
}
