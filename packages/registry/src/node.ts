/** The registry in one SQLite file, through Node's own SQLite, and changes as they come. */

export { openSqliteStorage, type SqliteStorageOptions } from "./node/sqlite-storage.ts";
export { watchChanges, type ChangeWatcherOptions } from "./node/watch-changes.ts";
