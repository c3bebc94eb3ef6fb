/** Refusals of keys that several readers and both providers make. */

import { decodeOid } from "@latchkey/asn1";
import { CryptoError } from "./errors.ts";
import { namedOid } from "./oid-names.ts";

/** A kind of key that is not supported; `oid` are the content octets of its identifier. */
export function unsupportedKey(oid: Uint8Array, offset: number): CryptoError {
  const algorithm = decodeOid(oid);
  const supported = ["EC (P-256, P-384, P-521)", "Ed25519", "X25519", "RSA", "RSA-PSS"];
  const reason = `Keys of kind ${namedOid(oid)} are not supported; ${supported.join(", ")} are`;
  return new CryptoError("ERR_CRYPTO_UNSUPPORTED_KEY", reason, { algorithm, supported, offset });
}

/** Parameters that the kind of key does not allow, or does not have and must have. */
export function wrongParameters(offset: number, clause: string): CryptoError {
  const rule = clause.startsWith("RFC 4055") ? "they must be NULL" : "they must be absent";
  return new CryptoError("ERR_CRYPTO_MALFORMED_KEY", `The parameters of the key's algorithm are wrong: ${rule}`, {
    problem: "parameters",
    offset,
    clause,
  });
}

/** The public key in a private key's file belongs to another private key. */
export function keyPairMismatch(): CryptoError {
  return new CryptoError(
    "ERR_CRYPTO_KEY_PAIR_MISMATCH",
    "The public key in the private key's file belongs to another private key",
    {},
  );
}

/** A key of another provider. */
export function foreignKey(): CryptoError {
  return new CryptoError("ERR_CRYPTO_FOREIGN_KEY", "Another provider made the key: import it into this one first", {});
}
