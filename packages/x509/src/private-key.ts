/**
 * Private keys as files carry them: PrivateKeyInfo (PKCS #8, RFC 5208 and RFC 5958) in the clear or encrypted by PBES2
 * (RFC 8018 §6.2) with PBKDF2 and AES-CBC. `@latchkey/crypto` reads what is in a key.
 */

import {
  contextConstructed,
  contextPrimitive,
  decodeOid,
  DerReader,
  encodeDer,
  encodeOid,
  equalBytes,
} from "@latchkey/asn1";
import { type CryptoProvider, CryptoError, type HashAlgorithm } from "@latchkey/crypto";
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm-identifier.ts";
import { reading, tolerable, X509Error } from "./errors.ts";
import { type Deviation, type Tolerate, type ToleranceOptions, tolerateAll, toleratesBy } from "./tolerance.ts";

/** A private key that was read; views. Holds the secret: keep it out of logs. */
export interface PrivateKeyInfo {
  readonly version: 1 | 2;
  readonly privateKeyAlgorithm: AlgorithmIdentifier;
  /** What the OCTET STRING holds, in the algorithm's own format. */
  readonly privateKey: Uint8Array;
  /** In version 2 only, and there optional. */
  readonly publicKey: Uint8Array | undefined;
  /** The whole structure: what `CryptoProvider.importPkcs8` takes. */
  readonly encoding: Uint8Array;
}

/**
 * Reads DER PrivateKeyInfo or OneAsymmetricKey, whatever its algorithm is; of the tolerances, `explicitPublicKey` is its
 * concern. Throws `ERR_X509_MALFORMED`.
 */
export function parsePrivateKeyInfo(der: Uint8Array, options: KeyToleranceOptions = {}): PrivateKeyInfo {
  return readPrivateKeyInfo(der, toleratesBy(options.tolerances ?? {}, options.onWarning));
}

function readPrivateKeyInfo(der: Uint8Array, tolerate: Tolerate): PrivateKeyInfo {
  return reading("PrivateKeyInfo", () => {
    const reader = new DerReader(der);
    const fields = reader.sequence();
    reader.end();
    const version = fields.smallInteger(1) === 0 ? 1 : 2;
    const privateKeyAlgorithm = readAlgorithmIdentifier(fields);
    const privateKey = fields.octetString();
    // Attributes are not looked into.
    if (fields.nextIs(contextConstructed(0))) fields.sequence(contextConstructed(0));
    const publicKey = readPublicKey(fields, version, tolerate);
    fields.end();
    return { version, privateKeyAlgorithm, privateKey, publicKey, encoding: fields.encoding };
  });
}

/** `[1] IMPLICIT BIT STRING` in version 2. ring writes an explicit tag, others write it in version 1. */
function readPublicKey(fields: DerReader, version: number, tolerate: Tolerate): Uint8Array | undefined {
  const [implicit, explicit] = [contextPrimitive(1), contextConstructed(1)];
  if (version === 2 && fields.nextIs(implicit)) return fields.octetAlignedBitString(implicit);
  if (!fields.nextIs(implicit) && !fields.nextIs(explicit)) return undefined;
  if (!tolerate("explicitPublicKey", fields.offset)) return undefined;
  if (fields.nextIs(implicit)) return fields.octetAlignedBitString(implicit);
  const field = fields.explicit(1);
  const publicKey = field.octetAlignedBitString();
  field.end();
  return publicKey;
}

const pbes2 = /* @__PURE__ */ encodeOid("1.2.840.113549.1.5.13");
const pbkdf2 = /* @__PURE__ */ encodeOid("1.2.840.113549.1.5.12");
const aesCbc: readonly { readonly oid: Uint8Array; readonly keyOctets: number }[] = [
  { oid: /* @__PURE__ */ encodeOid("2.16.840.1.101.3.4.1.42"), keyOctets: 32 },
  { oid: /* @__PURE__ */ encodeOid("2.16.840.1.101.3.4.1.22"), keyOctets: 24 },
  { oid: /* @__PURE__ */ encodeOid("2.16.840.1.101.3.4.1.2"), keyOctets: 16 },
];
const hmacWithSha256 = /* @__PURE__ */ encodeOid("1.2.840.113549.2.9");
const hmacWithSha1 = /* @__PURE__ */ encodeOid("1.2.840.113549.2.7");
const hmacs: readonly { readonly oid: Uint8Array; readonly hash: HashAlgorithm }[] = [
  { oid: hmacWithSha256, hash: "SHA-256" },
  { oid: /* @__PURE__ */ encodeOid("1.2.840.113549.2.10"), hash: "SHA-384" },
  { oid: /* @__PURE__ */ encodeOid("1.2.840.113549.2.11"), hash: "SHA-512" },
];

/** OWASP's advice of 2023 for PBKDF2 with HMAC-SHA-256. */
export const defaultIterations = 600_000;
/** No file needs more rounds; a greater number would only stall the reader. */
export const defaultMaximumIterations = 5_000_000;
const saltOctets = 16;
const ivOctets = 16;
const keyOctets = 32;

/** What to do with slips in private keys, which have no result to note them on. */
export interface KeyToleranceOptions extends ToleranceOptions {
  /** Called with each slip that is set to `warn`. */
  readonly onWarning?: ((deviation: Deviation) => void) | undefined;
}

/** How an encrypted private key is decrypted. */
export interface DecryptOptions extends KeyToleranceOptions {
  readonly provider: CryptoProvider;
  /** Text counts as UTF-8. */
  readonly password: string | Uint8Array;
  /** Files that ask for more are refused with `ERR_X509_LIMIT`. Default 5,000,000. */
  readonly maximumIterations?: number;
}

/**
 * Decrypts DER EncryptedPrivateKeyInfo and returns the DER PrivateKeyInfo in it; the caller owns it and the secret.
 *
 * PBES2 with PBKDF2 (HMAC with SHA-1, SHA-256, SHA-384 or SHA-512) and AES-CBC of any key size; everything else is
 * `ERR_X509_UNSUPPORTED_ENCRYPTION`. A wrong password is `ERR_X509_DECRYPTION`; in about one of 10^5 cases the padding
 * fits by chance and it shows only by what comes out, which has the same code.
 */
export function decryptPrivateKeyInfo(der: Uint8Array, options: DecryptOptions): Uint8Array {
  const { provider, password, maximumIterations = defaultMaximumIterations } = options;
  const parameters = reading("EncryptedPrivateKeyInfo", () =>
    readEncrypted(der, toleratesBy(options.tolerances ?? {}, options.onWarning)),
  );
  const { salt, iterations, hash, iv, ciphertext } = parameters;
  if (iterations > maximumIterations) {
    throw new X509Error("ERR_X509_LIMIT", `${iterations} iterations, more than the ${maximumIterations} allowed`, {
      what: "iterations of PBKDF2",
      found: iterations,
      limit: maximumIterations,
    });
  }
  const key = provider.pbkdf2(hash, octetsOf(password), salt, iterations, parameters.keyOctets);
  let plaintext: Uint8Array;
  try {
    plaintext = provider.decryptAesCbc(key, iv, ciphertext);
    readPrivateKeyInfo(plaintext, tolerateAll);
  } catch (error) {
    // The error does not say what was wrong with the plaintext: that would help to guess it.
    if (error instanceof CryptoError || error instanceof X509Error) {
      throw new X509Error("ERR_X509_DECRYPTION", "the password does not decrypt the private key", {
        problem: "password wrong",
      });
    }
    throw error;
  }
  return plaintext;
}

/** How a private key is encrypted. */
export interface EncryptOptions {
  readonly provider: CryptoProvider;
  /** Text counts as UTF-8. */
  readonly password: string | Uint8Array;
  /** Rounds of PBKDF2. Default 600,000, some tenths of a second. */
  readonly iterations?: number | undefined;
}

/** Encrypts DER PrivateKeyInfo by PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC. */
export function encryptPrivateKeyInfo(pkcs8: Uint8Array, options: EncryptOptions): Uint8Array<ArrayBuffer> {
  const { provider, password, iterations = defaultIterations } = options;
  const salt = provider.randomBytes(saltOctets);
  const iv = provider.randomBytes(ivOctets);
  const key = provider.pbkdf2("SHA-256", octetsOf(password), salt, iterations, keyOctets);
  const ciphertext = provider.encryptAesCbc(key, iv, pkcs8);
  return encodeDer((writer) => {
    writer.sequence((outer) => {
      outer.sequence((algorithm) => {
        algorithm.oid(pbes2);
        algorithm.sequence((parameters) => {
          parameters.sequence((derivation) => {
            derivation.oid(pbkdf2);
            derivation.sequence((fields) => {
              fields.octetString(salt);
              fields.integer(iterations);
              fields.sequence((prf) => {
                prf.oid(hmacWithSha256);
                prf.null();
              });
            });
          });
          parameters.sequence((scheme) => {
            scheme.oid("2.16.840.1.101.3.4.1.42");
            scheme.octetString(iv);
          });
        });
      });
      outer.octetString(ciphertext);
    });
  });
}

interface Encrypted {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly hash: HashAlgorithm;
  readonly keyOctets: number;
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
}

function readEncrypted(der: Uint8Array, tolerate: Tolerate): Encrypted {
  const reader = new DerReader(der);
  const outer = reader.sequence();
  reader.end();
  const algorithm = outer.sequence();
  const ciphertext = outer.octetString();
  outer.end();
  requireOid(algorithm, pbes2, "PBES2");
  const parameters = algorithm.sequence();
  algorithm.end();
  const derivation = readDerivation(parameters, tolerate);
  const scheme = parameters.sequence();
  parameters.end();
  const { offset } = scheme;
  const oid = scheme.oid();
  const cipher = aesCbc.find((candidate) => equalBytes(candidate.oid, oid));
  if (cipher === undefined) throw unsupported(decodeOid(oid), "AES-CBC", offset);
  const iv = scheme.octetString();
  scheme.end();
  const { keyLength } = derivation;
  if (iv.length !== ivOctets || (keyLength !== undefined && keyLength !== cipher.keyOctets)) {
    throw unsupported(
      `AES-CBC with ${iv.length} octets of initialization vector and a key of ${keyLength ?? cipher.keyOctets}`,
      "16 octets of initialization vector and the key length of the cipher",
      offset,
    );
  }
  return { ...derivation, keyOctets: cipher.keyOctets, iv, ciphertext };
}

/** PBKDF2-params (RFC 8018 §A.2). */
function readDerivation(
  parameters: DerReader,
  tolerate: Tolerate,
): Pick<Encrypted, "salt" | "iterations" | "hash"> & {
  readonly keyLength: number | undefined;
} {
  const derivation = parameters.sequence();
  requireOid(derivation, pbkdf2, "PBKDF2");
  const fields = derivation.sequence();
  derivation.end();
  const salt = fields.octetString();
  const iterations = fields.smallInteger(0x7fff_ffff);
  const keyLength = fields.nextIs(0x02) ? fields.smallInteger(0xffff) : undefined;
  // HMAC with SHA-1 is the default, which DER leaves out.
  let hash: HashAlgorithm = "SHA-1";
  if (!fields.isAtEnd) {
    const { offset } = fields;
    const prf = fields.sequence();
    const oid = prf.oid();
    if (!prf.isAtEnd) prf.null();
    prf.end();
    const hmac = hmacs.find((candidate) => equalBytes(candidate.oid, oid));
    if (hmac !== undefined) ({ hash } = hmac);
    else if (!equalBytes(oid, hmacWithSha1)) throw unsupported(decodeOid(oid), "HMAC with SHA-1 or SHA-2", offset);
    else if (!tolerate("defaultPrfWrittenOut", offset)) throw defaultPrfWrittenOut(offset);
  }
  fields.end();
  return { salt, iterations, hash, keyLength };
}

function requireOid(reader: DerReader, oid: Uint8Array, name: string): void {
  const { offset } = reader;
  const found = reader.oid();
  if (!equalBytes(found, oid)) throw unsupported(decodeOid(found), name, offset);
}

function unsupported(found: string, supported: string, offset: number): Error {
  const reason = `the private key is encrypted by ${found.replace(/^[0-9.]+$/, named)}; ${supported} is read: openssl pkcs8 -topk8 -v2 aes-256-cbc rewrites it`;
  return new X509Error("ERR_X509_UNSUPPORTED_ENCRYPTION", reason, {
    found,
    supported,
    offset,
    clause: "RFC 8018 §6.2",
  });
}

/** Old and other ways to encrypt a key, for messages. */
const otherEncryption: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.5.3", "PBES1 with MD5 and DES"],
  ["1.2.840.113549.1.5.10", "PBES1 with SHA-1 and DES"],
  ["1.2.840.113549.1.12.1.3", "PKCS #12 with SHA-1 and 3DES"],
  ["1.2.840.113549.1.12.1.6", "PKCS #12 with SHA-1 and RC2"],
  ["1.3.6.1.4.1.11591.4.11", "scrypt"],
  ["1.2.840.113549.3.7", "3DES"],
  ["2.16.840.1.101.3.4.1.46", "AES-256-GCM"],
  ["1.2.840.113549.2.8", "HMAC with SHA-224"],
]);

function named(dotted: string): string {
  const name = otherEncryption.get(dotted);
  return name === undefined ? dotted : `${name} (${dotted})`;
}

function defaultPrfWrittenOut(offset: number): Error {
  const reason = "PBKDF2 has its default, HMAC with SHA-1, written out";
  return new X509Error("ERR_X509_UNSUPPORTED_ENCRYPTION", tolerable(reason, "defaultPrfWrittenOut"), {
    found: "HMAC with SHA-1, written out",
    supported: "HMAC with SHA-1 left out, or HMAC with SHA-2",
    tolerance: "defaultPrfWrittenOut",
    offset,
    clause: "X.690 §11.5",
  });
}

function octetsOf(password: string | Uint8Array): Uint8Array {
  return typeof password === "string" ? new TextEncoder().encode(password) : password;
}
