/** Where a button finds the broker of a data directory. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { isBrokerRunning, readDevicePorts, UsageError } from "@latchkey/command-line";
import { usualEndpoint, type Endpoint } from "../device-directory.ts";

/** The ports for devices: those that the broker says, and AWS IoT's where it says nothing. */
export async function brokerPorts(dataDirectory: string | undefined): Promise<Omit<Endpoint, "host">> {
  const known = dataDirectory === undefined ? undefined : await readDevicePorts(dataDirectory);
  return {
    mqttPort: known?.mqttPort ?? usualEndpoint.mqttPort,
    httpsPort: known?.httpsPort ?? usualEndpoint.httpsPort,
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
