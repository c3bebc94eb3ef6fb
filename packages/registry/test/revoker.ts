/** A program that revokes each certificate that a line of its input names, and prints when it began to. */

import { createInterface } from "node:readline";
import { nodeProvider } from "@latchkey/crypto/node";
import { createRegistry, defaultScope } from "../src/index.ts";
import { openSqliteStorage } from "../src/node.ts";
import { startSeconds } from "./workshop.ts";

await using registry = createRegistry({
  storage: openSqliteStorage(process.argv[2] ?? ""),
  provider: nodeProvider,
  nowSeconds: () => startSeconds,
  issuer: undefined,
});
for await (const certificateId of createInterface({ input: process.stdin })) {
  const begun = Date.now();
  await registry.certificates.updateStatus(defaultScope, certificateId, "REVOKED");
  process.stdout.write(`${begun}\n`);
}
