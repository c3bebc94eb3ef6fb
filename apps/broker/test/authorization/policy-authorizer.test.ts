import { nodeProvider } from "@latchkey/crypto/node";
import {
  CertificateIdentifier,
  createMemoryStore,
  type IdentifiedCertificate,
  type RegistryStore,
} from "@latchkey/registry";
import {
  certificateAuthority,
  certificateId,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
} from "@latchkey/x509";
import { beforeEach, expect, test } from "vitest";
import { PolicyAuthorizer, type Peer, type Principal } from "../../src/authorization/policy-authorizer.ts";

const scope = { region: "us-east-1", account: "000000000000" };
const nowSeconds = 1_795_700_000;
let store: RegistryStore;
let authorizer: PolicyAuthorizer;
let peer: Peer;
let unreadable: string[];

const publishTo = (topic: string, effect = "Allow"): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: effect, Action: "iot:Publish", Resource: `arn:aws:iot:us-east-1:000000000000:topic/${topic}` },
      { Effect: "Allow", Action: "iot:Connect", Resource: "arn:aws:iot:us-east-1:000000000000:client/button" },
    ],
  });

beforeEach(async () => {
  store = createMemoryStore();
  unreadable = [];
  authorizer = new PolicyAuthorizer(store, scope, (name) => unreadable.push(name));
  peer = { identity: await registered(), sourceIp: "127.0.0.1", serverName: "localhost", remote: "127.0.0.1:1" };
  await store.createPolicy({ policyName: "orders", document: publishTo("orders") });
  await store.attachPolicy("orders", peer.identity.certificateId);
});

async function registered(): Promise<IdentifiedCertificate> {
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const validity = validityFrom(nowSeconds - 60, 10);
  const authority = issueSelfSignedCertificate({
    provider: nodeProvider,
    privateKey,
    template: certificateAuthority({ subject: makeName([{ type: "CN", value: "Device CA" }]), validity }),
  });
  const certificate = issueCertificate({
    provider: nodeProvider,
    issuer: { certificate: authority, privateKey },
    publicKey: nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" }).publicKey,
    template: deviceCertificate({ subject: makeName([{ type: "CN", value: "button" }]), validity }),
  });
  const record = { status: "ACTIVE", createdAtSeconds: nowSeconds } as const;
  const idOf = (one: typeof certificate): string => certificateId(one, nodeProvider);
  await store.createCertificateAuthority({ ...record, certificateId: idOf(authority), der: authority.encoding });
  await store.createCertificate({ ...record, certificateId: idOf(certificate), der: certificate.encoding });
  const result = await new CertificateIdentifier(store, nodeProvider).identify([certificate.encoding], nowSeconds);
  if (!result.ok) throw new Error(result.reason);
  return result.identity;
}

async function connected(): Promise<Principal> {
  const credentials = {
    clientIdentifier: "button",
    userName: undefined,
    password: undefined,
    isPersistent: false,
    willTopicName: undefined,
  };
  const result = await authorizer.authenticate(peer, credentials);
  if (!result.ok) throw new Error(result.reason);
  return result.principal;
}

test("decides by the attached policies, and says why", async () => {
  const principal = await connected();
  expect(authorizer.allows(principal, "connect", "button")).toBe(true);
  expect(authorizer.allows(principal, "connect", "other")).toBe(false);
  expect(authorizer.allows(principal, "publish", "orders")).toBe(true);
  expect(authorizer.allows(principal, "publish", "secret")).toBe(false);
  expect(authorizer.explain(principal, "publish", "secret").sentence).toContain("secret");
});

test("a certificate that is not ACTIVE any more is not authenticated", async () => {
  await store.setCertificateStatus(peer.identity.certificateId, "INACTIVE");
  await expect(connected()).rejects.toThrow("certificate is INACTIVE");
});

test("a connected principal that is refused loses every right, that of its will included", async () => {
  const principal = await connected();
  await store.setCertificateStatus(peer.identity.certificateId, "REVOKED");
  expect(await authorizer.refresh(principal)).toBe("certificate is REVOKED");
  expect(authorizer.allows(principal, "publish", "orders")).toBe(false);
});

test("attached and detached policies count from the next refresh on", async () => {
  const principal = await connected();
  await store.createPolicy({ policyName: "deny", document: publishTo("orders", "Deny") });
  await store.attachPolicy("deny", peer.identity.certificateId);
  expect(authorizer.allows(principal, "publish", "orders")).toBe(true);
  expect(await authorizer.refresh(principal)).toBeUndefined();
  expect(authorizer.allows(principal, "publish", "orders")).toBe(false);
  await store.detachPolicy("deny", peer.identity.certificateId);
  await authorizer.refresh(principal);
  expect(authorizer.allows(principal, "publish", "orders")).toBe(true);
});

test("beside a policy that cannot be read nothing is allowed, and its name is reported", async () => {
  await store.createPolicy({ policyName: "broken", document: "{" });
  await store.attachPolicy("broken", peer.identity.certificateId);
  const principal = await connected();
  expect(authorizer.allows(principal, "publish", "orders")).toBe(false);
  expect(unreadable).toEqual(["broken"]);
});
