/** What every registry store does, whichever storage is under it. */

import { describe, expect, test } from "vitest";
import type { CertificateRecord, RegistryStore } from "../src/store.ts";

function record(certificateId: string, status: CertificateRecord["status"] = "ACTIVE"): CertificateRecord {
  return { certificateId, der: Uint8Array.of(0x30, 0x01, 0x02), status, createdAtSeconds: 1_795_392_000 };
}

export function describeStore(name: string, open: () => RegistryStore): void {
  describe(name, () => {
    test("gives back what was created, and nothing for what was not", async () => {
      await using store = open();
      await store.createCertificate(record("aa"));
      expect(await store.certificate("aa")).toEqual(record("aa"));
      expect(await store.certificate("bb")).toBeUndefined();
      expect(await store.certificates()).toEqual([record("aa")]);
      await store.createPolicy({ policyName: "button", document: "{}" });
      expect(await store.policy("button")).toEqual({ policyName: "button", document: "{}" });
      expect(await store.policy("__proto__")).toBeUndefined();
    });

    test("lists authorities in the order in which they came", async () => {
      await using store = open();
      for (const certificateId of ["zz", "aa"]) {
        await store.createCertificateAuthority({ ...record(certificateId), status: "ACTIVE" });
      }
      expect((await store.certificateAuthorities()).map((one) => one.certificateId)).toEqual(["zz", "aa"]);
    });

    test("keeps copies, so that neither side can change the other's bytes", async () => {
      await using store = open();
      const given = { ...record("aa"), der: Uint8Array.of(1, 2, 3) };
      await store.createCertificate(given);
      given.der[0] = 9;
      const first = await store.certificate("aa");
      expect(first?.der).toEqual(Uint8Array.of(1, 2, 3));
      first?.der.fill(7);
      expect((await store.certificate("aa"))?.der).toEqual(Uint8Array.of(1, 2, 3));
    });

    test("refuses what exists already, and keeps the first", async () => {
      await using store = open();
      await store.createCertificate(record("aa"));
      const again = store.createCertificate(record("aa", "INACTIVE"));
      await expect(again).rejects.toMatchObject({ code: "ERR_REGISTRY_ALREADY_EXISTS" });
      expect((await store.certificate("aa"))?.status).toBe("ACTIVE");
      await store.createPolicy({ policyName: "p", document: "1" });
      const policy = store.createPolicy({ policyName: "p", document: "2" });
      await expect(policy).rejects.toMatchObject({ code: "ERR_REGISTRY_ALREADY_EXISTS" });
    });

    test("changes a status, and refuses to for a certificate that is not there", async () => {
      await using store = open();
      await store.createCertificate(record("aa"));
      await store.setCertificateStatus("aa", "REVOKED");
      expect((await store.certificate("aa"))?.status).toBe("REVOKED");
      const missing = store.setCertificateStatus("bb", "ACTIVE");
      await expect(missing).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
    });

    test("attaches and detaches policies", async () => {
      await using store = open();
      await store.createCertificate(record("aa"));
      for (const policyName of ["z", "a"]) await store.createPolicy({ policyName, document: policyName });
      await store.attachPolicy("z", "aa");
      await store.attachPolicy("a", "aa");
      await store.attachPolicy("a", "aa");
      expect((await store.attachedPolicies("aa")).map((one) => one.document)).toEqual(["a", "z"]);
      await store.detachPolicy("a", "aa");
      expect((await store.attachedPolicies("aa")).map((one) => one.document)).toEqual(["z"]);
      await expect(store.detachPolicy("a", "aa")).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
      await expect(store.attachPolicy("nope", "aa")).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
      await expect(store.attachPolicy("z", "bb")).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
      expect(await store.attachedPolicies("bb")).toEqual([]);
    });

    test("attaches ten policies and not one more", async () => {
      await using store = open();
      await store.createCertificate(record("aa"));
      for (let i = 0; i <= 10; i++) await store.createPolicy({ policyName: `p${i}`, document: "" });
      for (let i = 0; i < 10; i++) await store.attachPolicy(`p${i}`, "aa");
      const eleventh = store.attachPolicy("p10", "aa");
      await expect(eleventh).rejects.toMatchObject({ code: "ERR_REGISTRY_TOO_MANY_POLICIES" });
      expect(await store.attachedPolicies("aa")).toHaveLength(10);
    });

    test.each(["", "a b", "a/b", "a\n", "x".repeat(129)])("refuses %j as a policy's name", async (policyName) => {
      await using store = open();
      const created = store.createPolicy({ policyName, document: "{}" });
      await expect(created).rejects.toMatchObject({ code: "ERR_REGISTRY_POLICY_NAME" });
    });

    test("has another version after every change, and the same one without", async () => {
      await using store = open();
      const versions = [store.version()];
      const changes = [
        () => store.createCertificate(record("aa")),
        () => store.createPolicy({ policyName: "p", document: "" }),
        () => store.attachPolicy("p", "aa"),
        () => store.setCertificateStatus("aa", "INACTIVE"),
        () => store.detachPolicy("p", "aa"),
      ];
      for (const change of changes) {
        await change();
        await store.certificates();
        versions.push(store.version());
        expect(store.version()).toBe(versions.at(-1));
      }
      expect(new Set(versions).size).toBe(changes.length + 1);
    });
  });
}
