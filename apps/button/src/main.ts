#!/usr/bin/env node
/** `latchkey-button`: one faithful AWS IoT Button on the command line. */

import { readFileSync } from "node:fs";
import { messageOf, oneOf, runCommandLine, UsageError } from "@latchkey/command-line";
import type { TraceEvent } from "@latchkey/tls";
import { traceText } from "@latchkey/tls/trace";
import { defineCommand } from "citty";
import { MqttClientError } from "./mqtt-client.ts";
import { clickTypes, press } from "./press.ts";

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
    trace: { type: "boolean", description: "Print each step of the TLS handshake, in words" },
    click: { type: "string", default: "SINGLE", description: clickTypes.join(", ") },
  },
  async run({ args }) {
    const steps: TraceEvent[] = [];
    const { topicName, server } = await press({
      host: args.host,
      port: portOf(args.port),
      ...(args["server-name"] === undefined ? {} : { serverName: args["server-name"] }),
      certificate: readFile("cert", args.cert),
      privateKey: readFile("key", args.key),
      roots: readFile("root", args.root),
      serialNumber: args.serial,
      ...(args.topic === undefined ? {} : { topicName: args.topic }),
      clickType: oneOf("click", args.click, clickTypes),
      ...(args.trace === true && { onTrace: (step: TraceEvent) => steps.push(step) }),
    });
    if (steps.length > 0)
      process.stdout.write(traceText(steps, { names: { client: "the button", server: "the broker" } }));
    process.stdout.write(`${server.protocol} with ${server.subject}, vouched for by ${server.root}\n`);
    process.stdout.write(`acknowledged: ${topicName}\n`);
  },
});

await runCommandLine(main, {
  words: process.argv.slice(2),
  packageFile: new URL("../package.json", import.meta.url),
  usageCode: "ERR_BUTTON_USAGE",
  isRefusal: (error) => error instanceof MqttClientError,
});

function portOf(typed: string): number {
  const port = Number(typed);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new UsageError(`--port ${JSON.stringify(typed)} is not possible: it is a whole number from 1 to 65535`);
}

function readFile(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const why = messageOf(cause);
    throw new UsageError(`--${flag} cannot be read: ${why}`, { cause });
  }
}
