/** `latchkey-button`: one press. */

import { readFileSync } from "node:fs";
import { messageOf, oneOf, terminalOf, UsageError } from "@latchkey/command-line";
import type { TraceEvent } from "@latchkey/tls";
import { traceText } from "@latchkey/tls/trace";
import { clickTypes } from "../click.ts";
import { ButtonError } from "../errors.ts";
import { press, type Press, type PressStep } from "../press.ts";
import { outcomeLines, reportJson, stepLines } from "../press-report.ts";
import { serialNumberOf } from "../serial-number.ts";

/** AWS IoT's ports: MQTT with a client certificate, and HTTPS publish with one. */
const usualPorts = { mqtt: 8883, https: 8443 } as const;

/** The options of a press. */
export const pressArguments = {
  host: { type: "string", default: "localhost", description: "The broker's host" },
  port: { type: "string", description: "The broker's port: 8443 for HTTPS, 8883 with --mqtt where it is left out" },
  mqtt: { type: "boolean", description: "Publish by MQTT with QoS 1, in place of one HTTPS POST" },
  "server-name": { type: "string", description: "The name in the server's certificate, where it is not the host" },
  serial: { type: "string", description: "The button's serial number (DSN)" },
  cert: { type: "string", description: "PEM file of the button's certificate" },
  key: { type: "string", description: "PEM file of its private key" },
  root: { type: "string", description: "PEM file of the root that the server must chain to" },
  topic: { type: "string", description: "Publish here instead of iotbutton/SERIAL" },
  click: { type: "string", default: "SINGLE", description: clickTypes.join(", ") },
  trace: { type: "boolean", description: "Print each step of the TLS handshake, in words" },
  json: { type: "boolean", description: "Print the report as one line of JSON" },
} as const;

/** What citty makes of `pressArguments`. */
export interface PressArguments {
  readonly host: string;
  readonly port?: string | undefined;
  readonly mqtt?: boolean | undefined;
  readonly "server-name"?: string | undefined;
  readonly serial?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly root?: string | undefined;
  readonly topic?: string | undefined;
  readonly click: string;
  readonly trace?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Presses once and prints the report. Throws `UsageError` and `ButtonError`. */
export async function runPress(args: PressArguments): Promise<void> {
  const wanted = pressOf(args);
  const topicName = args.topic ?? `iotbutton/${wanted.serialNumber}`;
  const terminal = terminalOf(process.stdout, process.env);
  const steps: PressStep[] = [];
  const trace: TraceEvent[] = [];
  const print = (lines: readonly string[]): void => {
    if (args.json !== true) process.stdout.write(`${lines.join("\n")}\n`);
  };
  let error: ButtonError | undefined;
  try {
    await press({
      ...wanted,
      ...(args.trace === true && { onTrace: (step: TraceEvent) => trace.push(step) }),
      onStep: (step) => {
        steps.push(step);
        print(stepLines(step, terminal));
      },
    });
  } catch (failure) {
    if (!(failure instanceof ButtonError)) throw failure;
    error = failure;
  }
  if (trace.length > 0) {
    const names = { client: "the button", server: "the broker" };
    print(["", traceText(trace, { names }).trimEnd(), ""]);
  }
  if (args.json === true) process.stdout.write(`${reportJson(wanted, topicName, steps, error)}\n`);
  else print(outcomeLines(topicName, error, terminal));
  if (error !== undefined) throw error;
}

function pressOf(args: PressArguments): Press {
  const protocol = args.mqtt === true ? "mqtt" : "https";
  return {
    protocol,
    serialNumber: serialNumberOf(required("serial", args.serial)),
    certificate: readFile("cert", required("cert", args.cert)),
    privateKey: readFile("key", required("key", args.key)),
    roots: readFile("root", required("root", args.root)),
    host: args.host,
    port: args.port === undefined ? usualPorts[protocol] : portOf("port", args.port),
    serverName: args["server-name"],
    topicName: args.topic,
    clickType: oneOf("click", args.click, clickTypes),
  };
}

function required(flag: "serial" | "cert" | "key" | "root", typed: string | undefined): string {
  if (typed !== undefined) return typed;
  throw new UsageError(`--${flag} is missing in "latchkey-button": ${pressArguments[flag].description}`);
}

/** A port. Throws `UsageError`. */
function portOf(flag: string, typed: string): number {
  const port = Number(typed);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new UsageError(`--${flag} ${JSON.stringify(typed)} is not possible: it is a whole number from 1 to 65535`);
}

function readFile(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const why = messageOf(cause);
    throw new UsageError(`--${flag} cannot be read: ${why}`, { cause });
  }
}
