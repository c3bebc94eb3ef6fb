/**
 * An authorizer that answers at once costs no object for each decision, whether it has a revision or not. In a process of its own: the authorizers
 * of other tests change what the compiler makes of a call.
 */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** What else of the runtime may need one. */
const maximumCollections = 2;

test.each(["no revision", "revision"])("with %s", async (argument) => {
  const program = fileURLToPath(new URL("decide-often.ts", import.meta.url));
  const options = ["--conditions=@latchkey/source", program, argument];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  expect(stdout).toMatch(/^\d+\n$/);
  expect(Number(stdout)).toBeLessThanOrEqual(maximumCollections);
});
