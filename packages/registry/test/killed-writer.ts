/** A program that registers certificates until it is killed, and prints the identifier of each after it was answered. */

import { nodeProvider } from "@latchkey/crypto/node";
import { createRegistry, defaultScope } from "../src/index.ts";
import { openSqliteStorage } from "../src/node.ts";
import { allow, makeAuthority, makeDevice, pemOf, startSeconds } from "./workshop.ts";

const registry = createRegistry({
  storage: openSqliteStorage(process.argv[2] ?? ""),
  provider: nodeProvider,
  nowSeconds: () => startSeconds,
  issuer: undefined,
});
await registry.createAccount(defaultScope);
const authority = makeAuthority();
for (let i = 0; ; i++) {
  const { certificateId } = await registry.certificates.registerWithoutAuthority(defaultScope, {
    certificatePem: pemOf(makeDevice(authority)),
    status: "ACTIVE",
  });
  const policyName = `p-${certificateId.slice(0, 16)}`;
  await registry.policies.create(defaultScope, policyName, allow("iot:Publish", `topic/${i}`));
  await registry.policies.attach(defaultScope, policyName, { kind: "cert", certificateId });
  await new Promise<void>((resolve) => process.stdout.write(`${certificateId} ${policyName}\n`, () => resolve()));
}
