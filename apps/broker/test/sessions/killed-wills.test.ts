/** Wills whose broker is killed or stopped, with real processes. */

import { nodeProvider } from "@latchkey/crypto/node";
import { certificateId as idOf, certificatesFromPem, certificateToPem } from "@latchkey/x509";
import { connect as mqttConnect, connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openExistingDirectory } from "../../src/data-directory/data-directory.ts";
import { allowEverything, makeAuthority, makeCertificatePem, makeDeviceUnder } from "../control-plane/identities.ts";
import type { Access } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "../observability/running-broker.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

type Device = Omit<Access, "port"> & { readonly certificateId: string };

let broker: BrokerProcess;
let device: Device;
const clients: MqttClient[] = [];

beforeEach(async () => {
  broker = new BrokerProcess();
  await broker.start();
  device = await broker.device([everything]);
  await broker.end("SIGKILL");
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await broker[Symbol.asyncDispose]();
});

const urlOf = (port: number): string => `mqtts://localhost:${port}`;

function optionsOf(clientId: string, options: IClientOptions): IClientOptions {
  const { ca, cert, key } = device;
  return { ca, cert, key, clientId, protocolVersion: 5, reconnectPeriod: 0, ...options };
}

async function connect(port: number, clientId: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(urlOf(port), optionsOf(clientId, options), false);
  clients.push(client);
  client.on("error", () => {});
  return client;
}

/** Connects with a will, and gives the client when the broker has kept it. */
async function connectWithWill(port: number, clientId: string, delaySeconds: number): Promise<MqttClient> {
  const client = await connect(port, clientId, {
    clean: delaySeconds === 0,
    properties: { sessionExpiryInterval: delaySeconds === 0 ? 0 : 3600 },
    will: {
      topic: `wills/${clientId}`,
      payload: Buffer.from("gone"),
      qos: 1,
      retain: true,
      properties: { willDelayInterval: delaySeconds },
    },
  });
  // What is acknowledged is committed, and so is what came before it.
  await client.publishAsync("after", clientId, { qos: 1, retain: true });
  return client;
}

/** What the topics of wills retain, from now on. */
async function watch(port: number): Promise<readonly string[]> {
  const client = await connect(port, "watcher");
  const topics: string[] = [];
  client.on("message", (topic) => topics.push(topic));
  await client.subscribeAsync("wills/#", { qos: 1 });
  return topics;
}

test("kill -9: a will is published when the broker runs again; a client that returns before its delay has passed has none", async () => {
  let port = await broker.start();
  const log = broker.readLog();
  const atOnce = await connectWithWill(port, "at-once", 0);
  await connectWithWill(port, "back-in-time", 3600);
  await connectWithWill(port, "away", 3);
  const normal = await connectWithWill(port, "normal", 0);
  await normal.endAsync();
  const closed = expect.objectContaining({ msg: "closed", clientIdentifier: "normal" }) as unknown;
  await expect.poll(() => log, { timeout: 30_000 }).toContainEqual(closed);
  await atOnce.publishAsync("after", "normal", { qos: 1, retain: true });
  await broker.end("SIGKILL");
  port = await broker.start();
  const back = await connect(port, "back-in-time", { clean: false, properties: { sessionExpiryInterval: 3600 } });
  const topics = await watch(port);
  await expect.poll(() => topics.toSorted(), { timeout: 30_000 }).toEqual(["wills/at-once", "wills/away"]);
  await back.endAsync();
  // None of them is left over.
  await broker.end("SIGKILL");
  port = await broker.start();
  const again = await watch(port);
  await expect.poll(() => again.toSorted(), { timeout: 30_000 }).toEqual(["wills/at-once", "wills/away"]);
});

test("SIGTERM: a will without delay is published at once, one with a delay when it has passed", async () => {
  let port = await broker.start();
  const client = await connectWithWill(port, "at-once", 0);
  await connectWithWill(port, "later", 3);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  expect(await broker.end("SIGTERM")).toBe(0);
  await closed;
  port = await broker.start();
  const topics = await watch(port);
  await expect.poll(() => topics.toSorted(), { timeout: 30_000 }).toEqual(["wills/at-once", "wills/later"]);
});

test("a certificate that was revoked while nothing ran has its will held back, and the log says so", async () => {
  let port = await broker.start();
  await connectWithWill(port, "button", 0);
  await broker.end("SIGKILL");
  await broker.latchkey("certificate", "revoke", "--certificate", device.certificateId);
  const watcher = await broker.device([everything]);
  port = await broker.start();
  const log = broker.readLog();
  await expect
    .poll(() => log, { timeout: 30_000 })
    .toContainEqual(
      expect.objectContaining({
        msg: "a will is not published",
        clientIdentifier: "button",
        topicName: "wills/button",
      }),
    );
  device = watcher;
  const topics = await watch(port);
  await (await connect(port, "other")).publishAsync("wills/other", "x", { qos: 1 });
  await expect.poll(() => topics, { timeout: 30_000 }).toEqual(["wills/other"]);
});

/** A device below an intermediate of an authority of its own, registered just in time and activated while no broker runs. */
async function deviceBelowIntermediate(data: string): Promise<Pick<Device, "cert" | "key" | "certificateId">> {
  const root = makeAuthority("root");
  const identity = makeDeviceUnder(root);
  const chain = certificatesFromPem(identity.cert);
  const [own] = chain;
  if (own === undefined) throw new Error("no certificate");
  const { registry, scope, [Symbol.asyncDispose]: close } = await openExistingDirectory(data, () => new Date());
  try {
    const commonName = await registry.authorities.registrationCode(scope);
    await registry.authorities.register(scope, {
      caCertificatePem: certificateToPem(root.certificate),
      verificationCertificatePem: makeCertificatePem(root, { commonName }),
      setAsActive: true,
      allowAutoRegistration: true,
    });
    const encodings = chain.map(({ encoding }) => encoding);
    const result = await registry.resolvePrincipal(encodings, undefined);
    expect(result).toMatchObject({ code: "ERR_IDENTITY_PENDING_ACTIVATION" });
    const certificateId = idOf(own, nodeProvider);
    await registry.certificates.updateStatus(scope, certificateId, "ACTIVE");
    await registry.policies.create(scope, "below", allowEverything);
    await registry.policies.attach(scope, "below", { kind: "cert", certificateId });
    return { ...identity, certificateId };
  } finally {
    await close();
  }
}

test("a device below an intermediate authority has its will published by the broker that runs again", async () => {
  const watcher = device;
  device = { ...watcher, ...(await deviceBelowIntermediate(broker.data)) };
  let port = await broker.start();
  await connectWithWill(port, "below", 0);
  await broker.end("SIGKILL");
  device = watcher;
  port = await broker.start();
  const topics = await watch(port);
  await expect.poll(() => topics, { timeout: 30_000 }).toEqual(["wills/below"]);
});

test("kill -9 as CONNACK arrives: the will is published, and the session is there", async () => {
  const names = ["first", "second", "third"];
  const will = { payload: Buffer.from("gone"), qos: 1, retain: true } as const;
  const kept = { clean: false, properties: { sessionExpiryInterval: 3600 } };
  for (const name of names) {
    const port = await broker.start();
    const client = await connect(port, name, { ...kept, will: { topic: `wills/${name}`, ...will } });
    await broker.end("SIGKILL");
    client.end(true);
  }
  const port = await broker.start();
  const topics = await watch(port);
  await expect.poll(() => topics.toSorted(), { timeout: 30_000 }).toEqual(names.map((name) => `wills/${name}`));
  for (const name of names) {
    const connack = new Promise<boolean>((resolve) => {
      const client = mqttConnect(urlOf(port), optionsOf(name, kept));
      clients.push(client);
      client.once("connect", ({ sessionPresent }) => resolve(sessionPresent));
    });
    expect(await connack).toBe(true);
  }
});
