/** Access keys of the control plane by commands. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { BrokerCommands, done, run } from "./broker-commands.ts";

let commands: BrokerCommands;
beforeAll(async () => {
  commands = await BrokerCommands.start();
});
afterAll(() => commands[Symbol.asyncDispose]());

test("access keys are made, listed and revoked, on the machine of the broker without credentials", async () => {
  const made = JSON.parse(done(await commands.local("keys", "create", "--scope", "reader", "--json"))) as {
    accessKeyId: string;
    secretAccessKey: string;
  };
  const credentials = commands.file("key.json", JSON.stringify(made));
  const reader = ["--endpoint", commands.plane.url, "--credentials", credentials];
  done(await run(["policy", "list", ...reader]));
  const denied = await run(["thing", "create", "--name", "x", ...reader]);
  expect(denied.stderr).toMatch(/^ERR_BROKER_REQUEST: AccessDeniedException: /);
  expect(denied.stderr).not.toContain(made.secretAccessKey);
  expect(done(await commands.local("keys", "list"))).toContain(made.accessKeyId);
  done(await commands.local("keys", "revoke", "--key", made.accessKeyId));
  expect((await run(["policy", "list", ...reader])).stderr).toMatch(/^ERR_BROKER_REQUEST: UnrecognizedClientException/);
});
