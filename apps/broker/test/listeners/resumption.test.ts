/** A resumed TLS session is judged again, on the whole broker. */

import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import {
  AttachPolicyCommand,
  CreatePolicyCommand,
  GetRegistrationCodeCommand,
  RegisterCACertificateCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { certificateId as idOf, certificateToPem, certificatesFromPem } from "@latchkey/x509";
import { nodeProvider } from "@latchkey/crypto/node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { allowEverything, makeAuthority, makeCertificatePem, makeDeviceUnder } from "../control-plane/identities.ts";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice, type DeviceIdentity } from "../data-plane/device-identity.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** CONNECT of MQTT 3.1.1 with the client identifier `button`. */
const connect = "\u0010\u0012\0\u0004MQTT\u0004\u0002\0\0\0\u0006button";
const accepted = 0;
const notAuthorized = 5;

describe.each(["node", "latchkey"] as const)("a resumed session on the TLS engine %s", (tls) => {
  let plane: RunningControlPlane;
  let device: DeviceIdentity;
  beforeAll(async () => {
    // Its profile refuses clients without a server name, and a second CONNECT in the same second where limits do not say otherwise.
    plane = await RunningControlPlane.start({ tls, profile: "aws", limits: { maximumConnectsPerSecond: 0 } });
    device = await makeDevice(plane, [allow("iot:Connect", "*")]);
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  /** Connects, and gives the code of CONNACK, whether the session was resumed, and the session that the connection left. */
  async function attempt(
    version: "TLSv1.2" | "TLSv1.3",
    session?: Buffer,
    identity: { readonly cert: string; readonly key: string } = device,
  ): Promise<{ code: number | undefined; isResumed: boolean; left: Buffer | undefined }> {
    const { ca } = device;
    const { cert, key } = identity;
    const range = { minVersion: version, maxVersion: version };
    const at = { host: "127.0.0.1", port: plane.mqttPort, servername: "localhost" };
    const socket = connectTls({ ...at, ...range, cert, key, ca, session });
    let left: Buffer | undefined;
    socket.on("session", (given: Buffer) => (left = given));
    await once(socket, "secureConnect");
    const isResumed = socket.isSessionReused();
    socket.write(connect, "latin1");
    const [connack] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    return { code: connack[3], isResumed, left };
  }

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: is let in, and refused once its certificate is INACTIVE, until that is ACTIVE again",
    async (version) => {
      const { certificateId } = device;
      const set = (newStatus: "ACTIVE" | "INACTIVE"): Promise<unknown> =>
        plane.client().send(new UpdateCertificateCommand({ certificateId, newStatus }));
      const first = await attempt(version);
      expect(first).toMatchObject({ code: accepted, isResumed: false });
      expect(await attempt(version, first.left)).toMatchObject({ code: accepted, isResumed: true });
      await set("INACTIVE");
      expect(await attempt(version, first.left)).toMatchObject({ code: notAuthorized, isResumed: true });
      await set("ACTIVE");
      expect(await attempt(version, first.left)).toMatchObject({ code: accepted, isResumed: true });
      expect(plane.log).toMatch(/"isResumed":true,"msg":"client identified"/);
    },
  );

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: of a device below an intermediate is let in by the ticket of a connection that was refused",
    async (version) => {
      const client = plane.client();
      const root = makeAuthority(`root ${version}`);
      const { registrationCode: commonName = "" } = await client.send(new GetRegistrationCodeCommand({}));
      const caCertificate = certificateToPem(root.certificate);
      const verificationCertificate = makeCertificatePem(root, { commonName });
      const register = { caCertificate, verificationCertificate, setAsActive: true, allowAutoRegistration: true };
      await client.send(new RegisterCACertificateCommand(register));
      const identity = makeDeviceUnder(root);
      // It registers itself just in time, and is not active yet.
      const first = await attempt(version, undefined, identity);
      expect(first).toMatchObject({ code: notAuthorized, isResumed: false });
      const [own] = certificatesFromPem(identity.cert);
      if (own === undefined) throw new Error("no certificate");
      const certificateId = idOf(own, nodeProvider);
      const target = `arn:aws:iot:us-east-1:000000000000:cert/${certificateId}`;
      const policyName = `all-${version}`;
      await client.send(new CreatePolicyCommand({ policyName, policyDocument: allowEverything }));
      await client.send(new AttachPolicyCommand({ policyName, target }));
      await client.send(new UpdateCertificateCommand({ certificateId, newStatus: "ACTIVE" }));
      expect(await attempt(version, first.left, identity)).toMatchObject({ code: accepted, isResumed: true });
    },
  );
});
