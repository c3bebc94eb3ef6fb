/** The Wycheproof files that apply, run against one provider. */

import { wycheproofHashes } from "@latchkey/tooling-vitest/corpora";
import { hasVectors } from "@latchkey/tooling-vitest/vectors";
import { describe, expect, it } from "vitest";
import type { CryptoProvider } from "../src/index.ts";
import { exceptions, type WycheproofException } from "./wycheproof-exceptions.ts";
import { runWycheproof, type WycheproofResult } from "./wycheproof.ts";

/** Runs every test of every file that applies: some ten seconds with node:crypto, half a minute with noble. */
export function wycheproof(provider: CryptoProvider): void {
  const files = Object.keys(wycheproofHashes);
  const runs = new Map<string, ReturnType<typeof runWycheproof>>();
  const runOnce = (file: string): ReturnType<typeof runWycheproof> => {
    const run = runs.get(file) ?? runWycheproof(provider, file);
    runs.set(file, run);
    return run;
  };

  describe.skipIf(!hasVectors("wycheproof"))(`Wycheproof (${provider.name})`, () => {
    it.each(files)("%s", { timeout: 300_000 }, (file) => {
      const { results, numberOfTests } = runOnce(file);
      expect(results).toHaveLength(numberOfTests);
      const wrong = results.filter((result) => {
        const applying = exceptionsFor(result);
        if (applying.length > 1) throw new Error(`two exceptions for ${describeResult(result)}`);
        return !isRight(result, applying[0]);
      });
      expect(wrong.map(describeResult)).toEqual([]);
      const count = (expected: string): number => results.filter((result) => result.expected === expected).length;
      // A provider that refuses everything would fail: every file has valid and invalid tests.
      expect(count("valid")).toBeGreaterThan(0);
      if (!file.startsWith("x25519_test") && !file.includes("misc")) expect(count("invalid")).toBeGreaterThan(0);
    });

    it("has a test for each exception that is listed", { timeout: 300_000 }, () => {
      const all = files.flatMap((file) => runOnce(file).results);
      console.log(`Wycheproof, ${provider.name}: ${summary(all)}`);
      const used = new Set(all.flatMap(exceptionsFor));
      expect(exceptions.filter((exception) => !used.has(exception)).map(({ reason }) => reason)).toEqual([]);
    });
  });
}

function exceptionsFor(result: WycheproofResult): readonly WycheproofException[] {
  return exceptions.filter(({ expected, applies }) => expected === result.expected && applies(result));
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
