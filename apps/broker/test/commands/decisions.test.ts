/** `latchkey decisions` prints what the broker decided, and goes on with it. */

import { join } from "node:path";
import { startProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BrokerCommands, done, main, run } from "./broker-commands.ts";

let commands: BrokerCommands;
beforeAll(async () => {
  commands = await BrokerCommands.start();
});
afterAll(() => commands[Symbol.asyncDispose]());

test("decisions are printed with their reasons, and followed", async () => {
  const follower = startProgram(
    process.execPath,
    ["--conditions=@latchkey/source", main, "decisions", "--follow", "--data", commands.plane.directory],
    { timeoutMs: 60_000 },
  );
  const out = join(commands.scratch, "nobody");
  done(await commands.local("certificate", "create", "--out", out, "--common-name", "nobody"));
  const words = ["--device", out, "--url", `mqtts://127.0.0.1:${commands.plane.mqttPort}`, "--client-id", "stranger"];
  expect(await run(["publish", ...words, "--topic", "a", "--message", "x"])).toMatchObject({ code: 1 });
  await follower.saw(/stranger \([0-9a-f]{12}\) connect stranger: .*no policy|stranger .* connect stranger: /);
  follower.kill("SIGINT");
  expect(await follower.finished).toMatchObject({ code: 0 });
  const lines = done(await commands.remote("decisions", "--json")).split("\n");
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
    clientId: "stranger",
    action: "connect",
    name: "stranger",
    decision: "implicit-deny",
    reason: expect.stringMatching(/iot:Connect/) as string,
  });
});
