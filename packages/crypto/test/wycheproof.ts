/** Runs Wycheproof files against a provider: what each test came to, for the tests to hold against the corpus. */

import { readVectors } from "@latchkey/tooling-vitest/vectors";
import {
  CryptoError,
  equalSecrets,
  hkdf,
  spkiFromRawPublicKey,
  type AeadAlgorithm,
  type CryptoErrorCode,
  type CryptoProvider,
  type EcCurve,
  type PublicKey,
  type RawKeyKind,
  type SignatureAlgorithm,
  type SignatureHash,
} from "../src/index.ts";
import { encodePkcs8 } from "../src/pkcs8.ts";

/**
 * `accepted`; `refused`: the answer was no, or another one; `inapplicable`: the types do not let one ask for it; else the
 * code of the error that came instead of an answer.
 */
export type Outcome = "accepted" | "refused" | "inapplicable" | CryptoErrorCode;

export interface WycheproofResult {
  readonly file: string;
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  /** What the test's group says of all its tests: sizes, hashes, curve. */
  readonly group: Fields;
  readonly expected: "valid" | "invalid" | "acceptable";
  readonly outcome: Outcome;
}

/** The corpus is JSON of many shapes: the files' schemas say which fields there are. */
type Fields = Readonly<Record<string, any>>;

/** One test and what it stands in. */
interface Case {
  readonly provider: CryptoProvider;
  /** The file's algorithm, such as `HKDF-SHA-256`. */
  readonly algorithm: string;
  readonly group: Fields;
  readonly test: Fields;
  /** The group's public key. */
  readonly publicKey: () => PublicKey;
}

/** Runs one file, whose kind follows from its name. `numberOfTests` is how many tests the file says that it has. */
export function runWycheproof(
  provider: CryptoProvider,
  file: string,
): { readonly results: readonly WycheproofResult[]; readonly numberOfTests: number } {
  const run = runFor(file);
  const { algorithm, testGroups, numberOfTests } = readVectors(`wycheproof/${file}.json`) as Fields;
  const results = (testGroups as Fields[]).flatMap((group) => {
    let imported: PublicKey | undefined;
    const publicKey = (): PublicKey => (imported ??= provider.importSpki(hex(group["publicKeyDer"])));
    return (group["tests"] as Fields[]).map((test) => ({
      file,
      tcId: test["tcId"],
      comment: test["comment"],
      flags: test["flags"],
      group,
      expected: test["result"],
      outcome: outcomeOf(() => run({ provider, algorithm, group, test, publicKey })),
    }));
  });
  return { results, numberOfTests };
}

function outcomeOf(run: () => boolean | undefined): Outcome {
  try {
    const isAccepted = run();
    if (isAccepted === undefined) return "inapplicable";
    return isAccepted ? "accepted" : "refused";
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
}

function runFor(file: string): (test: Case) => boolean | undefined {
  if (file.startsWith("ecdsa_")) return signature((group) => ({ name: "ecdsa", hash: group["sha"] }));
  if (file.startsWith("ed25519_")) return signature(() => ({ name: "ed25519" }));
  if (file.startsWith("rsa_signature_")) return signature((group) => ({ name: "rsa-pkcs1", hash: group["sha"] }));
  if (file.startsWith("rsa_pss_")) return signature(pssAlgorithm);
  if (file.startsWith("x25519_") || file.startsWith("ecdh_")) return agreement;
  if (file.startsWith("hkdf_")) return keyDerivation;
  if (file.startsWith("hmac_")) return mac;
  if (file.startsWith("aes_gcm_") || file.startsWith("chacha20_poly1305_")) return aead;
  throw new Error(`no runner for ${file}`);
}

function signature(algorithmOf: (group: Fields) => SignatureAlgorithm | undefined) {
  return ({ provider, group, test, publicKey }: Case): boolean | undefined => {
    const key = publicKey();
    const algorithm = algorithmOf(group);
    return algorithm && provider.verify(key, algorithm, hex(test["msg"]), hex(test["sig"]));
  };
}

/** PSS with one of our hashes for both uses; anything else cannot be said. */
function pssAlgorithm({ sha, mgfSha, sLen }: Fields): SignatureAlgorithm | undefined {
  const hash = (["SHA-256", "SHA-384", "SHA-512"] satisfies SignatureHash[]).find((name) => name === sha);
  return hash === undefined || hash !== mgfSha ? undefined : { name: "rsa-pss", hash, saltLength: sLen };
}

function agreement({ provider, group, test }: Case): boolean {
  const kind = { curve25519: "X25519", secp256r1: "P-256", secp384r1: "P-384", secp521r1: "P-521" }[
    group["curve"] as string
  ] as Exclude<RawKeyKind, "Ed25519">;
  const isRaw = group["type"] === "XdhComp" || group["encoding"] === "ecpoint";
  const spki = isRaw ? spkiFromRawPublicKey(kind, hex(test["public"])) : hex(test["public"]);
  const pkcs8 = group["type"] === "XdhAsnComp" ? hex(test["private"]) : wrapPrivateKey(kind, hex(test["private"]));
  // First the public key, which most cases are about: a private key costs a curve operation.
  const publicKey = provider.importSpki(spki);
  const secret = provider.deriveSharedSecret(provider.importPkcs8(pkcs8), publicKey);
  return equalSecrets(secret, hex(test["shared"]));
}

/** Wycheproof's private values are integers of any width for EC, 32 octets for X25519. */
function wrapPrivateKey(kind: EcCurve | "X25519", value: Uint8Array): Uint8Array {
  if (kind === "X25519") return encodePkcs8({ name: "x25519", seed: value, point: undefined });
  const scalar = new Uint8Array({ "P-256": 32, "P-384": 48, "P-521": 66 }[kind]);
  const significant = value.subarray(Math.max(0, value.length - scalar.length));
  scalar.set(significant, scalar.length - significant.length);
  return encodePkcs8({ name: "ec", curve: kind, scalar, point: undefined });
}

const hashes = { "256": "SHA-256", "384": "SHA-384", "512": "SHA-512" } as const;

function keyDerivation({ provider, algorithm, test }: Case): boolean {
  const made = hkdf(provider, hashes[algorithm.slice(-3) as keyof typeof hashes], {
    keyMaterial: hex(test["ikm"]),
    salt: hex(test["salt"]),
    info: hex(test["info"]),
    length: test["size"],
  });
  return equalSecrets(made, hex(test["okm"]));
}

function mac({ provider, algorithm, group, test }: Case): boolean {
  const hash = algorithm === "HMACSHA1" ? "SHA-1" : hashes[algorithm.slice(-3) as keyof typeof hashes];
  const tag = provider.hmac(hash, hex(test["key"]), hex(test["msg"]));
  return equalSecrets(tag.subarray(0, group["tagSize"] / 8), hex(test["tag"]));
}

function aead({ provider, algorithm: family, group, test }: Case): boolean | undefined {
  const algorithm = family === "AES-GCM" ? aesGcm[group["keySize"] as number] : "ChaCha20-Poly1305";
  if (algorithm === undefined) return undefined;
  const sealed = Uint8Array.from([...hex(test["ct"]), ...hex(test["tag"])]);
  const [key, nonce, additionalData] = [hex(test["key"]), hex(test["iv"]), hex(test["aad"])];
  const inSequence = openInSequence(provider, algorithm, key, nonce, additionalData, sealed);
  let plaintext: Uint8Array;
  try {
    plaintext = provider.open(algorithm, key, nonce, sealed, additionalData);
  } catch (error) {
    if (inSequence !== undefined) throw new Error("a sequence opened what the AEAD refused", { cause: error });
    throw error;
  }
  return (
    equalSecrets(plaintext, hex(test["msg"])) &&
    equalSecrets(inSequence ?? Uint8Array.of(1), plaintext) &&
    equalSecrets(provider.seal(algorithm, key, nonce, plaintext, additionalData), sealed)
  );
}

/** Opens a message as the sixth of a sequence, where a provider may go another way than for the first. */
function openInSequence(
  provider: CryptoProvider,
  algorithm: AeadAlgorithm,
  key: Uint8Array,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (nonce.length !== 12) return undefined;
  const number = 5;
  const iv = nonce.slice();
  iv[11] = (iv[11] ?? 0) ^ number;
  const [before, sequence] = [1, 2].map(() => provider.createAeadSequence(algorithm, key, iv));
  for (let message = 0; message < number; message++) {
    const buffer = new Uint8Array(17);
    before?.sealInPlace(additionalData, buffer, 0, 1);
    sequence?.open(additionalData, buffer);
  }
  return sequence?.open(additionalData, sealed);
}

const aesGcm: Readonly<Record<number, AeadAlgorithm>> = { 128: "AES-128-GCM", 256: "AES-256-GCM" };

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}
