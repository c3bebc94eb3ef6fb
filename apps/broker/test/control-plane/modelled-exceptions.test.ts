/**
 * The exceptions that the SDK's model gives an operation: that ours has the same, and those that no other test of this folder reaches.
 * What cannot occur here: ConflictingResourceUpdateException (writes go one after another), LimitExceededException of lists and of the
 * tests of policies (they have no quota), InvalidResponseException (there are no custom authorizers).
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as iot from "@aws-sdk/client-iot";
import * as data from "@aws-sdk/client-iot-data-plane";
import { nodeProvider } from "@latchkey/crypto/node";
import { createRegistry, defaultScope } from "@latchkey/registry";
import { openSqliteStorage } from "@latchkey/registry/node";
import { certificateToPem } from "@latchkey/x509";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataPlaneOperations } from "../../src/data-plane/operations.ts";
import { registryOperations } from "../../src/control-plane/operations/all.ts";
import { allowEverything, makeAuthority, makeRequestPem } from "./identities.ts";
import { MqttDevice } from "./mqtt-device.ts";
import { expectException, RunningControlPlane } from "./running-control-plane.ts";

let plane: RunningControlPlane;
let client: iot.IoTClient;
let dataClient: data.IoTDataPlaneClient;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  client = plane.client();
  dataClient = new data.IoTDataPlaneClient({
    endpoint: plane.url,
    region: "us-east-1",
    credentials: plane.administrator,
    maxAttempts: 1,
  });
});
afterAll(async () => {
  dataClient.destroy();
  await plane[Symbol.asyncDispose]();
});

const account = "arn:aws:iot:us-east-1:000000000000";
const certificateId = "0".repeat(64);
const certificateArn = `${account}:cert/${certificateId}`;
const notFound = ["ResourceNotFoundException", 404] as const;
const templateBody = JSON.stringify({
  Parameters: {},
  Resources: { certificate: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: "x" } } },
});
const provisioningRoleArn = "arn:aws:iam::000000000000:role/provisioning";

describe("an operation has the exceptions of its model", () => {
  /** Those of the route, of the access key, and of what is not here. */
  const elsewhere = ["MethodNotAllowedException", "ForbiddenException", "InvalidResponseException"];
  const common = [
    "InvalidRequestException",
    "ThrottlingException",
    "UnauthorizedException",
    "ServiceUnavailableException",
    "InternalFailureException",
  ];
  /** What AWS answers though the model does not say so: to a message that is too large, and to a parent that does not exist. */
  const more: Readonly<Record<string, readonly string[]>> = {
    Publish: ["RequestEntityTooLargeException"],
    CreateThingGroup: ["ResourceNotFoundException"],
  };
  /** The documentation of the SDK's types lists them. */
  const modelOf = (packageName: string, name: string): string[] => {
    const types = `../../../../node_modules/@aws-sdk/${packageName}/dist-types/commands/${name}Command.d.ts`;
    const text = readFileSync(new URL(types, import.meta.url), "utf8");
    const listed = Array.from(text.matchAll(/@throws \{@link (\w+)\}/g), ([, exception = ""]) => exception);
    return listed.filter((one) => !one.endsWith("ServiceException") && ![...common, ...elsewhere].includes(one));
  };

  const known = [
    ...registryOperations.map((one) => ["client-iot", one.name, one.exceptions] as const),
    ...dataPlaneOperations
      .filter(({ path }) => !path.startsWith("/latchkey/"))
      .map((one) => ["client-iot-data-plane", one.name, one.exceptions] as const),
  ];
  test.each(known)("%s %s", (packageName, name, exceptions) => {
    const ours = exceptions.filter((one) => !elsewhere.includes(one) && !(more[name] ?? []).includes(one));
    expect([...ours].sort()).toEqual(modelOf(packageName, name).sort());
  });
});

/** For each operation a request that its model does not allow. */
const refused: Readonly<Record<string, () => Promise<unknown>>> = {
  CreateKeysAndCertificate: () =>
    client.send(new iot.CreateKeysAndCertificateCommand({ setAsActive: "maybe" as never })),
  CreateCertificateFromCsr: () =>
    client.send(new iot.CreateCertificateFromCsrCommand({ certificateSigningRequest: "x".repeat(4097) })),
  RegisterCertificate: () =>
    client.send(new iot.RegisterCertificateCommand({ certificatePem: "x", status: "GONE" as never })),
  RegisterCertificateWithoutCA: () =>
    client.send(new iot.RegisterCertificateWithoutCACommand({ certificatePem: "x".repeat(65_537) })),
  DescribeCertificate: () => client.send(new iot.DescribeCertificateCommand({ certificateId: "x" })),
  ListCertificates: () => client.send(new iot.ListCertificatesCommand({ pageSize: 251 })),
  ListCertificatesByCA: () => client.send(new iot.ListCertificatesByCACommand({ caCertificateId: "x" })),
  UpdateCertificate: () => client.send(new iot.UpdateCertificateCommand({ certificateId, newStatus: "GONE" as never })),
  DeleteCertificate: () => client.send(new iot.DeleteCertificateCommand({ certificateId: `${certificateId}0` })),
  TransferCertificate: () =>
    client.send(new iot.TransferCertificateCommand({ certificateId, targetAwsAccount: "12345678901" })),
  AcceptCertificateTransfer: () => client.send(new iot.AcceptCertificateTransferCommand({ certificateId: "x" })),
  RejectCertificateTransfer: () =>
    client.send(new iot.RejectCertificateTransferCommand({ certificateId, rejectReason: "x".repeat(129) })),
  CancelCertificateTransfer: () => client.send(new iot.CancelCertificateTransferCommand({ certificateId: "x" })),
  ListOutgoingCertificates: () => client.send(new iot.ListOutgoingCertificatesCommand({ pageSize: 0 })),
  RegisterCACertificate: () => client.send(new iot.RegisterCACertificateCommand({ caCertificate: "" })),
  DescribeCACertificate: () => client.send(new iot.DescribeCACertificateCommand({ certificateId: "x" })),
  ListCACertificates: () => client.send(new iot.ListCACertificatesCommand({ marker: "!" })),
  UpdateCACertificate: () =>
    client.send(new iot.UpdateCACertificateCommand({ certificateId, newStatus: "GONE" as never })),
  DeleteCACertificate: () => client.send(new iot.DeleteCACertificateCommand({ certificateId: "x" })),
  CreatePolicy: () => client.send(new iot.CreatePolicyCommand({ policyName: "a b", policyDocument: allowEverything })),
  GetPolicy: () => client.send(new iot.GetPolicyCommand({ policyName: "größe" })),
  ListPolicies: () => client.send(new iot.ListPoliciesCommand({ pageSize: -1 })),
  DeletePolicy: () => client.send(new iot.DeletePolicyCommand({ policyName: "a/b" })),
  CreatePolicyVersion: () =>
    client.send(new iot.CreatePolicyVersionCommand({ policyName: "a", policyDocument: "x".repeat(404_601) })),
  GetPolicyVersion: () => client.send(new iot.GetPolicyVersionCommand({ policyName: "a", policyVersionId: "one" })),
  ListPolicyVersions: () => client.send(new iot.ListPolicyVersionsCommand({ policyName: "x".repeat(129) })),
  DeletePolicyVersion: () =>
    client.send(new iot.DeletePolicyVersionCommand({ policyName: "a", policyVersionId: "-1" })),
  SetDefaultPolicyVersion: () =>
    client.send(new iot.SetDefaultPolicyVersionCommand({ policyName: "a", policyVersionId: "1.0" })),
  AttachPolicy: () => client.send(new iot.AttachPolicyCommand({ policyName: "a", target: "nowhere" })),
  DetachPolicy: () => client.send(new iot.DetachPolicyCommand({ policyName: "a", target: "nowhere" })),
  ListAttachedPolicies: () => client.send(new iot.ListAttachedPoliciesCommand({ target: "nowhere" })),
  ListTargetsForPolicy: () => client.send(new iot.ListTargetsForPolicyCommand({ policyName: "a", pageSize: 251 })),
  AttachPrincipalPolicy: () =>
    client.send(new iot.AttachPrincipalPolicyCommand({ policyName: "a", principal: "nobody" })),
  DetachPrincipalPolicy: () =>
    client.send(new iot.DetachPrincipalPolicyCommand({ policyName: "a", principal: "nobody" })),
  ListPrincipalPolicies: () => client.send(new iot.ListPrincipalPoliciesCommand({ principal: "nobody" })),
  ListPolicyPrincipals: () => client.send(new iot.ListPolicyPrincipalsCommand({ policyName: "a b" })),
  GetEffectivePolicies: () => client.send(new iot.GetEffectivePoliciesCommand({})),
  TestAuthorization: () => client.send(new iot.TestAuthorizationCommand({ principal: certificateArn, authInfos: [] })),
  CreateThing: () => client.send(new iot.CreateThingCommand({ thingName: "a b" })),
  DescribeThing: () => client.send(new iot.DescribeThingCommand({ thingName: "größe" })),
  UpdateThing: () =>
    client.send(new iot.UpdateThingCommand({ thingName: "a", attributePayload: { attributes: { "a b": "c" } } })),
  DeleteThing: () => client.send(new iot.DeleteThingCommand({ thingName: "a", expectedVersion: -1 })),
  ListThings: () => client.send(new iot.ListThingsCommand({ attributeValue: "without a name" })),
  AttachThingPrincipal: () => client.send(new iot.AttachThingPrincipalCommand({ thingName: "a", principal: "nobody" })),
  DetachThingPrincipal: () => client.send(new iot.DetachThingPrincipalCommand({ thingName: "a", principal: "nobody" })),
  ListThingPrincipals: () => client.send(new iot.ListThingPrincipalsCommand({ thingName: "a", maxResults: 251 })),
  ListThingPrincipalsV2: () =>
    client.send(new iot.ListThingPrincipalsV2Command({ thingName: "a", thingPrincipalType: "OTHER" as never })),
  ListPrincipalThings: () => client.send(new iot.ListPrincipalThingsCommand({ principal: "nobody" })),
  ListPrincipalThingsV2: () => client.send(new iot.ListPrincipalThingsV2Command({ principal: `${account}:thing/a` })),
  CreateThingGroup: () => client.send(new iot.CreateThingGroupCommand({ thingGroupName: "a", parentGroupName: "a b" })),
  DescribeThingGroup: () => client.send(new iot.DescribeThingGroupCommand({ thingGroupName: "a b" })),
  UpdateThingGroup: () =>
    client.send(
      new iot.UpdateThingGroupCommand({
        thingGroupName: "a",
        thingGroupProperties: { thingGroupDescription: "\u0007" },
      }),
    ),
  DeleteThingGroup: () => client.send(new iot.DeleteThingGroupCommand({ thingGroupName: "a", expectedVersion: 0.5 })),
  ListThingGroups: () => client.send(new iot.ListThingGroupsCommand({ maxResults: 251 })),
  AddThingToThingGroup: () => client.send(new iot.AddThingToThingGroupCommand({ thingName: "a" })),
  RemoveThingFromThingGroup: () => client.send(new iot.RemoveThingFromThingGroupCommand({ thingGroupName: "a" })),
  ListThingsInThingGroup: () =>
    client.send(new iot.ListThingsInThingGroupCommand({ thingGroupName: "a", maxResults: 0 })),
  ListThingGroupsForThing: () => client.send(new iot.ListThingGroupsForThingCommand({ thingName: "a/b" })),
  UpdateThingGroupsForThing: () => client.send(new iot.UpdateThingGroupsForThingCommand({ thingName: "a b" })),
  CreateThingType: () =>
    client.send(
      new iot.CreateThingTypeCommand({ thingTypeName: "a", thingTypeProperties: { searchableAttributes: ["a"] } }),
    ),
  DescribeThingType: () => client.send(new iot.DescribeThingTypeCommand({ thingTypeName: "a b" })),
  ListThingTypes: () => client.send(new iot.ListThingTypesCommand({ thingTypeName: "a b" })),
  DeprecateThingType: () =>
    client.send(new iot.DeprecateThingTypeCommand({ thingTypeName: "a", undoDeprecate: "maybe" as never })),
  DeleteThingType: () => client.send(new iot.DeleteThingTypeCommand({ thingTypeName: "a b" })),
  CreateProvisioningTemplate: () =>
    client.send(
      new iot.CreateProvisioningTemplateCommand({ templateName: "x".repeat(37), templateBody, provisioningRoleArn }),
    ),
  DescribeProvisioningTemplate: () => client.send(new iot.DescribeProvisioningTemplateCommand({ templateName: "a b" })),
  ListProvisioningTemplates: () => client.send(new iot.ListProvisioningTemplatesCommand({ maxResults: 0 })),
  UpdateProvisioningTemplate: () =>
    client.send(new iot.UpdateProvisioningTemplateCommand({ templateName: "a", defaultVersionId: 2 })),
  DeleteProvisioningTemplate: () => client.send(new iot.DeleteProvisioningTemplateCommand({ templateName: "a b" })),
  CreateProvisioningClaim: () => client.send(new iot.CreateProvisioningClaimCommand({ templateName: "a.b" })),
  RegisterThing: () => client.send(new iot.RegisterThingCommand({ templateBody: "x".repeat(10_241) })),
  TagResource: () => client.send(new iot.TagResourceCommand({ resourceArn: "nothing", tags: [] })),
  UntagResource: () => client.send(new iot.UntagResourceCommand({ resourceArn: "nothing", tagKeys: [] })),
  ListTagsForResource: () => client.send(new iot.ListTagsForResourceCommand({ resourceArn: "nothing" })),
  DescribeEndpoint: () => client.send(new iot.DescribeEndpointCommand({ endpointType: "iot:Jobs" })),
  DescribeDomainConfiguration: () =>
    client.send(new iot.DescribeDomainConfigurationCommand({ domainConfigurationName: "a b" })),
  TestInvokeAuthorizer: () => client.send(new iot.TestInvokeAuthorizerCommand({ authorizerName: "a b" })),
  Publish: () => dataClient.send(new data.PublishCommand({ topic: "a", messageExpiry: -1 })),
  ListRetainedMessages: () => dataClient.send(new data.ListRetainedMessagesCommand({ maxResults: 201 })),
  GetConnection: () =>
    dataClient.send(new data.GetConnectionCommand({ clientId: "a", includeSocketInformation: "maybe" as never })),
  SendDirectMessage: () =>
    dataClient.send(new data.SendDirectMessageCommand({ clientId: "a", topic: "t", timeout: 16 })),
  DeleteConnection: () =>
    dataClient.send(new data.DeleteConnectionCommand({ clientId: "a", cleanSession: "maybe" as never })),
  ListSubscriptions: () => dataClient.send(new data.ListSubscriptionsCommand({ clientId: "a", maxResults: 0 })),
};

describe("a request that the model does not allow is InvalidRequestException", () => {
  test.each(Object.entries(refused))("%s", async (_, call) => {
    const { message } = await expectException(call(), "InvalidRequestException", 400);
    expect(message).toMatch(/\w/);
  });

  test("of each operation that takes anything", () => {
    const taking = [...registryOperations, ...dataPlaneOperations].filter(
      ({ members, path }) => Object.keys(members).length > 0 && !path.startsWith("/latchkey/"),
    );
    // Every text that fits into a path is a topic that could have a retained message.
    const expected = taking.map(({ name }) => name).filter((name) => name !== "GetRetainedMessage");
    expect(Object.keys(refused).sort()).toEqual(expected.sort());
  });
});

describe("what is not there, has changed or is in use", () => {
  test("transfers", async () => {
    const { certificateId: id = "" } = await client.send(
      new iot.CreateCertificateFromCsrCommand({ certificateSigningRequest: makeRequestPem("given away") }),
    );
    const other = plane.client(await plane.createKey("administrator", "111122223333"));
    const accept = () => other.send(new iot.AcceptCertificateTransferCommand({ certificateId: id }));
    const reject = () => other.send(new iot.RejectCertificateTransferCommand({ certificateId: id }));
    await expectException(accept(), ...notFound);
    await expectException(reject(), ...notFound);
    await client.send(new iot.TransferCertificateCommand({ certificateId: id, targetAwsAccount: "111122223333" }));
    await accept();
    await expectException(accept(), "TransferAlreadyCompletedException", 410);
    await expectException(reject(), "TransferAlreadyCompletedException", 410);
  });

  test("the policies of a principal", async () => {
    const principal = certificateArn;
    await expectException(
      client.send(new iot.AttachPrincipalPolicyCommand({ policyName: "none", principal })),
      ...notFound,
    );
  });

  test("things in groups", async () => {
    await expectException(client.send(new iot.ListThingsInThingGroupCommand({ thingGroupName: "none" })), ...notFound);
  });

  test("a thing type is deleted five minutes after it is deprecated, and as long as no thing has it", async () => {
    const thingTypeName = "lamp";
    await client.send(new iot.CreateThingTypeCommand({ thingTypeName }));
    await expectException(
      client.send(new iot.DeleteThingTypeCommand({ thingTypeName })),
      "InvalidRequestException",
      400,
    );
    {
      // Deprecated by another process on the same data, whose clock is ten minutes behind.
      await using registry = createRegistry({
        storage: openSqliteStorage(join(plane.directory, "registry.db")),
        provider: nodeProvider,
        nowSeconds: () => Math.floor(Date.now() / 1000) - 600,
      });
      await registry.thingTypes.deprecate(defaultScope, thingTypeName);
    }
    await client.send(new iot.DeleteThingTypeCommand({ thingTypeName }));
    await expectException(client.send(new iot.DescribeThingTypeCommand({ thingTypeName })), ...notFound);
  });

  test("a provisioning template that a certificate authority names", async () => {
    const templateName = "in-use";
    await client.send(new iot.CreateProvisioningTemplateCommand({ templateName, templateBody, provisioningRoleArn }));
    const caCertificate = certificateToPem(makeAuthority("with a template").certificate);
    const made = await client.send(
      new iot.RegisterCACertificateCommand({
        caCertificate,
        certificateMode: "SNI_ONLY",
        registrationConfig: { templateName },
      }),
    );
    const remove = () => client.send(new iot.DeleteProvisioningTemplateCommand({ templateName }));
    const { message } = await expectException(remove(), "DeleteConflictException", 409);
    expect(message).toContain(made.certificateId);
    await client.send(
      new iot.UpdateCACertificateCommand({ certificateId: made.certificateId, removeAutoRegistration: true }),
    );
    await remove();
  });

  test("ListSubscriptions comes to its end; of nobody it is ResourceNotFoundException", async () => {
    await using device = await MqttDevice.connect(plane, "reader / größe");
    const filters = ["a/b", "a/größe", "b/+/c", "c/#", "d"];
    for (const filter of filters) await device.subscribe(filter);
    const found: object[] = [];
    const pages = data.paginateListSubscriptions({ client: dataClient, pageSize: 2 }, { clientId: "reader / größe" });
    for await (const { subscriptions = [] } of pages) found.push(...subscriptions);
    expect(found).toEqual(filters.map((topicFilter) => ({ topicFilter, qos: 0 })));
    await expectException(dataClient.send(new data.ListSubscriptionsCommand({ clientId: "nobody" })), ...notFound);
  });
});
