/** What keeps a device out, said by `latchkey doctor`. */

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BrokerCommands, done, policy } from "./broker-commands.ts";

let commands: BrokerCommands;
beforeAll(async () => {
  commands = await BrokerCommands.start();
});
afterAll(() => commands[Symbol.asyncDispose]());

test("the doctor says what keeps a device out, by certificate and by client identifier", async () => {
  const document = commands.file("lamp.json", policy("client/lamp", "iot:Connect"));
  done(await commands.local("policy", "create", "--name", "lamp", "--document", document));
  const out = join(commands.scratch, "lamp");
  const id = done(
    await commands.local("certificate", "create", "--out", out, "--common-name", "lamp", "--policy", "lamp"),
  );
  done(await commands.local("thing", "create", "--name", "lamp", "--attributes", "room=kitchen"));
  done(await commands.local("thing", "attach", "--name", "lamp", "--certificate", id.slice(0, 10)));
  expect(done(await commands.remote("thing", "show", "--name", "lamp"))).toMatch(
    /attributes +room=kitchen[^]*certificates +[0-9a-f]{64}/,
  );
  const good = await commands.remote("doctor", "lamp");
  expect(done(good)).toMatch(/ok {2}CONNECT +Allowed/);
  expect(good.stderr).toMatch(/^--publish TOPIC, .* ask about messages$/m);
  done(
    await commands.local(
      "policy",
      "create",
      "--name",
      "any",
      "--document",
      commands.file("any.json", policy("client/other", "iot:Connect")),
    ),
  );
  done(await commands.local("policy", "attach", "--name", "any", "--certificate", id));
  // No policy has a variable of things here, so the device gets in under a name that is none of its things.
  expect(done(await commands.local("doctor", id, "--client-id", "other"))).toMatch(
    /ok {2}thing +attached to lamp; .* "other" is none of them.*\n[^]*ok {2}CONNECT +Allowed/,
  );
  const refused = await commands.local("doctor", id.slice(0, 12), "--publish", "orders");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toBe("");
  expect(refused.stdout).toMatch(/NO {2}PUBLISH +Denied: .*iot:Publish on .*topic\/orders/);
  done(await commands.local("certificate", "revoke", "--certificate", id));
  expect((await commands.remote("doctor", "lamp")).stdout).toMatch(
    /NO {2}status +REVOKED[^]*NO {2}identity .*ERR_IDENTITY_NOT_ACTIVE/,
  );
  const nobody = await commands.local("doctor", "nobody");
  expect(nobody).toMatchObject({ code: 1 });
  expect(nobody.stderr).toMatch(/^ERR_BROKER_USAGE: "nobody" is no certificateId/);
});
