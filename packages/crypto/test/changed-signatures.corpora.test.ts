/** No octet of a signature can be changed. `npm run test:corpora` runs it, `npm test` tries some of the octets. */

import { describe, expect, it } from "vitest";
import { nobleProvider } from "../src/noble.ts";
import { nodeProvider } from "../src/node.ts";
import { signatureFixtures } from "./conformance.ts";
import { message, octetsFixture, pemFixture } from "./fixtures.ts";

describe.each([
  ["node", nodeProvider],
  ["noble", nobleProvider],
] as const)("the %s provider", (_, provider) => {
  it.each(signatureFixtures)("%s: no octet of %s", (keyName, name, algorithm) => {
    const key = provider.importSpki(pemFixture(keyName));
    const signature = octetsFixture(name);
    expect(provider.verify(key, algorithm, message, signature)).toBe(true);
    for (let index = 0; index < signature.length; index++) {
      const changed = signature.map((octet, at) => (at === index ? octet ^ 0x10 : octet));
      expect(provider.verify(key, algorithm, message, changed)).toBe(false);
    }
  });
});
