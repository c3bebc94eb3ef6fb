/** `kill -9` at random points under a stream of writes: what was answered is there, nothing is half written. For so many rounds. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeProvider } from "@latchkey/crypto/node";
import { afterAll, expect, test } from "vitest";
import { createRegistry, defaultScope as scope } from "../src/index.ts";
import { openSqliteStorage } from "../src/node.ts";
import { startSeconds } from "./workshop.ts";

const program = fileURLToPath(new URL("./killed-writer.ts", import.meta.url));

/** Kills a writer after so many answers, in the middle of the next write. Gives what it answered. */
function killedAfter(answers: number, file: string): Promise<string[]> {
  const child = spawn(process.execPath, ["--conditions=@latchkey/source", program, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split("\n").length > answers) child.kill("SIGKILL");
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve(output.split("\n").slice(0, -1)));
  });
}

/** Registers the test. Each round starts a process. */
export function testKilledWriter(rounds: number): void {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-killed-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test(`${rounds} rounds`, async () => {
    const file = join(folder, "registry.db");
    const answered: string[] = [];
    for (let round = 0; round < rounds; round++) {
      answered.push(...(await killedAfter(1 + ((round * 7) % 5), file)));
      await using registry = createRegistry({
        storage: openSqliteStorage(file),
        provider: nodeProvider,
        nowSeconds: () => startSeconds,
        issuer: undefined,
      });
      for (const line of answered) {
        const [id = "", policyName = ""] = line.split(" ");
        expect(registry.certificates.describe(scope, id).status).toBe("ACTIVE");
        expect(registry.effectivePolicies(scope, id)).toMatchObject([{ policyName }]);
      }
      // Each certificate of the list can be described, each policy has a document: no index without its record.
      let nextToken: string | undefined;
      do {
        const page = registry.certificates.list(scope, { nextToken });
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      for (const { policyName } of registry.policies.list(scope).items) registry.policies.get(scope, policyName);
    }
    expect(answered.length).toBeGreaterThanOrEqual(rounds);
  }, 900_000);
}
