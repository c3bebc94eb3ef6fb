/** MQTT without TLS: every client has the rights of one registered certificate, and none where that one has none. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { defaultScope } from "@latchkey/registry";
import { certificateId as idOf, certificatesFromPem, certificateToPem } from "@latchkey/x509";
import { connectAsync, type MqttClient } from "mqtt";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  openBrokerDirectory,
  openExistingDirectory,
  type DataDirectory,
} from "../../src/data-directory/data-directory.ts";
import { runBroker, type RunningBroker } from "../../src/run-broker.ts";
import { makeAuthority, makeDeviceUnder } from "../control-plane/identities.ts";
import { allow } from "../data-plane/device-identity.ts";

let directory: string;
let certificateId: string;
let broker: RunningBroker | undefined;
let data: DataDirectory | undefined;
let log: string[];
const clients: MqttClient[] = [];

beforeEach(async () => {
  log = [];
  directory = mkdtempSync(join(tmpdir(), "latchkey-plain-"));
  const opened = await openBrokerDirectory(directory, {
    serverNames: [],
    scope: defaultScope,
    now: () => new Date(),
  });
  const { certificates, policies } = opened.registry;
  const { record } = await certificates.createKeysAndCertificate(defaultScope, {
    setAsActive: true,
    keyAlgorithm: "p-256",
  });
  ({ certificateId } = record);
  const Statement = [
    allow("iot:Connect", "*"),
    allow("iot:Publish", "topic/orders"),
    allow("iot:Subscribe", "topicfilter/orders"),
    allow("iot:Receive", "topic/orders"),
  ];
  await policies.create(defaultScope, "plain", JSON.stringify({ Version: "2012-10-17", Statement }));
  await policies.attach(defaultScope, "plain", { kind: "cert", certificateId });
  await opened[Symbol.asyncDispose]();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await data?.[Symbol.asyncDispose]();
  data = undefined;
  await broker?.[Symbol.asyncDispose]();
  broker = undefined;
  rmSync(directory, { recursive: true });
});

async function start(options: {
  readonly host?: string;
  readonly certificateId?: string;
  readonly denial?: "explain" | "parity";
  readonly profile?: "standard" | "aws";
}): Promise<number> {
  const listener = { service: "mqtt", host: "127.0.0.1", port: 0, certificateId } as const;
  broker = await runBroker({
    dataDirectory: directory,
    listeners: [
      { ...listener, host: options.host ?? "127.0.0.1", certificateId: options.certificateId ?? certificateId },
    ],
    serverNames: [],
    scope: defaultScope,
    denial: options.denial ?? "explain",
    profile: options.profile,
    tls: "node",
    control: undefined,
    log: pino({ level: "info", base: null }, { write: (line: string) => void log.push(line) }),
  });
  data = await openExistingDirectory(directory, () => new Date());
  return broker.listening[0]?.port ?? 0;
}

async function connect(port: number): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0 }, false);
  clients.push(client);
  return client;
}

test.each(["standard", "aws"] as const)(
  "a client may do what the certificate may, with profile %s",
  async (profile) => {
    const port = await start({ profile });
    const client = await connect(port);
    const arrived: string[] = [];
    client.on("message", (topic, payload) => arrived.push(`${topic} ${payload.toString()}`));
    await client.subscribeAsync("orders", { qos: 1 });
    await client.publishAsync("orders", "pizza", { qos: 1 });
    await expect.poll(() => arrived).toEqual(["orders pizza"]);
    await expect(client.publishAsync("others", "pizza", { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
    const denied = log.find((line) => line.includes('"denied"')) ?? "{}";
    expect(JSON.parse(denied)).toMatchObject({ certificateId, action: "publish", name: "others" });
    expect(log.join("")).toContain("every program of this machine has the rights of the certificate");
  },
);

test("a certificate that counts only under its account's server name needs none here", async () => {
  const opened = await openExistingDirectory(directory, () => new Date());
  const { certificatePem } = opened.registry.certificates.describe(defaultScope, certificateId);
  await opened.registry.certificates.updateStatus(defaultScope, certificateId, "INACTIVE");
  await opened.registry.policies.detach(defaultScope, "plain", { kind: "cert", certificateId });
  await opened.registry.certificates.delete(defaultScope, certificateId);
  const imported = [{ certificatePem, status: "ACTIVE", policyNames: ["plain"] }] as const;
  await opened.registry.importCertificates(defaultScope, imported, () => Promise.resolve());
  await opened[Symbol.asyncDispose]();
  const client = await connect(await start({}));
  await client.publishAsync("orders", "pizza", { qos: 1 });
});

test("a certificate that is revoked ends the connections, and lets nobody in", async () => {
  const port = await start({});
  const client = await connect(port);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  await data?.registry.certificates.updateStatus(defaultScope, certificateId, "REVOKED");
  await closed;
  await expect(connect(port)).rejects.toMatchObject({ code: 0x87 });
  expect(log.join("")).toContain("REVOKED");
});

test("a certificate that is not registered lets nobody in, and the log says what to do", async () => {
  const unknown = "0a".repeat(32);
  const port = await start({ certificateId: unknown });
  await expect(connect(port)).rejects.toMatchObject({ code: 0x87 });
  const line = log.find((one) => one.includes("client refused")) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({
    code: "ERR_IDENTITY_PLAIN",
    reason: `certificate ${unknown} of plain MQTT is not registered`,
    mend: expect.stringContaining("latchkey certificate list") as string,
  });
});

test("a certificate below an intermediate authority counts where that one is registered, too: nobody sends it here", async () => {
  const root = makeAuthority("root");
  const [own, intermediate] = certificatesFromPem(makeDeviceUnder(root).cert);
  if (own === undefined || intermediate === undefined) throw new Error("no chain");
  const opened = await openExistingDirectory(directory, () => new Date());
  const { authorities, certificates, policies } = opened.registry;
  const authority = { setAsActive: true, certificateMode: "SNI_ONLY" } as const;
  await authorities.register(defaultScope, {
    ...authority,
    caCertificatePem: certificateToPem(root.certificate),
    allowAutoRegistration: true,
  });
  const { endpoint } = opened.registry.describeAccount(defaultScope);
  const chain = [own, intermediate].map(({ encoding }) => encoding);
  const shown = await opened.registry.resolvePrincipal(chain, endpoint);
  expect(shown).toMatchObject({ code: "ERR_IDENTITY_PENDING_ACTIVATION" });
  const below = idOf(own, nodeProvider);
  await certificates.updateStatus(defaultScope, below, "ACTIVE");
  await policies.attach(defaultScope, "plain", { kind: "cert", certificateId: below });
  await opened[Symbol.asyncDispose]();

  const port = await start({ certificateId: below });
  await expect(connect(port)).rejects.toMatchObject({ code: 0x87 });
  expect(log.join("")).toContain("ERR_IDENTITY_CHAIN");
  const caCertificatePem = certificateToPem(intermediate);
  await data?.registry.authorities.register(defaultScope, { ...authority, caCertificatePem });
  const client = await connect(port);
  await client.publishAsync("orders", "pizza", { qos: 1 });
});

test("in mode parity a client that is not let in is cut", async () => {
  const port = await start({ certificateId: "0a".repeat(32), denial: "parity" });
  await expect(connect(port)).rejects.toThrow("Couldn't connect to server");
});

test.each(["0.0.0.0", "::"])("listening on %s is refused before anything listens", async (host) => {
  await expect(start({ host })).rejects.toMatchObject({
    code: "ERR_BROKER_LISTEN",
    message: expect.stringContaining("only a loopback address (127.0.0.1, ::1) is possible without TLS") as string,
  });
});
