/** Where the broker of a data directory listens: `listeners.json`, which it writes when it starts. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isBrokerRunning, UsageError } from "@latchkey/command-line";
import { usualEndpoint, type Endpoint } from "../device-directory.ts";

/** The ports for devices: those that the broker says, and AWS IoT's where it says nothing. */
export async function brokerPorts(dataDirectory: string | undefined): Promise<Omit<Endpoint, "host">> {
  const ports = dataDirectory === undefined ? new Map<unknown, unknown>() : await portsIn(dataDirectory);
  const portOf = (service: string, usual: number): number => {
    const port = ports.get(service);
    return typeof port === "number" ? port : usual;
  };
  return {
    mqttPort: portOf("mqtts", usualEndpoint.mqttPort),
    httpsPort: portOf("https", usualEndpoint.httpsPort),
  };
}

/**
 * Those of a broker that is about to be connected to: one that was killed has left its file. Throws `UsageError` where none runs on the data
 * directory, unless `isElsewhere`: the host or the port was typed, so it may be another one. What is no data directory is not looked at here.
 */
export async function runningBrokerPorts(dataDirectory: string, isElsewhere: boolean): Promise<Omit<Endpoint, "host">> {
  const isDataDirectory = existsSync(join(dataDirectory, "registry.db"));
  if (!isElsewhere && isDataDirectory && !isBrokerRunning(dataDirectory)) {
    throw new UsageError(
      `no broker runs on ${dataDirectory}: start one with "latchkey start --data ${dataDirectory}", or name the port of another one`,
    );
  }
  return brokerPorts(dataDirectory);
}

/** Ports by service. None where there is no such file, as of a broker that was never started or has been stopped. */
async function portsIn(dataDirectory: string): Promise<ReadonlyMap<unknown, unknown>> {
  try {
    const content: unknown = JSON.parse(await readFile(join(dataDirectory, "listeners.json"), "utf8"));
    const listeners: unknown = fieldOf(content, "listeners");
    if (!Array.isArray(listeners)) return new Map();
    return new Map(listeners.map((one: unknown) => [fieldOf(one, "service"), fieldOf(one, "port")]));
  } catch {
    return new Map();
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
