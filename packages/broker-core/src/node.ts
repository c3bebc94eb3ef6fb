/** Sessions in one SQLite file, through Node's own SQLite and a thread of its own. */

export { openSqliteSessionStore } from "./node/sqlite-session-store.ts";
