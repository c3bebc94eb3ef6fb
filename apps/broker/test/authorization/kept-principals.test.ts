/** What is kept of a principal, and what comes of it in the next process. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultScope, type ConnectionRightsTable } from "@latchkey/registry";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AccessKeys } from "../../src/authorization/access-keys.ts";
import { outliving } from "../../src/authorization/kept-principals.ts";
import {
  DevicePrincipal,
  PolicyAuthorizer,
  ProgramPrincipal,
  type Principal,
} from "../../src/authorization/policy-authorizer.ts";
import { registeredDevice, type RegisteredDevice } from "./registered-device.ts";

const nowSeconds = 1_800_000_000;
const connection = {
  sourceIp: "192.0.2.1",
  serverName: "broker.example",
  remote: "192.0.2.1:50000",
  ends: { sourcePort: 50_000, targetIp: "192.0.2.2", targetPort: 8883 },
};
const policyDocument = JSON.stringify({
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Action: "iot:Publish",
    Resource: "arn:aws:iot:us-east-1:000000000000:topic/wills/${iot:ClientId}",
    Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } },
  },
});

let folder: string;
let device: RegisteredDevice;
let table: ConnectionRightsTable;
let keys: AccessKeys;
let authenticator: ReturnType<typeof outliving>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-kept-"));
  device = await registeredDevice({ nowSeconds: () => nowSeconds, policyDocument });
  const { registry } = device;
  table = registry.connectionRights();
  keys = await AccessKeys.open(folder, () => nowSeconds);
  authenticator = outliving(new PolicyAuthorizer(table), { registry, rights: table, accessKeys: keys });
});
afterEach(async () => {
  await device.registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const kept = (principal: Principal): string => authenticator.keepPrincipal?.(principal) ?? "";
const restored = async (text: string): Promise<Principal | undefined> =>
  authenticator.restorePrincipal?.(text, "button");

function connected(): DevicePrincipal {
  const { principal } = device;
  return new DevicePrincipal({ kind: "device", principal, ...connection }, table.open(principal, "button"), "mqtt");
}

test("a device has the rights of its certificate, client identifier and address again", async () => {
  const principal = await restored(kept(connected()));
  expect(principal).toBeInstanceOf(DevicePrincipal);
  expect(principal?.peer).toMatchObject(connection);
  const authorizer = new PolicyAuthorizer(table);
  if (principal === undefined) throw new Error("it is not restored");
  expect(authorizer.decide(principal, "publish", "wills/button")).toBe(true);
  expect(authorizer.decide(principal, "publish", "wills/other")).not.toBe(true);
  authenticator.release?.(principal);
});

test("one whose certificate was revoked or deleted has none", async () => {
  const text = kept(connected());
  const { certificates } = device.registry;
  const { certificateId } = device.principal;
  await certificates.updateStatus(defaultScope, certificateId, "REVOKED");
  expect(await restored(text)).toBeUndefined();
  await certificates.delete(defaultScope, certificateId, { force: true });
  expect(await restored(text)).toBeUndefined();
});

test("a program has the scope of its key, until the key is revoked; its secret is not kept", async () => {
  const account = defaultScope.account;
  await keys.create({ accessScope: "administrator", account, description: undefined });
  const key = await keys.create({ accessScope: "reader", account, description: undefined });
  const peer = { kind: "program", accessKeyId: key.accessKeyId, accessScope: "reader", isValid: () => true } as const;
  const text = kept(new ProgramPrincipal({ ...peer, ...connection }));
  expect(text).not.toContain(key.secretAccessKey);
  const principal = await restored(text);
  expect(principal).toBeInstanceOf(ProgramPrincipal);
  expect(principal?.peer).toMatchObject({ accessKeyId: key.accessKeyId, accessScope: "reader" });
  await keys.revoke(account, key.accessKeyId);
  expect(principal?.revision).toBe(1);
  expect(await restored(text)).toBeUndefined();
});

test.each([
  "{}",
  "[]",
  "null",
  '{"certificateId":1}',
  '{"accessKeyId":"x","sourceIp":"192.0.2.1","remote":"r","ends":{}}',
])("what no broker has written, %s, is nobody", async (text) => expect(await restored(text)).toBeUndefined());
