/** Key shares with private keys that a test names. */

import type { CryptoProvider } from "@latchkey/crypto";
import type { NamedGroup } from "../src/named-group.ts";

/** PrivateKeyInfo up to the octets of the private key (RFC 5208 §5, RFC 5915 §3, RFC 8410 §7), and their number. */
const forms: Readonly<Record<NamedGroup, readonly [header: string, octets: number]>> = {
  x25519: ["302e020100300506032b656e04220420", 32],
  secp256r1: ["3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420", 32],
  secp384r1: ["304e020100301006072a8648ce3d020106052b81040022043730350201010430", 48],
};

/** A provider whose new key pair is always the one of this private key: big-endian, or the octets of X25519. */
export function withPrivateKey(provider: CryptoProvider, group: NamedGroup, hex: string): CryptoProvider {
  const [header, octets] = forms[group];
  const digits = hex.padStart(2 * octets, "0").slice(-2 * octets);
  const privateKey = provider.importPkcs8(new Uint8Array(Buffer.from(header + digits, "hex")));
  return { ...provider, generateKeyPair: () => ({ privateKey, publicKey: privateKey.publicKey }) };
}
