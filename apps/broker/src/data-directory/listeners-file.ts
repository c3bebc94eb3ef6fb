/**
 * Where the broker of a data directory listens, for commands of this machine that make devices or connect as such: `listeners.json`. It is
 * there while the broker runs; one that was killed leaves it, and its ports are still the best guess.
 */

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@latchkey/command-line";
import type { Logger } from "pino";
import { isObject } from "../http/json-body.ts";
import type { Listening } from "../listeners/start-listeners.ts";
import { writeFileWhole } from "./write-file.ts";

/** The ports for devices; undefined where the broker does not have one, or none is known. */
export interface DevicePorts {
  readonly mqttPort: number | undefined;
  readonly httpsPort: number | undefined;
}

/** Writes the file until it is disposed. Where the disk refuses, the broker serves all the same, with a line in the log. */
export async function announceListeners(
  directory: string,
  listening: readonly Listening[],
  log: Logger,
): Promise<AsyncDisposable> {
  const file = fileIn(directory);
  try {
    await writeFileWhole(file, `${JSON.stringify({ listeners: listening })}\n`, 0o644);
  } catch (error) {
    log.warn({ file, reason: messageOf(error) }, "commands of this machine cannot be told where the broker listens");
  }
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

/** The ports of the broker that runs on a data directory, or ran there last. A file that is missing or damaged has none. */
export async function readDevicePorts(directory: string): Promise<DevicePorts> {
  const listeners = await readListeners(directory);
  const portOf = (service: string): number | undefined => {
    const found = listeners.find((one) => isObject(one) && one["service"] === service);
    const port = isObject(found) ? found["port"] : undefined;
    return typeof port === "number" ? port : undefined;
  };
  return { mqttPort: portOf("mqtts"), httpsPort: portOf("https") };
}

async function readListeners(directory: string): Promise<readonly unknown[]> {
  try {
    const content: unknown = JSON.parse(await readFile(fileIn(directory), "utf8"));
    const listeners = isObject(content) ? content["listeners"] : undefined;
    return Array.isArray(listeners) ? listeners : [];
  } catch {
    return [];
  }
}

function fileIn(directory: string): string {
  return join(directory, "listeners.json");
}
