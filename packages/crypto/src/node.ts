/**
 * The provider that stands on node:crypto, and so on the OpenSSL inside Node.js.
 *
 * Keys become KeyObjects once, on import; signing and checking have blocking forms and forms that run in libuv's pool.
 */

import { checkKeyLimits, defaultKeyLimits, type KeyLimits } from "./key-material.ts";
import { ciphers } from "./node/ciphers.ts";
import { hashes } from "./node/hashes.ts";
import * as keys from "./node/keys.ts";
import { randomBytes } from "./node/random.ts";
import { signatures } from "./node/signatures.ts";
import { decodePkcs1PrivateKey, decodePkcs8, decodeSec1 } from "./pkcs8.ts";
import type { CryptoProvider } from "./provider.ts";
import { decodeSpki, spkiFromPkcs1 } from "./spki.ts";

export type { KeyLimits } from "./key-material.ts";

/** A provider with other limits than the usual. Throws `ERR_CRYPTO_ARGUMENT` for limits that are not sensible. */
export function createNodeProvider(limits: Partial<KeyLimits> = {}): CryptoProvider {
  const held = checkKeyLimits({ ...defaultKeyLimits, ...limits });
  const importSpki: CryptoProvider["importSpki"] = (der) => {
    const spki = new Uint8Array(der);
    return keys.publicKeyFromMaterial(decodeSpki(spki, held), spki);
  };
  return {
    name: "node",
    ...hashes,
    ...ciphers,
    ...signatures,
    importSpki,
    importPkcs1PublicKey: (der) => importSpki(spkiFromPkcs1(der, held)),
    importPkcs8: (der, options) => keys.privateKeyFromMaterial(decodePkcs8(der, held, options), held),
    importSec1: (der, options) => keys.privateKeyFromMaterial(decodeSec1(der, options), held),
    importPkcs1PrivateKey: (der) => keys.privateKeyFromMaterial(decodePkcs1PrivateKey(der, held), held),
    exportPkcs8: keys.exportPrivateKey,
    generateKeyPair: keys.newKeyPair,
    generateKeyPairAsync: keys.newKeyPairAsync,
    randomBytes,
  };
}

/** The provider with the usual limits. */
export const nodeProvider: CryptoProvider = createNodeProvider();
