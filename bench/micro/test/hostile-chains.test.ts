/** Each hostile question ends in what it is made for, and not before the work that it is made of. */

import { expect, test } from "vitest";
import { hostileQuestion, hostileShapes } from "../src/hostile-chains.ts";

const verdicts: Readonly<Record<string, string>> = {
  "mesh-below-device": "ERR_CHAIN_NO_ISSUER",
  "mesh-below-device-one-key": "ERR_CHAIN_NO_ISSUER",
  "mesh-below-device-1000-names": "ERR_CHAIN_NO_ISSUER",
  "15-large-not-needed": "ok",
  "leaf-20000-names": "ok",
  "1000-names-1000-constraints": "ok",
  "list-1000-points-below-1000-part-name": "ERR_CHAIN_REVOCATION_UNKNOWN",
  "256-paths-200-lists": "limit: signatures",
};

test.each(hostileShapes)("%s", (shape) => {
  const { verifier, inputs } = hostileQuestion(shape);
  const result = verifier.verify(inputs);
  const [first] = result.ok ? [] : result.failures;
  const verdict = first?.code === "ERR_CHAIN_LIMIT" ? `limit: ${first.evidence.limit}` : (first?.code ?? "ok");
  expect(verdict).toBe(verdicts[shape] ?? "limit: work");
});
