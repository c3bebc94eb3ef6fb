/** Values of options that have a form of their own. */

import { UsageError } from "@latchkey/command-line";
import type { Endpoint } from "../device-directory.ts";

/** How a port is found where it is left out, for the help. */
export function portOrigin(usual: number): string {
  return `where it is left out, what the broker on --data said when it started, or ${usual}`;
}

type Ports = Omit<Endpoint, "host">;

/** Options with ports. */
interface PortArguments {
  readonly "mqtt-port"?: string | undefined;
  readonly "https-port"?: string | undefined;
}

/** The ports that were typed, and those that are known of the broker in place of others. Throws `UsageError`. */
export function chosenPorts(args: PortArguments, { mqttPort, httpsPort }: Ports): Ports {
  const chosen = (flag: "mqtt-port" | "https-port", known: number): number => {
    const typed = args[flag];
    return typed === undefined ? known : portOf(flag, typed);
  };
  return { mqttPort: chosen("mqtt-port", mqttPort), httpsPort: chosen("https-port", httpsPort) };
}

/** A port. Throws `UsageError`. */
export function portOf(flag: string, typed: string): number {
  return wholeNumber(flag, typed, 1, 65_535);
}

/** A whole number. Throws `UsageError`. */
export function wholeNumber(flag: string, typed: string, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(typed) ? Number(typed) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(
    `--${flag} ${JSON.stringify(typed)} is not possible: it is a whole number from ${least} to ${most}`,
  );
}
