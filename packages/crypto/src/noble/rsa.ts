/**
 * RSA signature checks by BigInt (RFC 8017 §8): the encoding of PKCS #1 v1.5 is built and compared, never parsed
 * (CVE-2006-4339), and PSS is undone with the salt length known beforehand. All numbers in it are public, so
 * its time may depend on them.
 */

import { equalBytes } from "@latchkey/asn1";
import { fromBigInt, toBigInt } from "../big-integer.ts";
import { hashLength } from "../hash-length.ts";
import type { RsaPublicKeyMaterial } from "../key-material.ts";
import type { SignatureHash } from "../provider.ts";
import { hashOctets } from "./hashes.ts";

/** RSASSA-PKCS1-v1_5 (§8.2.2). */
export function verifyPkcs1(
  key: RsaPublicKeyMaterial,
  hash: SignatureHash,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const encoded = recover(key, signature, key.modulus.length);
  return encoded !== undefined && equalBytes(encoded, pkcs1Encoding(hash, data, key.modulus.length));
}

/** RSASSA-PSS (§8.1.2) with MGF1 by the same hash and a salt of just this length. */
export function verifyPss(
  key: RsaPublicKeyMaterial,
  parameters: { readonly hash: SignatureHash; readonly saltLength: number },
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const encodedBits = key.modulusBits - 1;
  const encoded = recover(key, signature, Math.ceil(encodedBits / 8));
  return encoded !== undefined && isPssEncoding(encoded, encodedBits, parameters, data);
}

/** RSAVP1 (§5.2.2) with I2OSP to `length` octets; undefined where the signature is none for such a key. */
function recover(key: RsaPublicKeyMaterial, signature: Uint8Array, length: number): Uint8Array | undefined {
  if (signature.length !== key.modulus.length) return undefined;
  const modulus = toBigInt(key.modulus);
  const representative = toBigInt(signature);
  if (representative >= modulus) return undefined;
  const message = power(representative, toBigInt(key.exponent), modulus);
  // With a modulus of 8k + 1 bits the PSS encoding is an octet shorter than the modulus.
  return message >> BigInt(8 * length) === 0n ? fromBigInt(message, length) : undefined;
}

/** Square and multiply; the exponent has 64 bits at most. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** DigestInfo up to the hash, with the parameters as NULL (§9.2 note 1). */
const digestInfo: Readonly<Record<SignatureHash, readonly number[]>> = {
  "SHA-256": [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
  ],
  "SHA-384": [
    0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30,
  ],
  "SHA-512": [
    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40,
  ],
};

/** EMSA-PKCS1-v1_5 (§9.2): 0x00, 0x01, at least eight 0xff, 0x00, DigestInfo. */
function pkcs1Encoding(hash: SignatureHash, data: Uint8Array, length: number): Uint8Array {
  const prefix = digestInfo[hash];
  const digest = hashOctets(hash, data);
  const encoding = new Uint8Array(length).fill(0xff);
  const digestAt = length - digest.length;
  const prefixAt = digestAt - prefix.length;
  encoding[0] = 0x00;
  encoding[1] = 0x01;
  encoding[prefixAt - 1] = 0x00;
  encoding.set(prefix, prefixAt);
  encoding.set(digest, digestAt);
  return encoding;
}

/** EMSA-PSS-VERIFY (§9.1.2); the steps are numbered as there. */
function isPssEncoding(
  encoding: Uint8Array,
  encodedBits: number,
  { hash, saltLength }: { readonly hash: SignatureHash; readonly saltLength: number },
  data: Uint8Array,
): boolean {
  const digestLength = hashLength(hash);
  // Step 3: there is room for hash and salt. Step 4: the last octet is 0xbc.
  const maskedLength = encoding.length - digestLength - 1;
  if (maskedLength < saltLength + 1 || encoding[encoding.length - 1] !== 0xbc) return false;
  // Steps 5 and 6: the bits left of the encoding are zero.
  const masked = encoding.subarray(0, maskedLength);
  const digest = encoding.subarray(maskedLength, encoding.length - 1);
  const firstOctetMask = 0xff >> (8 * encoding.length - encodedBits);
  if (((masked[0] ?? 0) & ~firstOctetMask) !== 0) return false;
  // Steps 7 to 9: take the mask off the data block.
  const mask = maskGeneration(hash, digest, maskedLength);
  const block = masked.map((octet, index) => octet ^ (mask[index] ?? 0));
  block[0] = (block[0] ?? 0) & firstOctetMask;
  // Step 10: the data block is zeros, then 0x01, then the salt.
  const saltAt = maskedLength - saltLength;
  if (block.subarray(0, saltAt - 1).some((octet) => octet !== 0) || block[saltAt - 1] !== 0x01) return false;
  // Steps 11 to 14: the hash of eight zeros, the hash of the data and the salt is the one in the signature.
  const salted = new Uint8Array(8 + digestLength + saltLength);
  salted.set(hashOctets(hash, data), 8);
  salted.set(block.subarray(saltAt), 8 + digestLength);
  return equalBytes(digest, hashOctets(hash, salted));
}

/** MGF1 (§B.2.1). */
function maskGeneration(hash: SignatureHash, seed: Uint8Array, length: number): Uint8Array {
  const step = hashLength(hash);
  const mask = new Uint8Array(Math.ceil(length / step) * step);
  const input = new Uint8Array(seed.length + 4);
  input.set(seed);
  const counter = new DataView(input.buffer, seed.length);
  for (let index = 0; index * step < length; index++) {
    counter.setUint32(0, index);
    mask.set(hashOctets(hash, input), index * step);
  }
  return mask.subarray(0, length);
}
