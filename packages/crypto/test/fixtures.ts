/** Reads what OpenSSL made: see `fixtures/make.sh`. */

import { readFileSync } from "node:fs";
import { decodePem } from "@latchkey/asn1";

/** The DER in a fixture's one PEM block, whose last one counts (curve parameters come before a key). */
export function pemFixture(name: string): Uint8Array {
  const block = decodePem(readFileSync(new URL(`fixtures/${name}.pem`, import.meta.url), "utf8")).at(-1);
  if (block === undefined) throw new Error(`${name} has no PEM block`);
  return block.bytes;
}

/** A fixture's octets as they are. */
export function octetsFixture(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
}

export const message: Uint8Array = octetsFixture("message.txt");

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

export function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}

/** Keys that OpenSSL made, each as SPKI and PKCS #8. */
export const keyFixtures: readonly string[] = [
  "p256",
  "p384",
  "p521",
  "ed25519",
  "x25519",
  "rsa2048",
  "rsa-pss",
  "rsa-pss-sha256",
];
