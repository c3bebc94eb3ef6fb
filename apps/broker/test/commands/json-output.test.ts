/** `--json`: every command has it, and prints nothing but JSON on standard output then. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "@latchkey/tooling-vitest/programs";
import { certificateToPem } from "@latchkey/x509";
import type { ArgsDef, CommandDef, SubCommandsDef } from "citty";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { caCommand } from "../../src/commands/ca.ts";
import { certificateCommand } from "../../src/commands/certificate.ts";
import { decisionsCommand } from "../../src/commands/decisions.ts";
import { doctorCommand } from "../../src/commands/doctor.ts";
import { keysCommand } from "../../src/commands/keys.ts";
import { publishCommand, subscribeCommand } from "../../src/commands/messages.ts";
import { policyCommand } from "../../src/commands/policy.ts";
import { retainedCommand, sessionsCommand } from "../../src/commands/sessions.ts";
import { thingCommand } from "../../src/commands/thing.ts";
import { allowEverything, makeAuthority, makeCertificatePem, makeRequestPem } from "../control-plane/identities.ts";
import { MqttDevice } from "../control-plane/mqtt-device.ts";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
let plane: RunningControlPlane;
let scratch: string;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  scratch = mkdtempSync(join(tmpdir(), "latchkey-json-"));
});
afterAll(async () => {
  await plane[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});
const file = (name: string, content: string): string => {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
};

/** The command and those below it that do something, by their words. */
function commandsOf(path: string, command: unknown): [string, ArgsDef][] {
  const { subCommands, args } = command as CommandDef & {
    readonly subCommands?: SubCommandsDef;
    readonly args?: ArgsDef;
  };
  if (subCommands === undefined) return [[path, args ?? {}]];
  return Object.entries(subCommands).flatMap(([name, sub]) => commandsOf(`${path} ${name}`, sub));
}

test("every command has it, but the one that prints JSON lines anyway", () => {
  const commands = [
    ...commandsOf("ca", caCommand),
    ...commandsOf("certificate", certificateCommand),
    ...commandsOf("decisions", decisionsCommand),
    ...commandsOf("doctor", doctorCommand),
    ...commandsOf("keys", keysCommand),
    ...commandsOf("policy", policyCommand),
    ...commandsOf("publish", publishCommand),
    ...commandsOf("retained", retainedCommand),
    ...commandsOf("sessions", sessionsCommand),
    ...commandsOf("subscribe", subscribeCommand),
    ...commandsOf("thing", thingCommand),
  ];
  expect(commands.length).toBeGreaterThan(45);
  expect(commands.filter(([, args]) => !("json" in args)).map(([path]) => path)).toEqual(["certificate export"]);
});

/** Runs a command with `--json` on the data directory of the running broker. Gives what it printed. */
async function json(...words: string[]): Promise<unknown> {
  const all = ["--conditions=@latchkey/source", main, ...words, "--json"];
  const { code, stdout, stderr } = await runProgram(process.execPath, all);
  if (code !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}
const local = (...words: string[]): Promise<unknown> => json(...words, "--data", plane.directory);

const account = "arn:aws:iot:us-east-1:000000000000";

describe("what changes something says what it has changed:", () => {
  test("a policy", async () => {
    const document = file("policy.json", allowEverything);
    expect(await local("policy", "create", "--name", "p", "--document", document, "--force")).toMatchObject({
      policyName: "p",
      policyArn: `${account}:policy/p`,
      policyVersionId: "1",
    });
    const version = ["policy", "version"];
    expect(await local(...version, "create", "--name", "p", "--document", document, "--force")).toMatchObject({
      policyVersionId: "2",
    });
    const second = { policyName: "p", policyVersionId: "2" };
    expect(await local(...version, "default", "--name", "p", "--id", "2")).toEqual(second);
    expect(await local(...version, "delete", "--name", "p", "--id", "1")).toEqual({ ...second, policyVersionId: "1" });
    expect(await local("policy", "delete", "--name", "p")).toEqual({ policyName: "p" });
  });

  test("a device and its rights", async () => {
    const document = file("device.json", allowEverything);
    await local("policy", "create", "--name", "d", "--document", document, "--force");
    const out = join(scratch, "device");
    const made = await local("certificate", "create", "--out", out, "--serial", "G030", "--policy", "d");
    expect(made).toEqual({ certificateId: expect.any(String) as string, folder: out, policies: ["d"] });
    const { certificateId } = made as { certificateId: string };
    const target = `${account}:cert/${certificateId}`;
    const which = ["--certificate", certificateId.slice(0, 12)];
    const device = ["--device", out, "--url", `mqtts://127.0.0.1:${plane.mqttPort}`];
    expect(await json("publish", ...device, "--topic", "a", "--message", "größe", "--retain")).toEqual({
      topic: "a",
      payloadSize: 7,
    });
    expect(await local("retained", "delete", "--topic", "a")).toEqual({ topic: "a" });
    expect(await local("policy", "detach", "--name", "d", ...which)).toEqual({ policyName: "d", target });
    expect(await local("policy", "attach", "--name", "d", ...which)).toEqual({ policyName: "d", target });
  });

  test("a certificate", async () => {
    const created = await local("certificate", "create", "--out", join(scratch, "ended"), "--serial", "G031");
    const { certificateId } = created as { certificateId: string };
    const which = ["--certificate", certificateId.slice(0, 12)];
    expect(await local("certificate", "deactivate", ...which)).toEqual({
      certificateId,
      status: "INACTIVE",
      before: "ACTIVE",
    });
    expect(await local("certificate", "status", ...which, "--to", "REVOKED")).toMatchObject({ status: "REVOKED" });
    const bundle = join(scratch, "bundle");
    expect(await local("certificate", "bundle", ...which, "--out", bundle)).toEqual({ certificateId, folder: bundle });
    expect(await local("certificate", "delete", ...which, "--force")).toEqual({ certificateId });
    const csr = file("device.csr", makeRequestPem("own key"));
    expect(await local("certificate", "from-csr", "--file", csr)).toEqual({
      certificateId: expect.any(String) as string,
      certificatePem: expect.stringMatching(/^-----BEGIN CERTIFICATE-----/) as string,
      policies: [],
    });
  });

  test("a thing", async () => {
    const created = await local("certificate", "create", "--out", join(scratch, "thing"), "--serial", "G032");
    const { certificateId } = created as { certificateId: string };
    const principal = `${account}:cert/${certificateId}`;
    const which = ["--certificate", certificateId.slice(0, 12)];
    expect(await local("thing", "create", "--name", "t")).toMatchObject({
      thingName: "t",
      thingArn: `${account}:thing/t`,
    });
    expect(await local("thing", "attach", "--name", "t", ...which)).toEqual({ thingName: "t", principal });
    expect(await local("thing", "detach", "--name", "t", ...which)).toEqual({ thingName: "t", principal });
    expect(await local("thing", "delete", "--name", "t")).toEqual({ thingName: "t" });
  });

  test("an authority and a certificate of it", async () => {
    const authority = makeAuthority("factory");
    const pem = file("ca.pem", certificateToPem(authority.certificate));
    const registered = await local("ca", "register", "--file", pem, "--sni-only");
    const { certificateId: id } = registered as { certificateId: string };
    expect(registered).toEqual({ certificateId: id, certificateArn: `${account}:cacert/${id}` });
    const own = file("own.pem", makeCertificatePem(authority));
    expect(await local("certificate", "register", "--file", own, "--without-ca")).toMatchObject({ policies: [] });
    expect(await local("ca", "registration-code")).toEqual({
      registrationCode: expect.stringMatching(/^\w{64}$/) as string,
    });
    expect(await local("ca", "deactivate", "--authority", id)).toEqual({ certificateId: id, status: "INACTIVE" });
    expect(await local("ca", "delete", "--authority", id)).toEqual({ certificateId: id });
  });

  test("a session and an access key", async () => {
    await using _ = await MqttDevice.connect(plane, "ended");
    expect(await local("sessions", "end", "--client-id", "ended")).toEqual({ clientId: "ended" });
    const key = (await local("keys", "create", "--scope", "reader")) as { accessKeyId: string };
    expect(await local("keys", "revoke", "--key", key.accessKeyId)).toEqual({ accessKeyId: key.accessKeyId });
  });
});

test("files alone", async () => {
  const document = file("lint.json", allowEverything);
  const lint = await runProgram(process.execPath, [
    "--conditions=@latchkey/source",
    main,
    ...["policy", "lint", "--document", document, "--json"],
  ]);
  expect(JSON.parse(lint.stdout)).toContainEqual(expect.objectContaining({ code: "any-client", file: document }));
  const requests = file(
    "requests.json",
    JSON.stringify({
      expectations: [
        { action: "iot:Publish", resource: "arn:aws:iot:us-east-1:000000000000:topic/a", decision: "allow" },
      ],
    }),
  );
  expect(await json("policy", "suggest", "--requests", requests)).toMatchObject({
    policyDocument: expect.stringContaining("topic/a") as string,
    notes: [],
  });
});
