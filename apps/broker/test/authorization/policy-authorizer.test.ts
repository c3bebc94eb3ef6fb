import type { Credentials } from "@latchkey/broker-core";
import { type ConnectionRightsTable, defaultScope as scope, type Registry } from "@latchkey/registry";
import { beforeEach, expect, test } from "vitest";
import type { DevicePeer, ProgramPeer } from "../../src/authorization/peer.ts";
import { DevicePrincipal, PolicyAuthorizer } from "../../src/authorization/policy-authorizer.ts";
import { registeredDevice } from "./registered-device.ts";

const nowSeconds = 1_795_700_000;
let registry: Registry;
let table: ConnectionRightsTable;
let authorizer: PolicyAuthorizer;
let peer: DevicePeer;

const arn = (resource: string): string => `arn:aws:iot:us-east-1:000000000000:${resource}`;
const document = (effect: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: effect, Action: "iot:Publish", Resource: arn("topic/orders") },
      { Effect: "Allow", Action: "iot:Connect", Resource: arn("client/button") },
      {
        Effect: "Allow",
        Action: "iot:Connect",
        Resource: arn("client/${iot:Connection.Thing.Attributes[room]}"),
        Condition: { "ForAllValues:StringEquals": { "iot:ConnectAttributes": "LastWill" } },
      },
    ],
  });

beforeEach(async () => {
  const device = await registeredDevice({ nowSeconds: () => nowSeconds, policyDocument: document("Allow") });
  ({ registry } = device);
  table = registry.connectionRights();
  authorizer = new PolicyAuthorizer(table);
  peer = {
    kind: "device",
    principal: device.principal,
    sourceIp: "127.0.0.1",
    serverName: "localhost",
    remote: "127.0.0.1:1",
    ends: { sourcePort: 1, targetIp: "127.0.0.1", targetPort: 8883 },
  };
});

function credentialsOf(clientIdentifier: string, willTopicName?: string): Credentials {
  return {
    protocolVersion: 4,
    clientIdentifier,
    isAssignedIdentifier: false,
    userName: undefined,
    password: undefined,
    isPersistent: false,
    willTopicName,
    authenticationMethod: undefined,
    authenticationData: undefined,
    userProperties: [],
  };
}

async function connected(clientIdentifier = "button", willTopicName?: string): Promise<DevicePrincipal> {
  const result = await authorizer.authenticate(peer, credentialsOf(clientIdentifier, willTopicName));
  if (!result.ok) throw new Error(result.reason);
  if (!(result.principal instanceof DevicePrincipal)) throw new Error("no device");
  return result.principal;
}

test("a program's WebSocket is let in for a day in profile aws, and without an end otherwise", async () => {
  const { sourceIp, serverName, remote, ends } = peer;
  const program: ProgramPeer = {
    kind: "program",
    accessKeyId: "AKIA",
    accessScope: "reader",
    isValid: () => true,
    sourceIp,
    serverName,
    remote,
    ends,
  };
  const validSeconds = async (profile?: "aws"): Promise<number | undefined> => {
    const result = await new PolicyAuthorizer(table, profile).authenticate(program, credentialsOf("button"));
    return result.ok ? result.validSeconds : 0;
  };
  expect([await validSeconds("aws"), await validSeconds()]).toEqual([86_400, undefined]);
});

test("decides by the attached policies, and says why", async () => {
  const principal = await connected();
  expect(authorizer.decide(principal, "connect", "button")).toBe(true);
  expect(authorizer.decide(principal, "connect", "other")).toMatchObject({ isAllowed: false });
  expect(authorizer.decide(principal, "publish", "orders")).toBe(true);
  expect(authorizer.decide(principal, "publish", "secret")).toMatchObject({ isAllowed: false });
  expect(authorizer.decide(principal, "publish", "secret")).toMatchObject({
    reason: expect.stringContaining("secret") as string,
  });
});

test("a certificate that is not ACTIVE any more is not authenticated, and nothing of it is kept", async () => {
  await registry.certificates.updateStatus(scope, peer.principal.certificateId, "INACTIVE");
  await expect(connected()).rejects.toThrow("is INACTIVE");
  expect(table.size).toBe(0);
});

test("a connected principal that is refused loses every right, that of its will included", async () => {
  const principal = await connected();
  const sequence = registry.sequence();
  await registry.certificates.updateStatus(scope, peer.principal.certificateId, "REVOKED");
  const batch = registry.changesAfter(sequence);
  expect(batch.isComplete && [...table.apply(batch.changes)]).toEqual([principal.rights]);
  expect(principal.rights.refusal).toContain("is REVOKED");
  expect(authorizer.decide(principal, "publish", "orders")).toMatchObject({ isAllowed: false });
});

test("a changed thing is in the context of the next decision", async () => {
  await registry.things.create(scope, "button", { attributes: { room: "kitchen" } });
  await registry.things.attachPrincipal(scope, "button", peer.principal.certificateId);
  const principal = await connected("button", "gone");
  expect(authorizer.decide(principal, "connect", "kitchen")).toBe(true);
  const sequence = registry.sequence();
  await registry.things.update(scope, "button", { attributes: { room: "hall" } });
  const batch = registry.changesAfter(sequence);
  expect(batch.isComplete && [...table.apply(batch.changes)]).toHaveLength(1);
  expect(authorizer.decide(principal, "connect", "kitchen")).toMatchObject({ isAllowed: false });
  expect(authorizer.decide(principal, "connect", "hall")).toBe(true);
});

test("a released principal is forgotten", async () => {
  const principal = await connected();
  expect(table.size).toBe(1);
  authorizer.release(principal);
  expect(table.size).toBe(0);
  expect(authorizer.decide(principal, "publish", "orders")).toMatchObject({ isAllowed: false });
});
