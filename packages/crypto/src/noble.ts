/**
 * The provider that stands on the noble libraries: plain JavaScript for browsers and edge runtimes, without `node:`.
 *
 * It checks RSA signatures and makes none; its `Async` methods work on the calling thread.
 */

import { checkRandomLength } from "./arguments.ts";
import { checkKeyLimits, defaultKeyLimits, type KeyLimits } from "./key-material.ts";
import { ciphers } from "./noble/ciphers.ts";
import { hashes } from "./noble/hashes.ts";
import * as keys from "./noble/keys.ts";
import { signatures } from "./noble/signatures.ts";
import { decodePkcs1PrivateKey, decodePkcs8, decodeSec1 } from "./pkcs8.ts";
import type { CryptoProvider } from "./provider.ts";
import { decodeSpki, spkiFromPkcs1 } from "./spki.ts";

export type { KeyLimits } from "./key-material.ts";

/** A provider with other limits than the usual. Throws `ERR_CRYPTO_ARGUMENT` for limits that are not sensible. */
export function createNobleProvider(limits: Partial<KeyLimits> = {}): CryptoProvider {
  const held = checkKeyLimits({ ...defaultKeyLimits, ...limits });
  const importSpki: CryptoProvider["importSpki"] = (der) => {
    const spki = Uint8Array.from(der);
    return keys.publicKeyFromMaterial(decodeSpki(spki, held), spki);
  };
  return {
    name: "noble",
    ...hashes,
    ...ciphers,
    ...signatures,
    importSpki,
    importPkcs1PublicKey: (der) => importSpki(spkiFromPkcs1(der, held)),
    // The key keeps views, so it gets a copy that does not change.
    importPkcs8: (der, options) => keys.privateKeyFromMaterial(decodePkcs8(Uint8Array.from(der), held, options)),
    importSec1: (der, options) => keys.privateKeyFromMaterial(decodeSec1(Uint8Array.from(der), options)),
    importPkcs1PrivateKey: (der) => keys.privateKeyFromMaterial(decodePkcs1PrivateKey(Uint8Array.from(der), held)),
    exportPkcs8: keys.exportPrivateKey,
    generateKeyPair: keys.newKeyPair,
    generateKeyPairAsync: async (algorithm) => keys.newKeyPair(algorithm),
    randomBytes: (length) => {
      checkRandomLength(length);
      return crypto.getRandomValues(new Uint8Array(length));
    },
  };
}

/** The provider with the usual limits. */
export const nobleProvider: CryptoProvider = /* @__PURE__ */ createNobleProvider();
