/** Wycheproof's key agreements through the key shares of a handshake. */

import { nobleProvider } from "@latchkey/crypto/noble";
import { nodeProvider } from "@latchkey/crypto/node";
import { hasVectors, readVectors } from "@latchkey/tooling-vitest/vectors";
import { describe, expect, it } from "vitest";
import { TlsError } from "../src/index.ts";
import { KeyShare, type NamedGroup } from "../src/named-group.ts";
import { withPrivateKey } from "./key-shares.ts";

interface Agreement {
  readonly tcId: number;
  readonly flags: readonly string[];
  readonly public: string;
  readonly private: string;
  readonly shared: string;
  readonly result: "valid" | "invalid" | "acceptable";
}

const files: readonly (readonly [NamedGroup, string])[] = [
  ["x25519", "x25519_test"],
  ["secp256r1", "ecdh_secp256r1_ecpoint_test"],
  ["secp384r1", "ecdh_secp384r1_ecpoint_test"],
];

describe.skipIf(!hasVectors("wycheproof")).each([nodeProvider, nobleProvider])(
  "Wycheproof through KeyShare ($name)",
  (provider) => {
    it.each(files)("%s", { timeout: 300_000 }, (group, file) => {
      const { testGroups } = readVectors(`wycheproof/${file}.json`) as {
        testGroups: readonly { readonly tests: readonly Agreement[] }[];
      };
      const tests = testGroups.flatMap((one) => one.tests);
      const outcomes = tests.map((test) => ({ tcId: test.tcId, outcome: agree(test, group) }));
      expect(outcomes).toEqual(tests.map((test) => ({ tcId: test.tcId, outcome: expected(test) })));
      expect(outcomes.filter(({ outcome }) => outcome === "ERR_TLS_ILLEGAL_PARAMETER").length).toBeGreaterThan(0);
      expect(outcomes.filter(({ outcome }) => outcome !== "ERR_TLS_ILLEGAL_PARAMETER").length).toBeGreaterThan(100);
    });

    function agree(test: Agreement, group: NamedGroup): string {
      const share = new KeyShare(withPrivateKey(provider, group, test.private), group);
      try {
        return Buffer.from(share.agree(new Uint8Array(Buffer.from(test.public, "hex")))).toString("hex");
      } catch (error) {
        if (error instanceof TlsError) return error.code;
        throw error;
      }
    }
  },
);

/** RFC 8446 §4.2.8.2 has no compressed points, and §7.4.2 no secret of zeros. */
function expected({ result, flags, shared }: Agreement): string {
  const isRefused = result === "invalid" || flags.includes("CompressedPoint") || flags.includes("ZeroSharedSecret");
  return isRefused ? "ERR_TLS_ILLEGAL_PARAMETER" : shared;
}
