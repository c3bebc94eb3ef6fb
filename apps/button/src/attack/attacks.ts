/** The attacks, each with the layer that has to stop it. */

import { connect as connectTcp, createServer, type AddressInfo, type Socket } from "node:net";
import { connect as connectNodeTls, createSecureContext, type TLSSocket } from "node:tls";
import { nodeProvider } from "@latchkey/crypto/node";
import { acceptEveryChain, keyCredential } from "@latchkey/tls";
import { connectTls } from "@latchkey/tls/node";
import { ButtonError, connectionFailure } from "../errors.ts";
import { MqttClient } from "../mqtt-client.ts";
import { press } from "../press.ts";
import { outcomeOf, outcomeOfCertificate, type Attack, type Outcome } from "./attack.ts";
import type { Identity, Scene } from "./scene.ts";

const timeoutMs = 10_000;

/** Presses as somebody, by MQTT. */
function pressAs(scene: Scene, identity: Identity, options: { readonly topicName?: string } = {}): Promise<unknown> {
  return press({
    ...connectionOf(scene, identity),
    protocol: "mqtt",
    serialNumber: identity.serialNumber,
    ...options,
  });
}

function pressByHttps(
  scene: Scene,
  identity: Identity,
  options: { readonly topicName?: string } = {},
): Promise<unknown> {
  return press({
    ...connectionOf(scene, identity),
    port: scene.target.httpsPort,
    protocol: "https",
    serialNumber: identity.serialNumber,
    ...options,
  });
}

function connectionOf({ target, rootPem }: Scene, identity: Identity) {
  return {
    host: target.host,
    port: target.mqttPort,
    certificate: identity.certificatePem,
    privateKey: identity.privateKeyPem,
    roots: rootPem,
    timeoutMs,
  };
}

/** A press that has to succeed: where it does not, refusals prove nothing. Rejects with `ButtonError`. */
export async function pressHonestly(scene: Scene): Promise<void> {
  await pressAs(scene, scene.own);
  await pressByHttps(scene, scene.own);
}

/** All attacks, in the order of the table. */
export function attacksOn(scene: Scene): readonly Attack[] {
  return [...topicAttacks(scene), ...certificateAttacks(scene), ...wildcardAttacks(scene), ...handshakeAttacks(scene)];
}

function topicAttacks(scene: Scene): Attack[] {
  const { own, neighbour } = scene;
  const topicName = `iotbutton/${neighbour.serialNumber}`;
  return [
    {
      name: "A neighbour's topic",
      attempt: "the button's own certificate and key, and a PUBLISH to the neighbour's topic",
      expected: "policy",
      run: () => outcomeOf("the broker acknowledged the neighbour's order", () => pressAs(scene, own, { topicName })),
    },
    {
      name: "A neighbour's topic by HTTPS",
      attempt: "the same by a POST, as the device sends it",
      expected: "policy",
      run: () =>
        outcomeOf("the broker acknowledged the neighbour's order", () => pressByHttps(scene, own, { topicName })),
    },
    {
      name: "A neighbour's client identifier",
      attempt: "the button's own certificate and key, and a CONNECT under the neighbour's name",
      expected: "policy",
      run: () =>
        outcomeOf("the broker took the button for its neighbour", () =>
          pressAs(scene, { ...own, serialNumber: neighbour.serialNumber }),
        ),
    },
  ];
}

function certificateAttacks(scene: Scene): Attack[] {
  const { neighbour, own, expiring, revoked, selfSigned, foreign } = scene;
  const refused = (identity: Identity) => () => outcomeOfCertificate(() => pressAs(scene, identity));
  return [
    {
      name: "A neighbour's certificate without its key",
      attempt: "the neighbour's certificate, and a signature by another key",
      expected: "handshake",
      run: () =>
        outcomeOf("the broker believed a signature by another key", () => connectWithOtherKey(scene, neighbour, own)),
    },
    {
      name: "No certificate",
      attempt: "a handshake without a client certificate, and a CONNECT",
      expected: "certificate",
      run: () => outcomeOfCertificate(() => connectWithout(scene)),
    },
    {
      name: "A revoked certificate",
      attempt: "a registered certificate with its key, set REVOKED",
      expected: "certificate",
      run: refused(revoked),
    },
    {
      name: "An expired certificate",
      attempt: "a registered, ACTIVE certificate with its key, behind its notAfter",
      expected: "certificate",
      run: async () => {
        await reach(expiring.certificate.validity.notAfter + 1);
        return refused(expiring)();
      },
    },
    {
      name: "A self-signed certificate",
      attempt: "a certificate that says of itself which button it is",
      expected: "certificate",
      run: refused(selfSigned),
    },
    {
      name: "An unknown authority",
      attempt: "a certificate of an authority that has the name of the broker's own, with another key",
      expected: "certificate",
      run: refused(foreign),
    },
  ];
}

function wildcardAttacks(scene: Scene): Attack[] {
  const { roomGuest, wildcard, neighbour } = scene;
  return [
    {
      name: "A client identifier with +",
      attempt: "CONNECT as + to read orders/+, under a policy that allows the filter orders/${iot:ClientId}",
      expected: "policy",
      run: () =>
        outcomeOf("the broker let it read every room's orders", async () => {
          const client = await MqttClient.connect({ ...connectionOf(scene, roomGuest), clientIdentifier: "+" });
          await client.subscribe("orders/+");
          await client.disconnect();
        }),
    },
    {
      name: "A serial number with *",
      attempt: "a certificate whose serial number is *, under a policy with the serial number as a variable",
      expected: "policy",
      run: () =>
        outcomeOf("the broker let it publish on everybody's topic", () =>
          pressAs(scene, wildcard, { topicName: `iotbutton/${neighbour.serialNumber}` }),
        ),
    },
  ];
}

function handshakeAttacks(scene: Scene): Attack[] {
  return [
    {
      name: "Replayed handshake (TLS 1.2)",
      attempt: "every octet that an honest button sent in a press, sent once more",
      expected: "handshake",
      run: () => replay(scene, "TLSv1.2"),
    },
    {
      name: "Replayed handshake (TLS 1.3)",
      attempt: "the same with TLS 1.3",
      expected: "handshake",
      run: () => replay(scene, "TLSv1.3"),
    },
    {
      name: "Renegotiation with another certificate",
      attempt: "an honest connection of TLS 1.2, and a second handshake in it with the neighbour's certificate",
      expected: "handshake",
      run: () => renegotiate(scene),
    },
  ];
}

/** Rejects as a press does. `@latchkey/tls` signs by whatever key it is given; node:tls does not. */
async function connectWithOtherKey(scene: Scene, victim: Identity, attacker: Identity): Promise<void> {
  const credential = keyCredential({
    provider: nodeProvider,
    privateKey: attacker.key,
    chain: [victim.certificate.encoding],
  });
  const socket = connectTcp({ host: scene.target.host, port: scene.target.mqttPort });
  const stream = connectTls(socket, {
    provider: nodeProvider,
    clock: Date.now,
    serverName: scene.target.host,
    verifier: acceptEveryChain,
    credentials: [credential],
    handshakeTimeoutMs: timeoutMs,
  });
  await new Promise<void>((resolve, reject) => {
    stream.once("secureConnect", resolve);
    stream.once("error", (cause) => reject(connectionFailure(cause)));
  });
  const client = await MqttClient.over(stream, { clientIdentifier: victim.serialNumber, timeoutMs });
  await client.disconnect();
}

async function connectWithout(scene: Scene): Promise<void> {
  const { socket, handshake } = openNodeTls(scene, undefined, "TLSv1.3", scene.target.mqttPort);
  await handshake;
  const client = await MqttClient.over(socket, { clientIdentifier: scene.own.serialNumber, timeoutMs });
  await client.disconnect();
}

function openNodeTls(
  { target }: Scene,
  identity: Identity | undefined,
  version: "TLSv1.2" | "TLSv1.3",
  port: number,
): { readonly socket: TLSSocket; readonly handshake: Promise<void> } {
  const socket = connectNodeTls({
    host: target.host,
    servername: "localhost",
    port,
    maxVersion: version,
    rejectUnauthorized: false,
    ...(identity !== undefined && { cert: identity.certificatePem, key: identity.privateKeyPem }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("secureConnect", resolve);
  socket.once("error", (cause) => reject(connectionFailure(cause)));
  return { socket, handshake: promise };
}

/** Records an honest press between button and broker, and sends what the button sent to the broker again. */
async function replay(scene: Scene, version: "TLSv1.2" | "TLSv1.3"): Promise<Outcome> {
  const { host, mqttPort } = scene.target;
  const recorded: Buffer[] = [];
  const proxy = createServer((client) => {
    const upstream = connectTcp({ host, port: mqttPort });
    client.on("data", (chunk: Buffer) => recorded.push(chunk));
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, "127.0.0.1", resolve);
  });
  try {
    const port = portOf(proxy.address());
    const { socket, handshake } = openNodeTls(
      { ...scene, target: { ...scene.target, host: "127.0.0.1" } },
      scene.own,
      version,
      port,
    );
    await handshake;
    const { serialNumber } = scene.own;
    const client = await MqttClient.over(socket, { clientIdentifier: serialNumber, timeoutMs });
    await client.publish(`iotbutton/${serialNumber}`, new TextEncoder().encode("{}"));
    await client.disconnect();
  } finally {
    proxy.close();
  }
  return sendAgain(connectTcp({ host, port: mqttPort }), Buffer.concat(recorded));
}

/** A broker that stops it ends the connection. One that waits for more has taken the old octets for a new handshake. */
async function sendAgain(socket: Socket, octets: Buffer): Promise<Outcome> {
  const received: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  socket.on("data", (chunk: Buffer) => received.push(chunk));
  socket.once("error", () => resolve(true));
  socket.once("close", () => resolve(true));
  socket.write(octets);
  const hasEnded = await promise;
  clearTimeout(timer);
  socket.destroy();
  const answer = Buffer.concat(received);
  if (answer.length === 0) return { is: "unclear", evidence: "the broker did not answer the recorded hello" };
  if (!hasEnded) return { is: "through", evidence: "the broker went on with the recorded handshake" };
  const alert = plainAlertIn(answer);
  const how = alert === undefined ? "it ended the connection" : `it sent the alert ${alert}`;
  return {
    is: "stopped",
    layer: "handshake",
    evidence: `the broker answered with new random octets, so the old signature and the old Finished did not hold: ${how}`,
  };
}

/** Alerts that a replay can meet, by number (RFC 8446 §6). */
const alertNames: Readonly<Record<number, string>> = {
  10: "unexpected_message",
  20: "bad_record_mac",
  40: "handshake_failure",
  47: "illegal_parameter",
  50: "decode_error",
  51: "decrypt_error",
};

/** The alert of a record that is not encrypted: type 21, two octets (RFC 5246 §7.2). */
function plainAlertIn(records: Buffer): string | undefined {
  for (let at = 0; at + 5 <= records.length; at += 5 + records.readUInt16BE(at + 3)) {
    if (records[at] !== 21 || records.readUInt16BE(at + 3) !== 2) continue;
    const description = records[at + 6];
    if (description !== undefined) return alertNames[description] ?? String(description);
  }
  return undefined;
}

/** Connects honestly, then asks for a second handshake as the neighbour. */
async function renegotiate(scene: Scene): Promise<Outcome> {
  const { own, neighbour, target } = scene;
  const { socket, handshake } = openNodeTls(scene, own, "TLSv1.2", target.mqttPort);
  await handshake;
  await MqttClient.over(socket, { clientIdentifier: own.serialNumber, timeoutMs });
  socket.setKeyCert(createSecureContext({ cert: neighbour.certificatePem, key: neighbour.privateKeyPem }));
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const stopped = (how: string): void => resolve({ is: "stopped", layer: "handshake", evidence: how });
  const timer = setTimeout(() => resolve({ is: "unclear", evidence: "the broker did not answer" }), timeoutMs);
  socket.removeAllListeners("error");
  socket.removeAllListeners("close");
  socket.once("error", (error) => {
    const code = "code" in error ? `: ${String(error.code)}` : "";
    stopped(`the broker does not renegotiate${code}`);
  });
  socket.once("close", () => stopped("the broker closed the connection where a second handshake was asked for"));
  const isSent = socket.renegotiate({}, (error) => {
    if (error === null) resolve({ is: "through", evidence: "the connection has another certificate now" });
    else stopped("the broker does not renegotiate");
  });
  if (!isSent) resolve({ is: "unclear", evidence: "the second handshake could not be asked for" });
  const outcome = await promise;
  clearTimeout(timer);
  socket.destroy();
  return outcome;
}

function portOf(address: AddressInfo | string | null): number {
  if (address !== null && typeof address === "object") return address.port;
  throw new ButtonError("ERR_BUTTON_UNREACHABLE", "the recording proxy has no port");
}

/** Waits until the clock says so. */
async function reach(seconds: number): Promise<void> {
  for (let leftMs = seconds * 1000 - Date.now(); leftMs > 0; leftMs = seconds * 1000 - Date.now()) {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, leftMs);
    });
  }
}
