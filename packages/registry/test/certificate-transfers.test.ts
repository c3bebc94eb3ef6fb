/** Which authority a certificate has after it went to another account, and which accounts have the local authority. */

import { nodeProvider } from "@latchkey/crypto/node";
import { certificatesFromPem } from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { createMemoryStorage, createRegistry, defaultScope as scope, type CertificateMode } from "../src/index.ts";
import { idOf, makeAuthority, makeDevice, makeRequestPem, pemOf, startSeconds, Workshop } from "./workshop.ts";

const second = { account: "111111111111", region: scope.region };

async function open(): Promise<Workshop> {
  const workshop = await Workshop.open();
  await workshop.registry.createAccount(second);
  return workshop;
}

const derOfPem = (pem: string): Uint8Array => certificatesFromPem(pem)[0]?.encoding ?? new Uint8Array();

async function give({ registry }: Workshop, id: string): Promise<void> {
  await registry.certificates.updateStatus(scope, id, "INACTIVE");
  await registry.transfers.offer(scope, id, second.account);
  await registry.transfers.accept(second, id, { setAsActive: true });
}

describe("a certificate of an own authority that was given away", () => {
  test("connects to its new account, held to its own dates and to no authority", async () => {
    await using workshop = await open();
    const { registry } = workshop;
    const authority = makeAuthority();
    const caId = await workshop.registerAuthority(authority);
    const device = makeDevice(authority, { days: 10 });
    const { certificateId } = await registry.certificates.register(scope, {
      certificatePem: pemOf(device),
      status: "ACTIVE",
    });
    const resolve = () => registry.resolvePrincipal([device.encoding], undefined);
    expect(await resolve()).toMatchObject({ ok: true, principal: { scope, caCertificateId: caId } });
    await give(workshop, certificateId);
    expect(registry.certificates.describe(second, certificateId).caCertificateId).toBeUndefined();
    expect(registry.certificates.listByAuthority(scope, caId).items).toEqual([]);
    expect(await resolve()).toMatchObject({ ok: true, principal: { scope: second, caCertificateId: undefined } });
    // The authority is the other account's: what happens to it does not concern this one.
    await registry.authorities.update(scope, caId, { status: "INACTIVE" });
    await registry.authorities.delete(scope, caId);
    expect(await resolve()).toMatchObject({ ok: true });
    workshop.nowSeconds = device.validity.notAfter + 1;
    expect(await resolve()).toMatchObject({ code: "ERR_IDENTITY_DATES" });
  });

  test("keeps its authority where its new account has registered that, too, and obeys it there", async () => {
    await using workshop = await open();
    const { registry } = workshop;
    const authority = makeAuthority();
    const certificateMode: CertificateMode = "SNI_ONLY";
    const registration = { caCertificatePem: pemOf(authority.certificate), certificateMode, setAsActive: true };
    for (const owner of [scope, second]) await registry.authorities.register(owner, registration);
    const caId = idOf(authority.certificate);
    const device = makeDevice(authority);
    const { certificateId } = await registry.certificates.register(scope, { certificatePem: pemOf(device) });
    await give(workshop, certificateId);
    expect(registry.certificates.listByAuthority(second, caId).items).toMatchObject([{ certificateId }]);
    const { endpoint } = registry.describeAccount(second);
    expect(await registry.resolvePrincipal([device.encoding], endpoint)).toMatchObject({
      ok: true,
      principal: { caCertificateId: caId },
    });
    await registry.authorities.update(second, caId, { status: "INACTIVE" });
    expect(await registry.resolvePrincipal([device.encoding], endpoint)).toMatchObject({
      code: "ERR_IDENTITY_AUTHORITY_INACTIVE",
    });
  });
});

describe("the local authority", () => {
  test("is in each account that is made, so that what is issued for it may connect", async () => {
    await using workshop = await open();
    const { registry } = workshop;
    const localId = idOf(workshop.local.certificate);
    expect(registry.authorities.list(second).items).toMatchObject([{ certificateId: localId, isLocal: true }]);
    const record = await registry.certificates.createFromCsr(second, makeRequestPem(), { setAsActive: true });
    expect(await registry.resolvePrincipal([derOfPem(record.certificatePem)], undefined)).toMatchObject({
      ok: true,
      principal: { scope: second, caCertificateId: localId },
    });
    expect(registry.authorities.list(scope).items).toHaveLength(1);
  });

  test("comes with the first certificate to an account that a program without its key has made", async () => {
    const storage = createMemoryStorage();
    const local = makeAuthority("Local CA");
    const open = (issuer: typeof local | undefined) =>
      createRegistry({ storage, provider: nodeProvider, nowSeconds: () => startSeconds, issuer });
    await open(undefined).createAccount(scope);
    await using registry = open(local);
    expect(registry.authorities.list(scope).items).toEqual([]);
    const record = await registry.certificates.createFromCsr(scope, makeRequestPem(), { setAsActive: true });
    expect(registry.authorities.list(scope).items).toMatchObject([{ certificateId: record.caCertificateId }]);
    expect(await registry.resolvePrincipal([derOfPem(record.certificatePem)], undefined)).toMatchObject({ ok: true });
    const sequence = registry.sequence();
    await registry.createAccount(scope);
    expect(registry.sequence()).toBe(sequence);
  });

  test("that was set INACTIVE stays so, and issues nothing for this account", async () => {
    await using workshop = await open();
    const { registry } = workshop;
    const localId = idOf(workshop.local.certificate);
    await registry.authorities.update(second, localId, { status: "INACTIVE" });
    await registry.createAccount(second);
    const refused = {
      code: "ERR_REGISTRY_CERTIFICATE_STATE",
      evidence: { certificateId: localId, needed: ["ACTIVE"] },
    };
    const { certificates, templates } = registry;
    await expect(certificates.createFromCsr(second, makeRequestPem())).rejects.toMatchObject(refused);
    await expect(certificates.createKeysAndCertificate(second, { keyAlgorithm: "p-256" })).rejects.toMatchObject(
      refused,
    );
    await expect(templates.claimFromCsr(second, makeRequestPem())).rejects.toMatchObject(refused);
    expect(certificates.list(second).items).toEqual([]);
    expect(registry.authorities.describe(second, localId).status).toBe("INACTIVE");
    await certificates.createFromCsr(scope, makeRequestPem());
  });

  test("comes with its certificate to an account that has none", async () => {
    await using workshop = await Workshop.open();
    const other = createRegistry({
      storage: workshop.storage,
      provider: nodeProvider,
      nowSeconds: () => startSeconds,
      issuer: undefined,
    });
    await other.createAccount(second);
    const { id, der } = await workshop.activeDevice();
    await workshop.registry.certificates.updateStatus(scope, id, "INACTIVE");
    await other.transfers.offer(scope, id, second.account);
    await other.transfers.accept(second, id, { setAsActive: true });
    expect(await other.resolvePrincipal([der], undefined)).toMatchObject({
      ok: true,
      principal: { scope: second, caCertificateId: idOf(workshop.local.certificate) },
    });
    expect(other.authorities.list(second).items).toMatchObject([{ isLocal: true, status: "ACTIVE" }]);
  });
});
