/** Policies, versions, attachment in both forms, effective policies and TestAuthorization. */

import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachPrincipalPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DetachPolicyCommand,
  DetachPrincipalPolicyCommand,
  GetEffectivePoliciesCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  ListAttachedPoliciesCommand,
  ListPolicyPrincipalsCommand,
  ListPolicyVersionsCommand,
  ListPrincipalPoliciesCommand,
  ListTargetsForPolicyCommand,
  paginateListAttachedPolicies,
  paginateListTargetsForPolicy,
  SetDefaultPolicyVersionCommand,
  TestAuthorizationCommand,
  type IoTClient,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allowEverything, makeRequestPem } from "./identities.ts";
import { expectException, RunningControlPlane } from "./running-control-plane.ts";

let plane: RunningControlPlane;
let client: IoTClient;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  client = plane.client();
});
afterAll(() => plane[Symbol.asyncDispose]());

const account = "arn:aws:iot:us-east-1:000000000000";
const unknownCertificate = `${account}:cert/${"0".repeat(64)}`;
const statement = (effect: "Allow" | "Deny", action: string, resource: string): object => ({
  Effect: effect,
  Action: action,
  Resource: resource === "*" ? "*" : `${account}:${resource}`,
});
const document = (...statements: object[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const create = (policyName: string, policyDocument = allowEverything): Promise<unknown> =>
  client.send(new CreatePolicyCommand({ policyName, policyDocument }));
const newCertificate = async (): Promise<string> => {
  const certificateSigningRequest = makeRequestPem("device");
  const made = await client.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: true }));
  return made.certificateArn ?? "";
};
let names = 0;
const freshName = (): string => `policy-${names++}`;

describe("CreatePolicy", () => {
  test("stores the document as it was given, with every character that a name can have", async () => {
    const policyName = "Az_09+=,.@-";
    const policyDocument = `${document(statement("Allow", "iot:Publish", "topic/größe/鍵/\u{1F511}"))}\n  `;
    expect(await create(policyName, policyDocument)).toMatchObject({
      policyName,
      policyArn: `${account}:policy/${policyName}`,
      policyDocument,
      policyVersionId: "1",
    });
    expect(await client.send(new GetPolicyCommand({ policyName }))).toMatchObject({
      policyName,
      policyDocument,
      defaultVersionId: "1",
      creationDate: expect.any(Date) as Date,
      lastModifiedDate: expect.any(Date) as Date,
    });
  });

  test("overwrites nothing", async () => {
    const policyName = freshName();
    await create(policyName, document(statement("Deny", "iot:*", "*")));
    const error = await expectException(create(policyName), "ResourceAlreadyExistsException", 409);
    expect(error).toMatchObject({ resourceId: policyName, resourceArn: `${account}:policy/${policyName}` });
    const { policyDocument } = await client.send(new GetPolicyCommand({ policyName }));
    expect(policyDocument).toContain("Deny");
  });

  test.each([
    ["no JSON", "{"],
    ["an unknown effect", '{"Version":"2012-10-17","Statement":{"Effect":"Maybe","Action":"iot:*","Resource":"*"}}'],
    [
      "a principal",
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}',
    ],
    ["more than 2,048 characters", document(statement("Allow", "iot:Publish", `topic/${"x".repeat(2048)}`))],
    ["nothing", ""],
  ])("%s is MalformedPolicyException", async (_, policyDocument) => {
    const policyName = freshName();
    const call = client.send(new CreatePolicyCommand({ policyName, policyDocument }));
    const error = await expectException(call, "MalformedPolicyException", 400);
    expect(error.message.length).toBeGreaterThan(20);
    await expectException(client.send(new GetPolicyCommand({ policyName })), "ResourceNotFoundException", 404);
  });

  test.each(["a/b", "a b", "ä", "x".repeat(129), "a%2Fb", "..", "a\u0000b"])(
    "a name like %j is refused",
    async (policyName) => {
      const error = await create(policyName).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ name: "InvalidRequestException", $metadata: { httpStatusCode: 400 } });
    },
  );
});

describe("versions", () => {
  test("are five; a sixth is VersionsLimitExceededException; numbers are not given twice", async () => {
    const policyName = freshName();
    await create(policyName);
    const add = (setAsDefault = false): Promise<unknown> =>
      client.send(new CreatePolicyVersionCommand({ policyName, policyDocument: allowEverything, setAsDefault }));
    expect(await add(true)).toMatchObject({
      policyVersionId: "2",
      isDefaultVersion: true,
      policyArn: `${account}:policy/${policyName}`,
    });
    for (let version = 3; version <= 5; version++) {
      expect(await add()).toMatchObject({ policyVersionId: String(version), isDefaultVersion: false });
    }
    await expectException(add(), "VersionsLimitExceededException", 409);
    await client.send(new DeletePolicyVersionCommand({ policyName, policyVersionId: "5" }));
    expect(await add()).toMatchObject({ policyVersionId: "6" });
    const { policyVersions } = await client.send(new ListPolicyVersionsCommand({ policyName }));
    expect(policyVersions?.map(({ versionId, isDefaultVersion }) => [versionId, isDefaultVersion])).toEqual([
      ["6", false],
      ["4", false],
      ["3", false],
      ["2", true],
      ["1", false],
    ]);
  });

  test("one is the default: set, read and not deleted", async () => {
    const policyName = freshName();
    await create(policyName);
    const policyDocument = document(statement("Allow", "iot:Connect", "client/b"));
    await client.send(new CreatePolicyVersionCommand({ policyName, policyDocument }));
    await client.send(new SetDefaultPolicyVersionCommand({ policyName, policyVersionId: "2" }));
    expect(await client.send(new GetPolicyCommand({ policyName }))).toMatchObject({
      defaultVersionId: "2",
      policyDocument,
    });
    expect(await client.send(new GetPolicyVersionCommand({ policyName, policyVersionId: "2" }))).toMatchObject({
      policyName,
      policyVersionId: "2",
      policyDocument,
      isDefaultVersion: true,
      creationDate: expect.any(Date) as Date,
    });
    const remove = (policyVersionId: string): Promise<unknown> =>
      client.send(new DeletePolicyVersionCommand({ policyName, policyVersionId }));
    await expectException(remove("2"), "DeleteConflictException", 409);
    await remove("1");
    for (const [policyVersionId, name, status] of [
      ["1", "ResourceNotFoundException", 404],
      ["9", "ResourceNotFoundException", 404],
      ["x", "InvalidRequestException", 400],
      ["99999999999", "InvalidRequestException", 400],
    ] as const) {
      await expectException(
        client.send(new SetDefaultPolicyVersionCommand({ policyName, policyVersionId })),
        name,
        status,
      );
      await expectException(remove(policyVersionId), name, status);
    }
  });

  test("of a policy that does not exist, and of a malformed document", async () => {
    const policyName = "none";
    for (const call of [
      () => client.send(new GetPolicyCommand({ policyName })),
      () => client.send(new DeletePolicyCommand({ policyName })),
      () => client.send(new ListPolicyVersionsCommand({ policyName })),
      () => client.send(new GetPolicyVersionCommand({ policyName, policyVersionId: "1" })),
      () => client.send(new CreatePolicyVersionCommand({ policyName, policyDocument: allowEverything })),
      () => client.send(new ListTargetsForPolicyCommand({ policyName })),
      () => client.send(new ListPolicyPrincipalsCommand({ policyName })),
    ]) {
      await expectException(call(), "ResourceNotFoundException", 404);
    }
    const fresh = freshName();
    await create(fresh);
    const malformed = client.send(new CreatePolicyVersionCommand({ policyName: fresh, policyDocument: "[]" }));
    await expectException(malformed, "MalformedPolicyException", 400);
  });
});

describe("DeletePolicy", () => {
  test("that is attached or has another version is DeleteConflictException", async () => {
    const policyName = freshName();
    await create(policyName);
    const target = await newCertificate();
    const remove = (): Promise<unknown> => client.send(new DeletePolicyCommand({ policyName }));
    await client.send(new AttachPolicyCommand({ policyName, target }));
    await expectException(remove(), "DeleteConflictException", 409);
    await client.send(new DetachPolicyCommand({ policyName, target }));
    await client.send(new CreatePolicyVersionCommand({ policyName, policyDocument: allowEverything }));
    await expectException(remove(), "DeleteConflictException", 409);
    await client.send(new DeletePolicyVersionCommand({ policyName, policyVersionId: "2" }));
    await remove();
    await expectException(remove(), "ResourceNotFoundException", 404);
  });
});

describe("attachment", () => {
  test("by target and by principal is the same, in both directions, and twice is once", async () => {
    const policyName = freshName();
    await create(policyName);
    const target = await newCertificate();
    await client.send(new AttachPolicyCommand({ policyName, target }));
    await client.send(new AttachPrincipalPolicyCommand({ policyName, principal: target }));
    const policy = { policyName, policyArn: `${account}:policy/${policyName}` };
    expect((await client.send(new ListAttachedPoliciesCommand({ target }))).policies).toEqual([policy]);
    expect((await client.send(new ListPrincipalPoliciesCommand({ principal: target }))).policies).toEqual([policy]);
    expect((await client.send(new ListTargetsForPolicyCommand({ policyName }))).targets).toEqual([target]);
    expect((await client.send(new ListPolicyPrincipalsCommand({ policyName }))).principals).toEqual([target]);
    await client.send(new DetachPrincipalPolicyCommand({ policyName, principal: target }));
    expect((await client.send(new ListAttachedPoliciesCommand({ target }))).policies).toEqual([]);
    await client.send(new DetachPolicyCommand({ policyName, target }));
  });

  test("to a group holds for the groups below it, which recursive shows", async () => {
    const [above, below] = [freshName(), freshName()];
    for (const name of [above, below]) await create(name);
    await client.send(new CreateThingGroupCommand({ thingGroupName: "above" }));
    await client.send(new CreateThingGroupCommand({ thingGroupName: "below", parentGroupName: "above" }));
    const arn = (group: string): string => `${account}:thinggroup/${group}`;
    await client.send(new AttachPolicyCommand({ policyName: above, target: arn("above") }));
    await client.send(new AttachPolicyCommand({ policyName: below, target: arn("below") }));
    const attached = async (recursive: boolean): Promise<unknown> =>
      (await client.send(new ListAttachedPoliciesCommand({ target: arn("below"), recursive }))).policies?.map(
        (one) => one.policyName,
      );
    expect(await attached(false)).toEqual([below]);
    expect(await attached(true)).toEqual([above, below].sort());
    expect((await client.send(new ListTargetsForPolicyCommand({ policyName: below }))).targets).toEqual([arn("below")]);
  });

  test("an eleventh to a certificate and a third to a group are LimitExceededException", async () => {
    const target = await newCertificate();
    const policyNames = Array.from({ length: 11 }, freshName);
    for (const policyName of policyNames) await create(policyName);
    for (const policyName of policyNames.slice(0, 10))
      await client.send(new AttachPolicyCommand({ policyName, target }));
    const attach = (policyName: string | undefined, to: string): Promise<unknown> =>
      client.send(new AttachPolicyCommand({ policyName, target: to }));
    await expectException(attach(policyNames[10], target), "LimitExceededException", 410);
    const legacy = client.send(new AttachPrincipalPolicyCommand({ policyName: policyNames[10], principal: target }));
    await expectException(legacy, "LimitExceededException", 410);
    await client.send(new CreateThingGroupCommand({ thingGroupName: "two" }));
    const group = `${account}:thinggroup/two`;
    for (const policyName of policyNames.slice(0, 2)) await attach(policyName, group);
    await expectException(attach(policyNames[2], group), "LimitExceededException", 410);
    const names_: (string | undefined)[] = [];
    for await (const page of paginateListAttachedPolicies({ client, pageSize: 3 }, { target })) {
      names_.push(...(page.policies ?? []).map((one) => one.policyName));
    }
    expect(names_).toEqual(policyNames.slice(0, 10).sort());
  });

  test("of what does not exist, and to what can have none", async () => {
    const policyName = freshName();
    await create(policyName);
    const attach = (name: string, target: string): Promise<unknown> =>
      client.send(new AttachPolicyCommand({ policyName: name, target }));
    await expectException(attach("none", await newCertificate()), "ResourceNotFoundException", 404);
    await expectException(attach(policyName, unknownCertificate), "ResourceNotFoundException", 404);
    await expectException(attach(policyName, `${account}:thinggroup/none`), "ResourceNotFoundException", 404);
    const wrong = [`${account}:thing/t`, "us-east-1:4f2c", unknownCertificate.replace("000000000000", "111122223333")];
    for (const target of wrong) await expectException(attach(policyName, target), "InvalidRequestException", 400);
    for (const call of [
      () => client.send(new ListAttachedPoliciesCommand({ target: unknownCertificate })),
      () => client.send(new ListPrincipalPoliciesCommand({ principal: unknownCertificate })),
      () => client.send(new DetachPrincipalPolicyCommand({ policyName: "none", principal: unknownCertificate })),
    ]) {
      await expectException(call(), "ResourceNotFoundException", 404);
    }
    // The model of DetachPolicy has no ResourceNotFoundException.
    const detach = client.send(new DetachPolicyCommand({ policyName: "none", target: unknownCertificate }));
    await expectException(detach, "InvalidRequestException", 400);
  });

  test("lists come to their end", async () => {
    const policyName = freshName();
    await create(policyName);
    const targets: string[] = [];
    for (let count = 0; count < 5; count++) {
      const target = await newCertificate();
      targets.push(target);
      await client.send(new AttachPolicyCommand({ policyName, target }));
    }
    const found: string[] = [];
    for await (const page of paginateListTargetsForPolicy({ client, pageSize: 2 }, { policyName }))
      found.push(...(page.targets ?? []));
    expect(found).toEqual(targets);
  });
});

describe("what a certificate may do", () => {
  let principal: string;
  beforeAll(async () => {
    principal = await newCertificate();
    const own = "topic/own/${iot:ClientId}";
    await create(
      "allow",
      document(statement("Allow", "iot:Connect", "client/lamp"), statement("Allow", "iot:Publish", own)),
    );
    await create("deny", document(statement("Deny", "iot:Publish", "topic/own/secret")));
    await create("of-group", document(statement("Allow", "iot:Subscribe", "topicfilter/all")));
    await create("added", document(statement("Allow", "iot:Publish", "topic/more")));
    for (const policyName of ["allow", "deny"])
      await client.send(new AttachPolicyCommand({ policyName, target: principal }));
    await client.send(new CreateThingGroupCommand({ thingGroupName: "lamps" }));
    await client.send(new CreateThingCommand({ thingName: "lamp" }));
    await client.send(new AddThingToThingGroupCommand({ thingGroupName: "lamps", thingName: "lamp" }));
    await client.send(new AttachThingPrincipalCommand({ thingName: "lamp", principal }));
    await client.send(new AttachPolicyCommand({ policyName: "of-group", target: `${account}:thinggroup/lamps` }));
  });

  test("GetEffectivePolicies names those of the certificate and those of the groups of its thing", async () => {
    const names_ = async (input: { principal?: string; thingName?: string }): Promise<unknown> =>
      (await client.send(new GetEffectivePoliciesCommand(input))).effectivePolicies
        ?.map((one) => one.policyName)
        .sort();
    expect(await names_({ principal })).toEqual(["allow", "deny"]);
    expect(await names_({ principal, thingName: "lamp" })).toEqual(["allow", "deny", "of-group"]);
    expect(await names_({ thingName: "lamp" })).toEqual(["of-group"]);
    const { effectivePolicies } = await client.send(new GetEffectivePoliciesCommand({ thingName: "lamp" }));
    expect(effectivePolicies?.[0]).toEqual({
      policyName: "of-group",
      policyArn: `${account}:policy/of-group`,
      policyDocument: document(statement("Allow", "iot:Subscribe", "topicfilter/all")),
    });
    await expectException(names_({}), "InvalidRequestException", 400);
    await expectException(names_({ principal: unknownCertificate }), "ResourceNotFoundException", 404);
    await expectException(names_({ thingName: "none" }), "ResourceNotFoundException", 404);
    const cognito = client.send(
      new GetEffectivePoliciesCommand({ principal, cognitoIdentityPoolId: "us-east-1:pool" }),
    );
    await expectException(cognito, "InvalidRequestException", 400);
  });

  test("TestAuthorization decides as the broker does, and names the policies that decided", async () => {
    const topic = (name: string): string => `${account}:topic/${name}`;
    const { authResults } = await client.send(
      new TestAuthorizationCommand({
        principal,
        clientId: "lamp",
        authInfos: [
          { actionType: "CONNECT", resources: [`${account}:client/lamp`] },
          { actionType: "PUBLISH", resources: [topic("own/lamp")] },
          { actionType: "PUBLISH", resources: [topic("own/secret")] },
          { actionType: "PUBLISH", resources: [topic("more")] },
          { actionType: "PUBLISH", resources: [topic("own/lamp"), topic("more")] },
          { actionType: "SUBSCRIBE", resources: [`${account}:topicfilter/all`] },
          { actionType: "RECEIVE", resources: [topic("all")] },
        ],
        policyNamesToAdd: ["added"],
      }),
    );
    expect(authResults?.map(({ authDecision }) => authDecision)).toEqual([
      "ALLOWED",
      "ALLOWED",
      "EXPLICIT_DENY",
      "ALLOWED",
      "ALLOWED",
      "ALLOWED",
      "IMPLICIT_DENY",
    ]);
    expect(authResults?.[0]).toMatchObject({
      authInfo: { actionType: "CONNECT", resources: [`${account}:client/lamp`] },
      allowed: { policies: [{ policyName: "allow", policyArn: `${account}:policy/allow` }] },
    });
    expect(authResults?.[2]?.denied?.explicitDeny?.policies).toMatchObject([{ policyName: "deny" }]);
    expect(authResults?.[3]?.allowed?.policies).toMatchObject([{ policyName: "added" }]);
    expect(authResults?.[5]?.allowed?.policies).toMatchObject([{ policyName: "of-group" }]);
  });

  test("TestAuthorization skips policies, and says which values were missing", async () => {
    const resources = [`${account}:topic/own/lamp`];
    const ask = async (more: object): Promise<unknown> =>
      (
        await client.send(
          new TestAuthorizationCommand({ principal, authInfos: [{ actionType: "PUBLISH", resources }], ...more }),
        )
      ).authResults?.[0];
    expect(await ask({ clientId: "lamp", policyNamesToSkip: ["allow"] })).toMatchObject({
      authDecision: "IMPLICIT_DENY",
    });
    expect(await ask({})).toMatchObject({ authDecision: "IMPLICIT_DENY", missingContextValues: ["iot:ClientId"] });
    await expectException(ask({ policyNamesToAdd: ["none"] }), "ResourceNotFoundException", 404);
    await expectException(ask({ principal: unknownCertificate }), "ResourceNotFoundException", 404);
    await expectException(ask({ principal: undefined }), "InvalidRequestException", 400);
    await expectException(ask({ authInfos: [] }), "InvalidRequestException", 400);
    await expectException(ask({ authInfos: [{ actionType: "JUMP", resources }] }), "InvalidRequestException", 400);
    await expectException(
      ask({ authInfos: [{ actionType: "PUBLISH", resources: ["no arn"] }] }),
      "InvalidRequestException",
      400,
    );
  });
});
