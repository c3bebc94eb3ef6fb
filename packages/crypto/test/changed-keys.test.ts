/** Keys with one octet changed: both providers read the same of them, and refuse the rest with the same code. */

import { describe, expect, it } from "vitest";
import { CryptoError, type CryptoProvider } from "../src/index.ts";
import { nobleProvider } from "../src/noble.ts";
import { nodeProvider } from "../src/node.ts";
import { pemFixture, toHex } from "./fixtures.ts";

describe("a key with one octet changed", () => {
  it.each(["p256", "p384", "p521", "ed25519", "x25519", "rsa2048", "rsa-pss", "rsa-pss-sha256"])("%s: SPKI", (name) => {
    const { accepted, refused } = compare(pemFixture(`${name}.spki`), (provider, der) => {
      const key = provider.importSpki(der);
      return `${JSON.stringify(key.algorithm)} ${toHex(key.spki)}`;
    });
    expect(refused).toBeGreaterThan(0);
    // A point with one coordinate changed is off its curve; the other kinds take any 32 octets, or any odd number.
    if (name.startsWith("p")) expect(accepted).toBe(0);
  });

  // The seed may be any 32 octets, a PSS key's least salt is a number; all else is held together.
  it.each([
    ["p256", 0],
    ["ed25519", 32],
    ["x25519", 32],
    ["rsa2048", 0],
    ["rsa-pss-sha256", 1],
  ])("%s: PKCS #8", (name, free) => {
    const { accepted, refused } = compare(pemFixture(`${name}.pkcs8`), (provider, der) => {
      const key = provider.importPkcs8(der);
      return `${JSON.stringify(key.algorithm)} ${toHex(key.publicKey.spki)} ${toHex(provider.exportPkcs8(key))}`;
    });
    expect(refused).toBeGreaterThan(0);
    expect(accepted).toBe(free);
  });
});

/** Changes one bit of each octet and holds the providers' answers against each other. */
function compare(
  der: Uint8Array,
  read: (provider: CryptoProvider, der: Uint8Array) => string,
): { accepted: number; refused: number } {
  const counts = { accepted: 0, refused: 0 };
  for (let index = 0; index < der.length; index++) {
    const changed = der.map((octet, at) => (at === index ? octet ^ (1 << (index % 8)) : octet));
    const [fromNode, fromNoble] = [nodeProvider, nobleProvider].map((provider) => {
      try {
        return read(provider, changed);
      } catch (error) {
        if (error instanceof CryptoError) return error.code;
        throw error;
      }
    });
    expect(`${index}: ${fromNoble}`).toBe(`${index}: ${fromNode}`);
    if (fromNode?.startsWith("ERR_")) counts.refused++;
    else counts.accepted++;
  }
  return counts;
}
