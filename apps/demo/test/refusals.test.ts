/**
 * Refusals of every layer as a person reads them, in one place: `refusals.md` beside this file has their texts, so that a change of
 * words is seen. Each has to be mendable from its text alone. `npx vitest run refusals -u` writes the file again.
 */

import { readFileSync } from "node:fs";
import { connect as connectTls } from "node:tls";
import { Asn1Error } from "@latchkey/asn1";
import { createChainVerifier, explainChain, type ChainVerifierOptions, type VerifyInputs } from "@latchkey/chain";
import type { KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import { MqttCodecError, PacketDecoder } from "@latchkey/mqtt-codec";
import { clientArn, compile, parsePolicy, topicArn, topicFilterArn, type RequestContext } from "@latchkey/policy";
import {
  certificateAuthority,
  certificatesFromPem,
  deviceCertificate,
  encryptPrivateKeyInfo,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  parseCertificate,
  privateKeyFromPem,
  validityFrom,
  X509Error,
  type CertificateIssuer,
  type CertificateTemplate,
} from "@latchkey/x509";
import { encodePem } from "@latchkey/asn1";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { run } from "../src/program.ts";
import { openShop, type Shop } from "./shop.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const now = 1_795_700_000;
const day = 86_400;
const provider = nodeProvider;
/** Keys and serial numbers differ from run to run, and so do identifiers made of them. */
const identifiers = /\b[0-9A-Fa-f]{40,64}\b/g;
const newKey = (): KeyPair => provider.generateKeyPair({ name: "ec", curve: "P-256" });

function root(name: string, options: { readonly permitted?: string } = {}): CertificateIssuer {
  const { privateKey } = newKey();
  const template = caTemplate(name, options);
  return { privateKey, certificate: issueSelfSignedCertificate({ provider, privateKey, template }) };
}

function caTemplate(name: string, options: { readonly permitted?: string } = {}): CertificateTemplate {
  const { permitted } = options;
  return certificateAuthority({
    subject: makeName([{ type: "CN", value: name }]),
    validity: validityFrom(now - day, 3650),
    nameConstraints:
      permitted === undefined
        ? undefined
        : { permittedSubtrees: [{ type: "dNSName", value: permitted }], excludedSubtrees: undefined },
  });
}

function intermediate(issuer: CertificateIssuer, name: string): CertificateIssuer {
  const { privateKey, publicKey } = newKey();
  return { privateKey, certificate: issueCertificate({ provider, issuer, publicKey, template: caTemplate(name) }) };
}

function device(issuer: CertificateIssuer, options: { readonly notBefore?: number; readonly dnsName?: string } = {}) {
  const { notBefore = now - day, dnsName } = options;
  return issueCertificate({
    provider,
    issuer,
    publicKey: newKey().publicKey,
    template: deviceCertificate({
      subject: makeName([{ type: "CN", value: "button 17" }]),
      validity: validityFrom(notBefore, 30),
      alternativeNames: dnsName === undefined ? [] : [{ type: "dNSName", value: dnsName }],
    }),
  });
}

function explained(
  options: Omit<ChainVerifierOptions, "provider">,
  inputs: Omit<VerifyInputs, "time" | "purpose"> & Partial<VerifyInputs>,
): string {
  const verifier = createChainVerifier({ provider, ...options });
  return explainChain(verifier.verify({ purpose: "clientAuth", time: now, ...inputs })).join("\n");
}

/** The message of what `body` throws. */
function thrown(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof X509Error || error instanceof MqttCodecError || error instanceof Asn1Error) {
      return `${error.code}: ${error.message}`;
    }
    throw error;
  }
  throw new Error("nothing was refused");
}

function decoded(...octets: number[]): string {
  const decoder = new PacketDecoder({ receives: "client-packets" });
  return thrown(() => {
    decoder.push(Uint8Array.from(octets));
    while (decoder.next() !== undefined);
  });
}

const connectPacket = [0x10, 0x0d, 0x00, 0x04, 0x4d, 0x51, 0x54, 0x54, 0x04, 0x02, 0x00, 0x3c, 0x00, 0x01, 0x61];

const layers: Readonly<Record<string, () => string>> = {
  "chain: a device of an authority that nobody trusts": () =>
    explained({ trustAnchors: [root("Pizza CA").certificate] }, { certificate: device(root("Other CA")) }),
  "chain: a device certificate that has run out": () => {
    const authority = root("Pizza CA");
    return explained(
      { trustAnchors: [authority.certificate] },
      { certificate: device(authority, { notBefore: now - 40 * day }) },
    );
  },
  "chain: a device certificate where a server's is wanted": () => {
    const authority = root("Pizza CA");
    return explained(
      { trustAnchors: [authority.certificate] },
      { certificate: device(authority), purpose: "serverAuth" },
    );
  },
  "chain: a name that the authority may not give": () => {
    const authority = root("Pizza CA", { permitted: "pizza.example" });
    return explained(
      { trustAnchors: [authority.certificate] },
      { certificate: device(authority, { dnsName: "button.burger.example" }) },
    );
  },
  "chain: one intermediate too many": () => {
    const authority = root("Pizza CA");
    const middle = intermediate(authority, "Kitchen CA");
    return explained(
      { trustAnchors: [authority.certificate] },
      { certificate: device(middle), intermediates: [middle.certificate], maximumPathLength: 0 },
    );
  },
  "chain: an authority that was made again under its old name": () =>
    explained({ trustAnchors: [root("Pizza CA").certificate] }, { certificate: device(root("Pizza CA")) }),
  "x509: a certificate that was cut off": () =>
    // The length of an ECDSA signature differs by an octet or two.
    thrown(() => parseCertificate(device(root("Pizza CA")).encoding.subarray(0, 200))).replace(
      /\d+ (octets announced)/,
      "414 $1",
    ),
  "x509: a key where a certificate is wanted": () =>
    thrown(() => certificatesFromPem(encodePem("PRIVATE KEY", provider.exportPkcs8(newKey().privateKey)))),
  "x509: an encrypted key without its password": () => {
    const pkcs8 = provider.exportPkcs8(newKey().privateKey);
    const encrypted = encryptPrivateKeyInfo(pkcs8, { provider, password: "secret", iterations: 1000 });
    return thrown(() => privateKeyFromPem(encodePem("ENCRYPTED PRIVATE KEY", encrypted), { provider }));
  },
  "x509: a serial number with an underscore": () =>
    thrown(() => makeName([{ type: "serialNumber", value: "G030_JF" }])),
  "codec: SUBSCRIBE with the flags of another packet": () =>
    decoded(...connectPacket, 0x80, 0x06, 0x00, 0x01, 0x00, 0x01, 0x61, 0x00),
  "codec: PUBLISH to a topic name with a wildcard": () =>
    decoded(...connectPacket, 0x30, 0x05, 0x00, 0x03, 0x61, 0x2f, 0x23),
  "codec: a client identifier that is not UTF-8": () =>
    decoded(0x10, 0x0d, 0x00, 0x04, 0x4d, 0x51, 0x54, 0x54, 0x04, 0x02, 0x00, 0x3c, 0x00, 0x01, 0xff),
};

const scope = { region: "us-east-1", account: "000000000000" };
const serialVariable = "${iot:Certificate.Subject.SerialNumber}";
const button: RequestContext = {
  protocol: "mqtt",
  clientId: "button-17",
  sourceIp: "192.0.2.7",
  certificate: { subject: { SerialNumber: ["G030JF055364XVRB"], CommonName: ["button 17"] } },
};
const publishArn = (topic: string) => topicArn(scope, topic);
const ownTopic = publishArn(`iotbutton/${serialVariable}`);

/** A statement, and the request that it does not allow. */
type Refused = readonly [
  statement: Readonly<Record<string, unknown>>,
  action: "iot:Connect" | "iot:Publish" | "iot:Subscribe" | "iot:Receive" | "iot:RetainPublish",
  name: string,
  context?: RequestContext,
];
const allow = (action: string, resource: string, condition?: object): Readonly<Record<string, unknown>> => ({
  Effect: "Allow",
  Action: action,
  Resource: resource,
  ...(condition !== undefined && { Condition: condition }),
});

const policies: Readonly<Record<string, Refused>> = {
  "the neighbour's topic": [allow("iot:Publish", ownTopic), "iot:Publish", "iotbutton/G030JF059999NEXT"],
  "another action": [allow("iot:Publish", ownTopic), "iot:Receive", "iotbutton/G030JF055364XVRB"],
  "an ARN of another account": [
    allow("iot:Publish", "arn:aws:iot:us-east-1:111111111111:topic/orders"),
    "iot:Publish",
    "orders",
  ],
  "an ARN of another region": [
    allow("iot:Publish", "arn:aws:iot:eu-west-1:000000000000:topic/orders"),
    "iot:Publish",
    "orders",
  ],
  "topic in place of topicfilter": [allow("iot:Subscribe", publishArn("orders/#")), "iot:Subscribe", "orders/#"],
  "a wildcard of MQTT in a topic": [allow("iot:Publish", publishArn("orders/#")), "iot:Publish", "orders/17"],
  "other letter case": [allow("iot:Publish", publishArn("Orders")), "iot:Publish", "orders"],
  "a slash in front": [allow("iot:Publish", publishArn("orders")), "iot:Publish", "/orders"],
  "a missing level": [allow("iot:Publish", publishArn("shop/orders")), "iot:Publish", "orders"],
  "a client identifier that is not its own": [
    allow("iot:Connect", clientArn(scope, serialVariable)),
    "iot:Connect",
    "button-17",
  ],
  "a certificate without the attribute": [
    allow("iot:Publish", publishArn("${iot:Certificate.Subject.Organization}")),
    "iot:Publish",
    "orders",
  ],
  "a serial number with a wildcard": [
    allow("iot:Publish", ownTopic),
    "iot:Publish",
    "iotbutton/G030*",
    { ...button, certificate: { subject: { SerialNumber: ["G030*"] } } },
  ],
  "a thing variable without a thing": [
    allow("iot:Publish", publishArn("${iot:Connection.Thing.ThingName}")),
    "iot:Publish",
    "button-17",
  ],
  "a thing variable over HTTPS": [
    allow("iot:Publish", publishArn("${iot:Connection.Thing.ThingName}")),
    "iot:Publish",
    "button-17",
    { ...button, protocol: "https", clientId: undefined },
  ],
  "a variable that there is not": [
    allow("iot:Publish", publishArn("${iot:Thing.ThingName}")),
    "iot:Publish",
    "button-17",
  ],
  "a condition on the address": [
    allow("iot:Publish", publishArn("orders"), { IpAddress: { "aws:SourceIp": "198.51.100.0/24" } }),
    "iot:Publish",
    "orders",
  ],
  "a condition on a key that is missing": [
    allow("iot:Connect", clientArn(scope, "*"), { Bool: { "iot:Connection.Thing.IsAttached": "true" } }),
    "iot:Connect",
    "button-17",
  ],
  "a set without its prefix": [
    allow("iot:Connect", clientArn(scope, "*"), { StringEquals: { "iot:ConnectAttributes": "PersistentConnect" } }),
    "iot:Connect",
    "button-17",
    { ...button, connectAttributes: ["PersistentConnect", "LastWill"] },
  ],
  "an old policy version": [allow("iot:Publish", ownTopic), "iot:Publish", "iotbutton/G030JF055364XVRB"],
  "retained without its right": [allow("iot:Publish", publishArn("orders")), "iot:RetainPublish", "orders"],
  "a Deny": [{ Effect: "Deny", Action: "iot:Publish", Resource: publishArn("orders") }, "iot:Publish", "orders"],
  "a wildcard that does not reach the filter": [
    allow("iot:Subscribe", topicFilterArn(scope, "orders/+")),
    "iot:Subscribe",
    "orders/17/eta",
  ],
};

function policyRefusal(what: string, [statement, action, name, context = button]: Refused): string {
  const document = { Version: what === "an old policy version" ? "2008-10-17" : "2012-10-17", Statement: [statement] };
  const result = parsePolicy(document, { name: "button" });
  if (!result.ok) throw new Error(`${what}: ${result.errors[0].message}`);
  const resource =
    action === "iot:Connect"
      ? clientArn(scope, name)
      : action === "iot:Subscribe"
        ? topicFilterArn(scope, name)
        : topicArn(scope, name);
  const { decision, sentence } = compile([result.policy]).explain({ action, resource, context });
  expect([what, decision]).not.toEqual([what, "allow"]);
  return sentence;
}

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
});

/** The line of the broker's log with this message and field, without what differs from run to run. */
async function logLine(msg: string, field: string): Promise<string> {
  const found = (): Readonly<Record<string, unknown>> | undefined =>
    shop.broker.log.find((line) => line["msg"] === msg && line[field] !== undefined);
  await expect.poll(found, { timeout: 60_000 }).toBeDefined();
  const { time: _, remote: __, level: ___, serialNumber: ____, ...line } = found() ?? {};
  return JSON.stringify(line, undefined, 2);
}

async function knock(certificate: string, privateKey: string): Promise<void> {
  const socket = connectTls({
    port: shop.broker.port,
    host: "localhost",
    ca: readFileSync(shop.file("data", "server-ca.pem")),
    cert: certificate,
    key: privateKey,
  });
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  socket.end();
}

async function brokerAndCommands(): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  const command = async (what: string, ...words: string[]): Promise<void> => {
    const { stderr } = await run("broker", ...words);
    texts[what] = stderr.trim().replaceAll(shop.folder, "/shop");
  };
  const id = await shop.identity("inactive", "--serial", "G030JF050000AAAA", "--policy", "button");
  await shop.latchkey("certificate", "status", "--certificate", id, "--to", "INACTIVE");
  await knock(
    readFileSync(shop.file("inactive", "certificate.pem"), "utf8"),
    readFileSync(shop.file("inactive", "private.key"), "utf8"),
  );
  texts["broker: the log of a certificate that is INACTIVE"] = await logLine("client refused", "mend");

  await shop.identity("chatty", "--serial", "G030JF050001BBBB", "--policy", "button");
  await run(
    "button",
    ...shop.button("chatty", "G030JF050001BBBB"),
    "--topic",
    Array.from({ length: 129 }, () => "x").join("/"),
  );
  texts["broker: the log of a topic with too many levels"] = await logLine("closed", "clientIdentifier");

  const data = shop.file("data");
  await command("commands: a mistyped option", "certificate", "create", "--data", data, "--otu", "x");
  await command("commands: a value that is not possible", "start", "--data", data, "--denial", "loud");
  await command("commands: a mistyped command", "certifcate", "list");
  await command("commands: a second broker on one data directory", "start", "--data", data, "--port", "0");
  await shop.latchkey("certificate", "status", "--certificate", id, "--to", "REVOKED");
  await command(
    "commands: another status for a REVOKED certificate",
    "certificate",
    "status",
    "--data",
    data,
    "--certificate",
    id,
    "--to",
    "ACTIVE",
  );
  await command(
    "commands: a policy for a certificate that does not exist",
    "policy",
    "attach",
    "--data",
    data,
    "--name",
    "button",
    "--certificate",
    "0".repeat(64),
  );
  return texts;
}

function documentOf(texts: Readonly<Record<string, string>>): string {
  const parts = Object.entries(texts).map(
    ([what, text]) => `## ${what}\n\n\`\`\`text\n${text.replaceAll(identifiers, "<identifier>").trim()}\n\`\`\`\n`,
  );
  return `# What a refusal says\n\nWritten by \`refusals.test.ts\`.\n\n${parts.join("\n")}`;
}

test("the texts of refusals are these", async () => {
  const texts: Record<string, string> = {};
  for (const [what, refuse] of Object.entries(layers)) texts[what] = refuse();
  Object.assign(texts, await brokerAndCommands());
  for (const [what, refused] of Object.entries(policies)) texts[`policy: ${what}`] = policyRefusal(what, refused);
  expect(Object.keys(texts).length).toBeGreaterThanOrEqual(42);
  await expect(documentOf(texts)).toMatchFileSnapshot("refusals.md");
});
