/** The registry in one SQLite file, through Node's own SQLite. */

export { openSqliteStore } from "./node/sqlite-store.ts";
