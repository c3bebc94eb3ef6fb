/** A device that the control plane has made, with a policy of its own. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import type { RunningControlPlane } from "../control-plane/running-control-plane.ts";

/** What a TLS client is given. */
export interface DeviceIdentity {
  readonly certificateId: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

let made = 0;

/** Makes it. `statements` are those of its policy. */
export async function makeDevice(plane: RunningControlPlane, statements: readonly object[]): Promise<DeviceIdentity> {
  const client = plane.client();
  const {
    certificateId = "",
    certificateArn,
    certificatePem,
    keyPair,
  } = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  const policyName = `device-${++made}`;
  const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  await client.send(new CreatePolicyCommand({ policyName, policyDocument }));
  await client.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
  return {
    certificateId,
    cert: certificatePem ?? "",
    key: keyPair?.PrivateKey ?? "",
    ca: readFileSync(join(plane.directory, "server-ca.pem"), "utf8"),
  };
}

export async function revoke(plane: RunningControlPlane, { certificateId }: DeviceIdentity): Promise<void> {
  await plane.client().send(new UpdateCertificateCommand({ certificateId, newStatus: "REVOKED" }));
}

const account = "arn:aws:iot:us-east-1:000000000000";

/** A statement that allows an action on resources such as `topic/orders`. */
export function allow(action: string, ...resources: readonly string[]): object {
  return {
    Effect: "Allow",
    Action: action,
    Resource: resources.map((one) => (one === "*" ? "*" : `${account}:${one}`)),
  };
}
