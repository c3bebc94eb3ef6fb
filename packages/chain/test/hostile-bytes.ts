/** Bytes changed, cut or made up: never accepted, never thrown at the caller. For as much of that as a caller wants. */

import fc from "fast-check";
import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, test } from "vitest";
import { createChainVerifier, explainChain } from "../src/index.ts";
import { checkRevocation } from "../src/revocation.ts";
import { family, now } from "./issuing.ts";

const { rootCertificate, intermediateCertificate, deviceCertificate } = family();
const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors: [rootCertificate] });

function verdict(certificate: Uint8Array, intermediate: Uint8Array): string {
  const result = verifier.verify({ certificate, intermediates: [intermediate], purpose: "clientAuth", time: now });
  if (result.ok) return "ok";
  expect(result.failures.length).toBeGreaterThan(0);
  expect(explainChain(result).length).toBeGreaterThan(1);
  return "refused";
}

function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at]! ^= 1 << bit;
  return changed;
}

/** Changes these bits of every octet, and makes up bytes in so many runs. */
export function describeHostileBytes(bits: readonly number[], runs: number): void {
  describe("changed bytes", () => {
    test("every bit of every octet of both certificates is vouched for", () => {
      for (const bit of bits) {
        for (let at = 0; at < deviceCertificate.length; at++) {
          expect(verdict(flipped(deviceCertificate, at, bit), intermediateCertificate), `leaf ${at}`).toBe("refused");
        }
        for (let at = 0; at < intermediateCertificate.length; at++) {
          expect(verdict(deviceCertificate, flipped(intermediateCertificate, at, bit)), `intermediate ${at}`).toBe(
            "refused",
          );
        }
      }
      expect(verdict(deviceCertificate, intermediateCertificate)).toBe("ok");
    });

    test("every prefix is refused", () => {
      for (let length = 0; length < deviceCertificate.length; length++) {
        expect(verdict(deviceCertificate.subarray(0, length), intermediateCertificate)).toBe("refused");
      }
    });

    test("made-up bytes anywhere end in an answer", () => {
      const bytes = fc.uint8Array({ maxLength: 200 });
      const change = fc.tuple(fc.nat(), fc.nat(255)).map(([at, octet]) => {
        const changed = Uint8Array.from(intermediateCertificate);
        changed[at % changed.length] = octet;
        return changed;
      });
      fc.assert(
        fc.property(
          bytes,
          fc.array(fc.oneof(bytes, change), { maxLength: 4 }),
          fc.array(bytes, { maxLength: 3 }),
          (leaf, pool, statements) => {
            for (const certificate of [leaf, deviceCertificate]) {
              const result = verifier.verify({
                certificate,
                intermediates: [...pool, intermediateCertificate],
                purpose: "clientAuth",
                time: now,
                revocation: checkRevocation({ mode: "hard", revocationLists: statements, ocspResponses: statements }),
              });
              expect(result.ok).toBe(false);
            }
          },
        ),
        { numRuns: runs },
      );
    });
  });
}
