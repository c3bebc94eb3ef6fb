#!/usr/bin/env node
/** `latchkey-button`: one faithful AWS IoT Button on the command line. */

import { readFileSync } from "node:fs";
import { defineCommand, runMain } from "citty";
import { MqttClientError } from "./mqtt-client.ts";
import { clickTypes, press, type ClickType } from "./press.ts";

const flagDescriptions = {
  host: { type: "string", default: "localhost", description: "The broker's host" },
  port: { type: "string", default: "8883", description: "The broker's port" },
  "server-name": { type: "string", description: "The name in the server's certificate, where it is not the host" },
  serial: { type: "string", description: "The button's serial number (DSN)" },
  cert: { type: "string", description: "PEM file of the button's certificate" },
  key: { type: "string", description: "PEM file of its private key" },
  root: { type: "string", description: "PEM file of the root that the server must chain to" },
  topic: { type: "string", description: "Publish here instead of iotbutton/SERIAL" },
  click: { type: "string", default: "SINGLE", description: "SINGLE, DOUBLE or LONG" },
} as const;

const main = defineCommand({
  meta: { name: "latchkey-button", description: "Press the button once" },
  args: flagDescriptions,
  run: ({ args, rawArgs }) => run(args, rawArgs),
});

interface Arguments {
  readonly host: string;
  readonly port: string;
  readonly "server-name"?: string | undefined;
  readonly serial?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly root?: string | undefined;
  readonly topic?: string | undefined;
  readonly click: string;
}

async function run(args: Arguments, words: readonly string[]): Promise<void> {
  try {
    refuseUnknown(words);
    const { topicName, server } = await press({
      host: args.host,
      port: portOf(args.port),
      ...(args["server-name"] === undefined ? {} : { serverName: args["server-name"] }),
      certificate: readFile(given(args.cert, "cert"), "certificate"),
      privateKey: readFile(given(args.key, "key"), "private key"),
      roots: readFile(given(args.root, "root"), "root certificate"),
      serialNumber: given(args.serial, "serial"),
      ...(args.topic === undefined ? {} : { topicName: args.topic }),
      clickType: clickTypeOf(args.click),
    });
    process.stdout.write(`${server.protocol} with ${server.subject}, vouched for by ${server.root}\n`);
    process.stdout.write(`acknowledged: ${topicName}\n`);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof MqttClientError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** A file or value on the command line that cannot be used. */
class UsageError extends Error {
  readonly code = "ERR_BUTTON_USAGE";
}

function given(value: string | undefined, flag: string): string {
  if (value === undefined || value === "") throw new UsageError(`--${flag} is missing: see --help`);
  return value;
}

/** A mistyped flag must not leave a default in force without a word. */
function refuseUnknown(words: readonly string[]): void {
  const flags = words.filter((word) => word.startsWith("--")).map((word) => word.slice(2).split("=", 1)[0] ?? "");
  const unknown = flags.find((flag) => !Object.hasOwn(flagDescriptions, flag));
  if (unknown !== undefined) throw new UsageError(`--${unknown} is not known here: see --help`);
}

function clickTypeOf(text: string): ClickType {
  const clickType = clickTypes.find((one) => one === text);
  if (clickType === undefined) throw new UsageError(`${text} is none of ${clickTypes.join(", ")}`);
  return clickType;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new UsageError(`${text} is not a port`);
  return port;
}

function readFile(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`cannot read the ${what}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

await runMain(main);
