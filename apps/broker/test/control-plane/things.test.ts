/** Things, their certificates, groups, types, tags, provisioning and endpoints. */

import {
  AddThingToThingGroupCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateProvisioningClaimCommand,
  CreateProvisioningTemplateCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  DeleteProvisioningTemplateCommand,
  DeleteThingCommand,
  DeleteThingGroupCommand,
  DeleteThingTypeCommand,
  DeprecateThingTypeCommand,
  DescribeDomainConfigurationCommand,
  DescribeEndpointCommand,
  DescribeProvisioningTemplateCommand,
  DescribeThingCommand,
  DescribeThingGroupCommand,
  DescribeThingTypeCommand,
  DetachThingPrincipalCommand,
  ListPrincipalThingsCommand,
  ListPrincipalThingsV2Command,
  ListProvisioningTemplatesCommand,
  ListTagsForResourceCommand,
  ListThingGroupsForThingCommand,
  ListThingPrincipalsCommand,
  ListThingPrincipalsV2Command,
  ListThingsCommand,
  ListThingTypesCommand,
  paginateListThingGroups,
  paginateListThings,
  paginateListThingsInThingGroup,
  RegisterThingCommand,
  RemoveThingFromThingGroupCommand,
  TagResourceCommand,
  TestInvokeAuthorizerCommand,
  UntagResourceCommand,
  UpdateProvisioningTemplateCommand,
  UpdateThingCommand,
  UpdateThingGroupCommand,
  UpdateThingGroupsForThingCommand,
  type IoTClient,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRequestPem } from "./identities.ts";
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
const invalid = ["InvalidRequestException", 400] as const;
const notFound = ["ResourceNotFoundException", 404] as const;
let names = 0;
const freshName = (): string => `n:${names++}_-`;
const create = (thingName: string, more: object = {}): Promise<unknown> =>
  client.send(new CreateThingCommand({ thingName, ...more }));
const describeThing = (thingName: string): Promise<unknown> => client.send(new DescribeThingCommand({ thingName }));
const newCertificate = async (): Promise<string> => {
  const certificateSigningRequest = makeRequestPem("device");
  const made = await client.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: true }));
  return made.certificateArn ?? "";
};

describe("things", () => {
  test("are created once: the same again is the same, another one is ResourceAlreadyExistsException", async () => {
    const thingName = freshName();
    const attributePayload = { attributes: { room: "[a]=b/c:d#e,f.g@h-i_j", empty: "" } };
    const made = await client.send(new CreateThingCommand({ thingName, attributePayload }));
    expect(made).toMatchObject({
      thingName,
      thingArn: `${account}:thing/${thingName}`,
      thingId: expect.any(String) as string,
    });
    expect(await create(thingName, { attributePayload })).toMatchObject({ thingId: made.thingId });
    const error = await expectException(create(thingName), "ResourceAlreadyExistsException", 409);
    expect(error).toMatchObject({ resourceId: thingName, resourceArn: made.thingArn });
    expect(await describeThing(thingName)).toMatchObject({
      defaultClientId: thingName,
      thingName,
      thingId: made.thingId,
      thingArn: made.thingArn,
      version: 1,
    });
  });

  test.each([
    [{ thingName: "a b" }, ...invalid],
    [{ thingName: "x".repeat(129) }, ...invalid],
    [{ thingName: "ß" }, ...invalid],
    [{ thingName: "t", thingTypeName: "none" }, ...notFound],
    [{ thingName: "t", billingGroupName: "b" }, ...invalid],
    [{ thingName: "t", attributePayload: { attributes: { "a b": "c" } } }, ...invalid],
    [{ thingName: "t", attributePayload: { attributes: { a: "ä" } } }, ...invalid],
    [{ thingName: "t", attributePayload: { attributes: { a: "1", b: "2", c: "3", d: "4" } } }, ...invalid],
  ])("with %j are refused", async (input, name, status) => {
    await expectException(client.send(new CreateThingCommand(input)), name, status);
  });

  test("are updated: attributes are replaced unless merge is true, an empty value takes one away", async () => {
    const thingName = freshName();
    await create(thingName, { attributePayload: { attributes: { a: "1", b: "2" } } });
    const update = (more: object): Promise<unknown> => client.send(new UpdateThingCommand({ thingName, ...more }));
    const attributes = async (): Promise<unknown> =>
      ((await describeThing(thingName)) as { attributes: object }).attributes;
    await update({ attributePayload: { attributes: { c: "3", b: "" }, merge: true } });
    expect(await attributes()).toEqual({ a: "1", c: "3" });
    await update({ attributePayload: { attributes: { d: "4" } }, expectedVersion: 2 });
    expect(await attributes()).toEqual({ d: "4" });
    await expectException(update({ expectedVersion: 2 }), "VersionConflictException", 409);
    await expectException(update({ thingTypeName: "none" }), ...notFound);
    await expectException(client.send(new UpdateThingCommand({ thingName: "none" })), ...notFound);
  });

  test("are deleted without certificates only; one that does not exist is deleted already", async () => {
    const thingName = freshName();
    await create(thingName);
    const principal = await newCertificate();
    await client.send(new AttachThingPrincipalCommand({ thingName, principal }));
    const remove = (expectedVersion?: number): Promise<unknown> =>
      client.send(new DeleteThingCommand({ thingName, expectedVersion }));
    await expectException(remove(), ...invalid);
    await client.send(new DetachThingPrincipalCommand({ thingName, principal }));
    await expectException(remove(7), "VersionConflictException", 409);
    await remove(1);
    await remove();
    await expectException(describeThing(thingName), ...notFound);
  });

  test("are listed to the end, by type and by attribute, with their ARNs", async () => {
    await client.send(new CreateThingTypeCommand({ thingTypeName: "listed" }));
    for (let index = 0; index < 7; index++) {
      const attributes = { floor: String(index % 2), tag: `t-${index}` };
      await create(`listed-${index}`, { thingTypeName: "listed", attributePayload: { attributes } });
    }
    const walk = async (input: object): Promise<unknown[]> => {
      const found: unknown[] = [];
      for await (const page of paginateListThings({ client, pageSize: 3 }, { thingTypeName: "listed", ...input })) {
        found.push(...(page.things ?? []).map((one) => one.thingName));
      }
      return found;
    };
    const all = Array.from({ length: 7 }, (_, index) => `listed-${index}`);
    expect(await walk({})).toEqual(all);
    expect(await walk({ attributeName: "floor", attributeValue: "1" })).toEqual(["listed-1", "listed-3", "listed-5"]);
    expect(await walk({ attributeName: "tag", attributeValue: "t-", usePrefixAttributeValue: true })).toEqual(all);
    expect(await walk({ attributeName: "tag", attributeValue: "t-" })).toEqual([]);
    const { things } = await client.send(new ListThingsCommand({ thingTypeName: "listed", maxResults: 1 }));
    expect(things).toEqual([
      {
        thingName: "listed-0",
        thingTypeName: "listed",
        thingArn: `${account}:thing/listed-0`,
        attributes: { floor: "0", tag: "t-0" },
        version: 1,
      },
    ]);
    await expectException(client.send(new ListThingsCommand({ maxResults: 251 })), ...invalid);
    await expectException(client.send(new ListThingsCommand({ nextToken: "eA" })), ...invalid);
    await expectException(client.send(new ListThingsCommand({ attributeValue: "1" })), ...invalid);
  });
});

describe("certificates of things", () => {
  test("in both directions and both forms", async () => {
    const [thingName, other] = [freshName(), freshName()];
    for (const name of [thingName, other]) await create(name);
    const principal = await newCertificate();
    await client.send(new AttachThingPrincipalCommand({ thingName, principal }));
    expect(await client.send(new ListThingPrincipalsCommand({ thingName }))).toMatchObject({ principals: [principal] });
    expect(await client.send(new ListThingPrincipalsV2Command({ thingName }))).toMatchObject({
      thingPrincipalObjects: [{ principal, thingPrincipalType: "NON_EXCLUSIVE_THING" }],
    });
    expect(await client.send(new ListPrincipalThingsCommand({ principal }))).toMatchObject({ things: [thingName] });
    const exclusive = { principal, thingPrincipalType: "EXCLUSIVE_THING" } as const;
    expect(await client.send(new ListPrincipalThingsV2Command(exclusive))).toMatchObject({ principalThingObjects: [] });
    await expectException(client.send(new AttachThingPrincipalCommand({ thingName: other, ...exclusive })), ...invalid);
    await client.send(new DetachThingPrincipalCommand({ thingName, principal }));
    await client.send(new AttachThingPrincipalCommand({ thingName: other, ...exclusive }));
    expect(await client.send(new ListPrincipalThingsV2Command({ principal }))).toMatchObject({
      principalThingObjects: [{ thingName: other, thingPrincipalType: "EXCLUSIVE_THING" }],
    });
    await expectException(client.send(new AttachThingPrincipalCommand({ thingName, principal })), ...invalid);
  });

  test("of what does not exist, and of principals that are no certificates", async () => {
    const thingName = freshName();
    await create(thingName);
    const principal = unknownCertificate;
    const known = await newCertificate();
    for (const call of [
      () => client.send(new AttachThingPrincipalCommand({ thingName, principal })),
      () => client.send(new AttachThingPrincipalCommand({ thingName: "none", principal: known })),
      () => client.send(new DetachThingPrincipalCommand({ thingName: "none", principal })),
      () => client.send(new ListThingPrincipalsCommand({ thingName: "none" })),
      () => client.send(new ListThingPrincipalsV2Command({ thingName: "none" })),
      () => client.send(new ListPrincipalThingsCommand({ principal })),
      () => client.send(new ListPrincipalThingsV2Command({ principal })),
    ]) {
      await expectException(call(), ...notFound);
    }
    for (const wrong of ["us-east-1:4f2c", `${account}:policy/p`, `${account}:cert/abc`]) {
      await expectException(client.send(new AttachThingPrincipalCommand({ thingName, principal: wrong })), ...invalid);
    }
  });
});

describe("thing groups", () => {
  const createGroup = (thingGroupName: string, more: object = {}): Promise<unknown> =>
    client.send(new CreateThingGroupCommand({ thingGroupName, ...more }));

  test("are a tree with properties and versions", async () => {
    const thingGroupProperties = {
      thingGroupDescription: "Lampen im Süden 鍵",
      attributePayload: { attributes: { a: "1" } },
    };
    expect(await createGroup("root", { thingGroupProperties })).toMatchObject({
      thingGroupName: "root",
      thingGroupArn: `${account}:thinggroup/root`,
      thingGroupId: expect.any(String) as string,
    });
    await createGroup("middle", { parentGroupName: "root" });
    await createGroup("leaf", { parentGroupName: "middle" });
    const leaf = await client.send(new DescribeThingGroupCommand({ thingGroupName: "leaf" }));
    expect(leaf).toMatchObject({
      version: 1,
      thingGroupMetadata: {
        parentGroupName: "middle",
        rootToParentThingGroups: [
          { groupName: "root", groupArn: `${account}:thinggroup/root` },
          { groupName: "middle", groupArn: `${account}:thinggroup/middle` },
        ],
        creationDate: expect.any(Date) as Date,
      },
    });
    const update = (more: object): Promise<unknown> =>
      client.send(new UpdateThingGroupCommand({ thingGroupName: "root", thingGroupProperties: { ...more } }));
    expect(await update({ attributePayload: { attributes: { b: "2" }, merge: true } })).toMatchObject({ version: 2 });
    expect(await client.send(new DescribeThingGroupCommand({ thingGroupName: "root" }))).toMatchObject({
      thingGroupProperties: { ...thingGroupProperties, attributePayload: { attributes: { a: "1", b: "2" } } },
    });
    const stale = new UpdateThingGroupCommand({ thingGroupName: "root", thingGroupProperties: {}, expectedVersion: 1 });
    await expectException(client.send(stale), "VersionConflictException", 409);
    await expectException(createGroup("root"), "ResourceAlreadyExistsException", 409);
    await expectException(createGroup("x", { parentGroupName: "none" }), ...notFound);
    await expectException(client.send(new DescribeThingGroupCommand({ thingGroupName: "none" })), ...notFound);
    const none = new UpdateThingGroupCommand({ thingGroupName: "none", thingGroupProperties: {} });
    await expectException(client.send(none), ...notFound);
    await expectException(client.send(new DeleteThingGroupCommand({ thingGroupName: "root" })), ...invalid);
    const versioned = new DeleteThingGroupCommand({ thingGroupName: "leaf", expectedVersion: 9 });
    await expectException(client.send(versioned), "VersionConflictException", 409);
    await client.send(new DeleteThingGroupCommand({ thingGroupName: "none" }));
  });

  test("are listed to the end, under a parent and by prefix", async () => {
    await createGroup("list-top");
    for (const name of ["list-a", "list-b", "list-c"]) await createGroup(name, { parentGroupName: "list-top" });
    await createGroup("list-d", { parentGroupName: "list-a" });
    const walk = async (input: object): Promise<unknown[]> => {
      const found: unknown[] = [];
      for await (const page of paginateListThingGroups({ client, pageSize: 2 }, input)) {
        found.push(...(page.thingGroups ?? []).map((one) => one.groupName));
      }
      return found;
    };
    expect(await walk({ namePrefixFilter: "list-" })).toEqual(["list-a", "list-b", "list-c", "list-d", "list-top"]);
    expect(await walk({ parentGroup: "list-top" })).toEqual(["list-a", "list-b", "list-c", "list-d"]);
    expect(await walk({ parentGroup: "list-top", recursive: false })).toEqual(["list-a", "list-b", "list-c"]);
    await expectException(walk({ parentGroup: "none" }), ...notFound);
  });

  test("have things, given by name or by ARN", async () => {
    await createGroup("with-things");
    await createGroup("other-things");
    const things = Array.from({ length: 5 }, freshName);
    for (const thingName of things) {
      await create(thingName);
      await client.send(new AddThingToThingGroupCommand({ thingGroupName: "with-things", thingName }));
    }
    const [first = "", second = ""] = things;
    const byArn = { thingGroupArn: `${account}:thinggroup/with-things`, thingArn: `${account}:thing/${first}` };
    await client.send(new RemoveThingFromThingGroupCommand(byArn));
    const found: string[] = [];
    const input = { thingGroupName: "with-things", recursive: true };
    for await (const page of paginateListThingsInThingGroup({ client, pageSize: 2 }, input))
      found.push(...(page.things ?? []));
    expect(found).toEqual(things.slice(1).sort());
    const change = { thingName: second, thingGroupsToAdd: ["other-things"], thingGroupsToRemove: ["with-things"] };
    await client.send(new UpdateThingGroupsForThingCommand(change));
    const { thingGroups } = await client.send(new ListThingGroupsForThingCommand({ thingName: second }));
    expect(thingGroups).toEqual([{ groupName: "other-things", groupArn: `${account}:thinggroup/other-things` }]);
    const add = (more: object): Promise<unknown> =>
      client.send(new AddThingToThingGroupCommand({ thingName: first, ...more }));
    await expectException(add({ thingGroupName: "none" }), ...notFound);
    await expectException(add({ thingGroupName: "with-things", thingName: "none" }), ...notFound);
    await expectException(add({}), ...invalid);
    await expectException(add({ thingGroupArn: `${account}:thing/x` }), ...invalid);
    await expectException(
      add({ thingGroupName: "with-things", thingGroupArn: `${account}:thinggroup/other` }),
      ...invalid,
    );
    const both = { thingName: second, thingGroupsToAdd: ["with-things"], thingGroupsToRemove: ["with-things"] };
    await expectException(client.send(new UpdateThingGroupsForThingCommand(both)), ...invalid);
    const unknownGroup = { thingName: second, thingGroupsToAdd: ["with-things", "none"] };
    await expectException(client.send(new UpdateThingGroupsForThingCommand(unknownGroup)), ...notFound);
    const after = await client.send(new ListThingGroupsForThingCommand({ thingName: second }));
    expect(after.thingGroups).toHaveLength(1);
    await expectException(client.send(new ListThingGroupsForThingCommand({ thingName: "none" })), ...notFound);
  });
});

describe("thing types", () => {
  test("are described, deprecated and not deleted within five minutes", async () => {
    const thingTypeProperties = { thingTypeDescription: "button" };
    const made = await client.send(new CreateThingTypeCommand({ thingTypeName: "button", thingTypeProperties }));
    expect(made).toMatchObject({ thingTypeName: "button", thingTypeArn: `${account}:thingtype/button` });
    const described = await client.send(new DescribeThingTypeCommand({ thingTypeName: "button" }));
    expect(described).toMatchObject({
      thingTypeId: made.thingTypeId,
      thingTypeProperties,
      thingTypeMetadata: { deprecated: false },
    });
    const clash = new CreateThingTypeCommand({
      thingTypeName: "button",
      thingTypeProperties: { thingTypeDescription: "x" },
    });
    await expectException(client.send(clash), "ResourceAlreadyExistsException", 409);
    await client.send(new DeprecateThingTypeCommand({ thingTypeName: "button" }));
    await expectException(create("of-old-type", { thingTypeName: "button" }), ...invalid);
    await expectException(client.send(new DeleteThingTypeCommand({ thingTypeName: "button" })), ...invalid);
    const { thingTypes } = await client.send(new ListThingTypesCommand({ thingTypeName: "button" }));
    expect(thingTypes).toMatchObject([
      { thingTypeMetadata: { deprecated: true, deprecationDate: expect.any(Date) as Date } },
    ]);
    await client.send(new DeprecateThingTypeCommand({ thingTypeName: "button", undoDeprecate: true }));
    await create("of-type", { thingTypeName: "button" });
    for (const call of [
      () => client.send(new DescribeThingTypeCommand({ thingTypeName: "none" })),
      () => client.send(new DeprecateThingTypeCommand({ thingTypeName: "none" })),
      () => client.send(new DeleteThingTypeCommand({ thingTypeName: "none" })),
    ]) {
      await expectException(call(), ...notFound);
    }
  });
});

describe("tags", () => {
  test("are added, listed and removed", async () => {
    await client.send(new CreateThingGroupCommand({ thingGroupName: "tagged", tags: [{ Key: "a", Value: "1" }] }));
    const resourceArn = `${account}:thinggroup/tagged`;
    await client.send(
      new TagResourceCommand({
        resourceArn,
        tags: [
          { Key: "ключ", Value: "ü" },
          { Key: "a", Value: "2" },
        ],
      }),
    );
    const listed = async (): Promise<unknown> =>
      (await client.send(new ListTagsForResourceCommand({ resourceArn }))).tags;
    expect(await listed()).toEqual([
      { Key: "a", Value: "2" },
      { Key: "ключ", Value: "ü" },
    ]);
    await client.send(new UntagResourceCommand({ resourceArn, tagKeys: ["a", "unknown"] }));
    expect(await listed()).toEqual([{ Key: "ключ", Value: "ü" }]);
    const more = (from: number, count: number): { Key: string }[] =>
      Array.from({ length: count }, (_, index) => ({ Key: `k${from + index}` }));
    await client.send(new TagResourceCommand({ resourceArn, tags: more(0, 49) }));
    await expectException(
      client.send(new TagResourceCommand({ resourceArn, tags: more(50, 1) })),
      "LimitExceededException",
      410,
    );
    for (const call of [
      () => client.send(new TagResourceCommand({ resourceArn: `${account}:policy/none`, tags: [] })),
      () => client.send(new UntagResourceCommand({ resourceArn: `${account}:policy/none`, tagKeys: [] })),
      () => client.send(new ListTagsForResourceCommand({ resourceArn: `${account}:policy/none` })),
    ]) {
      await expectException(call(), ...notFound);
    }
    await expectException(
      client.send(new ListTagsForResourceCommand({ resourceArn: `${account}:thing/t` })),
      ...invalid,
    );
    await expectException(client.send(new TagResourceCommand({ resourceArn, tags: [{ Key: "a\u0000" }] })), ...invalid);
  });
});

describe("provisioning", () => {
  const provisioningRoleArn = "arn:aws:iam::000000000000:role/provisioning";
  const templateBody = JSON.stringify({
    Parameters: { Csr: { Type: "String" }, Name: { Type: "String" } },
    Resources: {
      thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: { Ref: "Name" } } },
      certificate: {
        Type: "AWS::IoT::Certificate",
        Properties: { CertificateSigningRequest: { Ref: "Csr" }, Status: "ACTIVE" },
      },
    },
  });

  test("RegisterThing carries a template out", async () => {
    const parameters = { Csr: makeRequestPem("provisioned"), Name: "provisioned" };
    const made = await client.send(new RegisterThingCommand({ templateBody, parameters }));
    expect(made.certificatePem).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(made.resourceArns).toMatchObject({ thing: `${account}:thing/provisioned` });
    expect(await client.send(new ListThingPrincipalsCommand({ thingName: "provisioned" }))).toMatchObject({
      principals: [made.resourceArns?.["certificate"]],
    });
    for (const wrong of [{ templateBody: "{}" }, { templateBody, parameters: {} }]) {
      await expectException(client.send(new RegisterThingCommand(wrong)), "ResourceRegistrationFailureException", 400);
    }
  });

  test("templates are created, described, changed, listed and deleted; a claim is short-lived", async () => {
    const template = { templateName: "fleet", templateBody, provisioningRoleArn, description: "für alle" };
    const made = await client.send(new CreateProvisioningTemplateCommand(template));
    expect(made).toMatchObject({ templateArn: `${account}:provisioningtemplate/fleet`, defaultVersionId: 1 });
    await expectException(
      client.send(new CreateProvisioningTemplateCommand(template)),
      "ResourceAlreadyExistsException",
      409,
    );
    await client.send(new UpdateProvisioningTemplateCommand({ templateName: "fleet", enabled: true }));
    expect(await client.send(new DescribeProvisioningTemplateCommand({ templateName: "fleet" }))).toMatchObject({
      ...template,
      enabled: true,
      type: "FLEET_PROVISIONING",
      creationDate: expect.any(Date) as Date,
    });
    expect(await client.send(new ListProvisioningTemplatesCommand({}))).toMatchObject({
      templates: [{ templateName: "fleet" }],
    });
    const claim = await client.send(new CreateProvisioningClaimCommand({ templateName: "fleet" }));
    expect(claim.keyPair?.PrivateKey).toMatch(/PRIVATE KEY/);
    const leftMs = (claim.expiration?.getTime() ?? 0) - Date.now();
    expect(leftMs).toBeGreaterThan(4 * 60_000);
    expect(leftMs).toBeLessThanOrEqual(5 * 60_000);
    await client.send(new DeleteProvisioningTemplateCommand({ templateName: "fleet" }));
    for (const call of [
      () => client.send(new DeleteProvisioningTemplateCommand({ templateName: "fleet" })),
      () => client.send(new DescribeProvisioningTemplateCommand({ templateName: "fleet" })),
      () => client.send(new UpdateProvisioningTemplateCommand({ templateName: "fleet" })),
      () => client.send(new CreateProvisioningClaimCommand({ templateName: "fleet" })),
    ]) {
      await expectException(call(), ...notFound);
    }
    const hook = {
      ...template,
      preProvisioningHook: { targetArn: "arn:aws:lambda:us-east-1:000000000000:function:f" },
    };
    await expectException(client.send(new CreateProvisioningTemplateCommand(hook)), ...invalid);
    await expectException(
      client.send(new CreateProvisioningTemplateCommand({ ...template, templateName: "a.b" })),
      ...invalid,
    );
  });
});

describe("endpoints", () => {
  test.each(["iot:Data-ATS", "iot:Data", undefined])(
    "of type %s are a host without scheme and port",
    async (endpointType) => {
      const { endpointAddress } = await client.send(new DescribeEndpointCommand({ endpointType }));
      expect(endpointAddress).toMatch(/^[a-z0-9.-]+$/);
    },
  );
  test.each(["iot:Jobs", "iot:CredentialProvider", "iot:Moon"])("of type %s are refused", async (endpointType) => {
    await expectException(client.send(new DescribeEndpointCommand({ endpointType })), ...invalid);
  });
  test("the data endpoint is a domain configuration; there are no others, and no authorizers", async () => {
    const { endpointAddress } = await client.send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" }));
    const domain = new DescribeDomainConfigurationCommand({ domainConfigurationName: "iot:Data-ATS" });
    expect(await client.send(domain)).toMatchObject({
      domainName: endpointAddress,
      domainConfigurationStatus: "ENABLED",
    });
    const other = new DescribeDomainConfigurationCommand({ domainConfigurationName: "none" });
    await expectException(client.send(other), ...notFound);
    const invoke = new TestInvokeAuthorizerCommand({
      authorizerName: "a",
      mqttContext: { password: new Uint8Array([0, 255]) },
    });
    await expectException(client.send(invoke), ...notFound);
  });
});
