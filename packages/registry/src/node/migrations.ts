/**
 * The tables in the file, and how a file of an older version gets them. A migration is one transaction: an interrupted
 * one leaves the old file.
 */

import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { encodePem } from "@latchkey/asn1";
import { RegistryError } from "../errors.ts";
import { migrateVersion1, type Version1Records } from "../migrate-version-1.ts";
import { migrateVersion2 } from "../migrate-version-2.ts";
import type { StorageWriter } from "../storage.ts";

/** Of the tables below; a file with a higher one was made by a newer version and is refused. */
export const schemaVersion = 3;

const schema = `
  CREATE TABLE entry (table_name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (table_name, key)) STRICT, WITHOUT ROWID;
  CREATE TABLE change (sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, touches TEXT NOT NULL) STRICT;
`;

/** Makes the tables of a new file, or those that a file of version `version` lacks. To be called in a transaction. */
export function migrate(database: DatabaseSync, version: number, writer: StorageWriter): void {
  const old = version === 1 ? readVersion1(database) : undefined;
  if (version < 2) database.exec(schema);
  if (version === 2) {
    database.exec("DELETE FROM entry WHERE table_name = 'target-of-policy'");
    migrateVersion2(writer);
  }
  if (old === undefined) return;
  database.exec("DROP TABLE attachment; DROP TABLE policy; DROP TABLE certificate; DROP TABLE authority");
  migrateVersion1(writer, old);
}

function readVersion1(database: DatabaseSync): Version1Records {
  const rows = (table: string): Record<string, SQLOutputValue>[] =>
    database.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all();
  const certificates = (table: string): Version1Records["certificates"] =>
    rows(table).map((row) => ({
      certificateId: textOf(row["certificate_id"]),
      certificatePem: pemOf(row["der"]),
      status: textOf(row["status"]),
      createdAtSeconds: Number(row["created_at"]),
    }));
  return {
    authorities: certificates("authority"),
    certificates: certificates("certificate"),
    policies: rows("policy").map((row) => ({
      policyName: textOf(row["policy_name"]),
      document: textOf(row["document"]),
    })),
    attachments: database
      .prepare("SELECT certificate_id, policy_name FROM attachment")
      .all()
      .map((row) => ({ certificateId: textOf(row["certificate_id"]), policyName: textOf(row["policy_name"]) })),
  };
}

function pemOf(value: unknown): string {
  if (value instanceof Uint8Array) return encodePem("CERTIFICATE", value);
  throw new RegistryError("ERR_REGISTRY_CORRUPT", "a stored certificate is no blob", { file: undefined });
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw new RegistryError("ERR_REGISTRY_CORRUPT", "a stored text is no text", { file: undefined });
}
