/** The commands as clients of the API: on a data directory, at a running broker, and on files alone. */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { runProgram, startProgram, type Finished } from "@latchkey/tooling-vitest/programs";
import { certificatesFromPem, certificateToPem } from "@latchkey/x509";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeAuthority, makeCertificatePem, makeRequestPem } from "../control-plane/identities.ts";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const account = "arn:aws:iot:us-east-1:000000000000";
let plane: RunningControlPlane;
let scratch: string;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  scratch = mkdtempSync(join(tmpdir(), "latchkey-api-commands-"));
});
afterAll(async () => {
  await plane[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

const run = (words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Finished> =>
  runProgram("/usr/bin/env", [
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    process.execPath,
    "--conditions=@latchkey/source",
    main,
    ...words,
  ]);
/** On the data directory of the running broker. */
const local = (...words: string[]): Promise<Finished> => run([...words, "--data", plane.directory]);
/** At the endpoint of the running broker, with the administrator's key. */
const remote = (...words: string[]): Promise<Finished> => {
  const { accessKeyId, secretAccessKey } = plane.administrator;
  return run(words, {
    AWS_ENDPOINT_URL_IOT: plane.url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
};
const file = (name: string, content: string): string => {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
};
const policy = (resource: string, action = "iot:Publish"): string =>
  JSON.stringify(
    { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: `${account}:${resource}` }] },
    undefined,
    2,
  );
const done = (finished: Finished): string => {
  if (finished.code !== 0) throw new Error(finished.stderr);
  return finished.stdout.trim();
};

test("a device by the API: its key is made here, and each side sees what the other does", async () => {
  const document = file("button.json", policy("topic/iotbutton/${iot:Certificate.Subject.SerialNumber}"));
  done(await local("policy", "create", "--name", "button", "--document", document));
  const out = join(scratch, "device");
  const id = done(await remote("certificate", "create", "--out", out, "--serial", "G030", "--policy", "button"));
  expect(statSync(join(out, "private.key")).mode & 0o777).toBe(0o600);
  const [certificate] = certificatesFromPem(readFileSync(join(out, "certificate.pem"), "utf8"));
  expect(certificate).toBeDefined();
  expect(readFileSync(join(out, "root-ca.pem"), "utf8")).toBe(
    readFileSync(join(plane.directory, "server-ca.pem"), "utf8"),
  );
  const listed = await local("certificate", "list");
  expect(done(listed)).toMatch(new RegExp(`${id} +ACTIVE +serialNumber=G030,CN=G030 .* button`));
  const [row] = JSON.parse(done(await remote("certificate", "list", "--json"))) as { policies: string[] }[];
  expect(row).toMatchObject({ certificateId: id, policies: ["button"], serialNumber: expect.any(String) as string });
  expect(done(await remote("certificate", "deactivate", "--certificate", id.slice(0, 8)))).toBe(
    `${id} is INACTIVE, was ACTIVE`,
  );
  expect(done(await local("certificate", "show", "--certificate", id.slice(0, 8)))).toMatch(/status +INACTIVE/);
  const mistyped = await remote("policy", "detach", "--name", "buton", "--certificate", id.slice(0, 8));
  expect(mistyped).toMatchObject({ code: 1, stdout: "" });
  expect(mistyped.stderr).toMatch(/ResourceNotFoundException: there is no policy "buton"/);
  done(await local("policy", "detach", "--name", "button", "--certificate", id.slice(0, 8)));
  const [detached] = JSON.parse(done(await remote("certificate", "list", "--json"))) as { policies: string[] }[];
  expect(detached).toMatchObject({ certificateId: id, policies: [] });
  const again = await remote("certificate", "create", "--out", out, "--serial", "G030");
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toMatch(/^ERR_BROKER_USAGE: .*private\.key exists already/);
});

test("a device that keeps its key, and one of an own authority", async () => {
  const request = file("device.csr", makeRequestPem("own key"));
  const pem = done(await remote("certificate", "from-csr", "--file", request));
  expect(certificatesFromPem(pem)).toHaveLength(1);
  const authority = makeAuthority("Own CA");
  const code = done(await remote("ca", "registration-code"));
  const words = ["--file", file("ca.pem", certificateToPem(authority.certificate))];
  const unproven = await remote("ca", "register", ...words);
  expect(unproven.stderr).toMatch(/^ERR_BROKER_USAGE: a proof of the key is needed/);
  const verification = file("verification.pem", makeCertificatePem(authority, { commonName: code }));
  const caId = done(await remote("ca", "register", ...words, "--verification", verification));
  expect(done(await local("ca", "list"))).toMatch(new RegExp(`${caId} +ACTIVE +DEFAULT +CN=Own CA`));
  const id = done(await remote("certificate", "register", "--file", file("own.pem", makeCertificatePem(authority))));
  const out = join(scratch, "bundle");
  expect(done(await remote("certificate", "bundle", "--certificate", id, "--out", out))).toBe(id);
  expect(existsSync(join(out, "endpoint.json"))).toBe(true);
  expect(existsSync(join(out, "private.key"))).toBe(false);
  const active = await remote("ca", "delete", "--authority", caId.slice(0, 8));
  expect(active.stderr).toMatch(/^ERR_BROKER_REQUEST: CertificateStateException: /);
});

test("what fails behind the request for a certificate leaves no certificate that nobody has, and no folder", async () => {
  const count = async (): Promise<number> =>
    (JSON.parse(done(await remote("certificate", "list", "--json"))) as object[]).length;
  const names = Array.from({ length: 11 }, (_, index) => `many-${index}`);
  const document = file("many.json", policy("topic/a"));
  for (const name of names) done(await local("policy", "create", "--name", name, "--document", document));
  const before = await count();
  const out = join(scratch, "left-over");
  const words = ["--policy", names.join(","), "--out", out];
  const created = await remote("certificate", "create", "--serial", "G031", ...words);
  expect(created).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/LimitExceededException/) });
  const request = file("left-over.csr", makeRequestPem("left over"));
  const fromCsr = await remote("certificate", "from-csr", "--file", request, ...words);
  expect(fromCsr).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/LimitExceededException/) });
  const taken = await remote("certificate", "from-csr", "--file", request, "--out", scratch, "--policy", "none");
  expect(taken.stderr).toMatch(/ResourceNotFoundException/);
  writeFileSync(join(scratch, "certificate.pem"), "another's");
  const occupied = await remote("certificate", "from-csr", "--file", request, "--out", scratch);
  expect(occupied.stderr).toMatch(/certificate\.pem exists already/);
  expect([await count(), existsSync(out)]).toEqual([before, false]);
});

test("policies have versions, are shown and deleted with them", async () => {
  const document = file("v.json", policy("topic/a"));
  done(await remote("policy", "create", "--name", "versioned", "--document", document));
  const made = await remote(
    "policy",
    "version",
    "create",
    "--name",
    "versioned",
    "--document",
    file("w.json", policy("topic/b")),
  );
  expect(done(made)).toBe("stored version 2 of policy versioned");
  done(await remote("policy", "version", "default", "--name", "versioned", "--id", "2"));
  const shown = JSON.parse(done(await local("policy", "show", "--name", "versioned", "--json"))) as {
    policyDocument: string;
  };
  expect(shown).toMatchObject({ defaultVersionId: "2", targets: [] });
  expect(shown.policyDocument).toContain("topic/b");
  expect(done(await remote("policy", "list"))).toMatch(/versioned +2 /);
  done(await remote("policy", "delete", "--name", "versioned"));
  expect((await remote("policy", "show", "--name", "versioned")).stderr).toMatch(
    /^ERR_BROKER_REQUEST: ResourceNotFoundException: .*versioned/,
  );
});

test("the doctor says what keeps a device out, by certificate and by client identifier", async () => {
  const document = file("lamp.json", policy("client/lamp", "iot:Connect"));
  done(await local("policy", "create", "--name", "lamp", "--document", document));
  const out = join(scratch, "lamp");
  const id = done(await local("certificate", "create", "--out", out, "--common-name", "lamp", "--policy", "lamp"));
  done(await local("thing", "create", "--name", "lamp", "--attributes", "room=kitchen"));
  done(await local("thing", "attach", "--name", "lamp", "--certificate", id.slice(0, 10)));
  expect(done(await remote("thing", "show", "--name", "lamp"))).toMatch(
    /attributes +room=kitchen[^]*certificates +[0-9a-f]{64}/,
  );
  const good = await remote("doctor", "lamp");
  expect(done(good)).toMatch(/ok {2}CONNECT +Allowed/);
  expect(good.stderr).toMatch(/^--publish TOPIC, .* ask about messages$/m);
  done(
    await local(
      "policy",
      "create",
      "--name",
      "any",
      "--document",
      file("any.json", policy("client/other", "iot:Connect")),
    ),
  );
  done(await local("policy", "attach", "--name", "any", "--certificate", id));
  // No policy has a variable of things here, so the device gets in under a name that is none of its things.
  expect(done(await local("doctor", id, "--client-id", "other"))).toMatch(
    /ok {2}thing +attached to lamp; .* "other" is none of them.*\n[^]*ok {2}CONNECT +Allowed/,
  );
  const refused = await local("doctor", id.slice(0, 12), "--publish", "orders");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toBe("");
  expect(refused.stdout).toMatch(/NO {2}PUBLISH +Denied: .*iot:Publish on .*topic\/orders/);
  done(await local("certificate", "revoke", "--certificate", id));
  expect((await remote("doctor", "lamp")).stdout).toMatch(
    /NO {2}status +REVOKED[^]*NO {2}identity .*ERR_IDENTITY_NOT_ACTIVE/,
  );
  const nobody = await local("doctor", "nobody");
  expect(nobody).toMatchObject({ code: 1 });
  expect(nobody.stderr).toMatch(/^ERR_BROKER_USAGE: "nobody" is no certificateId/);
});

test("access keys are made, listed and revoked, on the machine of the broker without credentials", async () => {
  const made = JSON.parse(done(await local("keys", "create", "--scope", "reader", "--json"))) as {
    accessKeyId: string;
    secretAccessKey: string;
  };
  const credentials = file("key.json", JSON.stringify(made));
  const reader = ["--endpoint", plane.url, "--credentials", credentials];
  done(await run(["policy", "list", ...reader]));
  const denied = await run(["thing", "create", "--name", "x", ...reader]);
  expect(denied.stderr).toMatch(/^ERR_BROKER_REQUEST: AccessDeniedException: /);
  expect(denied.stderr).not.toContain(made.secretAccessKey);
  expect(done(await local("keys", "list"))).toContain(made.accessKeyId);
  done(await local("keys", "revoke", "--key", made.accessKeyId));
  expect((await run(["policy", "list", ...reader])).stderr).toMatch(/^ERR_BROKER_REQUEST: UnrecognizedClientException/);
});

/** A JSON file that is no object with a key, a file that is no JSON, one that is no PEM. */
const wrongFile = fileURLToPath(new URL("../../package.json", import.meta.url));

test.each([
  [["certificate", "shwo"], /certificate shwo" is not a command\. Did you mean show\?/],
  [["policy", "lits"], /Did you mean list\?/],
  [["thing", "list", "--endpoint", "nowhere"], /--endpoint "nowhere" is no URL/],
  [["thing", "list", "--endpoint", "http://127.0.0.1:1"], /needs an access key/],
  [["doctor"], /needs DEVICE/i],
  [["thing", "list", "--endpoint", "ftp://127.0.0.1"], /--endpoint "ftp:\/\/127.0.0.1" is no URL: http:/],
  [["thing", "list", "--endpoint", "http://127.0.0.1", "--credentials", main], /--credentials .* is no JSON object/],
  [["thing", "list", "--endpoint", "http://127.0.0.1", "--credentials", wrongFile], /with accessKeyId and secretAcc/],
  [["thing", "list", "--json=no"], /--json takes no value/],
])("%j is refused in a line", async (words, message) => {
  const { code, stdout, stderr } = await run(words);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

describe("on files alone", () => {
  const bad = (): string => file("bad.json", policy("topicfilter/a/+", "iot:Publish"));

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
    expect(await run(["policy", "lint", "--document", file("good.json", policy("topic/a"))])).toMatchObject({
      code: 0,
      stdout: "",
    });
  });

  test("policy explain names the action that a mistyped one may be", async () => {
    const words = ["--document", file("t.json", policy("topic/a")), "--resource", `${account}:topic/a`];
    const { code, stdout, stderr } = await run(["policy", "explain", ...words, "--action", "iot:Publsh"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "iot:Publsh is no action that a device asks for. Did you mean iot:Publish?\n",
    });
    expect(stdout).toMatch(/^implicit-deny: /);
  });

  test("policy test, explain and suggest work on expectations", async () => {
    const document = file("t.json", policy("topic/a"));
    const expectation = (topic: string, decision: string): object => ({
      name: topic,
      action: "iot:Publish",
      resource: `${account}:topic/${topic}`,
      decision,
    });
    const met = file(
      "met.json",
      JSON.stringify({ expectations: [expectation("a", "allow"), expectation("b", "implicit-deny")] }),
    );
    expect(done(await run(["policy", "test", "--document", document, "--expectations", met]))).toBe(
      "2 of 2 as expected",
    );
    const unmet = file("unmet.json", JSON.stringify({ expectations: [expectation("b", "allow")] }));
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

test("the completion of bash completes commands and options", async () => {
  const script = file("completion.bash", (await run(["completion"])).stdout);
  const complete = async (line: string): Promise<string[]> => {
    const words = line.split(" ");
    const shell = `source ${script}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _latchkey; echo "\${COMPREPLY[@]}"`;
    return (await runProgram("/bin/bash", ["-c", shell])).stdout.trim().split(" ");
  };
  expect(await complete("latchkey cert")).toEqual(["certificate"]);
  expect(await complete("latchkey certificate de")).toEqual(["describe", "deactivate", "delete"]);
  expect(await complete("latchkey policy version create --def")).toEqual(["--default"]);
  expect(await complete("latchkey start --no-c")).toEqual(["--no-control"]);
});

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
  const document = file("shop.json", JSON.stringify({ Version: "2012-10-17", Statement: statements }));
  done(await local("policy", "create", "--name", "shop", "--document", document));
  const out = join(scratch, "shop");
  done(await local("certificate", "create", "--out", out, "--common-name", "shop", "--policy", "shop"));
  const url = `mqtts://127.0.0.1:${plane.mqttPort}`;
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
  const sessions = JSON.parse(done(await local("sessions", "list", "--json"))) as object[];
  expect(sessions).toMatchObject([{ clientId: "listener", connected: true, subscriptions: 1 }]);
  done(await run(["publish", ...as("sender"), "--topic", "orders", "--message", "größe 3", "--retain"]));
  expect(await listener.finished).toMatchObject({ code: 0, stdout: "orders größe 3\n" });
  expect(done(await local("retained", "list"))).toMatch(/^TOPIC.*\norders +9 /);
  done(await local("retained", "delete", "--topic", "orders"));
  expect((await local("retained", "delete", "--topic", "orders")).stderr).toMatch(/ResourceNotFoundException/);
  const refused = await run(["publish", ...as("sender"), "--topic", "elsewhere", "--message", "x"]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(
    /^ERR_BROKER_DEVICE: the broker refuses the message on elsewhere: not allowed: publish to elsewhere\. "latchkey decisions"/,
  );
  const refusals = join(plane.directory, "decisions.jsonl");
  await expect
    .poll(() => existsSync(refusals) && readFileSync(refusals, "utf8"), { timeout: 30_000 })
    .toMatch(/elsewhere.*\n/);
  const suggested = done(await run(["policy", "suggest", "--decisions", refusals, "--client-id", "sender"]));
  expect(JSON.parse(suggested)).toMatchObject({
    Statement: [{ Action: "iot:Publish", Resource: `${account}:topic/elsewhere` }],
  });
  expect(await run(["policy", "suggest"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/--decisions/) });
  expect((await local("sessions", "end", "--client-id", "nobody")).stderr).toMatch(/ResourceNotFoundException/);
});

describe("publish and subscribe end in a line, without a stack trace, where", () => {
  let out: string;
  const url = (): string => `mqtts://127.0.0.1:${plane.mqttPort}`;
  beforeAll(async () => {
    out = join(scratch, "refused");
    done(await local("policy", "create", "--name", "all", "--document", file("all.json", policy("*", "iot:*"))));
    done(await local("certificate", "create", "--out", out, "--common-name", "refused", "--policy", "all"));
    cpSync(out, join(scratch, "other-key"), { recursive: true });
    writeFileSync(join(scratch, "other-key", "private.key"), "no key");
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
    const words = ["--device", join(scratch, "other-key"), "--url", url(), "--topic", "a", "--message", "x"];
    const { code, stderr } = await run(["publish", ...words]);
    expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toMatch(/^ERR_BROKER_USAGE: --device .*other-key: certificate and key cannot be used: /);
  });

  test("what answers speaks no MQTT", async () => {
    const pem = (name: string): string => readFileSync(join(plane.directory, name), "utf8");
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

test("certificates are listed from the oldest, or from the newest", async () => {
  for (const name of ["older", "newer"]) {
    done(await local("certificate", "create", "--out", join(scratch, name), "--common-name", name));
  }
  const subjects = async (...words: string[]): Promise<string[]> =>
    (JSON.parse(done(await local("certificate", "list", "--json", ...words))) as { subject: string }[])
      .map(({ subject }) => subject)
      .filter((subject) => /older|newer/.test(subject));
  expect(await subjects()).toEqual([expect.stringContaining("older"), expect.stringContaining("newer")]);
  expect(await subjects("--newest-first")).toEqual([
    expect.stringContaining("newer"),
    expect.stringContaining("older"),
  ]);
});

test("policies and authorities are listed from the oldest, or from the newest", async () => {
  for (const name of ["order-z", "order-a"]) {
    done(await local("policy", "create", "--name", name, "--document", file("o.json", policy("topic/o"))));
  }
  for (const name of ["order 1", "order 2"]) {
    const pem = file("order.pem", certificateToPem(makeAuthority(name).certificate));
    done(await local("ca", "register", "--file", pem, "--sni-only"));
  }
  const found = async (...words: string[]): Promise<readonly string[]> =>
    done(await local(...words)).match(/order[ -]\w/g) ?? [];
  expect(await found("policy", "list")).toEqual(["order-z", "order-a"]);
  expect(await found("policy", "list", "--newest-first")).toEqual(["order-a", "order-z"]);
  expect(await found("ca", "list")).toEqual(["order 1", "order 2"]);
  expect(await found("ca", "list", "--newest-first")).toEqual(["order 2", "order 1"]);
});

test("policies that are stored are linted and explained as files are", async () => {
  done(await local("policy", "create", "--name", "stored", "--document", file("s.json", policy("topic/a"))));
  const words = ["--name", "stored", "--action", "iot:Publish", "--resource", `${account}:topic/a`];
  expect(done(await local("policy", "explain", ...words))).toMatch(/^allow: /);
  expect(await local("policy", "lint", "--name", "stored")).toMatchObject({ code: 0 });
});

test("decisions are printed with their reasons, and followed", async () => {
  const follower = startProgram(
    process.execPath,
    ["--conditions=@latchkey/source", main, "decisions", "--follow", "--data", plane.directory],
    { timeoutMs: 60_000 },
  );
  const out = join(scratch, "nobody");
  done(await local("certificate", "create", "--out", out, "--common-name", "nobody"));
  const words = ["--device", out, "--url", `mqtts://127.0.0.1:${plane.mqttPort}`, "--client-id", "stranger"];
  expect(await run(["publish", ...words, "--topic", "a", "--message", "x"])).toMatchObject({ code: 1 });
  await follower.saw(/stranger \([0-9a-f]{12}\) connect stranger: .*no policy|stranger .* connect stranger: /);
  follower.kill("SIGINT");
  expect(await follower.finished).toMatchObject({ code: 0 });
  const lines = done(await remote("decisions", "--json")).split("\n");
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
    clientId: "stranger",
    action: "connect",
    name: "stranger",
    decision: "implicit-deny",
    reason: expect.stringMatching(/iot:Connect/) as string,
  });
});
