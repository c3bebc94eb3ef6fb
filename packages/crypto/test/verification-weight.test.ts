/** What a signature check costs by key: what budgets of verifiers count. */

import { encodeDer } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import type { CryptoProvider } from "../src/index.ts";
import { nobleProvider } from "../src/noble.ts";
import { nodeProvider } from "../src/node.ts";

function rsaWeight(provider: CryptoProvider, modulusOctets: number, exponent: Uint8Array): number {
  const modulus = new Uint8Array(modulusOctets).fill(0xff);
  const der = encodeDer((writer) => {
    writer.sequence((body) => {
      body.unsignedInteger(modulus);
      body.unsignedInteger(exponent);
    });
  });
  return provider.importPkcs1PublicKey(der).verificationWeight;
}

describe.each([nodeProvider, nobleProvider])("by the $name provider", (provider) => {
  it("grows with the curve", () => {
    const [small = 0, middle = 0, large = 0] = (["P-256", "P-384", "P-521"] as const).map(
      (curve) => provider.generateKeyPair({ name: "ec", curve }).publicKey.verificationWeight,
    );
    expect(small).toBeGreaterThanOrEqual(1);
    expect(middle).toBeGreaterThan(small);
    expect(large).toBeGreaterThan(middle);
    expect(provider.generateKeyPair({ name: "x25519" }).publicKey.verificationWeight).toBe(0);
  });

  it("grows with the square of an RSA modulus, and with its exponent", () => {
    const usual = Uint8Array.of(1, 0, 1);
    const long = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 1);
    const weight = rsaWeight(provider, 256, usual);
    expect(weight).toBeGreaterThan(0);
    expect(rsaWeight(provider, 1024, usual)).toBeCloseTo(16 * weight);
    expect(rsaWeight(provider, 256, long)).toBeCloseTo((64 / 17) * weight);
    expect(rsaWeight(provider, 256, Uint8Array.of(3))).toBe(weight);
  });
});

it("is the same for a key that was made and for its import", () => {
  const { publicKey } = nodeProvider.generateKeyPair({ name: "rsa", modulusBits: 2048 });
  expect(nodeProvider.importSpki(publicKey.spki).verificationWeight).toBe(publicKey.verificationWeight);
});
