/** Keys out of and into PEM text, imported by a crypto provider. */

import { Asn1Error, encodePem, findPemSections, type PemSection } from "@latchkey/asn1";
import type { CryptoProvider, PrivateKey, PublicKey } from "@latchkey/crypto";
import { reading, X509Error } from "./errors.ts";
import { structureOf } from "./file-structure.ts";
import { blockOf, labelFault, otherContent, severalBlocks } from "./pem-blocks.ts";
import { decryptPrivateKeyInfo, encryptPrivateKeyInfo, type KeyToleranceOptions } from "./private-key.ts";
import { toleratesBy } from "./tolerance.ts";

/** How a private key is read from PEM text. */
export interface PrivateKeyPemOptions extends KeyToleranceOptions {
  readonly provider: CryptoProvider;
  /** Needed for an encrypted key. Text counts as UTF-8. */
  readonly password?: string | Uint8Array | undefined;
}

const privateKeyLabels = ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"];
const clause = "RFC 7468";

/**
 * The one private key in PEM text: PKCS #8 in the clear or encrypted, SEC 1 (`EC PRIVATE KEY`), PKCS #1 (`RSA PRIVATE
 * KEY`). What a block holds decides how it is read, whichever of these labels it has. Blocks of other kinds are passed over.
 *
 * Throws `ERR_X509_PEM_LABEL`, also for a block that holds no private key; `ERR_X509_UNSUPPORTED_ENCRYPTION` for the old
 * encrypted form with headers; `ERR_X509_DECRYPTION` also where an encrypted key comes without a password; what
 * `decryptPrivateKeyInfo` throws, and what the provider throws.
 */
export function privateKeyFromPem(text: string | Uint8Array, options: PrivateKeyPemOptions): PrivateKey {
  const { provider, password, tolerances = {}, onWarning } = options;
  const section = privateKeySection(text);
  const der = decodeKey(section);
  const tolerate = toleratesBy(tolerances, onWarning);
  const structure = structureOf(der);
  switch (structure) {
    case "PrivateKeyInfo":
      return provider.importPkcs8(der, { tolerate });
    case "ECPrivateKey":
      return provider.importSec1(der, { tolerate });
    case "RSAPrivateKey":
      return provider.importPkcs1PrivateKey(der);
    case "EncryptedPrivateKeyInfo": {
      if (password === undefined) {
        const reason = `the private key (${section.label}) is encrypted: give its password`;
        throw new X509Error("ERR_X509_DECRYPTION", reason, { problem: "password missing" });
      }
      return provider.importPkcs8(decryptPrivateKeyInfo(der, { provider, password, tolerances, onWarning }), {
        tolerate,
      });
    }
    case undefined:
      return importByLabel(provider, section.label, der);
    default:
      throw otherContent(section.label, structure, privateKeyLabels);
  }
}

/** A structure that is not known: the label's own reader says what is wrong with it. */
function importByLabel(provider: CryptoProvider, label: string, der: Uint8Array): PrivateKey {
  if (label === "EC PRIVATE KEY") return provider.importSec1(der);
  if (label === "RSA PRIVATE KEY") return provider.importPkcs1PrivateKey(der);
  if (privateKeyLabels.includes(label)) return provider.importPkcs8(der);
  const reason = `keys in the form of ${label} are not read: openssl pkcs8 -topk8 writes PKCS #8`;
  throw new X509Error("ERR_X509_PEM_LABEL", reason, { found: [label], wanted: privateKeyLabels, clause });
}

/** The block of the private key: one of the usual labels, or else another that ends in PRIVATE KEY. */
function privateKeySection(text: string | Uint8Array): PemSection {
  const sections = reading("PEM", () => findPemSections(text, (label) => privateKeyLabels.includes(label)));
  const usual = sections.filter(({ label }) => privateKeyLabels.includes(label));
  const candidates =
    usual.length > 0
      ? usual
      : sections.filter(({ label }) => label.endsWith("PRIVATE KEY") && label !== "OPENSSH PRIVATE KEY");
  const [section] = candidates;
  if (section === undefined) throw labelFault(text, privateKeyLabels, labelsOf(sections));
  if (candidates.length > 1) throw severalBlocks(privateKeyLabels, labelsOf(candidates));
  return section;
}

function labelsOf(sections: readonly PemSection[]): string[] {
  return sections.map(({ label }) => label);
}

function decodeKey({ label, offset, decode }: PemSection): Uint8Array {
  return reading("PEM", () => {
    try {
      return decode();
    } catch (cause) {
      if (!(cause instanceof Asn1Error) || cause.code !== "ERR_ASN1_PEM_HEADERS" || !cause.isEncrypted) throw cause;
      const found = `${label} with ${cause.headers.slice(0, 4).join(" and ")}`;
      const reason = `the private key is encrypted in OpenSSL's old form (${found}), which is not read: openssl pkcs8 -topk8 -in FILE writes an ENCRYPTED PRIVATE KEY`;
      throw new X509Error("ERR_X509_UNSUPPORTED_ENCRYPTION", reason, {
        found,
        supported: "ENCRYPTED PRIVATE KEY (PBES2)",
        offset,
        clause,
        cause,
      });
    }
  });
}

/** How a private key is written as PEM text. */
export interface PrivateKeyToPemOptions {
  readonly provider: CryptoProvider;
  /** Encrypts the key. Text counts as UTF-8. Default: the key is written in the clear. */
  readonly password?: string | Uint8Array | undefined;
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

/**
 * The one public key in PEM text: SubjectPublicKeyInfo (`PUBLIC KEY`) or PKCS #1 (`RSA PUBLIC KEY`), whichever of the two
 * labels it has. Throws `ERR_X509_PEM_LABEL`, and what the provider throws.
 */
export function publicKeyFromPem(text: string | Uint8Array, provider: CryptoProvider): PublicKey {
  const { label, bytes } = blockOf(text, ["PUBLIC KEY", "RSA PUBLIC KEY"]);
  const structure = structureOf(bytes);
  if (structure !== undefined && structure !== "SubjectPublicKeyInfo" && structure !== "RSAPublicKey") {
    throw otherContent(label, structure, ["PUBLIC KEY"]);
  }
  const isPkcs1 = structure === "RSAPublicKey" || (structure === undefined && label === "RSA PUBLIC KEY");
  return isPkcs1 ? provider.importPkcs1PublicKey(bytes) : provider.importSpki(bytes);
}

/** The PEM text of a public key as SubjectPublicKeyInfo. */
export function publicKeyToPem(key: PublicKey): string {
  return encodePem("PUBLIC KEY", key.spki);
}
