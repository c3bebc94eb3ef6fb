/** Holds a lock file as a running broker does, until it is killed. */

import { DatabaseSync } from "node:sqlite";

const lock = new DatabaseSync(process.argv[2] ?? "");
lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
process.send?.("locked");
// The channel to the parent keeps the process.
process.on("message", () => lock.close());
