/** Lint of very many statements, which takes seconds: `npm run test:corpora`. */

import { parsePolicyOrThrow } from "@latchkey/policy";
import { lint } from "@latchkey/policy/authoring";
import { expect, test } from "vitest";
import { A, policyText } from "./fixtures.ts";

test("lint of 10,000 statements ends, and says that it did not compare them all", () => {
  const statements = Array.from({ length: 5_000 }, (_, n) => [
    A("Subscribe", `topicfilter/a${n}/*`),
    A("Receive", `topic/b${n}`),
  ]).flat();
  const policy = parsePolicyOrThrow(policyText(...statements), { maximumCharacters: Number.POSITIVE_INFINITY });
  const findings = lint([policy]);
  expect(findings.filter(({ code }) => code === "not-everything-checked")).toHaveLength(1);
});
