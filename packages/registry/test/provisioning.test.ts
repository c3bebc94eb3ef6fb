import { describe, expect, test } from "vitest";
import {
  defaultScope as scope,
  evaluateTemplate,
  readTemplate,
  type ProvisioningHook,
  type ProvisioningHookAnswer,
  type ProvisioningHookRequest,
} from "../src/index.ts";
import { allow, idOf, makeAuthority, makeDevice, makeRequestPem, pemOf, Workshop } from "./workshop.ts";

type Json = Record<string, unknown>;
const certificateOnly = { c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: "x" } } };

function template(resources: Json, more: Json = {}): string {
  return JSON.stringify({ Resources: { ...certificateOnly, ...resources }, ...more });
}

/** The thing's name that a function gives. */
function evaluated(value: unknown, more: Json = {}, parameters: Record<string, string> = {}): string | undefined {
  const body = template({ t: { Type: "AWS::IoT::Thing", Properties: { ThingName: value } } }, more);
  return evaluateTemplate(readTemplate(body), parameters).thing?.thingName;
}

describe("functions", () => {
  const more = {
    Parameters: { Name: { Type: "String" }, Site: { Type: "String", Default: "north" } },
    Mappings: { Sites: { north: { Zone: "n1", List: ["a", "b"] } } },
  };
  test.each([
    ["plain", "plain"],
    [{ Ref: "Name" }, "lamp"],
    [{ Ref: "Site" }, "north"],
    [{ "Fn::Join": ["-", ["a", { Ref: "Name" }, "b"]] }, "a-lamp-b"],
    [{ "Fn::Select": [1, ["x", "y"]] }, "y"],
    [{ "Fn::Select": ["0", { "Fn::Split": [":", "p:q"] }] }, "p"],
    [{ "Fn::Sub": "${Name}_${Site}_${!Name}" }, "lamp_north_${Name}"],
    [{ "Fn::Sub": ["${A}${Name}", { A: { "Fn::Join": ["", ["1", "2"]] } }] }, "12lamp"],
    [{ "Fn::FindInMap": ["Sites", { Ref: "Site" }, "Zone"] }, "n1"],
    [{ "Fn::Select": ["1", { "Fn::FindInMap": ["Sites", "north", "List"] }] }, "b"],
  ])("%j is %j", (value, expected) => {
    expect(evaluated(value, more, { Name: "lamp" })).toBe(expected);
  });

  test.each([
    [{ Ref: "None" }, /"None" is not a parameter/],
    [{ Ref: "constructor" }, /is not a parameter/],
    [{ "Fn::Nope": 1 }, /possible functions: Ref, /],
    [{ "Fn::Join": ["-"] }, /an array of 2/],
    [{ "Fn::Select": [5, ["x"]] }, /index 5 of 1 items/],
    [{ "Fn::FindInMap": ["Sites", "north", "__proto__"] }, /there is no Sites.north.__proto__/],
    [["a"], /a text, and it is a list/],
    [{ Ref: "Name", Other: 1 }, /an object with one member/],
    [17, /has to be an object/],
    [undefined, /has to be there, and not empty/],
    ["", /has to be there, and not empty/],
  ])("%j is refused with its path", (value, message) => {
    expect(() => evaluated(value, more, { Name: "lamp" })).toThrow(message);
  });

  test("a parameter without value and default is refused, one that was not declared is passed over", () => {
    expect(() => evaluated("x", more)).toThrow("$.Parameters.Name");
    expect(evaluated("x", more, { Name: "n", Other: "o" })).toBe("x");
  });

  test("functions inside functions have a limit", () => {
    let value: unknown = "x";
    for (let i = 0; i < 40; i++) value = { "Fn::Join": ["", [value]] };
    expect(() => evaluated(value)).toThrow("at most 16 are possible");
  });
});

test.each([
  ["no JSON", "{", /not JSON/],
  ["too long", JSON.stringify({ x: "y".repeat(10_240) }), /at most 10240/],
  ["an unknown member", template({}, { Outputs: {} }), /only Parameters, Mappings/],
  ["no certificate", JSON.stringify({ Resources: {} }), /0 resources of type AWS::IoT::Certificate/],
  ["two certificates", template({ d: certificateOnly.c }), /2 resources/],
  ["an unknown type", template({ x: { Type: "AWS::S3::Bucket" } }), /has to be one of/],
  ["a parameter of another type", template({}, { Parameters: { P: { Type: "Number" } } }), /"String"/],
  [
    "MERGE for a name",
    template({ t: { Type: "AWS::IoT::Thing", Properties: {}, OverrideSettings: { ThingName: "MERGE" } } }),
    /MERGE is for/,
  ],
])("a template with %s is refused when it is read", (_, body, message) => {
  expect(() => readTemplate(body)).toThrow(message);
});

const full = (thing: Json = {}, certificate: Json = {}): string =>
  JSON.stringify({
    Parameters: {
      Name: { Type: "String" },
      Csr: { Type: "String", Default: "none" },
      "AWS::IoT::Certificate::Id": { Type: "String", Default: "none" },
    },
    Resources: {
      thing: {
        Type: "AWS::IoT::Thing",
        Properties: { ThingName: { Ref: "Name" }, AttributePayload: { room: "hall" }, ThingGroups: ["g"] },
        ...thing,
      },
      certificate: {
        Type: "AWS::IoT::Certificate",
        Properties: { CertificateSigningRequest: { Ref: "Csr" } },
        ...certificate,
      },
      named: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "p" } },
      made: {
        Type: "AWS::IoT::Policy",
        Properties: { PolicyDocument: JSON.parse(allow("iot:Publish", "topic/made")) },
      },
    },
    DeviceConfiguration: { url: { "Fn::Sub": "https://example/${Name}" } },
  });

const never: ProvisioningHook["wait"] = () => new Promise(() => {});

async function shop(ask?: ProvisioningHook["ask"], wait = never): Promise<Workshop> {
  const workshop = await Workshop.open({ provisioningHook: ask && { ask, wait } });
  await workshop.registry.policies.create(scope, "p", allow("iot:Publish", "topic/p"));
  await workshop.registry.thingGroups.create(scope, "g");
  return workshop;
}

describe("RegisterThing", () => {
  test("makes all that the template says, and names it by ARN", async () => {
    await using workshop = await shop();
    const { registry } = workshop;
    const made = await registry.templates.registerThing(scope, full(), { Name: "lamp", Csr: makeRequestPem() });
    const { certificateId } = made.certificate;
    expect(made).toMatchObject({
      thingName: "lamp",
      certificate: { status: "ACTIVE" },
      deviceConfiguration: { url: "https://example/lamp" },
      resourceArns: {
        thing: "arn:aws:iot:us-east-1:000000000000:thing/lamp",
        certificate: `arn:aws:iot:us-east-1:000000000000:cert/${certificateId}`,
        named: "arn:aws:iot:us-east-1:000000000000:policy/p",
        made: expect.stringMatching(/policy\/[0-9a-f]{64}$/),
      },
    });
    expect(registry.thingGroups.listGroupsOfThing(scope, "lamp").items).toEqual(["g"]);
    expect(registry.effectivePolicies(scope, certificateId)).toHaveLength(2);
  });

  test.each([
    ["a name that cannot be", { Name: "a b", Csr: makeRequestPem() }, full()],
    ["a group that does not exist", { Name: "lamp", Csr: makeRequestPem() }, full().replace('["g"]', '["none"]')],
    [
      "a policy that does not exist",
      { Name: "lamp", Csr: makeRequestPem() },
      full().replace('"PolicyName":"p"', '"PolicyName":"q"'),
    ],
    ["a request that is none", { Name: "lamp", Csr: "hello" }, full()],
    ["a missing parameter", { Csr: makeRequestPem() }, full()],
  ] as [string, Record<string, string>, string][])("with %s makes nothing at all", async (_, parameters, body) => {
    await using workshop = await shop();
    const { registry } = workshop;
    await expect(registry.templates.registerThing(scope, body, parameters)).rejects.toMatchObject({
      name: "RegistryError",
    });
    expect([registry.things.list(scope).items, registry.certificates.list(scope).items]).toEqual([[], []]);
    expect(registry.policies.list(scope).items.map((one) => one.policyName)).toEqual(["p"]);
  });

  test.each([
    ["DO_NOTHING", { room: "kitchen" }],
    ["REPLACE", { room: "hall" }],
    ["MERGE", { room: "hall", floor: "2" }],
    ["FAIL", undefined],
  ])("on a thing that exists, with %s", async (setting, attributes) => {
    await using workshop = await shop();
    const { registry } = workshop;
    const before = setting === "MERGE" ? { room: "kitchen", floor: "2" } : { room: "kitchen" };
    await registry.things.create(scope, "lamp", { attributes: before });
    const body = full({ OverrideSettings: { AttributePayload: setting, ThingGroups: "DO_NOTHING" } });
    const made = registry.templates.registerThing(scope, body, { Name: "lamp", Csr: makeRequestPem() });
    if (attributes === undefined) await expect(made).rejects.toMatchObject({ code: "ERR_REGISTRY_PROVISIONING" });
    else await made;
    expect(registry.things.describe(scope, "lamp").attributes).toEqual(attributes ?? before);
    expect(registry.thingGroups.listGroupsOfThing(scope, "lamp").items).toEqual([]);
  });

  test("with a certificate of a registered authority, which must be ACTIVE", async () => {
    await using workshop = await shop();
    const authority = makeAuthority();
    const id = await workshop.registerAuthority(authority);
    const device = makeDevice(authority);
    const properties = {
      CertificatePem: pemOf(device),
      CACertificatePem: pemOf(authority.certificate),
      Status: "INACTIVE",
    };
    const body = full({}, { Properties: properties });
    await workshop.registry.authorities.update(scope, id, { status: "INACTIVE" });
    await expect(workshop.registry.templates.registerThing(scope, body, { Name: "lamp" })).rejects.toThrow("ACTIVE");
    await workshop.registry.authorities.update(scope, id, { status: "ACTIVE" });
    const made = await workshop.registry.templates.registerThing(scope, body, { Name: "lamp" });
    expect(made.certificate).toMatchObject({ certificateId: idOf(device), status: "INACTIVE", caCertificateId: id });
  });
});

describe("fleet provisioning by claim", () => {
  const claimed = full({}, { Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" } } });

  async function fleet(ask?: ProvisioningHook["ask"], enabled = true, wait = never): Promise<Workshop> {
    const workshop = await shop(ask, wait);
    await workshop.registry.templates.create(scope, "fleet", {
      templateBody: claimed,
      provisioningRoleArn: "arn:aws:iam::000000000000:role/x",
      enabled,
    });
    return workshop;
  }

  test("provisions the certificate of a token once", async () => {
    await using workshop = await fleet();
    const { templates, certificates } = workshop.registry;
    const { record, certificateOwnershipToken, privateKeyPem } = await templates.claimKeysAndCertificate(scope);
    expect(privateKeyPem).toContain("PRIVATE KEY");
    expect(record.status).toBe("PENDING_ACTIVATION");
    const request = { templateName: "fleet", certificateOwnershipToken, parameters: { Name: "lamp" } };
    const [one, two] = await Promise.allSettled([
      templates.provisionByClaim(scope, request),
      templates.provisionByClaim(scope, request),
    ]);
    expect([one.status, two.status].sort()).toEqual(["fulfilled", "rejected"]);
    expect(certificates.describe(scope, record.certificateId).status).toBe("ACTIVE");
    await expect(templates.provisionByClaim(scope, request)).rejects.toMatchObject({
      code: "ERR_REGISTRY_ACCESS_DENIED",
    });
  });

  test("refuses a wrong token, an expired one, and a disabled template", async () => {
    await using workshop = await fleet();
    const { templates } = workshop.registry;
    const parameters = { Name: "lamp" };
    const { certificateOwnershipToken } = await templates.claimFromCsr(scope, makeRequestPem());
    const denied = { code: "ERR_REGISTRY_ACCESS_DENIED" };
    const wrong = { templateName: "fleet", certificateOwnershipToken: "0".repeat(64), parameters };
    await expect(templates.provisionByClaim(scope, wrong)).rejects.toMatchObject(denied);
    await templates.update(scope, "fleet", { enabled: false });
    const right = { templateName: "fleet", certificateOwnershipToken, parameters };
    await expect(templates.provisionByClaim(scope, right)).rejects.toMatchObject(denied);
    await templates.update(scope, "fleet", { enabled: true });
    workshop.nowSeconds += 3601;
    await expect(templates.provisionByClaim(scope, right)).rejects.toMatchObject(denied);
    expect(workshop.registry.things.list(scope).items).toEqual([]);
  });

  test("removes certificates that nobody claimed in time, and keeps those that were", async () => {
    await using workshop = await fleet();
    const { templates, certificates } = workshop.registry;
    const lost = await templates.claimFromCsr(scope, makeRequestPem());
    const kept = await templates.claimFromCsr(scope, makeRequestPem());
    const { certificateOwnershipToken } = kept;
    await templates.provisionByClaim(scope, {
      templateName: "fleet",
      certificateOwnershipToken,
      parameters: { Name: "lamp" },
    });
    expect(await templates.removeUnclaimed(scope)).toBe(0);
    workshop.nowSeconds += 3601;
    expect(await templates.removeUnclaimed(scope)).toBe(1);
    expect(certificates.list(scope).items.map((one) => one.certificateId)).toEqual([kept.record.certificateId]);
    expect(lost.record.certificateId).not.toBe(kept.record.certificateId);
  });

  test("tokens are stored as hashes only", async () => {
    await using workshop = await fleet();
    const { certificateOwnershipToken } = await workshop.registry.templates.claimFromCsr(scope, makeRequestPem());
    const stored = JSON.stringify(workshop.storage.read((reader) => reader.scan("ownership-token", "", { limit: 9 })));
    expect(stored).not.toContain(certificateOwnershipToken);
  });

  test("asks the hook, which can refuse, fail and override parameters", async () => {
    const asked: ProvisioningHookRequest[] = [];
    let answer: ProvisioningHookAnswer | Error = new Error("down");
    await using workshop = await fleet(async (request) => {
      asked.push(request);
      if (answer instanceof Error) throw answer;
      return answer;
    });
    const { templates } = workshop.registry;
    const { record, certificateOwnershipToken } = await templates.claimFromCsr(scope, makeRequestPem());
    const provision = (): Promise<unknown> =>
      templates.provisionByClaim(scope, {
        templateName: "fleet",
        certificateOwnershipToken,
        parameters: { Name: "lamp" },
        clientIdentifier: "c",
      });
    await expect(provision()).rejects.toMatchObject({ code: "ERR_REGISTRY_ACCESS_DENIED" });
    answer = { allowProvisioning: false };
    await expect(provision()).rejects.toMatchObject({ code: "ERR_REGISTRY_ACCESS_DENIED" });
    answer = {
      allowProvisioning: true,
      parameterOverrides: { Name: "renamed", "AWS::IoT::Certificate::Id": "0".repeat(64) },
    };
    expect(await provision()).toMatchObject({
      thingName: "renamed",
      certificate: { certificateId: record.certificateId },
    });
    expect(asked.at(-1)).toMatchObject({
      certificateId: record.certificateId,
      clientId: "c",
      parameters: { Name: "lamp" },
    });
  });

  test("refuses when the hook has not answered after five seconds, and the token can be used again", async () => {
    let isStuck = true;
    const waited: number[] = [];
    const hook = async (): Promise<ProvisioningHookAnswer> =>
      isStuck ? new Promise(() => {}) : { allowProvisioning: true };
    await using workshop = await fleet(hook, true, async (milliseconds) => {
      waited.push(milliseconds);
      if (!isStuck) await never(milliseconds);
    });
    const { templates } = workshop.registry;
    const { certificateOwnershipToken } = await templates.claimFromCsr(scope, makeRequestPem());
    const request = { templateName: "fleet", certificateOwnershipToken, parameters: { Name: "lamp" } };
    await expect(templates.provisionByClaim(scope, request)).rejects.toMatchObject({
      code: "ERR_REGISTRY_ACCESS_DENIED",
      message: "the pre-provisioning hook did not answer within 5 s",
    });
    expect(waited).toEqual([5000]);
    isStuck = false;
    expect(await templates.provisionByClaim(scope, request)).toMatchObject({ thingName: "lamp" });
  });

  test.each([
    ["a text for yes", { allowProvisioning: "false" }],
    ["a number for yes", { allowProvisioning: 1 }],
    ["no word on it", {}],
    ["nothing", undefined],
    ["null", null],
    ["overrides that are no texts", { allowProvisioning: true, parameterOverrides: { Name: null } }],
    ["overrides that are a text", { allowProvisioning: true, parameterOverrides: "abc" }],
  ])("refuses an answer of the hook that is none: %s", async (_, given) => {
    // Stands for a hook in JavaScript, which is not held to the types.
    const untyped: any = given;
    await using workshop = await fleet(async () => untyped);
    const { templates } = workshop.registry;
    const { certificateOwnershipToken } = await templates.claimFromCsr(scope, makeRequestPem());
    const request = { templateName: "fleet", certificateOwnershipToken, parameters: { Name: "lamp" } };
    await expect(templates.provisionByClaim(scope, request)).rejects.toMatchObject({
      code: "ERR_REGISTRY_ACCESS_DENIED",
      evidence: { reason: "hook" },
    });
    expect(workshop.registry.things.list(scope).items).toEqual([]);
  });

  test("claims with a certificate that lives five minutes", async () => {
    await using workshop = await fleet();
    const claim = await workshop.registry.templates.createClaim(scope, "fleet");
    expect(claim.record.status).toBe("ACTIVE");
    expect(claim.expirationSeconds).toBe(workshop.nowSeconds + 300);
    await expect(workshop.registry.templates.createClaim(scope, "none")).rejects.toMatchObject({
      code: "ERR_REGISTRY_NOT_FOUND",
    });
  });

  test("templates are created once, listed and deleted", async () => {
    await using workshop = await fleet();
    const { templates } = workshop.registry;
    const again = templates.create(scope, "fleet", { templateBody: claimed, provisioningRoleArn: "" });
    await expect(again).rejects.toMatchObject({ code: "ERR_REGISTRY_ALREADY_EXISTS" });
    expect(templates.list(scope).items.map((one) => one.templateName)).toEqual(["fleet"]);
    const { certificateId } = await workshop.registry.authorities.register(scope, {
      caCertificatePem: pemOf(makeAuthority("factory").certificate),
      certificateMode: "SNI_ONLY",
      registrationConfig: { templateName: "fleet" },
    });
    await expect(templates.delete(scope, "fleet")).rejects.toMatchObject({
      code: "ERR_REGISTRY_DELETE_CONFLICT",
      evidence: { attached: [`certificate authority ${certificateId}`] },
    });
    await workshop.registry.authorities.delete(scope, certificateId);
    await templates.delete(scope, "fleet");
    await expect(templates.delete(scope, "fleet")).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
  });
});

describe("a hostile template", () => {
  /** Each level uses the one below it many times. */
  function nested(levels: number, times: number): unknown {
    let value: unknown = "x";
    for (let level = 0; level < levels; level++) value = { "Fn::Sub": ["${a}".repeat(times), { a: value }] };
    return value;
  }

  test.each([
    ["Fn::Sub in Fn::Sub", nested(7, 100)],
    ["Fn::Sub of few uses in many levels", nested(7, 8)],
  ])("that grows with each level is refused before it is made: %s", (_, value) => {
    expect(() => evaluated(value)).toThrow(/more than \d+ (functions|characters)|functions make more than/);
  });

  test("that repeats mappings is refused", () => {
    const mappings: Json = { m: { l0: { v: "x" } } };
    const levels: Json = { l0: { v: "x" } };
    for (let level = 1; level < 7; level++) {
      const below = { "Fn::FindInMap": ["m", `l${level - 1}`, "v"] };
      levels[`l${level}`] = { "Fn::Join": ["", Array.from({ length: 20 }, () => below)] };
    }
    for (const [name, value] of Object.entries(levels)) Object.assign(mappings["m"] ?? {}, { [name]: { v: value } });
    expect(() => evaluated({ "Fn::FindInMap": ["m", "l6", "v"] }, { Mappings: mappings })).toThrow(/more than|at most/);
  });

  test("that repeats a long parameter is refused, whichever function makes it long", () => {
    const more = { Parameters: { Long: { Type: "String" } } };
    const parameters = { Long: "x".repeat(200_000) };
    const functions = [
      { "Fn::Sub": "${Long}".repeat(10) },
      { "Fn::Join": ["", Array.from({ length: 10 }, () => ({ Ref: "Long" }))] },
      { "Fn::Join": [{ Ref: "Long" }, Array.from({ length: 10 }, () => "x")] },
    ];
    for (const value of functions) expect(() => evaluated(value, more, parameters)).toThrow(/characters/);
  });

  test("whose text begins many variables and ends none is read once", () => {
    const more = { Parameters: { Long: { Type: "String" } } };
    const long = "${".repeat(200_000);
    expect(evaluated({ "Fn::Sub": [{ Ref: "Long" }, {}] }, more, { Long: long })).toBe(long);
  });
});

test("a template makes the thing exclusive where it says so", async () => {
  await using workshop = await Workshop.open();
  const { id } = await workshop.activeDevice();
  const body = (type: string): string =>
    JSON.stringify({
      Resources: {
        c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: id, ThingPrincipalType: type } },
        t: { Type: "AWS::IoT::Thing", Properties: { ThingName: "lamp" } },
      },
    });
  await expect(workshop.registry.templates.registerThing(scope, body("MINE"), {})).rejects.toMatchObject({
    code: "ERR_REGISTRY_PROVISIONING",
    evidence: { path: "$.Resources.c.Properties.ThingPrincipalType" },
  });
  await workshop.registry.templates.registerThing(scope, body("EXCLUSIVE_THING"), {});
  expect(workshop.registry.things.listPrincipals(scope, "lamp").items).toEqual([
    { thingName: "lamp", certificateId: id, type: "EXCLUSIVE_THING" },
  ]);
});

test("unclaimed certificates that were deleted or put to use meanwhile do not keep others from being removed", async () => {
  await using workshop = await Workshop.open();
  const { registry } = workshop;
  const ids: string[] = [];
  for (let i = 0; i < 4; i++) {
    ids.push((await registry.templates.claimFromCsr(scope, makeRequestPem())).record.certificateId);
  }
  const [deleted = "", withPolicy = "", withThing = "", unused = ""] = ids;
  await registry.certificates.delete(scope, deleted);
  await registry.policies.create(scope, "p", allow("iot:Connect", "*"));
  await registry.policies.attach(scope, "p", { kind: "cert", certificateId: withPolicy });
  await registry.things.create(scope, "lamp");
  await registry.things.attachPrincipal(scope, "lamp", withThing);
  workshop.nowSeconds += 3601;
  expect(await registry.templates.removeUnclaimed(scope)).toBe(1);
  const kept = registry.certificates.list(scope).items.map(({ certificateId }) => certificateId);
  expect(kept).toEqual([withPolicy, withThing]);
  expect(kept).not.toContain(unused);
  await registry.policies.detach(scope, "p", { kind: "cert", certificateId: withPolicy });
  await registry.policies.delete(scope, "p");
});

test("a template for just-in-time provisioning is not carried out by a claim", async () => {
  await using workshop = await Workshop.open();
  const { templates } = workshop.registry;
  const input = { templateBody: template({}), provisioningRoleArn: "arn:aws:iam::000000000000:role/r", enabled: true };
  await templates.create(scope, "jitp", { ...input, type: "JITP" });
  const { certificateOwnershipToken } = await templates.claimFromCsr(scope, makeRequestPem());
  const request = { templateName: "jitp", certificateOwnershipToken, parameters: {} };
  await expect(templates.provisionByClaim(scope, request)).rejects.toMatchObject({
    code: "ERR_REGISTRY_ACCESS_DENIED",
  });
});
