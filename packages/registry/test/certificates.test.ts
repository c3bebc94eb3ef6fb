import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePem } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import {
  attributeValues,
  certificatesFromPem,
  createCertificationRequest,
  makeName,
  type Certificate,
} from "@latchkey/x509";
import { afterAll, describe, expect, test } from "vitest";
import { defaultScope as scope, type CertificateStatus } from "../src/index.ts";
import {
  allow,
  derOf,
  idOf,
  makeAuthority,
  makeDevice,
  makeRequestPem,
  newKey,
  pemOf,
  startSeconds,
  Workshop,
} from "./workshop.ts";

const second = { account: "111111111111", region: "us-east-1" };

function read(pem: string): Certificate {
  const [certificate] = certificatesFromPem(pem);
  if (certificate === undefined) throw new Error("no certificate");
  return certificate;
}

describe("one click", () => {
  test("makes an RSA key pair and a certificate as AWS does, and keeps no key", async () => {
    await using workshop = await Workshop.open();
    const created = await workshop.registry.certificates.createKeysAndCertificate(scope);
    expect(created.record).toMatchObject({ status: "INACTIVE", certificateMode: "DEFAULT" });
    expect(created.privateKeyPem).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    const certificate = read(created.record.certificatePem);
    expect(attributeValues(certificate.subject, "commonName")).toEqual(["AWS IoT Certificate"]);
    expect(certificate.validity.notAfter).toBe(Date.parse("2049-12-31T23:59:59Z") / 1000);
    const key = nodeProvider.importPkcs1PrivateKey(derOf(created.privateKeyPem));
    expect(key.publicKey.spki).toEqual(certificate.subjectPublicKeyInfo.encoding);
    expect(key.algorithm).toEqual({ name: "rsa", modulusBits: 2048 });
    const stored = JSON.stringify(workshop.storage.read((reader) => reader.scan("certificate", "", { limit: 9 })));
    expect(stored).not.toContain("PRIVATE");
  });

  test("makes a P-256 pair on request, active on request, and begins some minutes ago", async () => {
    await using workshop = await Workshop.open();
    const created = await workshop.registry.certificates.createKeysAndCertificate(scope, {
      keyAlgorithm: "p-256",
      setAsActive: true,
    });
    expect(created.record.status).toBe("ACTIVE");
    expect(nodeProvider.importPkcs8(derOf(created.privateKeyPem)).algorithm).toEqual({ name: "ec", curve: "P-256" });
    expect(read(created.record.certificatePem).validity.notBefore).toBe(startSeconds - 300);
  });

  test("begins no earlier than its issuer", async () => {
    await using workshop = await Workshop.open();
    const { notBefore } = workshop.local.certificate.validity;
    workshop.nowSeconds = notBefore + 10;
    const { certificates } = workshop.registry;
    const created = await certificates.createKeysAndCertificate(scope, { keyAlgorithm: "p-256" });
    const fromRequest = await certificates.createFromCsr(scope, makeRequestPem());
    for (const { certificatePem } of [created.record, fromRequest]) {
      expect(read(certificatePem).validity.notBefore).toBe(notBefore);
    }
  });
});

describe("a request", () => {
  test("gets a certificate for its key and subject, another one each time", async () => {
    await using workshop = await Workshop.open();
    const key = newKey();
    const pem = makeRequestPem(key, "my device");
    const one = await workshop.registry.certificates.createFromCsr(scope, pem, { setAsActive: true });
    const two = await workshop.registry.certificates.createFromCsr(scope, pem);
    expect(one.certificateId).not.toBe(two.certificateId);
    expect([one.status, two.status]).toEqual(["ACTIVE", "INACTIVE"]);
    const certificate = read(one.certificatePem);
    expect(attributeValues(certificate.subject, "commonName")).toEqual(["my device"]);
    expect(certificate.subjectPublicKeyInfo.encoding).toEqual(key.publicKey.spki);
  });

  const ed25519 = (): string => {
    const { privateKey } = nodeProvider.generateKeyPair({ name: "ed25519" });
    const subject = makeName([{ type: "CN", value: "x" }]);
    const request = createCertificationRequest({ provider: nodeProvider, privateKey, subject });
    return encodePem("CERTIFICATE REQUEST", request.encoding);
  };
  const brokenSignature = (): string => {
    const der = derOf(makeRequestPem());
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    return encodePem("CERTIFICATE REQUEST", der);
  };

  test.each([
    ["is empty", () => "", "ERR_REGISTRY_INVALID", /0 characters/],
    ["is too long", () => makeRequestPem() + "x".repeat(4096), "ERR_REGISTRY_INVALID", /1 to 4096 characters/],
    ["is no PEM", () => "hello", "ERR_REGISTRY_CERTIFICATE", /certificateSigningRequest cannot be read/],
    [
      "is not signed by its key",
      brokenSignature,
      "ERR_REGISTRY_CERTIFICATE",
      /certificateSigningRequest cannot be read/,
    ],
    ["has a key that AWS does not take", ed25519, "ERR_REGISTRY_CERTIFICATE", /ed25519 key. Possible: RSA of 2048/],
  ])("that %s is refused, and nothing is stored", async (_, pem, code, message) => {
    await using workshop = await Workshop.open();
    const refused = workshop.registry.certificates.createFromCsr(scope, pem());
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(workshop.registry.certificates.list(scope).items).toEqual([]);
  });
});

describe("registering", () => {
  test("a certificate of a registered authority takes over its mode and its identifier", async () => {
    await using workshop = await Workshop.open();
    const authority = makeAuthority();
    const caCertificateId = await workshop.registerAuthority(authority);
    const device = makeDevice(authority);
    const record = await workshop.registry.certificates.register(scope, {
      certificatePem: pemOf(device),
      status: "ACTIVE",
    });
    expect(record).toMatchObject({
      certificateId: idOf(device),
      caCertificateId,
      certificateMode: "DEFAULT",
      status: "ACTIVE",
    });
    const again = workshop.registry.certificates.register(scope, { certificatePem: pemOf(device) });
    await expect(again).rejects.toMatchObject({
      code: "ERR_REGISTRY_ALREADY_EXISTS",
      evidence: { resourceId: idOf(device), resourceArn: `arn:aws:iot:us-east-1:000000000000:cert/${idOf(device)}` },
    });
  });

  test("wants to know which of several authorities of one name it was", async () => {
    await using workshop = await Workshop.open();
    const [one, two] = [makeAuthority("Same"), makeAuthority("Same")];
    await workshop.registerAuthority(one);
    await workshop.registerAuthority(two);
    const certificatePem = pemOf(makeDevice(two));
    const unclear = workshop.registry.certificates.register(scope, { certificatePem });
    await expect(unclear).rejects.toMatchObject({ code: "ERR_REGISTRY_CERTIFICATE_CONFLICT" });
    const wrong = workshop.registry.certificates.register(scope, {
      certificatePem,
      caCertificatePem: pemOf(one.certificate),
    });
    await expect(wrong).rejects.toMatchObject({ code: "ERR_REGISTRY_CERTIFICATE" });
    const right = await workshop.registry.certificates.register(scope, {
      certificatePem,
      caCertificatePem: pemOf(two.certificate),
    });
    expect(right.caCertificateId).toBe(idOf(two.certificate));
  });

  test.each([
    ["of an unknown authority", () => makeDevice(makeAuthority("Stranger")), /none of the registered/],
    [
      "that has expired",
      (own) => makeDevice(own, { notBefore: startSeconds - 86_400, days: 0.5 }),
      /has expired: it is valid from 2026-/,
    ],
    ["that does not begin yet", (own) => makeDevice(own, { notBefore: startSeconds + 60 }), /is not valid yet/],
    [
      "with the name of its issuer and another's signature",
      () => makeDevice(makeAuthority("Own CA")),
      /certificatePem: it /,
    ],
  ] as [string, (own: ReturnType<typeof makeAuthority>) => Certificate, RegExp][])(
    "a certificate %s is refused, and nothing is stored",
    async (_, make, message) => {
      await using workshop = await Workshop.open();
      const own = makeAuthority("Own CA");
      await workshop.registerAuthority(own);
      const refused = workshop.registry.certificates.register(scope, { certificatePem: pemOf(make(own)) });
      await expect(refused).rejects.toMatchObject({
        code: "ERR_REGISTRY_CERTIFICATE",
        message: expect.stringMatching(message),
      });
      expect(workshop.registry.certificates.list(scope).items).toEqual([]);
    },
  );

  test("under an INACTIVE authority is refused with what to do", async () => {
    await using workshop = await Workshop.open();
    const authority = makeAuthority();
    const id = await workshop.registerAuthority(authority);
    await workshop.registry.authorities.update(scope, id, { status: "INACTIVE" });
    const refused = workshop.registry.certificates.register(scope, { certificatePem: pemOf(makeDevice(authority)) });
    await expect(refused).rejects.toMatchObject({ code: "ERR_REGISTRY_CERTIFICATE_STATE" });
  });

  test("without an authority is SNI_ONLY, and possible in several accounts of a region", async () => {
    await using workshop = await Workshop.open();
    await workshop.registry.createAccount(second);
    const certificatePem = pemOf(makeDevice(makeAuthority("Stranger")));
    const one = await workshop.registry.certificates.registerWithoutAuthority(scope, { certificatePem });
    const two = await workshop.registry.certificates.registerWithoutAuthority(second, { certificatePem });
    expect([one.certificateMode, one.caCertificateId]).toEqual(["SNI_ONLY", undefined]);
    expect(two.certificateId).toBe(one.certificateId);
  });

  test("in DEFAULT mode is possible in one account of a region, and in another region", async () => {
    await using workshop = await Workshop.open();
    const authority = makeAuthority();
    await workshop.registerAuthority(authority);
    const certificatePem = pemOf(makeDevice(authority));
    await workshop.registry.certificates.register(scope, { certificatePem });
    await workshop.registry.createAccount(second);
    const other = workshop.registry.certificates.registerWithoutAuthority(second, { certificatePem });
    await expect(other).rejects.toMatchObject({
      code: "ERR_REGISTRY_ALREADY_EXISTS",
      evidence: { resourceArn: undefined },
    });
    const elsewhere = { account: "111111111111", region: "eu-west-1" };
    await workshop.registry.createAccount(elsewhere);
    await workshop.registry.certificates.registerWithoutAuthority(elsewhere, { certificatePem });
  });

  test.each(["PENDING_TRANSFER", "PENDING_ACTIVATION"] as const)("as %s is not possible", async (status) => {
    await using workshop = await Workshop.open();
    const certificatePem = pemOf(makeDevice(makeAuthority()));
    const refused = workshop.registry.certificates.registerWithoutAuthority(scope, { certificatePem, status });
    await expect(refused).rejects.toMatchObject({ code: "ERR_REGISTRY_INVALID", evidence: { field: "status" } });
  });
});

/** Makes a certificate of this status by the operations that lead to it. */
async function certificateOf(workshop: Workshop, status: CertificateStatus): Promise<string> {
  const { registry } = workshop;
  if (status === "PENDING_ACTIVATION") {
    const authority = makeAuthority();
    await workshop.registerAuthority(authority, { autoRegistration: true });
    const device = makeDevice(authority);
    await registry.resolvePrincipal([device.encoding], undefined);
    return idOf(device);
  }
  const { certificateId: id } = await registry.certificates.createFromCsr(scope, makeRequestPem());
  if (status === "PENDING_TRANSFER") {
    await registry.createAccount(second);
    await registry.transfers.offer(scope, id, second.account);
  } else if (status !== "INACTIVE") {
    await registry.certificates.updateStatus(scope, id, status);
  }
  return id;
}

// Every status against every wanted one: the status afterwards, or the refusal.
const state = "ERR_REGISTRY_CERTIFICATE_STATE";
const invalid = "ERR_REGISTRY_INVALID";
test.each([
  [
    "ACTIVE",
    {
      ACTIVE: "ACTIVE",
      INACTIVE: "INACTIVE",
      REVOKED: "REVOKED",
      PENDING_TRANSFER: invalid,
      PENDING_ACTIVATION: invalid,
    },
  ],
  [
    "INACTIVE",
    {
      ACTIVE: "ACTIVE",
      INACTIVE: "INACTIVE",
      REVOKED: "REVOKED",
      PENDING_TRANSFER: invalid,
      PENDING_ACTIVATION: invalid,
    },
  ],
  [
    "REVOKED",
    { ACTIVE: state, INACTIVE: state, REVOKED: "REVOKED", PENDING_TRANSFER: invalid, PENDING_ACTIVATION: invalid },
  ],
  [
    "PENDING_TRANSFER",
    { ACTIVE: state, INACTIVE: state, REVOKED: state, PENDING_TRANSFER: invalid, PENDING_ACTIVATION: invalid },
  ],
  [
    "PENDING_ACTIVATION",
    {
      ACTIVE: "ACTIVE",
      INACTIVE: "INACTIVE",
      REVOKED: "REVOKED",
      PENDING_TRANSFER: invalid,
      PENDING_ACTIVATION: invalid,
    },
  ],
] as [CertificateStatus, Record<CertificateStatus, string>][])("the transitions from %s", async (from, outcomes) => {
  for (const [to, outcome] of Object.entries(outcomes) as [CertificateStatus, string][]) {
    await using workshop = await Workshop.open();
    const id = await certificateOf(workshop, from);
    const result = await workshop.registry.certificates.updateStatus(scope, id, to).then(
      (record) => record.status,
      (error: { code: string }) => error.code,
    );
    expect([to, result]).toEqual([to, outcome]);
    const now = workshop.registry.certificates.describe(scope, id).status;
    expect([to, now]).toEqual([to, outcome.startsWith("ERR") ? from : to]);
  }
});

test("REVOKED ends with force, and each change counts the version up once", async () => {
  await using workshop = await Workshop.open();
  const id = await certificateOf(workshop, "REVOKED");
  const { customerVersion } = workshop.registry.certificates.describe(scope, id);
  await expect(
    workshop.registry.certificates.updateStatus(scope, id, "ACTIVE", { force: false }),
  ).rejects.toMatchObject({ code: "ERR_REGISTRY_CERTIFICATE_STATE" });
  const forced = await workshop.registry.certificates.updateStatus(scope, id, "ACTIVE", { force: true });
  expect([forced.status, forced.customerVersion]).toEqual(["ACTIVE", customerVersion + 1]);
  const same = await workshop.registry.certificates.updateStatus(scope, id, "ACTIVE");
  expect(same.customerVersion).toBe(customerVersion + 1);
});

describe("deleting", () => {
  test.each([
    ["ACTIVE", state],
    ["INACTIVE", undefined],
    ["REVOKED", undefined],
    ["PENDING_TRANSFER", state],
    ["PENDING_ACTIVATION", undefined],
  ] as const)("%s", async (status, code) => {
    await using workshop = await Workshop.open();
    const id = await certificateOf(workshop, status);
    const deleted = workshop.registry.certificates.delete(scope, id);
    if (code === undefined) {
      await deleted;
      expect(() => workshop.registry.certificates.describe(scope, id)).toThrow(
        expect.objectContaining({ code: "ERR_REGISTRY_NOT_FOUND" }),
      );
      expect(workshop.registry.certificates.list(scope).items).toEqual([]);
    } else {
      await expect(deleted).rejects.toMatchObject({ code });
    }
  });

  test.each([
    ["a policy", true, false],
    ["a thing", false, false],
    ["a policy", true, true],
    ["a thing", false, true],
  ])("with %s attached (policy: %s, forced: %s)", async (_, hasPolicy, force) => {
    await using workshop = await Workshop.open();
    const { registry } = workshop;
    const id = await certificateOf(workshop, "INACTIVE");
    await registry.policies.create(scope, "p", allow("iot:Publish", "topic/x"));
    await registry.things.create(scope, "t");
    if (hasPolicy) await registry.policies.attach(scope, "p", { kind: "cert", certificateId: id });
    else await registry.things.attachPrincipal(scope, "t", id);
    const deleted = registry.certificates.delete(scope, id, { force });
    if (hasPolicy && force) {
      await deleted;
      await registry.policies.delete(scope, "p");
    } else {
      await expect(deleted).rejects.toMatchObject({
        code: "ERR_REGISTRY_DELETE_CONFLICT",
        evidence: { attached: [hasPolicy ? "policy p" : "thing t"] },
      });
      expect(registry.certificates.describe(scope, id).status).toBe("INACTIVE");
    }
  });

  test("what does not exist, or has no such form", async () => {
    await using workshop = await Workshop.open();
    const none = workshop.registry.certificates.delete(scope, "0".repeat(64));
    await expect(none).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
    const form = workshop.registry.certificates.delete(scope, "A/../b");
    await expect(form).rejects.toMatchObject({ code: "ERR_REGISTRY_INVALID", evidence: { field: "certificateId" } });
  });
});

describe("a transfer", () => {
  async function offered(): Promise<{ workshop: Workshop; id: string }> {
    const workshop = await Workshop.open();
    return { workshop, id: await certificateOf(workshop, "PENDING_TRANSFER") };
  }

  test("is accepted into the other account, with its history", async () => {
    const { workshop, id } = await offered();
    const { certificates, transfers } = workshop.registry;
    expect(transfers.listOutgoing(scope).items.map((one) => one.certificateId)).toEqual([id]);
    workshop.nowSeconds += 10;
    const accepted = await transfers.accept(second, id, { setAsActive: true });
    expect(accepted).toMatchObject({
      status: "ACTIVE",
      previousOwner: scope.account,
      transfer: { transferDateSeconds: startSeconds, acceptDateSeconds: startSeconds + 10 },
    });
    expect(certificates.list(scope).items).toEqual([]);
    expect(certificates.list(second).items).toHaveLength(1);
    await expect(transfers.accept(second, id)).rejects.toMatchObject({
      code: "ERR_REGISTRY_TRANSFER_COMPLETED",
    });
  });

  test("is rejected, with the reason, and can then be offered again", async () => {
    const { workshop, id } = await offered();
    const { certificates, transfers } = workshop.registry;
    await transfers.reject(second, id, "not ours");
    expect(certificates.describe(scope, id)).toMatchObject({
      status: "INACTIVE",
      transfer: { rejectReason: "not ours" },
    });
    await expect(transfers.accept(second, id)).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
    await transfers.offer(scope, id, second.account);
    await transfers.cancel(scope, id);
    expect(certificates.describe(scope, id)).toMatchObject({ status: "INACTIVE", transfer: undefined });
    await expect(transfers.cancel(scope, id)).rejects.toMatchObject({
      code: "ERR_REGISTRY_TRANSFER_COMPLETED",
    });
  });

  test.each([
    ["ACTIVE", "ERR_REGISTRY_CERTIFICATE_STATE"],
    ["REVOKED", "ERR_REGISTRY_CERTIFICATE_STATE"],
    ["PENDING_TRANSFER", "ERR_REGISTRY_CERTIFICATE_STATE"],
  ] as const)("of one that is %s is refused", async (status, code) => {
    await using workshop = await Workshop.open();
    const id = await certificateOf(workshop, status);
    await workshop.registry.createAccount(second);
    await expect(workshop.registry.transfers.offer(scope, id, second.account)).rejects.toMatchObject({ code });
  });

  test("to nobody, to oneself, or with a policy attached is refused", async () => {
    await using workshop = await Workshop.open();
    const { registry } = workshop;
    const id = await certificateOf(workshop, "INACTIVE");
    await expect(registry.transfers.offer(scope, id, "999999999999")).rejects.toMatchObject({
      code: "ERR_REGISTRY_NOT_FOUND",
    });
    await expect(registry.transfers.offer(scope, id, scope.account)).rejects.toMatchObject({
      code: "ERR_REGISTRY_TRANSFER_CONFLICT",
    });
    await registry.createAccount(second);
    await registry.policies.create(scope, "p", allow("iot:Publish", "topic/x"));
    await registry.policies.attach(scope, "p", { kind: "cert", certificateId: id });
    const refused = registry.transfers.offer(scope, id, second.account);
    await expect(refused).rejects.toMatchObject({
      code: "ERR_REGISTRY_TRANSFER_CONFLICT",
      evidence: { attached: ["policy p"] },
    });
  });
});

test("lists are in the order of registration, page by page, and by authority", async () => {
  await using workshop = await Workshop.open();
  const { certificates } = workshop.registry;
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push((await certificates.createFromCsr(scope, makeRequestPem())).certificateId);
  const seen: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = certificates.list(scope, { pageSize: 2, nextToken });
    seen.push(...page.items.map((one) => one.certificateId));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  expect(seen).toEqual(ids);
  const byAuthority = certificates.listByAuthority(scope, idOf(workshop.local.certificate), { pageSize: 3 });
  expect(byAuthority.items.map((one) => one.certificateId)).toEqual(ids.slice(0, 3));
  expect(byAuthority.nextToken).toBeDefined();
  expect(() => certificates.list(scope, { nextToken: "rubbish" })).toThrow(
    expect.objectContaining({ code: "ERR_REGISTRY_INVALID" }),
  );
  expect(() => certificates.list(scope, { pageSize: 0 })).toThrow(
    expect.objectContaining({ code: "ERR_REGISTRY_INVALID" }),
  );
});

const openssl = findProgram("openssl");
const folder = mkdtempSync(join(tmpdir(), "latchkey-registry-openssl-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(openssl.path === undefined)(`OpenSSL verifies what each way has made (${openssl.skipReason})`, async () => {
  await using workshop = await Workshop.open();
  const { certificates } = workshop.registry;
  const authority = makeAuthority();
  await workshop.registerAuthority(authority);
  const made = {
    click: (await certificates.createKeysAndCertificate(scope)).record,
    p256: (await certificates.createKeysAndCertificate(scope, { keyAlgorithm: "p-256" })).record,
    csr: await certificates.createFromCsr(scope, makeRequestPem()),
    own: await certificates.register(scope, { certificatePem: pemOf(makeDevice(authority)) }),
  };
  writeFileSync(join(folder, "roots.pem"), pemOf(workshop.local.certificate) + pemOf(authority.certificate));
  for (const [name, record] of Object.entries(made)) {
    writeFileSync(join(folder, `${name}.pem`), record.certificatePem);
    const words = ["verify", "-attime", String(startSeconds), "-purpose", "sslclient", "-CAfile"];
    const result = await runProgram(openssl.path ?? "", [
      ...words,
      join(folder, "roots.pem"),
      join(folder, `${name}.pem`),
    ]);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(": OK") });
  }
});

test("a transfer is not accepted over a certificate that the account has registered itself meanwhile", async () => {
  await using workshop = await Workshop.open();
  const { registry } = workshop;
  const target = { account: "111111111111", region: "us-east-1" };
  await registry.createAccount(target);
  const certificatePem = pemOf(makeDevice(makeAuthority("Stranger")));
  const { certificateId } = await registry.certificates.registerWithoutAuthority(scope, { certificatePem });
  await registry.transfers.offer(scope, certificateId, target.account);
  const own = await registry.certificates.registerWithoutAuthority(target, { certificatePem, status: "ACTIVE" });
  await expect(registry.transfers.accept(target, certificateId)).rejects.toMatchObject({
    code: "ERR_REGISTRY_ALREADY_EXISTS",
  });
  expect(registry.certificates.list(target).items).toEqual([own]);
  await registry.transfers.cancel(scope, certificateId);
  expect(registry.certificates.describe(scope, certificateId).status).toBe("INACTIVE");
});

test("what is SNI_ONLY in one account is not registered in DEFAULT mode in another one of the region", async () => {
  await using workshop = await Workshop.open();
  const { registry } = workshop;
  const other = { account: "111111111111", region: "us-east-1" };
  await registry.createAccount(other);
  const authority = makeAuthority();
  await workshop.registerAuthority(authority);
  const certificatePem = pemOf(makeDevice(authority));
  await registry.certificates.registerWithoutAuthority(other, { certificatePem });
  await expect(registry.certificates.register(scope, { certificatePem })).rejects.toMatchObject({
    code: "ERR_REGISTRY_ALREADY_EXISTS",
  });
  const shared = makeAuthority("Shared CA");
  await registry.authorities.register(other, {
    caCertificatePem: pemOf(shared.certificate),
    certificateMode: "SNI_ONLY",
  });
  await expect(workshop.registerAuthority(shared)).rejects.toMatchObject({ code: "ERR_REGISTRY_ALREADY_EXISTS" });
});
