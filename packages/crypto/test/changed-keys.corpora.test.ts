/** RSA private keys with one octet changed. `npm run test:corpora` runs it, `npm test` does not. */

import { expect, it } from "vitest";
import { comparePkcs8 } from "./changed-keys.ts";

// A PSS key names its least salt, which may be another number. Every other octet belongs to the rest of the key.
it.each([
  ["rsa2048", 0],
  ["rsa-pss-sha256", 1],
])("%s: PKCS #8", (name, free) => {
  const { accepted, refused } = comparePkcs8(name);
  expect(refused).toBeGreaterThan(0);
  expect(accepted).toBe(free);
});
