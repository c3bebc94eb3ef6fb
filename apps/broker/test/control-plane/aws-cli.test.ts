/** The `aws` CLI walks through the README. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListAttachedPoliciesCommand } from "@aws-sdk/client-iot";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { expect, test } from "vitest";
import { MqttDevice } from "./mqtt-device.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

/** The lines of the README's section. */
function readmeScript(): string {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const section = readme.slice(readme.indexOf("### Three buttons, by the `aws` CLI"));
  const [, script] = /```sh\n([^]*?)```/.exec(section) ?? [];
  if (script === undefined) throw new Error("the README has no such section");
  return script;
}

/** What the CLI needs to know of the broker. */
function environmentOf({ url, administrator }: RunningControlPlane): string[] {
  return [
    `LATCHKEY_URL=${url}`,
    `AWS_ACCESS_KEY_ID=${administrator.accessKeyId}`,
    `AWS_SECRET_ACCESS_KEY=${administrator.secretAccessKey}`,
    "AWS_DEFAULT_REGION=us-east-1",
    "AWS_EC2_METADATA_DISABLED=true",
    "AWS_PAGER=",
  ];
}

test("the README's three buttons", async ({ skip }) => {
  for (const name of ["aws", "openssl"] as const) {
    const program = findProgram(name);
    if (program.path === undefined) return skip(program.skipReason);
  }
  await using plane = await RunningControlPlane.start();
  const folder = mkdtempSync(join(tmpdir(), "latchkey-aws-cli-"));
  try {
    const words = [...environmentOf(plane), "/bin/bash", "-e", "-o", "pipefail", "-c", readmeScript()];
    const { code, stdout, stderr } = await runProgram("/usr/bin/env", words, { cwd: folder, timeoutMs: 110_000 });
    expect({ code, stdout, stderr: code === 0 ? "" : stderr }).toEqual({
      code: 0,
      stdout: "one: IMPLICIT_DENY\ntwo: ALLOWED\nthree: IMPLICIT_DENY\n",
      stderr: "",
    });
    expect(readFileSync(join(folder, "one.key"), "utf8")).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    const target = readFileSync(join(folder, "three.arn"), "utf8").trim();
    const { policies } = await plane.client().send(new ListAttachedPoliciesCommand({ target }));
    expect(policies).toMatchObject([{ policyName: "own-topic" }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what the CLI changes acts on connections that are open", async ({ skip }) => {
  const program = findProgram("aws");
  if (program.path === undefined) return skip(program.skipReason);
  await using plane = await RunningControlPlane.start();
  const aws = async (...words: string[]): Promise<void> => {
    const all = [...environmentOf(plane), "aws", "--endpoint-url", plane.url, "iot", ...words];
    const { code, stderr } = await runProgram("/usr/bin/env", all);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  };
  await using device = await MqttDevice.connect(plane, "lamp");
  await device.publish("orders", "one");
  // The answer comes before the broker reads the next packet of the device: there is nothing to wait for.
  await aws("detach-policy", "--policy-name", "all", "--target", device.certificateArn);
  await expect(device.publish("orders", "two")).rejects.toThrow("the broker closed the connection");

  await using other = await MqttDevice.connect(plane, "fan");
  await aws("update-certificate", "--certificate-id", other.certificateId, "--new-status", "INACTIVE");
  await other.closed;
});
