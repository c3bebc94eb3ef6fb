/** The three ways to an identity, at a registry in memory, and at a control plane of node:http that records what it gets. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, chmodSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { createMemoryStorage, createRegistry, defaultScope, requestContext, type Registry } from "@latchkey/registry";
import {
  attributeValues,
  certificateAuthority,
  certificatesFromPem,
  certificateToPem,
  issueSelfSignedCertificate,
  makeName,
  privateKeyFromPem,
  validityFrom,
  type CertificateIssuer,
} from "@latchkey/x509";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { batteryMillivolts, isEmpty, newBattery } from "../src/battery.ts";
import { buttonOf } from "../src/commands/chosen-button.ts";
import { readDevice, usualEndpoint, writeBattery } from "../src/device-directory.ts";
import { accessKeyOf, controlPlaneService } from "../src/provision/control-plane-service.ts";
import { registryService } from "../src/provision/data-directory-service.ts";
import type { IdentityService } from "../src/provision/identity-service.ts";
import { provision, ways, type Way } from "../src/provision/provision.ts";

const serialNumber = "G030JF055364XVRB";
const nowSeconds = Math.floor(Date.now() / 1000);
const folder = mkdtempSync(join(tmpdir(), "latchkey-provision-"));
afterAll(() => rmSync(folder, { recursive: true }));

let registry: Registry;
let authority: CertificateIssuer;
let service: IdentityService;
let directory: string;
let count = 0;
beforeEach(async () => {
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = certificateAuthority({
    subject: makeName([{ type: "CN", value: "Device CA" }]),
    validity: validityFrom(nowSeconds - 600, 3650),
  });
  authority = {
    privateKey,
    certificate: issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template }),
  };
  registry = createRegistry({
    storage: createMemoryStorage(),
    provider: nodeProvider,
    nowSeconds: () => nowSeconds,
    issuer: authority,
  });
  await registry.createAccount(defaultScope);
  await registry.authorities.registerLocal(defaultScope, authority.certificate);
  service = registryService({ registry, scope: defaultScope, rootPem: certificateToPem(authority.certificate) });
  directory = join(folder, `button-${count++}`);
});
afterEach(() => service[Symbol.asyncDispose]());

const button = (way: Way): Parameters<typeof provision>[1] => ({
  directory,
  serialNumber,
  endpoint: { host: "broker.example", httpsPort: 9443, mqttPort: 9883 },
  way,
  ownAuthorityDirectory: `${directory}-ca`,
  nowSeconds,
});

/** Every text that goes to the service, and every text that comes from it. */
function recording(inner: IdentityService): { service: IdentityService; sent: string[]; received: string[] } {
  const sent: string[] = [];
  const received: string[] = [];
  const proxy = new Proxy(inner, {
    get: (target, name, receiver) => {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function" || name === Symbol.asyncDispose) return member;
      return async (...inputs: unknown[]) => {
        sent.push(JSON.stringify(inputs));
        const answer: unknown = await member.apply(target, inputs);
        received.push(JSON.stringify(answer ?? null));
        return answer;
      };
    },
  });
  return { service: proxy, sent, received };
}

test.each(ways)("%s: what is on the button lets it do exactly what a button may", async (way) => {
  const { certificateId, policyName } = await provision(service, button(way));
  const device = await readDevice(directory);
  expect(device).toMatchObject({
    serialNumber,
    endpoint: { host: "broker.example", httpsPort: 9443, mqttPort: 9883 },
    roots: certificateToPem(authority.certificate),
    battery: newBattery,
  });
  expect(policyName).toBe(way === "one-click" ? `iotbutton_${serialNumber}` : "iotbutton");
  expect(statSync(join(directory, "private.key")).mode & 0o777).toBe(0o600);
  const [certificate] = certificatesFromPem(device.certificate);
  const key = privateKeyFromPem(device.privateKey, { provider: nodeProvider });
  expect(certificate?.subjectPublicKeyInfo.encoding).toEqual(key.publicKey.spki);

  const identified = await registry.resolvePrincipal(
    certificatesFromPem(device.certificate).map((one) => one.encoding),
    "x",
  );
  if (!identified.ok) throw new Error(identified.reason);
  expect(identified.principal.certificateId).toBe(certificateId);
  const rights = registry.connectionRights().open(identified.principal, serialNumber);
  const decide = (action: "iot:Publish" | "iot:Connect" | "iot:Subscribe", name: string) =>
    rights.matcher.decide({
      action,
      resource: `arn:aws:iot:us-east-1:000000000000:${name}`,
      context: requestContext(rights, { protocol: "https", sourceIp: "127.0.0.1" }),
    });
  expect([
    decide("iot:Publish", `topic/iotbutton/${serialNumber}`),
    decide("iot:Connect", `client/${serialNumber}`),
    decide("iot:Publish", "topic/iotbutton/G030JF051234A5BC"),
    decide("iot:Connect", "client/G030JF051234A5BC"),
    decide("iot:Subscribe", `topicfilter/iotbutton/${serialNumber}`),
  ]).toEqual(["allow", "allow", "implicit-deny", "implicit-deny", "implicit-deny"]);
});

test.each(["csr", "own-ca"] as const)("%s: the key never leaves the button", async (way) => {
  const recorded = recording(service);
  await provision(recorded.service, button(way));
  const pem = readFileSync(join(directory, "private.key"), "utf8");
  // The octets of the key are in every encoding of it: look for them in base64 and hexadecimal, at every place.
  const said = [...recorded.sent, ...recorded.received].join("\n");
  expect(said).not.toContain("PRIVATE");
  for (const line of pem.split("\n").filter((one) => one.length > 20 && !one.startsWith("-----"))) {
    expect(said).not.toContain(line.slice(0, 40));
  }
  const secretPart = privateOctets(pem);
  for (const text of [secretPart.toString("base64").slice(2, 40), secretPart.toString("hex")]) {
    expect(said).not.toContain(text);
  }
  expect(recorded.sent.length).toBeGreaterThan(2);
});

/** The private scalar of a P-256 key in PKCS #8: 32 octets behind the OCTET STRING header of ECPrivateKey's version 1. */
function privateOctets(pem: string): Buffer {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  const at = der.indexOf(Buffer.from([0x02, 0x01, 0x01, 0x04, 0x20]));
  expect(at).toBeGreaterThan(0);
  return der.subarray(at + 5, at + 37);
}

test("one-click: the service hands the key over once, and the certificate names no button", async () => {
  const recorded = recording(service);
  await provision(recorded.service, button("one-click"));
  expect(recorded.received.join("\n")).toContain("PRIVATE");
  const [certificate] = certificatesFromPem((await readDevice(directory)).certificate);
  expect(certificate === undefined ? [] : attributeValues(certificate.subject, "serialNumber")).toEqual([]);
});

test("own-ca: a second button has the same authority and policy", async () => {
  await provision(service, button("own-ca"));
  const second = { ...button("own-ca"), directory: `${directory}-2`, serialNumber: "G030JF051234A5BC" };
  await expect(provision(service, second)).resolves.toMatchObject({ policyName: "iotbutton" });
  expect(readdirSync(second.ownAuthorityDirectory).sort()).toEqual(["ca.key", "ca.pem"]);
  expect(statSync(join(second.ownAuthorityDirectory, "ca.key")).mode & 0o777).toBe(0o600);
});

test("a folder that is a button already is refused, and its key stays", async () => {
  await provision(service, button("csr"));
  const key = readFileSync(join(directory, "private.key"), "utf8");
  await expect(provision(service, button("csr"))).rejects.toThrow(/exists already: give another folder with --device/);
  expect(readFileSync(join(directory, "private.key"), "utf8")).toBe(key);
});

test.each(["createPolicy", "attachPolicy", "root"] as const)(
  "where %s fails, nothing stays behind",
  async (operation) => {
    const failing = { ...service, [operation]: () => Promise.reject(new Error("no")) };
    await expect(provision(failing, button("csr"))).rejects.toThrow("no");
    expect(readdirSync(directory)).toEqual([]);
  },
);

describe("a device directory", () => {
  test("needs neither settings nor battery where the certificate names the button", async () => {
    await provision(service, button("csr"));
    rmSync(join(directory, "button.json"));
    rmSync(join(directory, "battery.json"));
    expect(await readDevice(directory)).toMatchObject({ serialNumber, endpoint: usualEndpoint, battery: newBattery });
  });

  test("whose certificate names no button says what to write", async () => {
    await provision(service, button("one-click"));
    rmSync(join(directory, "button.json"));
    await expect(readDevice(directory)).rejects.toThrow(/its certificate has no serial number. Write \{"serialNumber"/);
  });

  test("with a key that others can read is refused", async () => {
    await provision(service, button("csr"));
    chmodSync(join(directory, "private.key"), 0o640);
    await expect(readDevice(directory)).rejects.toMatchObject({
      code: "ERR_BUTTON_CREDENTIALS",
      message: expect.stringContaining("(mode 640): chmod 600"),
    });
  });

  test.each([
    ["button.json", "{", /button\.json cannot be read/],
    ["button.json", "[1]", /does not hold a JSON object/],
    ["button.json", '{"httpsPort": 0}', /httpsPort is 0; it is to be a whole number from 1 to 65535/],
    ["button.json", '{"serialNumber": "G030*"}', /serialNumber is "G030\*"; it is to be a serial number/],
    ["battery.json", '{"presses": -1}', /battery\.json is damaged/],
    ["battery.json", "7", /does not hold a JSON object/],
  ])("with a damaged %s (%s) says so", async (name, content, message) => {
    await provision(service, button("csr"));
    writeFileSync(join(directory, name), content);
    await expect(readDevice(directory)).rejects.toThrow(message);
  });

  test("that is none says how to make one", async () => {
    await expect(readDevice(join(folder, "nowhere"))).rejects.toThrow(
      /is not a button: .*"latchkey-button provision --device .*nowhere" makes one/,
    );
  });
});

describe("the battery", () => {
  test("falls with every press, and dies", () => {
    const voltages = Array.from({ length: 1001 }, (_, presses) =>
      batteryMillivolts({ capacityPresses: 1000, presses }),
    );
    expect(voltages[0]).toBe(1740);
    expect(voltages[1000]).toBe(1000);
    for (const [index, voltage] of voltages.entries()) {
      if (index > 0) expect(voltage).toBeLessThanOrEqual(voltages[index - 1] ?? 0);
    }
    expect(isEmpty({ capacityPresses: 1000, presses: 999 })).toBe(false);
    expect(isEmpty({ capacityPresses: 1000, presses: 1000 })).toBe(true);
  });

  test("is kept on the button; an empty one is replaced on demand", async () => {
    await provision(service, button("csr"));
    await writeBattery(directory, { capacityPresses: 3, presses: 2 });
    const chosen = await buttonOf({ device: directory });
    const last = await chosen.drawPower();
    expect(last).toBeLessThan(1740);
    await expect(chosen.drawPower()).rejects.toMatchObject({ code: "ERR_BUTTON_BATTERY", layer: "battery" });
    await expect((await buttonOf({ device: directory })).drawPower()).rejects.toThrow(/empty after 3 presses/);
    await chosen.renewBattery();
    expect(await (await buttonOf({ device: directory })).drawPower()).toBe(1740);
  });
});

describe("by a control plane", () => {
  /** A control plane in front of the registry, with AWS's paths. */
  async function controlPlane(got: string[]): Promise<{ server: Server; url: string }> {
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.once("end", () => {
        got.push(`${request.method} ${request.url} ${body}`);
        const members = body === "" ? {} : JSON.parse(body);
        void answer(`${request.method} ${request.url}`, members).then(
          (value) => response.end(value === undefined ? "" : JSON.stringify(value)),
          (error: Error) => {
            const exception = error.message.includes("exists")
              ? "ResourceAlreadyExistsException"
              : "InvalidRequestException";
            response.writeHead(exception.startsWith("Resource") ? 409 : 400, { "x-amzn-errortype": exception });
            response.end(JSON.stringify({ message: error.message }));
          },
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  async function answer(request: string, members: any): Promise<unknown> {
    switch (request) {
      case "POST /keys-and-certificate?setAsActive=true": {
        const { privateKeyPem, ...made } = await service.createKeysAndCertificate();
        return { ...made, keyPair: { PublicKey: "", PrivateKey: privateKeyPem } };
      }
      case "POST /certificates?setAsActive=true":
        return service.createCertificateFromCsr(members.certificateSigningRequest);
      case "GET /registrationcode":
        return { registrationCode: await service.registrationCode() };
      case "POST /cacertificate?setAsActive=true":
        return registry.authorities.register(defaultScope, {
          caCertificatePem: members.caCertificate,
          verificationCertificatePem: members.verificationCertificate,
          setAsActive: true,
        });
      case "POST /certificate/register":
        return service.registerCertificate(members.certificatePem, members.caCertificatePem);
      case "POST /policies/iotbutton":
      case `POST /policies/iotbutton_${serialNumber}`:
        return registry.policies.create(defaultScope, request.slice(15), members.policyDocument);
      case "PUT /target-policies/iotbutton":
      case `PUT /target-policies/iotbutton_${serialNumber}`:
        return service.attachPolicy(request.slice(21), members.target);
      default:
        throw new Error(`no such operation: ${request}`);
    }
  }

  const accessKey = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

  test.each(ways)("%s works as from a data directory, twice, and sends no private key", async (way) => {
    const got: string[] = [];
    const { server, url } = await controlPlane(got);
    const plane = controlPlaneService({ url, region: "us-east-1", accessKey, rootPem: await service.root() });
    const { certificateId } = await provision(plane, button(way));
    await provision(plane, { ...button(way), directory: `${directory}-2` });
    server.close();
    expect(registry.certificates.describe(defaultScope, certificateId).status).toBe("ACTIVE");
    expect(got.join("\n")).not.toContain("PRIVATE");
    expect((await readDevice(directory)).serialNumber).toBe(serialNumber);
  });

  test("a refusal is told with its exception, and nobody there with its address", async () => {
    const { server, url } = await controlPlane([]);
    const plane = controlPlaneService({ url, region: "us-east-1", accessKey, rootPem: "" });
    await expect(plane.createCertificateFromCsr("nothing")).rejects.toThrow(
      /POST \/certificates: HTTP 400 InvalidRequestException: /,
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(plane.registrationCode()).rejects.toThrow(/got no answer: .*ECONNREFUSED/);
  });

  test("without an access key says where one is looked for", () => {
    expect(() => accessKeyOf({ AWS_ACCESS_KEY_ID: "A" })).toThrow(/set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/);
  });
});
