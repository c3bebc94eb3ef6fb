/** What claims leave behind: certificates that nobody claimed, and the certificates that claims are made with. */

import { describe, expect, test } from "vitest";
import { allow, derOf, makeRequestPem, Workshop } from "./workshop.ts";
import { createMemoryStorage, defaultScope as scope, type Storage } from "../src/index.ts";

const templateBody = JSON.stringify({
  Resources: { c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: "0" } } },
});

async function open(): Promise<Workshop> {
  const workshop = await Workshop.open();
  await workshop.registry.templates.create(scope, "fleet", { templateBody, provisioningRoleArn: "", enabled: true });
  return workshop;
}

describe("certificates that nobody claimed", () => {
  test("are removed however many tokens there are, with a pause after each thousand", async () => {
    await using workshop = await open();
    const { templates, certificates } = workshop.registry;
    await templates.claimFromCsr(scope, makeRequestPem());
    workshop.nowSeconds += 3601;
    const token = JSON.stringify({ certificateId: "0".repeat(64), expiresAtSeconds: workshop.nowSeconds + 60 });
    await workshop.storage.write((writer) => {
      for (let i = 0; i < 2500; i++) {
        writer.put("ownership-token", `000000000000:us-east-1/${String(i).padStart(64, "0")}`, token);
      }
    });
    let pauses = 0;
    expect(await templates.removeUnclaimed(scope, async () => void pauses++)).toBe(1);
    expect(pauses).toBe(4);
    expect(certificates.list(scope).items).toEqual([]);
    expect(workshop.storage.read((reader) => reader.scan("ownership-token", "", { limit: 9999 }))).toHaveLength(2500);
  });

  test("are kept with their token, or not at all", async () => {
    const inner = createMemoryStorage();
    const storage: Storage = {
      read: (body) => inner.read(body),
      write: (body) =>
        inner.write((writer) =>
          body({
            ...writer,
            put: (table, key, value) => {
              if (table === "ownership-token") throw new RangeError("no room");
              writer.put(table, key, value);
            },
          }),
        ),
      sequence: () => inner.sequence(),
      changesAfter: (sequence, limit) => inner.changesAfter(sequence, limit),
      onCommit: (listener) => inner.onCommit(listener),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
    await using workshop = await Workshop.open({ storage });
    const { templates, certificates } = workshop.registry;
    await expect(templates.claimFromCsr(scope, makeRequestPem())).rejects.toThrow("no room");
    await expect(templates.claimKeysAndCertificate(scope)).rejects.toThrow("no room");
    expect(certificates.list(scope).items).toEqual([]);
  });
});

describe("a claim certificate", () => {
  test("is listed with its template, and removed once it has expired, also while it is ACTIVE and has policies", async () => {
    await using workshop = await open();
    const { templates, certificates, policies } = workshop.registry;
    const { record, expirationSeconds } = await templates.createClaim(scope, "fleet");
    const { certificateId } = record;
    expect(templates.listClaims(scope).items).toEqual([
      { certificateId, templateName: "fleet", expiresAtSeconds: expirationSeconds },
    ]);
    expect(certificates.list(scope).items).toMatchObject([{ certificateId, status: "ACTIVE" }]);
    await policies.create(scope, "p", allow("iot:Connect", "*"));
    await policies.attach(scope, "p", { kind: "cert", certificateId });
    workshop.nowSeconds = expirationSeconds;
    expect(await templates.removeUnclaimed(scope)).toBe(0);
    workshop.nowSeconds++;
    expect(await templates.removeUnclaimed(scope)).toBe(1);
    expect([templates.listClaims(scope).items, certificates.list(scope).items]).toEqual([[], []]);
    await policies.delete(scope, "p");
  });

  test("is removed at once on request, which ends its connections", async () => {
    await using workshop = await open();
    const { registry } = workshop;
    const { record } = await registry.templates.createClaim(scope, "fleet");
    const result = await registry.resolvePrincipal([derOf(record.certificatePem)], undefined);
    if (!result.ok) throw new Error(result.reason);
    const table = registry.connectionRights();
    const rights = table.open(result.principal, "claimer");
    const sequence = registry.sequence();
    await registry.templates.deleteClaim(scope, record.certificateId);
    const batch = registry.changesAfter(sequence);
    expect(batch.isComplete && [...table.apply(batch.changes)]).toEqual([rights]);
    expect(rights.refusal).toContain("not registered any more");
    expect(registry.templates.listClaims(scope).items).toEqual([]);
  });

  test("that has become a thing's stays; another certificate is no claim", async () => {
    await using workshop = await open();
    const { templates, certificates, things } = workshop.registry;
    const { record, expirationSeconds } = await templates.createClaim(scope, "fleet");
    await things.create(scope, "lamp");
    await things.attachPrincipal(scope, "lamp", record.certificateId);
    await expect(templates.deleteClaim(scope, record.certificateId)).rejects.toMatchObject({
      code: "ERR_REGISTRY_DELETE_CONFLICT",
      evidence: { attached: ["thing lamp"] },
    });
    workshop.nowSeconds = expirationSeconds + 1;
    expect(await templates.removeUnclaimed(scope)).toBe(0);
    expect(templates.listClaims(scope).items).toEqual([]);
    expect(certificates.describe(scope, record.certificateId).status).toBe("ACTIVE");
    await expect(templates.deleteClaim(scope, record.certificateId)).rejects.toMatchObject({
      code: "ERR_REGISTRY_NOT_FOUND",
    });
  });

  test("that is deleted as any certificate is no claim any more", async () => {
    await using workshop = await open();
    const { templates, certificates } = workshop.registry;
    const { record } = await templates.createClaim(scope, "fleet");
    await certificates.updateStatus(scope, record.certificateId, "REVOKED");
    await certificates.delete(scope, record.certificateId);
    expect(templates.listClaims(scope).items).toEqual([]);
  });
});
