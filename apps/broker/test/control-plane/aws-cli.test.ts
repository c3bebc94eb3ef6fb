/** The `aws` CLI walks through the README, and what infrastructure tools call in a row works. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  DeleteCertificateCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteThingCommand,
  DescribeCertificateCommand,
  DescribeEndpointCommand,
  DescribeThingCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  GetPolicyCommand,
  ListAttachedPoliciesCommand,
  ListPolicyVersionsCommand,
  ListPrincipalPoliciesCommand,
  ListTagsForResourceCommand,
  ListThingPrincipalsV2Command,
  UpdateCertificateCommand,
  UpdateThingCommand,
} from "@aws-sdk/client-iot";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { expect, test } from "vitest";
import { allowEverything } from "./identities.ts";
import { expectException, RunningControlPlane } from "./running-control-plane.ts";

/** The lines of the README's section. */
function readmeScript(): string {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const section = readme.slice(readme.indexOf("### Three buttons, by the `aws` CLI"));
  const [, script] = /```sh\n([^]*?)```/.exec(section) ?? [];
  if (script === undefined) throw new Error("the README has no such section");
  return script;
}

test("the README's three buttons", async ({ skip }) => {
  for (const name of ["aws", "openssl"] as const) {
    const program = findProgram(name);
    if (program.path === undefined) return skip(program.skipReason);
  }
  await using plane = await RunningControlPlane.start();
  const folder = mkdtempSync(join(tmpdir(), "latchkey-aws-cli-"));
  const { accessKeyId, secretAccessKey } = plane.administrator;
  const environment = [
    `LATCHKEY_URL=${plane.url}`,
    `AWS_ACCESS_KEY_ID=${accessKeyId}`,
    `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    "AWS_DEFAULT_REGION=us-east-1",
    "AWS_EC2_METADATA_DISABLED=true",
    "AWS_PAGER=",
  ];
  try {
    const words = [...environment, "/bin/bash", "-e", "-o", "pipefail", "-c", readmeScript()];
    const { code, stdout, stderr } = await runProgram("/usr/bin/env", words, { cwd: folder, timeoutMs: 110_000 });
    expect({ code, stdout, stderr: code === 0 ? "" : stderr }).toEqual({
      code: 0,
      stdout: "one: IMPLICIT_DENY\ntwo: ALLOWED\nthree: IMPLICIT_DENY\n",
      stderr: "",
    });
    expect(readFileSync(join(folder, "one.key"), "utf8")).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    const target = readFileSync(join(folder, "three.arn"), "utf8").trim();
    const { policies } = await plane.client().send(new ListAttachedPoliciesCommand({ target }));
    expect(policies).toMatchObject([{ policyName: "button" }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** What the Terraform AWS provider calls for a thing, a certificate, a policy and their attachments, in its order. */
test("the calls of an infrastructure tool: create, read, change, destroy", async () => {
  await using plane = await RunningControlPlane.start();
  const client = plane.client();
  const thingName = "lamp";
  const policyName = "lamp-policy";
  const { endpointAddress } = await client.send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" }));
  expect(endpointAddress).toMatch(/-ats\.iot\./);
  await client.send(new CreateThingCommand({ thingName, attributePayload: { attributes: { room: "kitchen" } } }));
  const made = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  const { certificateId, certificateArn } = made;
  await client.send(
    new CreatePolicyCommand({ policyName, policyDocument: allowEverything, tags: [{ Key: "stack", Value: "s" }] }),
  );
  await client.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
  await client.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));

  const thing = await client.send(new DescribeThingCommand({ thingName }));
  expect(thing).toMatchObject({ attributes: { room: "kitchen" }, version: 1, thingId: expect.any(String) as string });
  const { certificateDescription } = await client.send(new DescribeCertificateCommand({ certificateId }));
  expect(certificateDescription).toMatchObject({ status: "ACTIVE", certificatePem: made.certificatePem });
  const policy = await client.send(new GetPolicyCommand({ policyName }));
  // A plan without a difference needs the document as it was given.
  expect(policy).toMatchObject({ policyDocument: allowEverything, defaultVersionId: "1" });
  const { tags } = await client.send(new ListTagsForResourceCommand({ resourceArn: policy.policyArn }));
  expect(tags).toEqual([{ Key: "stack", Value: "s" }]);
  expect(await client.send(new ListThingPrincipalsV2Command({ thingName }))).toMatchObject({
    thingPrincipalObjects: [{ principal: certificateArn, thingPrincipalType: "NON_EXCLUSIVE_THING" }],
  });
  const { policies } = await client.send(new ListPrincipalPoliciesCommand({ principal: certificateArn }));
  expect(policies).toMatchObject([{ policyName }]);

  await client.send(new UpdateThingCommand({ thingName, attributePayload: { attributes: { room: "hall" } } }));
  // Each change of a policy is a version. The sixth is refused: the tool deletes the lowest that is not the default, and tries again.
  const addVersion = (): Promise<unknown> =>
    client.send(new CreatePolicyVersionCommand({ policyName, policyDocument: allowEverything, setAsDefault: true }));
  for (let change = 0; change < 4; change++) await addVersion();
  await expectException(addVersion(), "VersionsLimitExceededException", 409);
  const { policyVersions: five = [] } = await client.send(new ListPolicyVersionsCommand({ policyName }));
  const lowest = Math.min(...five.filter((one) => one.isDefaultVersion !== true).map((one) => Number(one.versionId)));
  await client.send(new DeletePolicyVersionCommand({ policyName, policyVersionId: String(lowest) }));
  await addVersion();

  await client.send(new DetachThingPrincipalCommand({ thingName, principal: certificateArn }));
  await client.send(new DetachPolicyCommand({ policyName, target: certificateArn }));
  await client.send(new DeleteThingCommand({ thingName }));
  await client.send(new UpdateCertificateCommand({ certificateId, newStatus: "INACTIVE" }));
  await client.send(new DeleteCertificateCommand({ certificateId }));
  const { policyVersions = [] } = await client.send(new ListPolicyVersionsCommand({ policyName }));
  for (const { versionId, isDefaultVersion } of policyVersions) {
    if (isDefaultVersion !== true)
      await client.send(new DeletePolicyVersionCommand({ policyName, policyVersionId: versionId }));
  }
  await client.send(new DeletePolicyCommand({ policyName }));
  // Terraform asks for a thing that it deleted until the answer is 404.
  await expectException(client.send(new DescribeThingCommand({ thingName })), "ResourceNotFoundException", 404);
  await expectException(client.send(new GetPolicyCommand({ policyName })), "ResourceNotFoundException", 404);
});
