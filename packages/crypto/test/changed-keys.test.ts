/** Keys with one octet changed. RSA private keys take long: `changed-keys.corpora.test.ts` has them. */

import { describe, expect, it } from "vitest";
import { comparePkcs8, compareSpki } from "./changed-keys.ts";

describe("a key with one octet changed", () => {
  it.each(["p256", "p384", "p521", "ed25519", "x25519", "rsa2048", "rsa-pss", "rsa-pss-sha256"])("%s: SPKI", (name) => {
    const { accepted, refused } = compareSpki(name);
    expect(refused).toBeGreaterThan(0);
    // A point with one coordinate changed is off its curve; the other kinds take any 32 octets, or any odd number.
    if (name.startsWith("p")) expect(accepted).toBe(0);
  });

  // A seed may be any 32 octets. Every other octet of a file belongs to the rest of it.
  it.each([
    ["p256", 0],
    ["ed25519", 32],
    ["x25519", 32],
  ])("%s: PKCS #8", (name, free) => {
    const { accepted, refused } = comparePkcs8(name);
    expect(refused).toBeGreaterThan(0);
    expect(accepted).toBe(free);
  });
});
