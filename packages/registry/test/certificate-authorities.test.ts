import { describe, expect, test } from "vitest";
import { defaultScope as scope } from "../src/index.ts";
import { idOf, makeAuthority, makeDevice, pemOf, startSeconds, Workshop } from "./workshop.ts";

const second = { account: "111111111111", region: "us-east-1" };

describe("the registration code", () => {
  test("is 64 hexadecimal digits, the same until it is deleted, one an account", async () => {
    await using workshop = await Workshop.open();
    const { authorities } = workshop.registry;
    await workshop.registry.createAccount(second);
    const code = await authorities.registrationCode(scope);
    expect(code).toMatch(/^[0-9a-f]{64}$/);
    expect(await authorities.registrationCode(scope)).toBe(code);
    expect(await authorities.registrationCode(second)).not.toBe(code);
    await authorities.deleteRegistrationCode(scope);
    await expect(authorities.deleteRegistrationCode(scope)).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
    expect(await authorities.registrationCode(scope)).not.toBe(code);
  });

  test("of an account that does not exist is refused", async () => {
    await using workshop = await Workshop.open();
    await expect(workshop.registry.authorities.registrationCode(second)).rejects.toMatchObject({
      code: "ERR_REGISTRY_NOT_FOUND",
    });
  });
});

describe("DEFAULT mode", () => {
  test("takes an authority whose key signs the registration code, INACTIVE unless asked for", async () => {
    await using workshop = await Workshop.open();
    const { authorities } = workshop.registry;
    const authority = makeAuthority();
    const code = await authorities.registrationCode(scope);
    const record = await authorities.register(scope, {
      caCertificatePem: pemOf(authority.certificate),
      verificationCertificatePem: pemOf(makeDevice(authority, { subject: [{ type: "CN", value: code }] })),
    });
    expect(record).toMatchObject({ status: "INACTIVE", certificateMode: "DEFAULT", autoRegistration: false });
    expect(authorities.describe(scope, idOf(authority.certificate))).toEqual(record);
  });

  test("refuses another common name, another signer, an expired proof, and no proof", async () => {
    await using workshop = await Workshop.open();
    const { authorities } = workshop.registry;
    const authority = makeAuthority();
    const code = await authorities.registrationCode(scope);
    const subject = [{ type: "CN", value: code }];
    const register = (verification: string | undefined): Promise<unknown> =>
      authorities.register(scope, {
        caCertificatePem: pemOf(authority.certificate),
        verificationCertificatePem: verification,
      });
    await expect(register(pemOf(makeDevice(authority)))).rejects.toMatchObject({
      code: "ERR_REGISTRY_REGISTRATION_CODE",
      message: expect.stringContaining(code),
      evidence: { found: ["device"], registrationCode: code },
    });
    await expect(register(pemOf(makeDevice(makeAuthority(), { subject })))).rejects.toMatchObject({
      code: "ERR_REGISTRY_CERTIFICATE",
    });
    const old = makeDevice(authority, { subject, notBefore: startSeconds - 86_400, days: 0.5 });
    await expect(register(pemOf(old))).rejects.toMatchObject({ code: "ERR_REGISTRY_CERTIFICATE" });
    await expect(register(undefined)).rejects.toMatchObject({ code: "ERR_REGISTRY_INVALID" });
    expect(authorities.list(scope).items.filter(({ isLocal }) => !isLocal)).toEqual([]);
  });

  test("before the code was asked for is refused with that", async () => {
    await using workshop = await Workshop.open();
    const authority = makeAuthority();
    const refused = workshop.registry.authorities.register(scope, {
      caCertificatePem: pemOf(authority.certificate),
      verificationCertificatePem: pemOf(makeDevice(authority)),
    });
    await expect(refused).rejects.toThrow("the account has none yet: ask for it first");
  });

  test("gives an authority to one account of a region", async () => {
    await using workshop = await Workshop.open();
    const authority = makeAuthority();
    await workshop.registerAuthority(authority);
    await workshop.registry.createAccount(second);
    const code = await workshop.registry.authorities.registrationCode(second);
    const other = workshop.registry.authorities.register(second, {
      caCertificatePem: pemOf(authority.certificate),
      verificationCertificatePem: pemOf(makeDevice(authority, { subject: [{ type: "CN", value: code }] })),
    });
    await expect(other).rejects.toMatchObject({ code: "ERR_REGISTRY_ALREADY_EXISTS" });
  });
});

describe("SNI_ONLY mode", () => {
  test("wants no proof, and gives an authority to several accounts", async () => {
    await using workshop = await Workshop.open();
    await workshop.registry.createAccount(second);
    const caCertificatePem = pemOf(makeAuthority().certificate);
    for (const owner of [scope, second]) {
      const record = await workshop.registry.authorities.register(owner, {
        caCertificatePem,
        certificateMode: "SNI_ONLY",
      });
      expect(record.certificateMode).toBe("SNI_ONLY");
    }
    const withProof = workshop.registry.authorities.register(scope, {
      caCertificatePem: pemOf(makeAuthority().certificate),
      certificateMode: "SNI_ONLY",
      verificationCertificatePem: "-----BEGIN CERTIFICATE-----",
    });
    await expect(withProof).rejects.toMatchObject({ code: "ERR_REGISTRY_INVALID" });
  });
});

test.each([
  ["a device certificate", () => pemOf(makeDevice(makeAuthority())), /cA TRUE/],
  ["an expired authority", () => pemOf(makeAuthority("Old", { days: 0.5 }).certificate), /has expired/],
  ["no certificate", () => "hello", /cannot be read/],
])("%s is no authority", async (_, pem, message) => {
  await using workshop = await Workshop.open();
  const refused = workshop.registry.authorities.register(scope, {
    caCertificatePem: pem(),
    certificateMode: "SNI_ONLY",
  });
  await expect(refused).rejects.toMatchObject({
    code: "ERR_REGISTRY_CERTIFICATE",
    message: expect.stringMatching(message),
  });
});

test("ten authorities of one name, and not one more", async () => {
  await using workshop = await Workshop.open();
  const register = (): Promise<unknown> =>
    workshop.registry.authorities.register(scope, {
      caCertificatePem: pemOf(makeAuthority("Same").certificate),
      certificateMode: "SNI_ONLY",
    });
  for (let i = 0; i < 10; i++) await register();
  await expect(register()).rejects.toMatchObject({ code: "ERR_REGISTRY_LIMIT", evidence: { limit: 10, found: 11 } });
});

describe("changing and deleting", () => {
  test("status, just-in-time registration and template change; removing ends both of the latter", async () => {
    await using workshop = await Workshop.open();
    const { authorities } = workshop.registry;
    const id = await workshop.registerAuthority(makeAuthority());
    const templateBody = JSON.stringify({
      Resources: { c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: "x" } } },
    });
    await authorities.update(scope, id, { autoRegistration: true, registrationConfig: { templateBody } });
    expect(authorities.describe(scope, id)).toMatchObject({
      autoRegistration: true,
      registrationConfig: { templateBody },
    });
    await authorities.update(scope, id, { removeAutoRegistration: true });
    expect(authorities.describe(scope, id)).toMatchObject({ autoRegistration: false, registrationConfig: undefined });
    const wrong = authorities.update(scope, id, { registrationConfig: { templateBody: "{" } });
    await expect(wrong).rejects.toMatchObject({ code: "ERR_REGISTRY_PROVISIONING" });
    const unknown = authorities.update(scope, id, { registrationConfig: { templateName: "none" } });
    await expect(unknown).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
  });

  test("an ACTIVE authority is not deleted, an INACTIVE one is, the local one never", async () => {
    await using workshop = await Workshop.open();
    const { authorities } = workshop.registry;
    const authority = makeAuthority();
    const id = await workshop.registerAuthority(authority);
    await expect(authorities.delete(scope, id)).rejects.toMatchObject({
      code: "ERR_REGISTRY_CERTIFICATE_STATE",
      evidence: { status: "ACTIVE", needed: ["INACTIVE"] },
    });
    await authorities.update(scope, id, { status: "INACTIVE" });
    await authorities.delete(scope, id);
    await expect(authorities.delete(scope, id)).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
    expect(await workshop.registerAuthority(authority)).toBe(id);
    const local = idOf(workshop.local.certificate);
    await authorities.update(scope, local, { status: "INACTIVE" });
    await expect(authorities.delete(scope, local)).rejects.toMatchObject({ code: "ERR_REGISTRY_INVALID" });
  });
});
