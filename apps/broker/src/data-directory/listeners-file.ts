/** Says where the broker of a data directory listens, for commands of this machine (`readDevicePorts` of the command line reads it). */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { listenersFile, messageOf } from "@latchkey/command-line";
import type { Logger } from "pino";
import type { Listening } from "../listeners/start-listeners.ts";
import { writeFileWhole } from "./write-file.ts";

/** Writes the file until it is disposed. Where the disk refuses, the broker serves all the same, with a line in the log. */
export async function announceListeners(
  directory: string,
  listening: readonly Listening[],
  log: Logger,
): Promise<AsyncDisposable> {
  const file = join(directory, listenersFile);
  try {
    await writeFileWhole(file, `${JSON.stringify({ listeners: listening })}\n`, 0o644);
  } catch (error) {
    log.warn({ file, reason: messageOf(error) }, "commands of this machine cannot be told where the broker listens");
  }
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}
