/** Checking a signature within a budget: importing the key costs once, and what was not checked never counts as holding. */

import { defaultSignatureAlgorithm, encodeSignatureAlgorithm } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import { expect, test } from "vitest";
import { Budget, price } from "../src/budget.ts";
import { defaultLimits } from "../src/limits.ts";
import { SigningKey } from "../src/signing-key.ts";

const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
const algorithm = defaultSignatureAlgorithm(privateKey.algorithm);
const data = new Uint8Array(100);
const signed = {
  data,
  algorithm: encodeSignatureAlgorithm(algorithm),
  signature: nodeProvider.sign(privateKey, algorithm, data),
};
const signature = price.signature + data.length * price.signedOctet;

test("the import of a key is charged with the first signature that it is needed for", () => {
  const key = new SigningKey(publicKey.spki);
  const budget = new Budget(defaultLimits);
  expect(key.check(nodeProvider, signed, budget, () => false)).toBeUndefined();
  expect(budget.work).toBe(price.key + signature);
  expect(key.check(nodeProvider, signed, budget, () => false)).toBeUndefined();
  expect(budget.work).toBe(price.key + 2 * signature);
});

test.each([
  ["to import the key", price.key - 1],
  ["to check the signature", price.key + signature - 1],
])("where the budget is too small %s, the answer is the limit and not that it holds", (_, work) => {
  const budget = new Budget({ ...defaultLimits, work });
  expect(new SigningKey(publicKey.spki).check(nodeProvider, signed, budget, () => false)).toBe("limit");
  expect(budget.exceeded).toMatchObject({ code: "ERR_CHAIN_LIMIT", evidence: { limit: "work" } });
});
