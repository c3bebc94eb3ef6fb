/** The PRF of TLS 1.2 and what is made by it (RFC 5246 §5, §6.3, §7.4.9; RFC 7627 §4; RFC 5705). */

import { concatenate } from "./concatenate.ts";
import type { CryptoProvider } from "@latchkey/crypto";
import type { CipherSuite } from "./cipher-suite.ts";
import { ivOctets, type TrafficKeys } from "./record-protection.ts";
import { written } from "./writer.ts";

type Hash = CipherSuite["hash"];

/** Octets of a main secret. */
const mainSecretOctets = 48;
const verifyDataOctets = 12;

/** PRF(secret, label, seed) to `length` octets: P_hash over label and seed (RFC 5246 §5). */
export function prf(
  provider: CryptoProvider,
  hash: Hash,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  length: number,
): Uint8Array {
  const labelled = written((writer) => writer.ascii(label).octets(seed));
  const output = new Uint8Array(length);
  let a = provider.hmac(hash, secret, labelled);
  for (let offset = 0; offset < length;) {
    const input = new Uint8Array(a.length + labelled.length);
    input.set(a);
    input.set(labelled, a.length);
    const block = provider.hmac(hash, secret, input);
    output.set(block.subarray(0, length - offset), offset);
    offset += block.length;
    if (offset < length) a = provider.hmac(hash, secret, a);
  }
  return output;
}

/** The main secret of RFC 7627 §4: bound to the whole handshake by its session_hash. The shared secret is overwritten. */
export function extendedMainSecret(
  provider: CryptoProvider,
  hash: Hash,
  sharedSecret: Uint8Array,
  sessionHash: Uint8Array,
): Uint8Array {
  const secret = prf(provider, hash, sharedSecret, "extended master secret", sessionHash, mainSecretOctets);
  sharedSecret.fill(0);
  return secret;
}

/** The keys of both directions (RFC 5246 §6.3). */
export interface KeyBlock {
  readonly client: TrafficKeys;
  readonly server: TrafficKeys;
}

/** The key block: no MAC keys, since all suites are AEADs. The seed is the server's random first. */
export function keyBlock(
  provider: CryptoProvider,
  suite: CipherSuite,
  mainSecret: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): KeyBlock {
  const key = suite.keyOctets;
  const iv = ivOctets(suite);
  const seed = concatenate([serverRandom, clientRandom]);
  const block = prf(provider, suite.hash, mainSecret, "key expansion", seed, 2 * (key + iv));
  return {
    client: { key: block.subarray(0, key), iv: block.subarray(2 * key, 2 * key + iv) },
    server: { key: block.subarray(key, 2 * key), iv: block.subarray(2 * key + iv) },
  };
}

/** verify_data of a Finished (RFC 5246 §7.4.9). */
export function verifyData(
  provider: CryptoProvider,
  hash: Hash,
  mainSecret: Uint8Array,
  role: "client" | "server",
  transcriptHash: Uint8Array,
): Uint8Array {
  return prf(provider, hash, mainSecret, `${role} finished`, transcriptHash, verifyDataOctets);
}

/** Exported keying material (RFC 5705 §4). Without a context its length is left out, too. */
export function exportKey12(
  provider: CryptoProvider,
  hash: Hash,
  mainSecret: Uint8Array,
  randoms: { readonly client: Uint8Array; readonly server: Uint8Array },
  label: string,
  context: Uint8Array | undefined,
  length: number,
): Uint8Array {
  const seed = written((writer) => {
    writer.octets(randoms.client).octets(randoms.server);
    if (context !== undefined) writer.vector16(context);
  });
  return prf(provider, hash, mainSecret, label, seed, length);
}
