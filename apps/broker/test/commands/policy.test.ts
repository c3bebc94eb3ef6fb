/** Policies by commands: stored with versions, listed, and looked at in files. */

import { certificateToPem } from "@latchkey/x509";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeAuthority } from "../control-plane/identities.ts";
import { BrokerCommands, account, done, policy, run } from "./broker-commands.ts";

let commands: BrokerCommands;
beforeAll(async () => {
  commands = await BrokerCommands.start();
});
afterAll(() => commands[Symbol.asyncDispose]());

test("policies have versions, are shown and deleted with them", async () => {
  const document = commands.file("v.json", policy("topic/a"));
  done(await commands.remote("policy", "create", "--name", "versioned", "--document", document));
  const made = await commands.remote(
    "policy",
    "version",
    "create",
    "--name",
    "versioned",
    "--document",
    commands.file("w.json", policy("topic/b")),
  );
  expect(done(made)).toBe("stored version 2 of policy versioned");
  done(await commands.remote("policy", "version", "default", "--name", "versioned", "--id", "2"));
  const shown = JSON.parse(done(await commands.local("policy", "show", "--name", "versioned", "--json"))) as {
    policyDocument: string;
  };
  expect(shown).toMatchObject({ defaultVersionId: "2", targets: [] });
  expect(shown.policyDocument).toContain("topic/b");
  expect(done(await commands.remote("policy", "list"))).toMatch(/versioned +2 /);
  done(await commands.remote("policy", "delete", "--name", "versioned"));
  expect((await commands.remote("policy", "show", "--name", "versioned")).stderr).toMatch(
    /^ERR_BROKER_REQUEST: ResourceNotFoundException: .*versioned/,
  );
});

test("policies and authorities are listed from the oldest, or from the newest", async () => {
  for (const name of ["order-z", "order-a"]) {
    done(
      await commands.local(
        "policy",
        "create",
        "--name",
        name,
        "--document",
        commands.file("o.json", policy("topic/o")),
      ),
    );
  }
  for (const name of ["order 1", "order 2"]) {
    const pem = commands.file("order.pem", certificateToPem(makeAuthority(name).certificate));
    done(await commands.local("ca", "register", "--file", pem, "--sni-only"));
  }
  const found = async (...words: string[]): Promise<readonly string[]> =>
    done(await commands.local(...words)).match(/order[ -]\w/g) ?? [];
  expect(await found("policy", "list")).toEqual(["order-z", "order-a"]);
  expect(await found("policy", "list", "--newest-first")).toEqual(["order-a", "order-z"]);
  expect(await found("ca", "list")).toEqual(["order 1", "order 2"]);
  expect(await found("ca", "list", "--newest-first")).toEqual(["order 2", "order 1"]);
});

test("policies that are stored are linted and explained as files are", async () => {
  done(
    await commands.local(
      "policy",
      "create",
      "--name",
      "stored",
      "--document",
      commands.file("s.json", policy("topic/a")),
    ),
  );
  const words = ["--name", "stored", "--action", "iot:Publish", "--resource", `${account}:topic/a`];
  expect(done(await commands.local("policy", "explain", ...words))).toMatch(/^allow: /);
  expect(await commands.local("policy", "lint", "--name", "stored")).toMatchObject({ code: 0 });
});

describe("on files alone", () => {
  const bad = (): string => commands.file("bad.json", policy("topicfilter/a/+", "iot:Publish"));

  test("policy lint finds, as text, JSON and SARIF, and its exit code says so", async () => {
    const found = await run(["policy", "lint", "--document", bad()]);
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(/bad\.json:7:\d+ error action-resource-mismatch: .*; use topic\/$/m);
    const sarif = await run(["policy", "lint", "--document", bad(), "--format", "sarif"]);
    const log = JSON.parse(sarif.stdout) as { version: string; runs: { results: object[] }[] };
    expect(log.version).toBe("2.1.0");
    expect(log.runs[0]?.results[0]).toMatchObject({
      ruleId: "action-resource-mismatch",
      level: "error",
      locations: [{ physicalLocation: { region: { startLine: 6 } } }],
    });
    expect(await run(["policy", "lint", "--document", commands.file("good.json", policy("topic/a"))])).toMatchObject({
      code: 0,
      stdout: "",
    });
  });

  test("policy explain names the action that a mistyped one may be", async () => {
    const words = ["--document", commands.file("t.json", policy("topic/a")), "--resource", `${account}:topic/a`];
    const { code, stdout, stderr } = await run(["policy", "explain", ...words, "--action", "iot:Publsh"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "iot:Publsh is no action that a device asks for. Did you mean iot:Publish?\n",
    });
    expect(stdout).toMatch(/^implicit-deny: /);
  });

  test("policy test, explain and suggest work on expectations", async () => {
    const document = commands.file("t.json", policy("topic/a"));
    const expectation = (topic: string, decision: string): object => ({
      name: topic,
      action: "iot:Publish",
      resource: `${account}:topic/${topic}`,
      decision,
    });
    const met = commands.file(
      "met.json",
      JSON.stringify({ expectations: [expectation("a", "allow"), expectation("b", "implicit-deny")] }),
    );
    expect(done(await run(["policy", "test", "--document", document, "--expectations", met]))).toBe(
      "2 of 2 as expected",
    );
    const unmet = commands.file("unmet.json", JSON.stringify({ expectations: [expectation("b", "allow")] }));
    const failed = await run(["policy", "test", "--document", document, "--expectations", unmet]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/^FAILED b: expected allow, and it is implicit-deny/);
    const explained = await run([
      "policy",
      "explain",
      "--document",
      document,
      "--action",
      "iot:Publish",
      "--resource",
      `${account}:topic/b`,
    ]);
    expect(explained).toMatchObject({ code: 1 });
    expect(explained.stdout).toMatch(/^implicit-deny: Denied: /);
    const suggested = done(await run(["policy", "suggest", "--requests", unmet]));
    expect(JSON.parse(suggested)).toMatchObject({
      Statement: [{ Action: "iot:Publish", Resource: `${account}:topic/b` }],
    });
  });
});
