/** The button that the options name: a device directory, or single files. */

import { readFileSync } from "node:fs";
import { messageOf, UsageError } from "@latchkey/command-line";
import { batteryMillivolts, isEmpty, newBattery, type Battery } from "../battery.ts";
import { readDevice, usualEndpoint, writeBattery } from "../device-directory.ts";
import { ButtonError } from "../errors.ts";
import type { Press } from "../press.ts";
import { serialNumberOf } from "../serial-number.ts";
import { portOf } from "./option-values.ts";

/** A button that can be pressed. */
export interface ChosenButton {
  /** The settings of a press that are the same each time. */
  readonly press: Omit<Press, "clickType" | "batteryMillivolts" | "onStep" | "onTrace">;
  /** Uses the battery for one press and gives its voltage. Throws `ERR_BUTTON_BATTERY` where it is empty. */
  drawPower(): Promise<number>;
  /** Throws `UsageError` for a button that is no directory. */
  renewBattery(): Promise<void>;
}

/** The options that name a button. */
export interface ButtonArguments {
  readonly device?: string | undefined;
  readonly serial?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly root?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly mqtt?: boolean | undefined;
  readonly "server-name"?: string | undefined;
  readonly topic?: string | undefined;
}

/** Reads the button. Throws `UsageError` and `ERR_BUTTON_CREDENTIALS`. */
export async function buttonOf(args: ButtonArguments): Promise<ChosenButton> {
  return args.device === undefined ? buttonOfFiles(args) : buttonOfDirectory(args.device, args);
}

async function buttonOfDirectory(directory: string, args: ButtonArguments): Promise<ChosenButton> {
  for (const flag of ["serial", "cert", "key", "root"] as const) {
    if (args[flag] !== undefined) throw new UsageError(`--${flag} has no use beside --device: the folder has it`);
  }
  const { serialNumber, certificate, privateKey, roots, endpoint, battery } = await readDevice(directory);
  const own = { serialNumber, certificate, privateKey, roots };
  let left: Battery = battery;
  return {
    press: { ...own, ...connectionOf(args, endpoint) },
    drawPower: async () => {
      if (isEmpty(left)) {
        const why = `the battery is empty after ${left.presses} presses; --new-battery puts a new one in`;
        throw new ButtonError("ERR_BUTTON_BATTERY", why);
      }
      const millivolts = batteryMillivolts(left);
      left = { ...left, presses: left.presses + 1 };
      await writeBattery(directory, left);
      return millivolts;
    },
    renewBattery: async () => {
      left = newBattery;
      await writeBattery(directory, left);
    },
  };
}

function buttonOfFiles(args: ButtonArguments): ChosenButton {
  const own = {
    serialNumber: serialNumberOf(required("serial", "The button's serial number (DSN)", args.serial)),
    certificate: readFile("cert", required("cert", "PEM file of the button's certificate", args.cert)),
    privateKey: readFile("key", required("key", "PEM file of its private key", args.key)),
    roots: readFile("root", required("root", "PEM file of the root that the server must chain to", args.root)),
  };
  return {
    press: { ...own, ...connectionOf(args, usualEndpoint) },
    drawPower: async () => batteryMillivolts(newBattery),
    renewBattery: () => {
      throw new UsageError("--new-battery needs --device: a button of single files has no battery that could run out");
    },
  };
}

type Connection = Pick<Press, "protocol" | "host" | "port" | "serverName" | "topicName">;

function connectionOf(args: ButtonArguments, endpoint: typeof usualEndpoint): Connection {
  const protocol = args.mqtt === true ? "mqtt" : "https";
  const usualPort = protocol === "mqtt" ? endpoint.mqttPort : endpoint.httpsPort;
  return {
    protocol,
    host: args.host ?? endpoint.host,
    port: args.port === undefined ? usualPort : portOf("port", args.port),
    serverName: args["server-name"],
    topicName: args.topic,
  };
}

function required(flag: string, description: string, typed: string | undefined): string {
  if (typed !== undefined) return typed;
  throw new UsageError(
    `--${flag} is missing in "latchkey-button": ${description}. Or name a button's folder with --device`,
  );
}

function readFile(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const why = messageOf(cause);
    throw new UsageError(`--${flag} cannot be read: ${why}`, { cause });
  }
}
