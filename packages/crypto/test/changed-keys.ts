/** Changes keys octet by octet and holds what both providers say of them against each other. */

import { expect } from "vitest";
import { CryptoError, type CryptoProvider } from "../src/index.ts";
import { nobleProvider } from "../src/noble.ts";
import { nodeProvider } from "../src/node.ts";
import { pemFixture, toHex } from "./fixtures.ts";

/** Every SPKI with one octet changed; gives how many were accepted and refused, by both. */
export function compareSpki(name: string): { accepted: number; refused: number } {
  return compare(pemFixture(`${name}.spki`), (provider, der) => {
    const key = provider.importSpki(der);
    return `${JSON.stringify(key.algorithm)} ${toHex(key.spki)}`;
  });
}

/** The same for PKCS #8. */
export function comparePkcs8(name: string): { accepted: number; refused: number } {
  return compare(pemFixture(`${name}.pkcs8`), (provider, der) => {
    const key = provider.importPkcs8(der);
    return `${JSON.stringify(key.algorithm)} ${toHex(key.publicKey.spki)} ${toHex(provider.exportPkcs8(key))}`;
  });
}

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
