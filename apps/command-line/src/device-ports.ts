/**
 * Where the broker of a data directory listens, for commands of this machine that make devices or connect as such: `listeners.json`. It is
 * there while the broker runs; one that was killed leaves it, and its ports are still the best guess.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The ports for devices; undefined where the broker does not have one, or none is known. */
export interface DevicePorts {
  readonly mqttPort: number | undefined;
  readonly httpsPort: number | undefined;
}

/** The file in a data directory in which its broker says where it listens: `{"listeners": [{"service": "mqtts", "port": 8883}]}`. */
export const listenersFile = "listeners.json";

/** The ports of the broker that runs on a data directory, or was killed there last. A file that is missing or damaged has none. */
export async function readDevicePorts(directory: string): Promise<DevicePorts> {
  const ports = await portsIn(join(directory, listenersFile));
  return { mqttPort: ports.get("mqtts"), httpsPort: ports.get("https") };
}

/** Ports by service. */
async function portsIn(file: string): Promise<ReadonlyMap<unknown, number>> {
  const ports = new Map<unknown, number>();
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch {
    return ports;
  }
  if (!isObject(content) || !Array.isArray(content["listeners"])) return ports;
  for (const one of content["listeners"] as readonly unknown[]) {
    if (isObject(one) && typeof one["port"] === "number") ports.set(one["service"], one["port"]);
  }
  return ports;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
