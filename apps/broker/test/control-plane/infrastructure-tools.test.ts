/**
 * The calls that infrastructure tools make for a thing with a certificate and a policy, in their order: the Terraform AWS provider
 * (its `internal/service/iot`), CloudFormation's handlers for `AWS::IoT::*`, which a CDK application ends in, and the custom
 * resource of `@cdklabs/cdk-aws-iot-thing-certificate-policy`.
 */

import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
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
  IoTServiceException,
  ListAttachedPoliciesCommand,
  ListPolicyVersionsCommand,
  ListPrincipalThingsCommand,
  ListTagsForResourceCommand,
  ListTargetsForPolicyCommand,
  ListThingPrincipalsCommand,
  paginateListAttachedPolicies,
  paginateListThingPrincipalsV2,
  RegisterCertificateCommand,
  RegisterCertificateWithoutCACommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateCertificateCommand,
  UpdateThingCommand,
  type CertificateDescription,
  type DescribeThingCommandOutput,
  type GetPolicyCommandOutput,
  type IoTClient,
  type ThingPrincipalType,
} from "@aws-sdk/client-iot";
import { certificateToPem } from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { allowEverything, makeAuthority, makeCertificatePem, makeRequestPem } from "./identities.ts";
import { expectException, RunningControlPlane } from "./running-control-plane.ts";

/** What a call gives, and undefined where it ends in one of these exceptions. */
async function unless<T>(call: Promise<T>, ...names: string[]): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof IoTServiceException && names.includes(error.name)) return undefined;
    throw error;
  }
}

const absent = "ResourceNotFoundException";

async function deleteOtherVersions(client: IoTClient, policyName: string): Promise<void> {
  const { policyVersions = [] } = await client.send(new ListPolicyVersionsCommand({ policyName }));
  for (const { versionId, isDefaultVersion } of policyVersions) {
    if (isDefaultVersion !== true) {
      await client.send(new DeletePolicyVersionCommand({ policyName, policyVersionId: versionId }));
    }
  }
}

/** The resources of the Terraform provider: what it calls to create, read (undefined: gone), update and delete each of them. */
class Terraform {
  readonly client: IoTClient;

  constructor(client: IoTClient) {
    this.client = client;
  }

  async createThing(thingName: string, attributes?: Record<string, string>): Promise<DescribeThingCommandOutput> {
    await this.client.send(new CreateThingCommand({ thingName, attributePayload: attributes && { attributes } }));
    return (await this.thing(thingName)) as DescribeThingCommandOutput;
  }

  thing(thingName: string): Promise<DescribeThingCommandOutput | undefined> {
    return unless(this.client.send(new DescribeThingCommand({ thingName })), absent);
  }

  async certificate(certificateId: string | undefined): Promise<CertificateDescription | undefined> {
    const found = await unless(this.client.send(new DescribeCertificateCommand({ certificateId })), absent);
    return found?.certificateDescription;
  }

  async deleteCertificate(certificateId: string | undefined): Promise<void> {
    const newStatus = "INACTIVE";
    await unless(this.client.send(new UpdateCertificateCommand({ certificateId, newStatus })), absent);
    await unless(this.client.send(new DeleteCertificateCommand({ certificateId })), absent);
  }

  policy(policyName: string): Promise<GetPolicyCommandOutput | undefined> {
    return unless(this.client.send(new GetPolicyCommand({ policyName })), absent);
  }

  /** The sixth version is refused: the lowest one that is not the default makes room for it. */
  async updatePolicy(policyName: string, policyDocument: string): Promise<"added" | "pruned"> {
    const add = new CreatePolicyVersionCommand({ policyName, policyDocument, setAsDefault: true });
    if ((await unless(this.client.send(add), "VersionsLimitExceededException")) !== undefined) return "added";
    const { policyVersions = [] } = await this.client.send(new ListPolicyVersionsCommand({ policyName }));
    const others = policyVersions.filter((one) => one.isDefaultVersion !== true).map((one) => Number(one.versionId));
    const policyVersionId = String(Math.min(...others));
    await this.client.send(new DeletePolicyVersionCommand({ policyName, policyVersionId }));
    await this.client.send(add);
    return "pruned";
  }

  async deletePolicy(policyName: string): Promise<void> {
    await deleteOtherVersions(this.client, policyName);
    await unless(this.client.send(new DeletePolicyCommand({ policyName })), absent);
  }

  /** Whether any policy is attached, as the provider looks. */
  async isAttached(target: string | undefined): Promise<boolean> {
    const pages = paginateListAttachedPolicies({ client: this.client, pageSize: 250 }, { target, recursive: false });
    const names: unknown[] = [];
    const read = async (): Promise<true> => {
      for await (const { policies = [] } of pages) names.push(...policies);
      return true;
    };
    await unless(read(), absent);
    return names.length > 0;
  }

  /** How a certificate is attached to a thing. */
  async thingPrincipalType(
    thingName: string,
    principal: string | undefined,
  ): Promise<ThingPrincipalType | "" | undefined> {
    const read = async (): Promise<ThingPrincipalType | "" | undefined> => {
      for await (const page of paginateListThingPrincipalsV2({ client: this.client }, { thingName })) {
        const found = page.thingPrincipalObjects?.find((one) => one.principal === principal);
        if (found !== undefined) return found.thingPrincipalType ?? "";
      }
      return undefined;
    };
    return unless(read(), absent);
  }
}

describe("Terraform", () => {
  const thingName = "lamp";
  const policyName = "lamp-policy";

  test("apply, a plan without differences, changes, destroy", async () => {
    await using plane = await RunningControlPlane.start();
    const client = plane.client();
    const terraform = new Terraform(client);

    const endpoint = await client.send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" }));
    expect(endpoint.endpointAddress).toMatch(/^[a-z0-9]+-ats\.iot\.us-east-1\.[a-z.]+$/);

    const thing = await terraform.createThing(thingName, { room: "kitchen" });
    expect(thing).toMatchObject({
      thingName,
      thingArn: `arn:aws:iot:us-east-1:000000000000:thing/${thingName}`,
      defaultClientId: thingName,
      attributes: { room: "kitchen" },
      version: 1,
    });
    const made = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    const { certificateId, certificateArn } = made;
    expect(made.keyPair?.PrivateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    expect(await terraform.certificate(certificateId)).toMatchObject({
      status: "ACTIVE",
      certificateArn,
      certificatePem: made.certificatePem,
    });
    const tags = [{ Key: "stack", Value: "s" }];
    await client.send(new CreatePolicyCommand({ policyName, policyDocument: allowEverything, tags }));
    const policy = await terraform.policy(policyName);
    // A plan without a difference needs the document as it was given.
    expect(policy).toMatchObject({ policyName, policyDocument: allowEverything, defaultVersionId: "1" });
    const resourceArn = policy?.policyArn;
    expect((await client.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual(tags);
    await client.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
    expect(await terraform.isAttached(certificateArn)).toBe(true);
    await client.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
    expect(await terraform.thingPrincipalType(thingName, certificateArn)).toBe("NON_EXCLUSIVE_THING");

    // Changes in place. An empty map of attributes removes all of them.
    await client.send(new UpdateThingCommand({ thingName, attributePayload: { attributes: { room: "hall" } } }));
    expect(await terraform.thing(thingName)).toMatchObject({ attributes: { room: "hall" }, version: 2 });
    await client.send(new UpdateThingCommand({ thingName, attributePayload: { attributes: {} } }));
    expect((await terraform.thing(thingName))?.attributes ?? {}).toEqual({});
    await client.send(new UpdateCertificateCommand({ certificateId, newStatus: "INACTIVE" }));
    expect(await terraform.certificate(certificateId)).toMatchObject({ status: "INACTIVE" });
    await client.send(new UpdateCertificateCommand({ certificateId, newStatus: "ACTIVE" }));
    await client.send(new UntagResourceCommand({ resourceArn, tagKeys: ["stack"] }));
    await client.send(new TagResourceCommand({ resourceArn, tags: [{ Key: "team", Value: "t" }] }));
    expect((await client.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual([
      { Key: "team", Value: "t" },
    ]);
    const documents = ["a", "b", "c", "d", "e", "f"].map((topic) => allowEverything.replace('"*"', `"arn:*:${topic}"`));
    const changes: string[] = [];
    for (const document of documents) {
      changes.push(await terraform.updatePolicy(policyName, document));
      expect(await terraform.policy(policyName)).toMatchObject({ policyDocument: document });
    }
    expect(changes).toEqual(["added", "added", "added", "added", "pruned", "pruned"]);
    expect(await terraform.policy(policyName)).toMatchObject({ defaultVersionId: "7" });

    // Destroy: attachments before what they attach.
    await client.send(new DetachThingPrincipalCommand({ thingName, principal: certificateArn }));
    await client.send(new DetachPolicyCommand({ policyName, target: certificateArn }));
    expect(await terraform.thingPrincipalType(thingName, certificateArn)).toBeUndefined();
    expect(await terraform.isAttached(certificateArn)).toBe(false);
    await client.send(new DeleteThingCommand({ thingName }));
    await terraform.deletePolicy(policyName);
    await terraform.deleteCertificate(certificateId);
    expect([
      await terraform.thing(thingName),
      await terraform.policy(policyName),
      await terraform.certificate(certificateId),
      await terraform.isAttached(certificateArn),
      await terraform.thingPrincipalType(thingName, certificateArn),
    ]).toEqual([undefined, undefined, undefined, false, undefined]);
  });

  test("the other ways to aws_iot_certificate, and an exclusive thing", async () => {
    await using plane = await RunningControlPlane.start();
    const client = plane.client();
    const terraform = new Terraform(client);
    const authority = makeAuthority("factory");
    const fromCsr = await client.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest: makeRequestPem("csr"), setAsActive: false }),
    );
    expect(await terraform.certificate(fromCsr.certificateId)).toMatchObject({ status: "INACTIVE" });
    const certificatePem = makeCertificatePem(authority);
    const withoutCa = await client.send(new RegisterCertificateWithoutCACommand({ certificatePem, status: "ACTIVE" }));
    expect(await terraform.certificate(withoutCa.certificateId)).toMatchObject({ status: "ACTIVE", certificatePem });
    // `ca_pem` of a certificate authority that is no resource of the plan.
    const caCertificatePem = certificateToPem(authority.certificate);
    await expectException(
      client.send(new RegisterCertificateCommand({ certificatePem, caCertificatePem, status: "ACTIVE" })),
      "CertificateValidationException",
      400,
    );
    await terraform.createThing("only");
    const thingPrincipalType = "EXCLUSIVE_THING";
    const principal = withoutCa.certificateArn;
    await client.send(new AttachThingPrincipalCommand({ thingName: "only", principal, thingPrincipalType }));
    expect(await terraform.thingPrincipalType("only", principal)).toBe(thingPrincipalType);
    await client.send(new DetachThingPrincipalCommand({ thingName: "only", principal }));
    for (const { certificateId } of [fromCsr, withoutCa]) await terraform.deleteCertificate(certificateId);
    expect(await terraform.certificate(withoutCa.certificateId)).toBeUndefined();
  });

  test("a destroy of what somebody else has removed in part", async () => {
    await using plane = await RunningControlPlane.start();
    const client = plane.client();
    const terraform = new Terraform(client);
    const made = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    // AWS IoT detaches a policy that does not exist without an error; a target that does not exist is an invalid request.
    await client.send(new DetachPolicyCommand({ policyName: "gone", target: made.certificateArn }));
    const target = made.certificateArn?.replace(/[0-9a-f]{64}$/, "0".repeat(64));
    const detach = client.send(new DetachPolicyCommand({ policyName: "gone", target }));
    await expectException(detach, "InvalidRequestException", 400);
    await client.send(new DeleteThingCommand({ thingName: "gone" }));
    const thingDetach = new DetachThingPrincipalCommand({ thingName: "gone", principal: made.certificateArn });
    await expectException(client.send(thingDetach), absent, 404);
    await terraform.deleteCertificate(made.certificateId);
    await terraform.deleteCertificate(made.certificateId);
  });
});

describe("CloudFormation and the CDK", () => {
  test("AWS::IoT::Thing, Certificate, Policy, PolicyPrincipalAttachment and ThingPrincipalAttachment", async () => {
    await using plane = await RunningControlPlane.start();
    const client = plane.client();
    const [thingName, policyName] = ["stack-Lamp-1", "stack_Policy_1"];

    // The handlers look first whether there is such a thing already.
    await expectException(client.send(new DescribeThingCommand({ thingName })), absent, 404);
    await client.send(new CreateThingCommand({ thingName, attributePayload: { attributes: { room: "hall" } } }));
    await client.send(new UpdateThingCommand({ thingName, attributePayload: { attributes: { floor: "1" } } }));
    expect((await client.send(new DescribeThingCommand({ thingName }))).attributes).toEqual({ floor: "1" });

    const certificateSigningRequest = makeRequestPem("lamp");
    const made = await client.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest }));
    const { certificateId, certificateArn } = made;
    await client.send(new UpdateCertificateCommand({ certificateId, newStatus: "ACTIVE" }));
    const { certificateDescription } = await client.send(new DescribeCertificateCommand({ certificateId }));
    expect(certificateDescription).toMatchObject({ status: "ACTIVE", certificateMode: "DEFAULT", certificateArn });

    await client.send(new CreatePolicyCommand({ policyName, policyDocument: allowEverything }));
    const policy = await client.send(new GetPolicyCommand({ policyName }));
    expect(policy).toMatchObject({ policyDocument: allowEverything });
    await expectException(
      client.send(new CreatePolicyCommand({ policyName, policyDocument: allowEverything })),
      "ResourceAlreadyExistsException",
      409,
    );
    await client.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
    expect((await client.send(new ListTargetsForPolicyCommand({ policyName }))).targets).toEqual([certificateArn]);
    await client.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
    expect((await client.send(new ListThingPrincipalsCommand({ thingName }))).principals).toEqual([certificateArn]);

    // A stack is deleted in the reverse order, and each handler reads until the answer is that there is nothing.
    await client.send(new DetachThingPrincipalCommand({ thingName, principal: certificateArn }));
    await client.send(new DetachPolicyCommand({ policyName, target: certificateArn }));
    expect((await client.send(new ListTargetsForPolicyCommand({ policyName }))).targets).toEqual([]);
    await deleteOtherVersions(client, policyName);
    await client.send(new DeletePolicyCommand({ policyName }));
    await expectException(client.send(new GetPolicyCommand({ policyName })), absent, 404);
    await client.send(new UpdateCertificateCommand({ certificateId, newStatus: "INACTIVE" }));
    await client.send(new DeleteCertificateCommand({ certificateId }));
    await expectException(client.send(new DescribeCertificateCommand({ certificateId })), absent, 404);
    await client.send(new DescribeThingCommand({ thingName }));
    await client.send(new DeleteThingCommand({ thingName }));
    await expectException(client.send(new DescribeThingCommand({ thingName })), absent, 404);
  });

  test("a custom resource: its lists lead from one end of the attachments to the other", async () => {
    await using plane = await RunningControlPlane.start();
    const client = plane.client();
    const [thingName, policyName] = ["gateway", "gateway-policy"];
    await client.send(new CreateThingCommand({ thingName }));
    const certificateSigningRequest = makeRequestPem("gateway");
    const { certificateArn, certificateId } = await client.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: true }),
    );
    await client.send(new CreatePolicyCommand({ policyName, policyDocument: allowEverything }));
    await client.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
    await client.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
    // There is no credential provider. The construct goes on without it.
    const credentials = client.send(new DescribeEndpointCommand({ endpointType: "iot:CredentialProvider" }));
    await expectException(credentials, "InvalidRequestException", 400);

    await deleteOtherVersions(client, policyName);
    const { targets = [] } = await client.send(new ListTargetsForPolicyCommand({ policyName }));
    for (const target of targets) await client.send(new DetachPolicyCommand({ policyName, target }));
    await client.send(new DeletePolicyCommand({ policyName }));
    const { things = [] } = await client.send(new ListPrincipalThingsCommand({ principal: certificateArn }));
    expect(things).toEqual([thingName]);
    for (const thing of things) {
      await client.send(new DetachThingPrincipalCommand({ thingName: thing, principal: certificateArn }));
    }
    const { policies } = await client.send(new ListAttachedPoliciesCommand({ target: certificateArn }));
    expect(policies).toEqual([]);
    await client.send(new UpdateCertificateCommand({ certificateId, newStatus: "REVOKED" }));
    await client.send(new DeleteCertificateCommand({ certificateId }));
    expect((await client.send(new ListThingPrincipalsCommand({ thingName }))).principals).toEqual([]);
    await client.send(new DeleteThingCommand({ thingName }));
    await expectException(client.send(new DescribeThingCommand({ thingName })), absent, 404);
  });
});
