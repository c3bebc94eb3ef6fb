/** What SQLite refuses, in the registry's words. */

import { RegistryError } from "../errors.ts";

/** Primary result codes of SQLite. */
const sqliteInputOutput = 10;
const sqliteCorrupt = 11;
const sqliteFull = 13;
const sqliteNotADatabase = 26;

/** The primary result code of an error of SQLite, or undefined where it is another's. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

/** Whether the index of the write-ahead log has no room on the disk, or another read or write failed. */
export function isInputOutputError(error: unknown): boolean {
  return resultCode(error) === sqliteInputOutput;
}

/** `ERR_REGISTRY_CORRUPT` or `ERR_REGISTRY_UNAVAILABLE`; what is one of ours already, unchanged. */
export function registryError(cause: unknown, file: string): unknown {
  if (cause instanceof RegistryError) return cause;
  const code = resultCode(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  if (code === sqliteCorrupt || code === sqliteNotADatabase) {
    return new RegistryError("ERR_REGISTRY_CORRUPT", `${file} is damaged: ${message}`, { file }, { cause });
  }
  const isFull = code === sqliteFull || code === sqliteInputOutput;
  const mend = isFull ? ". Nothing was changed; make room on the disk and try again" : "";
  return new RegistryError("ERR_REGISTRY_UNAVAILABLE", `${file}: ${message}${mend}`, { file, isFull }, { cause });
}
