/** The numbers that the runner speaks in, and the names that the engine has for them. */

import type { CipherSuiteName, NamedGroup, ProtocolVersion, SignatureScheme } from "@latchkey/tls";
import { Unimplemented } from "./flags.ts";

export const versions: ReadonlyMap<number, ProtocolVersion> = new Map([
  [0x0303, "TLSv1.2"],
  [0x0304, "TLSv1.3"],
]);

export const groups: ReadonlyMap<number, NamedGroup> = new Map([
  [0x001d, "x25519"],
  [0x0017, "secp256r1"],
  [0x0018, "secp384r1"],
]);

export const schemes: ReadonlyMap<number, SignatureScheme> = new Map([
  [0x0403, "ecdsa_secp256r1_sha256"],
  [0x0503, "ecdsa_secp384r1_sha384"],
  [0x0603, "ecdsa_secp521r1_sha512"],
  [0x0807, "ed25519"],
  [0x0804, "rsa_pss_rsae_sha256"],
  [0x0805, "rsa_pss_rsae_sha384"],
  [0x0806, "rsa_pss_rsae_sha512"],
  [0x0809, "rsa_pss_pss_sha256"],
  [0x080a, "rsa_pss_pss_sha384"],
  [0x080b, "rsa_pss_pss_sha512"],
  [0x0401, "rsa_pkcs1_sha256"],
  [0x0501, "rsa_pkcs1_sha384"],
  [0x0601, "rsa_pkcs1_sha512"],
]);

export const cipherSuites: ReadonlyMap<number, CipherSuiteName> = new Map([
  [0x1301, "TLS_AES_128_GCM_SHA256"],
  [0x1302, "TLS_AES_256_GCM_SHA384"],
  [0x1303, "TLS_CHACHA20_POLY1305_SHA256"],
  [0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
  [0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
  [0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"],
  [0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
  [0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
  [0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"],
]);

/** The names of numbers. Throws `Unimplemented` where the engine has none. */
export function namesOf<Name>(table: ReadonlyMap<number, Name>, numbers: readonly number[], what: string): Name[] {
  return numbers.map((number) => {
    const name = table.get(number);
    if (name === undefined) throw new Unimplemented(`${what} 0x${number.toString(16)}`);
    return name;
  });
}

/** The number of a name. */
export function numberOf<Name>(table: ReadonlyMap<number, Name>, name: Name | undefined): number | undefined {
  for (const [number, candidate] of table) if (candidate === name) return number;
  return undefined;
}
