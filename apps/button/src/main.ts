#!/usr/bin/env node
/** `latchkey-button`: one faithful AWS IoT Button on the command line. */

import { readFileSync } from "node:fs";
import { defineCommand, runMain } from "citty";
import { MqttClientError } from "./mqtt-client.ts";
import { press } from "./press.ts";

const main = defineCommand({
  meta: { name: "latchkey-button", description: "Press the button once" },
  args: {
    host: { type: "string", default: "localhost", description: "The broker's host" },
    port: { type: "string", default: "8883", description: "The broker's port" },
    "server-name": { type: "string", description: "The name in the server's certificate, where it is not the host" },
    serial: { type: "string", required: true, description: "The button's serial number (DSN)" },
    cert: { type: "string", required: true, description: "PEM file of the button's certificate" },
    key: { type: "string", required: true, description: "PEM file of its private key" },
    root: { type: "string", required: true, description: "PEM file of the root that the server must chain to" },
    topic: { type: "string", description: "Publish here instead of iotbutton/SERIAL" },
    click: { type: "enum", options: ["SINGLE", "DOUBLE", "LONG"], default: "SINGLE", description: "Kind of press" },
  },
  run: ({ args }) => run(args),
});

interface Arguments {
  readonly host: string;
  readonly port: string;
  readonly "server-name"?: string | undefined;
  readonly serial: string;
  readonly cert: string;
  readonly key: string;
  readonly root: string;
  readonly topic?: string | undefined;
  readonly click: "SINGLE" | "DOUBLE" | "LONG";
}

async function run(args: Arguments): Promise<void> {
  try {
    const { topicName, server } = await press({
      host: args.host,
      port: portOf(args.port),
      ...(args["server-name"] === undefined ? {} : { serverName: args["server-name"] }),
      certificate: readFile(args.cert, "certificate"),
      privateKey: readFile(args.key, "private key"),
      roots: readFile(args.root, "root certificate"),
      serialNumber: args.serial,
      ...(args.topic === undefined ? {} : { topicName: args.topic }),
      clickType: args.click,
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
