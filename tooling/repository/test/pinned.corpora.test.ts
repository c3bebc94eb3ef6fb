import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { corpora } from "@latchkey/tooling-vitest/corpora";
import { hasVectors, vectorsFolder } from "@latchkey/tooling-vitest/vectors";
import { expect, test } from "vitest";

test.skipIf(!hasVectors("wycheproof"))("Wycheproof in ../shared/vectors is what the table of corpora pins", () => {
  const files = corpora.find(({ name }) => name === "Wycheproof")?.files ?? [];
  expect(files.length).toBeGreaterThan(50);
  for (const { path, sha256 } of files) {
    const octets = readFileSync(new URL(path, vectorsFolder));
    expect(createHash("sha256").update(octets).digest("hex"), path).toBe(sha256);
  }
});
