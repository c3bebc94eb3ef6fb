/** `latchkey publish` and `latchkey subscribe`: a device with its folder. */

import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createServer } from "node:tls";
import { type Finished, startProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BrokerCommands, account, done, main, policy, run } from "./broker-commands.ts";

let commands: BrokerCommands;
beforeAll(async () => {
  commands = await BrokerCommands.start();
});
afterAll(() => commands[Symbol.asyncDispose]());

test("publish and subscribe are a device with its folder, and are refused what its policies refuse", async () => {
  const statements = [
    { Effect: "Allow", Action: "iot:Connect", Resource: `${account}:client/*` },
    {
      Effect: "Allow",
      Action: ["iot:Publish", "iot:RetainPublish", "iot:Receive"],
      Resource: `${account}:topic/orders`,
    },
    { Effect: "Allow", Action: "iot:Subscribe", Resource: `${account}:topicfilter/orders` },
  ];
  const document = commands.file("shop.json", JSON.stringify({ Version: "2012-10-17", Statement: statements }));
  done(await commands.local("policy", "create", "--name", "shop", "--document", document));
  const out = join(commands.scratch, "shop");
  done(await commands.local("certificate", "create", "--out", out, "--common-name", "shop", "--policy", "shop"));
  const url = `mqtts://127.0.0.1:${commands.plane.mqttPort}`;
  const as = (clientId: string): string[] => ["--device", out, "--url", url, "--client-id", clientId];
  const words = [
    "--conditions=@latchkey/source",
    main,
    "subscribe",
    ...as("listener"),
    "--topic",
    "orders",
    "--count",
    "1",
  ];
  const listener = startProgram(process.execPath, words, { timeoutMs: 60_000 });
  await listener.saw(/subscribed to orders/);
  const sessions = JSON.parse(done(await commands.local("sessions", "list", "--json"))) as object[];
  expect(sessions).toMatchObject([{ clientId: "listener", connected: true, subscriptions: 1 }]);
  done(await run(["publish", ...as("sender"), "--topic", "orders", "--message", "größe 3", "--retain"]));
  expect(await listener.finished).toMatchObject({ code: 0, stdout: "orders größe 3\n" });
  expect(done(await commands.local("retained", "list"))).toMatch(/^TOPIC.*\norders +9 /);
  done(await commands.local("retained", "delete", "--topic", "orders"));
  expect((await commands.local("retained", "delete", "--topic", "orders")).stderr).toMatch(/ResourceNotFoundException/);
  const refused = await run(["publish", ...as("sender"), "--topic", "elsewhere", "--message", "x"]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(
    /^ERR_BROKER_DEVICE: the broker refuses the message on elsewhere: not allowed: publish to elsewhere\. "latchkey decisions"/,
  );
  const refusals = join(commands.plane.directory, "decisions.jsonl");
  await expect
    .poll(() => existsSync(refusals) && readFileSync(refusals, "utf8"), { timeout: 30_000 })
    .toMatch(/elsewhere.*\n/);
  const suggested = done(await run(["policy", "suggest", "--decisions", refusals, "--client-id", "sender"]));
  expect(JSON.parse(suggested)).toMatchObject({
    Statement: [{ Action: "iot:Publish", Resource: `${account}:topic/elsewhere` }],
  });
  expect(await run(["policy", "suggest"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/--decisions/) });
  expect((await commands.local("sessions", "end", "--client-id", "nobody")).stderr).toMatch(
    /ResourceNotFoundException/,
  );
});

describe("publish and subscribe end in a line, without a stack trace, where", () => {
  let out: string;
  const url = (): string => `mqtts://127.0.0.1:${commands.plane.mqttPort}`;
  beforeAll(async () => {
    out = join(commands.scratch, "refused");
    done(
      await commands.local(
        "policy",
        "create",
        "--name",
        "all",
        "--document",
        commands.file("all.json", policy("*", "iot:*")),
      ),
    );
    done(await commands.local("certificate", "create", "--out", out, "--common-name", "refused", "--policy", "all"));
    cpSync(out, join(commands.scratch, "other-key"), { recursive: true });
    writeFileSync(join(commands.scratch, "other-key", "private.key"), "no key");
  });

  test.each([
    [
      "a topic has a wildcard",
      ["publish", "--topic", "a/#", "--message", "x"],
      /topicName is "a\/#", wanted a topic name/,
    ],
    [
      "a topic filter is none",
      ["subscribe", "--topic", "a/#/b"],
      /topicFilter is "a\/#\/b", wanted # only as the last/,
    ],
    ["a topic is too long", ["publish", "--topic", "x".repeat(65_536), "--message", "x"], /at most 65,535 octets/],
    [
      "a client identifier is too long",
      ["subscribe", "--topic", "a", "--client-id", "x".repeat(65_536)],
      /at most 65,535/,
    ],
  ])("%s", async (_, words, message) => {
    const { code, stdout, stderr } = await run([...words, "--device", out, "--url", url()]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^ERR_BROKER_USAGE: /);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("the device's key is none", async () => {
    const words = ["--device", join(commands.scratch, "other-key"), "--url", url(), "--topic", "a", "--message", "x"];
    const { code, stderr } = await run(["publish", ...words]);
    expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toMatch(/^ERR_BROKER_USAGE: --device .*other-key: certificate and key cannot be used: /);
  });

  test("what answers speaks no MQTT", async () => {
    const pem = (name: string): string => readFileSync(join(commands.plane.directory, name), "utf8");
    const server = createServer({ cert: pem("server.pem"), key: pem("server.key") }, (socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const words = ["--device", out, "--url", `mqtts://127.0.0.1:${port}`, "--topic", "a", "--message", "x"];
    const { code, stderr } = await run(["publish", ...words]);
    server.close();
    expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toMatch(/^ERR_BROKER_DEVICE: what answers speaks no MQTT 5\.0: /);
  });

  test("nobody reads any more what subscribe prints; an interruption ends it in good order", async () => {
    const publish = (): Promise<Finished> =>
      run(["publish", "--device", out, "--url", url(), "--topic", "pipe", "--message", "x"]);
    const words = ["--device", out, "--url", url(), "--client-id", "reader", "--topic", "pipe"];
    const shell = `"$0" --conditions=@latchkey/source "$@" | head -n 1`;
    const piped = startProgram(
      "/bin/bash",
      ["-o", "pipefail", "-c", shell, process.execPath, main, "subscribe", ...words],
      {
        timeoutMs: 60_000,
      },
    );
    await piped.saw(/subscribed to pipe/);
    // The first message ends `head`, and the next one is refused by the pipe.
    for (let isRunning = true; isRunning;) {
      done(await publish());
      isRunning = await Promise.race([piped.finished.then(() => false), nextTurn(true)]);
    }
    const { stdout, stderr } = await piped.finished;
    expect({ stdout, stderr }).toEqual({ stdout: "pipe x\n", stderr: "subscribed to pipe\n" });
    const interrupted = startProgram(process.execPath, ["--conditions=@latchkey/source", main, "subscribe", ...words], {
      timeoutMs: 60_000,
    });
    await interrupted.saw(/subscribed to pipe/);
    interrupted.kill("SIGINT");
    expect(await interrupted.finished).toMatchObject({ code: 0, stderr: "subscribed to pipe\n" });
  });
});
