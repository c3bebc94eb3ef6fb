/** A change over the API acts on a connection that is open. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  DetachPolicyCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allowEverything } from "./identities.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

let plane: RunningControlPlane;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
});
afterAll(() => plane[Symbol.asyncDispose]());

/** CONNECT of MQTT 3.1.1 with a clean session, the client identifier and no keep-alive. */
function connectPacket(clientIdentifier: string): Buffer {
  const name = Buffer.from(clientIdentifier);
  const body = Buffer.concat([Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, name.length]), name]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}

async function device(clientIdentifier: string): Promise<{ socket: TLSSocket; id: string; arn: string }> {
  const client = plane.client();
  const made = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  const { certificateId: id = "", certificateArn: arn = "" } = made;
  await client.send(new AttachPolicyCommand({ policyName: "all", target: arn }));
  const socket = connect({
    host: "127.0.0.1",
    port: plane.broker.port,
    servername: "localhost",
    ca: readFileSync(join(plane.directory, "server-ca.pem")),
    cert: made.certificatePem,
    key: made.keyPair?.PrivateKey,
  });
  socket.write(connectPacket(clientIdentifier));
  const [connack] = await once(socket, "data");
  expect([...(connack as Buffer)]).toEqual([0x20, 2, 0, 0]);
  return { socket, id, arn };
}

function once(socket: TLSSocket, event: "data" | "close"): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    socket.once(event, (...values: unknown[]) => resolve(values));
    socket.once("error", (error: Error) => (event === "close" ? resolve([]) : reject(error)));
  });
}

test("a certificate that is made INACTIVE ends its connection, and a policy that is detached takes its rights, within 100 ms", async () => {
  const client = plane.client();
  await client.send(new CreatePolicyCommand({ policyName: "all", policyDocument: allowEverything }));
  const one = await device("one");
  const closed = once(one.socket, "close").then(() => performance.now());
  await client.send(new UpdateCertificateCommand({ certificateId: one.id, newStatus: "INACTIVE" }));
  const changedMs = performance.now();
  expect((await closed) - changedMs).toBeLessThan(100);

  const two = await device("two");
  // PUBLISH, QoS 1, packet 1, topic "a": answered with PUBACK as long as it is allowed.
  const publish = Buffer.from([0x32, 5, 0, 1, 0x61, 0, 1]);
  two.socket.write(publish);
  expect([...((await once(two.socket, "data"))[0] as Buffer)]).toEqual([0x40, 2, 0, 1]);
  await client.send(new DetachPolicyCommand({ policyName: "all", target: two.arn }));
  const ended = once(two.socket, "close");
  two.socket.write(publish);
  await ended;
  expect(plane.log).toContain('"msg":"denied"');
});
