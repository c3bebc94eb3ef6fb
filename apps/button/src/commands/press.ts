/** `latchkey-button`: one press. */

import { oneOf, terminalOf } from "@latchkey/command-line";
import type { TraceEvent } from "@latchkey/tls";
import { traceText } from "@latchkey/tls/trace";
import { clickTypes } from "../click.ts";
import { ButtonError } from "../errors.ts";
import { press, type PressStep } from "../press.ts";
import { outcomeLines, reportJson, stepLines } from "../press-report.ts";
import { buttonOf } from "./chosen-button.ts";
import { pressByHand } from "./interactive.ts";

/** The options of a press. */
export const pressArguments = {
  device: {
    type: "string",
    description: "The folder of a button that was provisioned, in place of the next four options",
  },
  serial: { type: "string", description: "The button's serial number (DSN)" },
  cert: { type: "string", description: "PEM file of the button's certificate" },
  key: { type: "string", description: "PEM file of its private key" },
  root: { type: "string", description: "PEM file of the root that the server must chain to" },
  host: { type: "string", description: "The broker's host; localhost where it is left out" },
  port: { type: "string", description: "The broker's port: 8443 for HTTPS, 8883 with --mqtt where it is left out" },
  mqtt: { type: "boolean", description: "Publish by MQTT with QoS 1, in place of one HTTPS POST" },
  "server-name": { type: "string", description: "The name in the server's certificate, where it is not the host" },
  topic: { type: "string", description: "Publish here instead of iotbutton/SERIAL" },
  click: { type: "string", default: "SINGLE", description: clickTypes.join(", ") },
  interactive: { type: "boolean", description: "The space bar is the button: hold it, press it once or twice" },
  "new-battery": { type: "boolean", description: "Put a new battery into the --device first" },
  trace: { type: "boolean", description: "Print each step of the TLS handshake, in words" },
  json: { type: "boolean", description: "Print the report as one line of JSON" },
} as const;

/** What citty makes of `pressArguments`. */
export type PressArguments = {
  readonly [Name in keyof typeof pressArguments]?: (typeof pressArguments)[Name]["type"] extends "boolean"
    ? boolean | undefined
    : string | undefined;
};

/** Presses once and prints the report, or lets a person press. Throws `UsageError` and `ButtonError`. */
export async function runPress(args: PressArguments): Promise<void> {
  const button = await buttonOf(args);
  if (args["new-battery"] === true) await button.renewBattery();
  if (args.interactive === true) return pressByHand(button, process.stdin, process.stdout);
  const clickType = oneOf("click", args.click ?? "SINGLE", clickTypes);
  const topicName = button.press.topicName ?? `iotbutton/${button.press.serialNumber}`;
  const terminal = terminalOf(process.stdout, process.env);
  const steps: PressStep[] = [];
  const trace: TraceEvent[] = [];
  const print = (lines: readonly string[]): void => {
    if (args.json !== true) process.stdout.write(`${lines.join("\n")}\n`);
  };
  let error: ButtonError | undefined;
  try {
    await press({
      ...button.press,
      clickType,
      batteryMillivolts: await button.drawPower(),
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
  if (args.json === true) process.stdout.write(`${reportJson(button.press, topicName, steps, error)}\n`);
  else print(outcomeLines(topicName, error, terminal));
  if (error !== undefined) throw error;
}
