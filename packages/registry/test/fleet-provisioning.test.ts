/** Fleet provisioning as a device sees it: topics and payloads. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMemoryStorage, defaultScope as scope, RegistryError, type Storage } from "../src/index.ts";
import { maximumProvisioningPayloadOctets, maximumProvisioningRequestsAtOnce } from "../src/limits.ts";
import { readCbor, writeCbor, type CborValue } from "../src/cbor.ts";
import type { ProvisioningHook, ProvisioningHookRequest } from "../src/index.ts";
import { allow, derOf, makeRequestPem, newKey, Workshop } from "./workshop.ts";

const create = "$aws/certificates/create/json";
const createFromCsr = "$aws/certificates/create-from-csr/json";
const provision = "$aws/provisioning-templates/fleet/provision/json";

const templateBody = JSON.stringify({
  Parameters: { Serial: { Type: "String" }, "AWS::IoT::Certificate::Id": { Type: "String" } },
  Resources: {
    thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: { Ref: "Serial" } } },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "ACTIVE" },
    },
    policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "device" } },
  },
  DeviceConfiguration: { url: "https://example.com" },
});

async function open(ask?: ProvisioningHook["ask"], storage: Storage = createMemoryStorage()): Promise<Workshop> {
  const workshop = await Workshop.open({
    provisioningHook: ask && { ask, wait: () => new Promise(() => {}) },
    storage,
  });
  await workshop.registry.policies.create(scope, "device", allow("iot:Connect", "*"));
  await workshop.registry.templates.create(scope, "fleet", { templateBody, provisioningRoleArn: "", enabled: true });
  return workshop;
}

interface Answer {
  readonly topic: string | undefined;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Publishes `payload`, as JSON unless it is octets, and reads the answer. */
async function ask({ registry }: Workshop, topic: string, payload: unknown = ""): Promise<Answer> {
  const octets = typeof payload === "string" ? new TextEncoder().encode(payload) : undefined;
  const answer = await registry.fleetProvisioning.answer(
    { scope, claimCertificateId: "c".repeat(64), clientIdentifier: "claimer" },
    {
      topic,
      payload: payload instanceof Uint8Array ? payload : (octets ?? new TextEncoder().encode(JSON.stringify(payload))),
    },
  );
  return {
    topic: answer?.topic,
    payload: answer === undefined ? {} : JSON.parse(new TextDecoder().decode(answer.payload)),
  };
}

const refused = (topic: string, statusCode: number, errorCode: string): unknown => ({
  topic: `${topic}/rejected`,
  payload: { statusCode, errorCode, errorMessage: expect.any(String) },
});

describe("a device with a claim", () => {
  test("gets a key pair and a certificate, is provisioned by the token, and connects", async () => {
    await using workshop = await open();
    const { registry } = workshop;
    const made = await ask(workshop, create, "");
    expect(made).toEqual({
      topic: `${create}/accepted`,
      payload: {
        certificateId: expect.stringMatching(/^[0-9a-f]{64}$/),
        certificatePem: expect.stringContaining("BEGIN CERTIFICATE"),
        privateKey: expect.stringContaining("BEGIN RSA PRIVATE KEY"),
        certificateOwnershipToken: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    const { certificatePem, certificateOwnershipToken } = made.payload;
    const connect = () => registry.resolvePrincipal([derOf(String(certificatePem))], undefined);
    expect(await connect()).toMatchObject({ code: "ERR_IDENTITY_PENDING_ACTIVATION" });
    const parameters = { Serial: "lamp-1" };
    expect(await ask(workshop, provision, { certificateOwnershipToken, parameters })).toEqual({
      topic: `${provision}/accepted`,
      payload: { thingName: "lamp-1", deviceConfiguration: { url: "https://example.com" } },
    });
    expect(await connect()).toMatchObject({ ok: true, principal: { certificateId: made.payload["certificateId"] } });
    // The token was for once.
    expect(await ask(workshop, provision, { certificateOwnershipToken, parameters })).toEqual(
      refused(provision, 400, "InvalidCertificateOwnershipToken"),
    );
  });

  test("keeps its own key with a request", async () => {
    await using workshop = await open();
    const key = newKey();
    const { topic, payload } = await ask(workshop, createFromCsr, { certificateSigningRequest: makeRequestPem(key) });
    expect([topic, Object.keys(payload)]).toEqual([
      `${createFromCsr}/accepted`,
      ["certificateId", "certificatePem", "certificateOwnershipToken"],
    ]);
  });

  test("is what the hook is told about", async () => {
    const asked: ProvisioningHookRequest[] = [];
    let allowProvisioning = false;
    await using workshop = await open(async (request) => {
      asked.push(request);
      return { allowProvisioning, parameterOverrides: { Serial: "by-the-hook" } };
    });
    const { payload } = await ask(workshop, createFromCsr, { certificateSigningRequest: makeRequestPem() });
    const { certificateOwnershipToken, certificateId } = payload;
    const request = { certificateOwnershipToken, parameters: { Serial: "mine" } };
    expect(await ask(workshop, provision, request)).toEqual(refused(provision, 403, "AccessDenied"));
    expect(asked).toMatchObject([
      { claimCertificateId: "c".repeat(64), clientId: "claimer", certificateId, parameters: { Serial: "mine" } },
    ]);
    allowProvisioning = true;
    expect(await ask(workshop, provision, request)).toMatchObject({ payload: { thingName: "by-the-hook" } });
  });
});

test("a device that speaks CBOR is answered in CBOR", async () => {
  await using workshop = await open();
  const { fleetProvisioning } = workshop.registry;
  const say = async (topic: string, payload: CborValue) => {
    const answer = await fleetProvisioning.answer({ scope }, { topic, payload: writeCbor(payload) });
    return { topic: answer?.topic, payload: readCbor(answer?.payload ?? new Uint8Array())?.value };
  };
  const [createCbor, provisionCbor] = [createFromCsr.replace("json", "cbor"), provision.replace("json", "cbor")];
  const made = await say(createCbor, { certificateSigningRequest: makeRequestPem() });
  expect(made).toEqual({
    topic: `${createCbor}/accepted`,
    payload: {
      certificateId: expect.stringMatching(/^[0-9a-f]{64}$/),
      certificatePem: expect.stringContaining("BEGIN CERTIFICATE"),
      certificateOwnershipToken: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  });
  const { certificateOwnershipToken = "" } = made.payload as Record<string, string>;
  expect(await say(provisionCbor, { certificateOwnershipToken, parameters: { Serial: "lamp" } })).toEqual({
    topic: `${provisionCbor}/accepted`,
    payload: { deviceConfiguration: { url: "https://example.com" }, thingName: "lamp" },
  });
  expect(await say(provisionCbor, { certificateOwnershipToken })).toEqual(
    refused(provisionCbor, 400, "InvalidCertificateOwnershipToken"),
  );
  const json = new TextEncoder().encode(JSON.stringify({ certificateSigningRequest: makeRequestPem() }));
  const answer = await fleetProvisioning.answer({ scope }, { topic: createCbor, payload: json });
  expect(readCbor(answer?.payload ?? new Uint8Array())?.value).toMatchObject({ errorCode: "InvalidPayload" });
});

describe("a request that is refused", () => {
  const token = "0".repeat(64);
  test.each<[string, string, unknown, number, string]>([
    ["no JSON", create, "{", 400, "InvalidPayload"],
    ["a list", createFromCsr, "[]", 400, "InvalidPayload"],
    ["null", createFromCsr, "null", 400, "InvalidPayload"],
    ["no UTF-8", create, Uint8Array.of(0x22, 0xff, 0x22), 400, "InvalidPayload"],
    ["too long", create, "{}".padEnd(maximumProvisioningPayloadOctets + 1), 400, "InvalidPayload"],
    ["no request", createFromCsr, "", 400, "InvalidPayload"],
    ["a number as the request", createFromCsr, { certificateSigningRequest: 7 }, 400, "InvalidPayload"],
    ["a request that is none", createFromCsr, { certificateSigningRequest: "x" }, 400, "CertificateValidation"],
    ["an empty request", createFromCsr, { certificateSigningRequest: "" }, 400, "InvalidRequest"],
    ["no token", provision, {}, 400, "InvalidCertificateOwnershipToken"],
    ["an empty token", provision, { certificateOwnershipToken: "" }, 400, "InvalidCertificateOwnershipToken"],
    ["a wrong token", provision, { certificateOwnershipToken: token }, 400, "InvalidCertificateOwnershipToken"],
    [
      "parameters that are a text",
      provision,
      { certificateOwnershipToken: token, parameters: "x" },
      400,
      "InvalidPayload",
    ],
    [
      "a number as a parameter",
      provision,
      { certificateOwnershipToken: token, parameters: { a: 1 } },
      400,
      "InvalidPayload",
    ],
    [
      "an unknown template",
      provision.replace("fleet", "none"),
      { certificateOwnershipToken: token },
      404,
      "ResourceNotFound",
    ],
  ])("for %s is answered on its rejected topic, and nothing is stored", async (_, topic, payload, status, code) => {
    await using workshop = await open();
    const sequence = workshop.registry.sequence();
    expect(await ask(workshop, topic, payload)).toEqual(refused(topic, status, code));
    expect(workshop.registry.sequence()).toBe(sequence);
  });

  test("for a missing parameter or a disabled template leaves the token good", async () => {
    await using workshop = await open();
    const { payload } = await ask(workshop, createFromCsr, { certificateSigningRequest: makeRequestPem() });
    const { certificateOwnershipToken } = payload;
    expect(await ask(workshop, provision, { certificateOwnershipToken })).toEqual(
      refused(provision, 400, "ResourceRegistrationFailure"),
    );
    await workshop.registry.templates.update(scope, "fleet", { enabled: false });
    const right = { certificateOwnershipToken, parameters: { Serial: "a" } };
    expect(await ask(workshop, provision, right)).toEqual(refused(provision, 403, "AccessDenied"));
    await workshop.registry.templates.update(scope, "fleet", { enabled: true });
    expect(await ask(workshop, provision, right)).toMatchObject({ payload: { thingName: "a" } });
  });

  test("because the disk is full or damaged says so without names of files", async () => {
    const inner = createMemoryStorage();
    let fault: RegistryError | undefined;
    const storage: Storage = {
      read: (body) => inner.read(body),
      write: (body) => (fault === undefined ? inner.write(body) : Promise.reject(fault)),
      sequence: () => inner.sequence(),
      changesAfter: (sequence, limit) => inner.changesAfter(sequence, limit),
      onCommit: (listener) => inner.onCommit(listener),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
    await using workshop = await open(undefined, storage);
    const request = { certificateSigningRequest: makeRequestPem() };
    const file = "/var/secret/registry.db";
    fault = new RegistryError("ERR_REGISTRY_UNAVAILABLE", `${file} is full`, { file, isFull: true });
    const full = await ask(workshop, createFromCsr, request);
    fault = new RegistryError("ERR_REGISTRY_CORRUPT", `${file} is damaged`, { file });
    const damaged = await ask(workshop, createFromCsr, request);
    expect([full, damaged]).toEqual([
      refused(createFromCsr, 503, "ServiceUnavailable"),
      refused(createFromCsr, 500, "InternalFailure"),
    ]);
    expect(JSON.stringify([full, damaged])).not.toContain("secret");
    fault = undefined;
    expect((await ask(workshop, createFromCsr, request)).topic).toBe(`${createFromCsr}/accepted`);
  });

  test("for too many at once leaves those that came first alone, and others get their turn again", async () => {
    await using workshop = await open();
    const request = { certificateSigningRequest: makeRequestPem() };
    const count = maximumProvisioningRequestsAtOnce + 5;
    const answers = await Promise.all(Array.from({ length: count }, () => ask(workshop, createFromCsr, request)));
    const topics = answers.map(({ topic }) => topic);
    expect(topics.filter((topic) => topic === `${createFromCsr}/accepted`)).toHaveLength(count - 5);
    expect(answers.slice(-5)).toEqual(Array.from({ length: 5 }, () => refused(createFromCsr, 429, "Throttling")));
    expect((await ask(workshop, createFromCsr, request)).topic).toBe(`${createFromCsr}/accepted`);
  });
});

describe("topics", () => {
  test.each([
    [create, true],
    [createFromCsr, true],
    [provision, true],
    [`${create}/accepted`, false],
    [`${provision}/rejected`, false],
    ["$aws/certificates/create/cbor", true],
    ["$aws/provisioning-templates/fleet/provision/cbor", true],
    ["$aws/certificates/create/xml", false],
    ["$aws/certificates/create/cbor/rejected", false],
    ["$aws/provisioning-templates//provision/json", false],
    ["$aws/provisioning-templates/a/b/provision/json", false],
    [`$aws/provisioning-templates/${"a".repeat(37)}/provision/json`, false],
    ["$aws/provisioning-templates/a b/provision/json", false],
    ["orders/kitchen", false],
    ["", false],
  ])("%s: %s", async (topic, isRequest) => {
    await using workshop = await open();
    expect(workshop.registry.fleetProvisioning.isRequest(topic)).toBe(isRequest);
    if (!isRequest) expect((await ask(workshop, topic)).topic).toBeUndefined();
  });

  test("whatever is sent to them, the answer is an answer", async () => {
    await using workshop = await open();
    const payload = fc.oneof(
      fc.uint8Array(),
      fc.json(),
      fc.record({ certificateOwnershipToken: fc.string(), parameters: fc.json() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(createFromCsr, provision), payload, async (topic, sent) => {
        const answer = await ask(workshop, topic, sent);
        expect(answer.topic).toBe(`${topic}/rejected`);
        expect(Object.keys(answer.payload)).toEqual(["statusCode", "errorCode", "errorMessage"]);
      }),
      { numRuns: 200 },
    );
  });
});
