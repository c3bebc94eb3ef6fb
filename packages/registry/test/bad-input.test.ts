/** What cannot be taken is refused by its name, at each way in, and nothing of it is stored. */

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { encodePem } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import { deviceCertificate, issueCertificate, makeName, validityFrom, type CertificateIssuer } from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { defaultScope as scope, type Registry } from "../src/index.ts";
import {
  allow,
  derOf,
  makeAuthority,
  makeDevice,
  makeRequestPem,
  newKey,
  pemOf,
  startSeconds,
  Workshop,
} from "./workshop.ts";

const own = makeAuthority("Own CA");
const tables = [
  "account",
  "certificate",
  "certificate-authority",
  "certificate-authority-owner",
  "certificate-by-authority",
  "certificate-by-order",
  "certificate-owner",
  "claim-certificate",
  "endpoint",
  "incoming-transfer",
  "ownership-token",
  "policy",
  "policy-of-target",
  "policy-version",
  "provisioning-template",
  "tag",
  "thing",
  "thing-group",
  "thing-of-group",
  "thing-of-principal",
  "thing-type",
];

/** Everything that is stored, and the number of the last change. */
function dump({ storage }: Workshop): unknown {
  return storage.read((reader) => [
    storage.sequence(),
    ...tables.map((table) => [table, reader.scan(table, "", { limit: 100_000 })]),
  ]);
}

async function open(): Promise<Workshop> {
  const workshop = await Workshop.open();
  await workshop.registerAuthority(own);
  await workshop.registry.policies.create(scope, "p", allow("iot:Publish", "topic/x"));
  await workshop.registry.things.create(scope, "t");
  await workshop.registry.thingGroups.create(scope, "g");
  return workshop;
}

/** A certificate for a key that our own code makes no pair of. */
function certificateOf(key: KeyObject, issuer: CertificateIssuer = own): string {
  const spki = new Uint8Array(key.export({ type: "spki", format: "der" }));
  const template = deviceCertificate({
    subject: makeName([{ type: "CN", value: "device" }]),
    validity: validityFrom(startSeconds - 60, 10),
  });
  const publicKey = { ...newKey().publicKey, spki };
  return pemOf(issueCertificate({ provider: nodeProvider, issuer, publicKey, template }));
}

function changedOctet(pem: string): string {
  const der = derOf(pem);
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return encodePem("CERTIFICATE", der);
}

const good = pemOf(makeDevice(own));
const refused = "ERR_REGISTRY_CERTIFICATE";
const invalid = "ERR_REGISTRY_INVALID";

/** Texts that are refused as certificates at each way in, whatever authority is named as their issuer. */
const malformed: [string, string, string][] = [
  ["nothing", "", invalid],
  ["65,537 characters", good + " ".repeat(65_537 - good.length), invalid],
  ["text that is no PEM", "hello", refused],
  ["a PEM block without an end", good.slice(0, -20), refused],
  ["a PEM block of another kind", good.replaceAll("CERTIFICATE", "PUBLIC KEY"), refused],
  ["a PEM block that is no base64", good.replace(/\n[^\n]{20}/, "\n!!!!!!!!!!!!!!!!!!!!"), refused],
  ["DER that is cut off", encodePem("CERTIFICATE", derOf(good).subarray(0, -1)), refused],
  ["DER with an octet behind it", encodePem("CERTIFICATE", Uint8Array.from([...derOf(good), 0])), refused],
  ["DER of something else", encodePem("CERTIFICATE", Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x00)), refused],
  ["an RSA key of 1,024 bits", certificateOf(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey), refused],
  ["a key on secp256k1", certificateOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey), refused],
  ["a key on P-224", certificateOf(generateKeyPairSync("ec", { namedCurve: "secp224r1" }).publicKey), refused],
  ["an Ed25519 key", certificateOf(generateKeyPairSync("ed25519").publicKey), refused],
  [
    "a DSA key",
    certificateOf(generateKeyPairSync("dsa", { modulusLength: 2048, divisorLength: 256 }).publicKey),
    refused,
  ],
];
/** What is one, and not valid. */
const invalidNow: [string, string, string][] = [
  ["a certificate that has expired", pemOf(makeDevice(own, { notBefore: startSeconds - 7200, days: 0.05 })), refused],
  ["a certificate that begins later", pemOf(makeDevice(own, { notBefore: startSeconds + 60 })), refused],
];
const notSigned: [string, string, string][] = [
  ["a certificate of an authority that is not registered", pemOf(makeDevice(makeAuthority("Other CA"))), refused],
  [
    "a certificate with the authority's name and another's signature",
    pemOf(makeDevice(makeAuthority("Own CA"))),
    refused,
  ],
  ["a certificate with a changed signature", changedOctet(good), refused],
];

const template = (properties: Record<string, string>): string =>
  JSON.stringify({ Resources: { c: { Type: "AWS::IoT::Certificate", Properties: properties } } });

const waysIn: [string, (registry: Registry, pem: string) => Promise<unknown>, [string, string, string][]][] = [
  [
    "RegisterCertificate",
    ({ certificates }, certificatePem) => certificates.register(scope, { certificatePem }),
    [...malformed, ...invalidNow, ...notSigned],
  ],
  [
    "RegisterCertificateWithoutCA",
    ({ certificates }, certificatePem) => certificates.registerWithoutAuthority(scope, { certificatePem }),
    [...malformed, ...invalidNow],
  ],
  [
    "RegisterCACertificate",
    ({ authorities }, caCertificatePem) =>
      authorities.register(scope, { caCertificatePem, certificateMode: "SNI_ONLY" }),
    [...malformed, ["a certificate that is no authority", good, refused]],
  ],
  [
    "RegisterThing",
    ({ templates }, pem) => templates.registerThing(scope, template({ CertificatePem: pem }), {}),
    // A template cannot hold more than 10,240 characters.
    [...malformed.filter(([what]) => !/^(nothing|65,537)/.test(what)), ...invalidNow],
  ],
  [
    "an import",
    async (registry, certificatePem) => {
      const lines = [JSON.stringify({ certificatePem })];
      const { refused: found } = await registry.importLines(scope, lines, async () => {});
      throw Object.assign(new Error("refused"), { code: found[0]?.code });
    },
    malformed,
  ],
];

describe.each(waysIn)("%s", (_, act, cases) => {
  test.each(cases)("refuses %s", async (_what, pem, code) => {
    await using workshop = await open();
    const before = dump(workshop);
    await expect(act(workshop.registry, pem)).rejects.toMatchObject({ code });
    expect(dump(workshop)).toEqual(before);
  });
});

describe("a verification certificate", () => {
  const authority = makeAuthority("New CA");
  test.each<[string, (code: string) => string, string]>([
    ["of another authority", (code) => pemOf(makeDevice(own, { subject: [{ type: "CN", value: code }] })), refused],
    ["with another code", () => pemOf(makeDevice(authority)), "ERR_REGISTRY_REGISTRATION_CODE"],
    [
      "with the code of yesterday, in upper case",
      (code) =>
        pemOf(makeDevice(authority, { subject: [{ type: "CN", value: code.toUpperCase().replace(/^./, "Z") }] })),
      "ERR_REGISTRY_REGISTRATION_CODE",
    ],
    [
      "with a changed signature",
      (code) => changedOctet(pemOf(makeDevice(authority, { subject: [{ type: "CN", value: code }] }))),
      refused,
    ],
    ["that is no PEM", () => "hello", refused],
    ["that is nothing", () => "", invalid],
  ])("%s is refused", async (_, make, code) => {
    await using workshop = await open();
    const registrationCode = await workshop.registry.authorities.registrationCode(scope);
    const before = dump(workshop);
    const registration = {
      caCertificatePem: pemOf(authority.certificate),
      verificationCertificatePem: make(registrationCode),
    };
    await expect(workshop.registry.authorities.register(scope, registration)).rejects.toMatchObject({ code });
    expect(dump(workshop)).toEqual(before);
  });
});

describe("a request", () => {
  const broken = (): string => {
    const der = derOf(makeRequestPem());
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    return encodePem("CERTIFICATE REQUEST", der);
  };
  const cases: [string, string, string][] = [
    ["nothing", "", invalid],
    ["4,097 characters", makeRequestPem().padEnd(4097), invalid],
    ["text that is no PEM", "hello", refused],
    ["a certificate", good, refused],
    ["DER that is cut off", encodePem("CERTIFICATE REQUEST", derOf(makeRequestPem()).subarray(0, -1)), refused],
    ["a broken self-signature", broken(), refused],
  ];
  test.each(cases)("that is or has %s is refused by each way in", async (_, pem, code) => {
    await using workshop = await open();
    const { certificates, templates } = workshop.registry;
    const before = dump(workshop);
    await expect(certificates.createFromCsr(scope, pem)).rejects.toMatchObject({ code });
    await expect(templates.claimFromCsr(scope, pem)).rejects.toMatchObject({ code });
    const body = template({ CertificateSigningRequest: pem });
    if (pem !== "") await expect(templates.registerThing(scope, body, {})).rejects.toMatchObject({ code });
    expect(dump(workshop)).toEqual(before);
  });
});

describe("policies, things and groups", () => {
  const missing = "0".repeat(64);
  const notFound = "ERR_REGISTRY_NOT_FOUND";
  const long = allow("iot:Publish", `topic/${"x".repeat(2049 - allow("iot:Publish", "topic/").length)}`);
  const cert = { kind: "cert", certificateId: missing } as const;
  const group = { kind: "thinggroup", thingGroupName: "none" } as const;
  test.each<[string, (registry: Registry) => Promise<unknown>, string]>([
    [
      "a policy of 2,049 characters",
      ({ policies }) => policies.create(scope, "q", long),
      "ERR_REGISTRY_MALFORMED_POLICY",
    ],
    [
      "a version of 2,049 characters",
      ({ policies }) => policies.createVersion(scope, "p", long),
      "ERR_REGISTRY_MALFORMED_POLICY",
    ],
    ["a policy for an unknown certificate", ({ policies }) => policies.attach(scope, "p", cert), notFound],
    ["a policy for an unknown group", ({ policies }) => policies.attach(scope, "p", group), notFound],
    [
      "an unknown policy",
      ({ policies }) => policies.attach(scope, "none", { kind: "thinggroup", thingGroupName: "g" }),
      notFound,
    ],
    [
      "a version of an unknown policy",
      ({ policies }) => policies.createVersion(scope, "none", allow("iot:Publish", "*")),
      notFound,
    ],
    ["an unknown default version", ({ policies }) => policies.setDefaultVersion(scope, "p", "7"), notFound],
    ["a certificate for an unknown thing", ({ things }) => things.attachPrincipal(scope, "none", missing), notFound],
    ["an unknown certificate for a thing", ({ things }) => things.attachPrincipal(scope, "t", missing), notFound],
    ["a thing of an unknown type", ({ things }) => things.create(scope, "u", { thingTypeName: "none" }), notFound],
    ["an unknown thing in a group", ({ thingGroups }) => thingGroups.addThing(scope, "g", "none"), notFound],
    ["a thing in an unknown group", ({ thingGroups }) => thingGroups.addThing(scope, "none", "t"), notFound],
    [
      "a group under an unknown one",
      ({ thingGroups }) => thingGroups.create(scope, "h", { parentGroupName: "none" }),
      notFound,
    ],
    ["a group under itself", ({ thingGroups }) => thingGroups.create(scope, "h", { parentGroupName: "h" }), notFound],
    ["a transfer to an unknown account", ({ transfers }) => transfers.offer(scope, missing, "999999999999"), notFound],
    ["a claim by an unknown template", ({ templates }) => templates.createClaim(scope, "none"), notFound],
    [
      "a certificate in an unknown account",
      ({ certificates }) =>
        certificates.createFromCsr({ account: "999999999999", region: "us-east-1" }, makeRequestPem()),
      notFound,
    ],
  ])("%s is refused", async (_, act, code) => {
    await using workshop = await open();
    const before = dump(workshop);
    await expect(act(workshop.registry)).rejects.toMatchObject({ code });
    expect(dump(workshop)).toEqual(before);
  });

  test("groups that are each other's parents in a damaged file end where groups do, and give no rights twice", async () => {
    await using workshop = await open();
    const { registry } = workshop;
    await registry.thingGroups.create(scope, "h", { parentGroupName: "g" });
    await registry.policies.attach(scope, "p", { kind: "thinggroup", thingGroupName: "g" });
    await registry.thingGroups.addThing(scope, "h", "t");
    const { id, der } = await workshop.activeDevice();
    await registry.things.attachPrincipal(scope, "t", id);
    const key = "000000000000:us-east-1/g";
    await workshop.storage.write((writer) => {
      const stored: unknown = JSON.parse(writer.get("thing-group", key) ?? "");
      writer.put("thing-group", key, JSON.stringify(Object.assign({}, stored, { parentGroupName: "h" })));
    });
    expect(registry.thingGroups.describe(scope, "h").rootToParentGroups).toHaveLength(6);
    const result = await registry.resolvePrincipal([der], undefined);
    if (!result.ok) throw new Error(result.reason);
    const rights = registry.connectionRights().open(result.principal, "t");
    expect(rights.policySet.policyNames).toEqual(["p"]);
  });
});

describe("what a caller without types can give is refused before it is stored, and lists stay readable", () => {
  const fleetTemplate = '{"Resources":{"c":{"Type":"AWS::IoT::Certificate","Properties":{"CertificateId":"0"}}}}';
  // Stands for a caller in JavaScript, who is not held to the types.
  const untyped = (value: unknown): any => value;

  test.each([
    [
      "a template without a role",
      "provisioning-template.provisioningRoleArn",
      (registry: Registry) => registry.templates.create(scope, "fleet", untyped({ templateBody: fleetTemplate })),
    ],
    [
      "a thing with a number as attribute",
      "thing.attributes.room",
      (registry: Registry) => registry.things.create(scope, "lamp", untyped({ attributes: { room: 5 } })),
    ],
    [
      "a key of an unknown kind",
      "keyAlgorithm",
      (registry: Registry) => registry.certificates.createKeysAndCertificate(scope, untyped({ keyAlgorithm: "P-256" })),
    ],
  ] as const)("%s", async (_, field, act) => {
    await using workshop = await Workshop.open();
    const { registry } = workshop;
    await expect(act(registry)).rejects.toMatchObject({ code: "ERR_REGISTRY_INVALID", evidence: { field } });
    const lists = [registry.templates.list(scope), registry.things.list(scope), registry.certificates.list(scope)];
    expect(lists.map(({ items }) => items)).toEqual([[], [], []]);
  });

  test("a line of an import with more things than one transaction should make", async () => {
    await using workshop = await Workshop.open();
    const things = Array.from({ length: 1001 }, (__, index) => ({ thingName: `t${index}` }));
    const line = JSON.stringify({ certificatePem: pemOf(makeDevice(own)), things });
    const result = await workshop.registry.importLines(scope, [line], async () => {});
    expect(result.refused).toMatchObject([{ code: "ERR_REGISTRY_INVALID", message: expect.stringContaining("1000") }]);
    expect(workshop.registry.things.list(scope).items).toEqual([]);
  });

  test("a line of an import names the member that is wrong", async () => {
    await using workshop = await Workshop.open();
    const line = JSON.stringify({ certificatePem: pemOf(makeDevice(own)), things: ["lamp"] });
    const result = await workshop.registry.importLines(scope, [line], async () => {});
    expect(result.refused).toMatchObject([
      { index: 0, code: "ERR_REGISTRY_INVALID", message: 'line.things[0] "lamp" is not possible: it is an object' },
    ]);
  });
});
