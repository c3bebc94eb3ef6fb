import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { prepareSessionFile } from "../src/node/session-schema.ts";
import { SessionTables } from "../src/node/session-tables.ts";
import type { SessionStore } from "../src/ports/session-store.ts";
import { messageRecord, queuedRecord, sessionRecord, storeConformance } from "./session-store-conformance.ts";

/** The tables without the thread. */
function storeOn(database: DatabaseSync): SessionStore {
  prepareSessionFile(database, "sessions.db");
  const tables = new SessionTables(database);
  return {
    load: async () => tables.load(),
    append: async (records, atMs) => tables.append(records, atMs),
    close: async () => {},
  };
}

storeConformance(() => {
  const database = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true });
  return { open: () => storeOn(database), remove: () => database.close() };
});

test("thousands of messages for thousands of sessions are appended in a time that a client can wait", () => {
  const database = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true });
  prepareSessionFile(database, "sessions.db");
  const tables = new SessionTables(database);
  const sessions = Array.from({ length: 1000 }, (_, index) => sessionRecord(index + 1));
  tables.append(sessions, 1);
  const time = (count: number, first: number): number => {
    const records = Array.from({ length: count }, (_, index) => {
      const number = first + index * 2;
      return [messageRecord(number), queuedRecord((index % 1000) + 1, number + 1, number)];
    }).flat();
    const start = performance.now();
    tables.append(records, 1);
    return performance.now() - start;
  };
  const few = time(1000, 10_000);
  const many = time(10_000, 20_000);
  // Ten times as many take about ten times as long, not a hundred times.
  expect(many).toBeLessThan(few * 40);
  database.close();
});
