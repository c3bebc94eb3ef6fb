/** The Wycheproof files that apply, run against one provider. */

import { hasVectors, readVectors } from "@latchkey/tooling-vitest/vectors";
import { afterAll, describe, expect, it } from "vitest";
import type { CryptoProvider } from "../src/index.ts";
import { exceptions, type WycheproofException } from "./wycheproof-exceptions.ts";
import { runWycheproof, type WycheproofResult } from "./wycheproof.ts";

/** Not ours: curves and encapsulations that no provider has. */
const otherAlgorithms = /^(?:ed448|x448|mlkem)/;

/** Runs every test of every file that applies: some ten seconds with node:crypto, half a minute with noble. */
export function wycheproof(provider: CryptoProvider): void {
  const index = hasVectors ? (readVectors("wycheproof/INDEX.json") as { file: string; tests: number }[]) : [];
  const applicable = index.filter(({ file }) => !otherAlgorithms.test(file));
  const used = new Set<WycheproofException>();
  const all: WycheproofResult[] = [];

  describe.skipIf(!hasVectors)(`Wycheproof (${provider.name})`, () => {
    it.each(applicable)("$file", { timeout: 300_000 }, ({ file, tests }) => {
      const results = runWycheproof(provider, file);
      expect(results).toHaveLength(tests);
      all.push(...results);
      const wrong = results.filter((result) => {
        const applying = exceptions.filter(({ expected, applies }) => expected === result.expected && applies(result));
        for (const exception of applying) used.add(exception);
        if (applying.length > 1) throw new Error(`two exceptions for ${describeResult(result)}`);
        return !isRight(result, applying[0]);
      });
      expect(wrong.map(describeResult)).toEqual([]);
      const count = (expected: string): number => results.filter((result) => result.expected === expected).length;
      // Always refusing would fail: every file has its share of both.
      expect(count("valid")).toBeGreaterThan(0);
      if (!file.startsWith("x25519_test") && !file.includes("misc")) expect(count("invalid")).toBeGreaterThan(0);
    });

    afterAll(() => {
      console.log(`Wycheproof, ${provider.name}: ${summary(all)}`);
      expect(exceptions.filter((exception) => !used.has(exception)).map(({ reason }) => reason)).toEqual([]);
    });
  });
}

/** Right answers to valid and to invalid tests apart: refusing everything would be right about most of them. */
function summary(results: readonly WycheproofResult[]): string {
  const share = (expected: string, isAccepted: boolean): string => {
    const asked = results.filter((result) => result.expected === expected);
    const as = asked.filter(({ outcome }) => (outcome === "accepted") === isAccepted);
    return `${as.length} of ${asked.length}`;
  };
  return `${share("valid", true)} valid and ${share("acceptable", true)} acceptable accepted, ${share("invalid", false)} invalid refused`;
}

function isRight({ expected, outcome }: WycheproofResult, exception: WycheproofException | undefined): boolean {
  if (exception !== undefined) return exception.actual.includes(outcome);
  return expected === "invalid" ? outcome !== "accepted" : outcome === "accepted";
}

function describeResult({ file, tcId, comment, flags, expected, outcome }: WycheproofResult): string {
  return `${file} ${tcId} (${comment}; ${flags.join(", ")}): ${expected}, and we say ${outcome}`;
}
