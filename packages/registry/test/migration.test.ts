/** Files of schemas 1 and 2, as the versions before this one wrote them, open with everything in them. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { nodeProvider } from "@latchkey/crypto/node";
import { certificatesFromPem, nameText } from "@latchkey/x509";
import { afterAll, expect, test } from "vitest";
import { createRegistry, defaultScope as scope } from "../src/index.ts";
import { openSqliteStorage } from "../src/node.ts";
import { allow, idOf, makeAuthority, makeDevice, startSeconds } from "./workshop.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-migration-"));
afterAll(() => rmSync(folder, { recursive: true }));

const schema1 = `
  CREATE TABLE authority (certificate_id TEXT PRIMARY KEY, der BLOB NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
  CREATE TABLE certificate (certificate_id TEXT PRIMARY KEY, der BLOB NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
  CREATE TABLE policy (policy_name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
  CREATE TABLE attachment (
    certificate_id TEXT NOT NULL REFERENCES certificate, policy_name TEXT NOT NULL REFERENCES policy,
    PRIMARY KEY (certificate_id, policy_name)) STRICT, WITHOUT ROWID;
  PRAGMA application_id = 1280592729;
  PRAGMA user_version = 1;
`;

const local = makeAuthority("Latchkey Device CA");
const devices = ["ACTIVE", "INACTIVE", "REVOKED"].map((status) => ({ status, certificate: makeDevice(local) }));
const document = allow("iot:Publish", "topic/orders");

function version1File(name: string): string {
  const file = join(folder, name);
  const database = new DatabaseSync(file);
  database.exec(schema1);
  const insert = (table: string, ...values: (string | number | Uint8Array)[]): void => {
    database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => "?").join(", ")})`).run(...values);
  };
  insert("authority", idOf(local.certificate), local.certificate.encoding, "ACTIVE", startSeconds);
  for (const { status, certificate } of devices) {
    insert("certificate", idOf(certificate), certificate.encoding, status, startSeconds + 1);
  }
  insert("policy", "orders", document);
  for (const { certificate } of devices.slice(0, 2)) insert("attachment", idOf(certificate), "orders");
  database.close();
  return file;
}

test("certificates, statuses, policies and attachments are there, and in use", async () => {
  const file = version1File("one.db");
  for (const round of [1, 2]) {
    await using registry = createRegistry({
      storage: openSqliteStorage(file),
      provider: nodeProvider,
      nowSeconds: () => startSeconds,
      issuer: local,
    });
    const { items } = registry.certificates.list(scope);
    expect([round, items.map((one) => [one.certificateId, one.status, one.createdAtSeconds])]).toEqual([
      round,
      devices.map(({ status, certificate }) => [idOf(certificate), status, startSeconds + 1]),
    ]);
    const results = [];
    for (const { certificate } of devices) {
      const result = await registry.resolvePrincipal([certificate.encoding], "localhost");
      results.push(result.ok ? "ok" : result.code);
    }
    expect(results).toEqual(["ok", "ERR_IDENTITY_NOT_ACTIVE", "ERR_IDENTITY_NOT_ACTIVE"]);
    const [active] = items;
    expect(registry.effectivePolicies(scope, active?.certificateId ?? "")).toMatchObject([
      { policyName: "orders", document },
    ]);
    expect(registry.policies.listTargets(scope, "orders").items).toHaveLength(2);
    await expect(registry.policies.delete(scope, "orders")).rejects.toMatchObject({
      code: "ERR_REGISTRY_DELETE_CONFLICT",
    });
    expect(registry.certificates.listByAuthority(scope, idOf(local.certificate)).items).toHaveLength(3);
  }
});

test("of schema 2, lists go by the age of what they list", async () => {
  const file = join(folder, "schema-2.db");
  const database = new DatabaseSync(file);
  database.exec(`
    CREATE TABLE entry (table_name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (table_name, key)) STRICT, WITHOUT ROWID;
    CREATE TABLE change (sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, touches TEXT NOT NULL) STRICT;
    PRAGMA application_id = 1280592729;
    PRAGMA user_version = 2;
  `);
  const entries = JSON.parse(readFileSync(new URL("registry-of-schema-2.json", import.meta.url), "utf8")) as {
    readonly table: string;
    readonly key: string;
    readonly value: unknown;
  }[];
  const insert = database.prepare("INSERT INTO entry VALUES (?, ?, ?)");
  for (const { table, key, value } of entries) insert.run(table, key, value === null ? "" : JSON.stringify(value));
  database.close();
  await using registry = createRegistry({
    storage: openSqliteStorage(file),
    provider: nodeProvider,
    nowSeconds: () => startSeconds + 100,
  });
  const { policies, authorities, certificates } = registry;
  const names = (isDescending: boolean): readonly string[] =>
    policies.list(scope, { isDescending }).items.map(({ policyName }) => policyName);
  expect(names(false)).toEqual(["zebra", "apple", "mango"]);
  const subjects = authorities
    .list(scope, { isDescending: true })
    .items.flatMap(({ certificatePem }) => certificatesFromPem(certificatePem))
    .map(({ subject }) => nameText(subject));
  expect(subjects).toEqual(["CN=Own 2", "CN=Own 1", "CN=Latchkey Device CA"]);
  const [oldest = "", ...others] = certificates.list(scope).items.map(({ certificateId }) => certificateId);
  const arns = [oldest, ...others].map((id) => `arn:aws:iot:us-east-1:000000000000:cert/${id}`);
  const groupArn = "arn:aws:iot:us-east-1:000000000000:thinggroup/g";
  expect(policies.listTargets(scope, "zebra").items).toEqual([...arns, groupArn]);
  const target = { kind: "cert", certificateId: oldest } as const;
  expect(policies.listAttached(scope, target).items).toEqual(["apple", "zebra"]);

  // What is made now is the newest, and what was attached can be detached.
  await policies.create(scope, "new", document);
  expect(names(true)).toEqual(["new", "mango", "apple", "zebra"]);
  await policies.detach(scope, "zebra", target);
  expect(policies.listTargets(scope, "zebra").items).toEqual([...arns.slice(1), groupArn]);
  expect(policies.listAttached(scope, target).items).toEqual(["apple"]);
});

test("a migration that is interrupted leaves the old file, and is made good at the next start", async () => {
  const file = version1File("two.db");
  const lock = new DatabaseSync(file);
  lock.exec("BEGIN IMMEDIATE");
  expect(() => openSqliteStorage(file, { busyTimeoutMs: 1 })).toThrow(
    expect.objectContaining({ code: "ERR_REGISTRY_UNAVAILABLE" }),
  );
  lock.exec("ROLLBACK");
  expect(lock.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 });
  lock.close();
  await using storage = openSqliteStorage(file);
  expect(storage.read((reader) => reader.scan("certificate", "", { limit: 9 }))).toHaveLength(3);
});
