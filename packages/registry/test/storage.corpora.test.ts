/** The long runs of what every storage does: `npm run test:corpora`. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createMemoryStorage } from "../src/index.ts";
import { openSqliteStorage } from "../src/node.ts";
import { testSortedMap } from "./sorted-map.ts";
import { testAsSortedMap } from "./storage-conformance.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-storage-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

testSortedMap(200);
testAsSortedMap("memory", createMemoryStorage, 1000);
testAsSortedMap("sqlite in memory", () => openSqliteStorage(":memory:"), 300);
testAsSortedMap("sqlite in a file", () => openSqliteStorage(join(folder, `${files++}.db`)), 100);
