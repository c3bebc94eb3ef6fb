/** Messages under `$aws/events/`, as subscribers get them. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  GetRegistrationCodeCommand,
  RegisterCACertificateCommand,
  type IoTClient,
} from "@aws-sdk/client-iot";
import { DeleteConnectionCommand, IoTDataPlaneClient } from "@aws-sdk/client-iot-data-plane";
import { nodeProvider } from "@latchkey/crypto/node";
import { defaultScope } from "@latchkey/registry";
import { certificateToPem, deviceCertificate, issueCertificate, makeName, validityFrom } from "@latchkey/x509";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { privateKeyToPem } from "../../src/data-directory/key-pair-files.ts";
import { MqttSession, type Access } from "../mqtt-session.ts";
import { makeAuthority, makeCertificatePem } from "../control-plane/identities.ts";
import { MqttDevice } from "../control-plane/mqtt-device.ts";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let plane: RunningControlPlane;
let client: IoTClient;
let watcher: MqttDevice;
beforeEach(async () => {
  plane = await RunningControlPlane.start();
  client = plane.client();
  watcher = await MqttDevice.connect(plane, "watcher");
});
afterEach(() => plane[Symbol.asyncDispose]());

let policies = 0;

/** A certificate with a policy of its own. */
async function identity(...statements: object[]): Promise<Access & { certificateId: string; certificateArn: string }> {
  const made = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  const { certificateId = "", certificateArn = "", certificatePem = "", keyPair } = made;
  const policyName = `policy-${policies++}`;
  const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  await client.send(new CreatePolicyCommand({ policyName, policyDocument }));
  await client.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
  const ca = readFileSync(join(plane.directory, "server-ca.pem"));
  const port = plane.broker.listening.find(({ service }) => service === "mqtts")?.port ?? 0;
  return { port, ca, cert: certificatePem, key: keyPair?.PrivateKey ?? "", certificateId, certificateArn };
}

const everything = { Effect: "Allow", Action: "iot:*", Resource: "*" };

/** The next event, with its topic below `$aws/events/`. */
async function nextEvent(): Promise<[string, Record<string, unknown>]> {
  const { topic, payload } = await watcher.nextMessage();
  return [topic.replace("$aws/events/", ""), JSON.parse(payload) as Record<string, unknown>];
}

test("connected, subscribed, unsubscribed and disconnected, with the same session and version", async () => {
  await watcher.subscribe("$aws/events/+/+/lamp");
  const access = await identity(everything);
  const startedMs = Date.now();
  const session = await MqttSession.connect(access, "lamp", () => {});
  const [topic, connected] = await nextEvent();
  expect(topic).toBe("presence/connected/lamp");
  expect(connected).toEqual({
    clientId: "lamp",
    timestamp: expect.any(Number),
    eventType: "connected",
    sessionIdentifier: expect.stringMatching(/^[0-9a-f-]{36}$/),
    principalIdentifier: access.certificateId,
    ipAddress: "127.0.0.1",
    versionNumber: 0,
  });
  expect(Number(connected["timestamp"])).toBeGreaterThanOrEqual(startedMs);
  const { sessionIdentifier } = connected;
  const subscriptions = ["a", "b/#"].map((topicFilter) => ({ topicFilter, qos: 0 as const }));
  session.send({ type: "subscribe", packetIdentifier: 1, subscriptions });
  expect(await nextEvent()).toEqual([
    "subscriptions/subscribed/lamp",
    {
      clientId: "lamp",
      timestamp: expect.any(Number),
      eventType: "subscribed",
      sessionIdentifier,
      principalIdentifier: access.certificateId,
      topics: ["a", "b/#"],
    },
  ]);
  session.send({ type: "unsubscribe", packetIdentifier: 2, topicFilters: ["a"] });
  expect(await nextEvent()).toMatchObject(["subscriptions/unsubscribed/lamp", { topics: ["a"], sessionIdentifier }]);
  session.send({ type: "disconnect" });
  expect(await nextEvent()).toEqual([
    "presence/disconnected/lamp",
    {
      clientId: "lamp",
      timestamp: expect.any(Number),
      eventType: "disconnected",
      sessionIdentifier,
      principalIdentifier: access.certificateId,
      clientInitiatedDisconnect: true,
      disconnectReason: "CLIENT_INITIATED_DISCONNECT",
      versionNumber: 0,
    },
  ]);
  await MqttSession.connect(access, "lamp", () => {});
  expect(await nextEvent()).toMatchObject(["presence/connected/lamp", { versionNumber: 1 }]);
});

test("why a connection ended", async () => {
  await watcher.subscribe("$aws/events/presence/+/lamp");
  const access = await identity(everything, { Effect: "Deny", Action: "iot:Publish", Resource: "*" });
  const reasonOf = async (end: (session: MqttSession) => unknown): Promise<unknown> => {
    const session = await MqttSession.connect(access, "lamp", () => {});
    expect((await nextEvent())[0]).toBe("presence/connected/lamp");
    await end(session);
    const [topic, event] = await nextEvent();
    expect(topic).toBe("presence/disconnected/lamp");
    expect(event).not.toHaveProperty("ipAddress");
    return event["disconnectReason"];
  };
  expect(await reasonOf((session) => session.cut())).toBe("CONNECTION_LOST");
  const payload = new Uint8Array(1);
  expect(
    await reasonOf((session) =>
      session.send({ type: "publish", topicName: "a", payload, qos: 0, packetIdentifier: 0 }),
    ),
  ).toBe("AUTH_ERROR");
  expect(await reasonOf(() => MqttSession.connect(access, "lamp", () => {}))).toBe("DUPLICATE_CLIENTID");
  expect((await nextEvent())[0]).toBe("presence/connected/lamp");
  const { accessKeyId, secretAccessKey } = plane.administrator;
  const { region } = defaultScope;
  const data = new IoTDataPlaneClient({
    endpoint: plane.url,
    region,
    credentials: { accessKeyId, secretAccessKey },
  });
  await data.send(new DeleteConnectionCommand({ clientId: "lamp" }));
  data.destroy();
  expect(await nextEvent()).toMatchObject([
    "presence/disconnected/lamp",
    { disconnectReason: "API_INITIATED_DISCONNECT" },
  ]);
});

test("a CONNECT that the policies refuse is connect_failed, once", async () => {
  await watcher.subscribe("$aws/events/presence/#");
  const access = await identity({ Effect: "Allow", Action: "iot:Publish", Resource: "*" });
  await expect(MqttSession.connect(access, "lamp", () => {})).rejects.toThrow();
  expect(await nextEvent()).toEqual([
    "presence/connect_failed/lamp",
    {
      clientId: "lamp",
      timestamp: expect.any(Number),
      eventType: "connect_failed",
      sessionIdentifier: expect.any(String),
      principalIdentifier: access.certificateId,
      connectFailureReason: "AUTHORIZATION_FAILED",
      ipAddress: "127.0.0.1",
    },
  ]);
  const other = await MqttDevice.connect(plane, "other");
  expect((await nextEvent())[0]).toBe("presence/connected/other");
  await other[Symbol.asyncDispose]();
});

test("a thing that the certificate belongs to alone is named", async () => {
  await watcher.subscribe("$aws/events/presence/connected/+");
  const access = await identity(everything);
  await client.send(new CreateThingCommand({ thingName: "kitchen-lamp" }));
  await client.send(
    new AttachThingPrincipalCommand({
      thingName: "kitchen-lamp",
      principal: access.certificateArn,
      thingPrincipalType: "EXCLUSIVE_THING",
    }),
  );
  await MqttSession.connect(access, "lamp", () => {});
  expect((await nextEvent())[1]).toMatchObject({ clientId: "lamp", thingName: "kitchen-lamp" });
});

test("only those get events who may receive them, and nobody may publish them", async () => {
  const events = "arn:aws:iot:us-east-1:000000000000:topic/$aws/events/*";
  const deaf = await identity(everything, { Effect: "Deny", Action: "iot:Receive", Resource: events });
  const got: string[] = [];
  let answered = (): void => {};
  const suback = new Promise<void>((resolve) => (answered = resolve));
  const session = await MqttSession.connect(deaf, "deaf", (packet) => {
    got.push(packet.type);
    answered();
  });
  session.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "$aws/events/#", qos: 0 }] });
  await suback;
  await watcher.subscribe("$aws/events/presence/connected/lamp");
  await MqttSession.connect(await identity(everything), "lamp", () => {});
  expect((await nextEvent())[0]).toBe("presence/connected/lamp");
  expect(got).toEqual(["suback"]);
  const payload = new Uint8Array(1);
  session.send({
    type: "publish",
    topicName: "$aws/events/presence/connected/x",
    payload,
    qos: 1,
    packetIdentifier: 1,
  });
  await session.closed;
});

test("a client identifier that cannot be part of a topic has no events", async () => {
  await watcher.subscribe("$aws/events/presence/#");
  const access = await identity(everything);
  const odd = await MqttSession.connect(access, "lamp+1", () => {});
  await odd.cut();
  await MqttSession.connect(access, "lamp", () => {});
  expect((await nextEvent())[0]).toBe("presence/connected/lamp");
});

test("a certificate that registers itself is an event of its authority, each time it is shown", async () => {
  const authority = makeAuthority("Factory");
  const { registrationCode = "" } = await client.send(new GetRegistrationCodeCommand({}));
  const { certificateId: caCertificateId } = await client.send(
    new RegisterCACertificateCommand({
      caCertificate: certificateToPem(authority.certificate),
      verificationCertificate: makeCertificatePem(authority, { commonName: registrationCode }),
      setAsActive: true,
      allowAutoRegistration: true,
    }),
  );
  await watcher.subscribe(`$aws/events/certificates/registered/${caCertificateId}`);
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = deviceCertificate({
    subject: makeName([{ type: "commonName", value: "new" }]),
    validity: validityFrom(Math.floor(Date.now() / 1000) - 60, 30),
  });
  const certificate = issueCertificate({ provider: nodeProvider, issuer: authority, publicKey, template });
  const { port, ca } = await identity(everything);
  const cert = certificateToPem(certificate) + certificateToPem(authority.certificate);
  for (let attempt = 0; attempt < 2; attempt++) {
    const socket = connectTls({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca,
      cert,
      key: privateKeyToPem(privateKey),
    });
    socket.on("error", () => {});
    const [topic, event] = await nextEvent();
    expect(topic).toBe(`certificates/registered/${caCertificateId}`);
    expect(event).toEqual({
      certificateId: expect.stringMatching(/^[0-9a-f]{64}$/),
      caCertificateId,
      timestamp: expect.any(Number),
      certificateStatus: "PENDING_ACTIVATION",
      awsAccountId: "000000000000",
      certificateRegistrationTimestamp: expect.stringMatching(/^\d{13}$/),
    });
    socket.destroy();
    if (!socket.closed) await once(socket, "close");
  }
});
