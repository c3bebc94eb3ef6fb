/** Where the broker of a data directory listens: `listeners.json`, which it writes when it starts. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
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
