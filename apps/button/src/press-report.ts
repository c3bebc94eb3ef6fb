/** What a press did, in words and as JSON: what was verified, what was not, and what the LED shows. */

import { wrapText, type Terminal } from "@latchkey/command-line";
import type { ButtonError } from "./errors.ts";
import { ledText } from "./led.ts";
import type { Press, PressStep } from "./press.ts";

/** What a press cannot find out. */
const notVerified: readonly string[] = [
  "whether the server's certificate was revoked: the button has no revocation list and asks nobody",
  "whether somebody reads the topic: the acknowledgement is the broker's alone",
];

const indent = 14;

/** One step as lines for a person. */
export function stepLines(step: PressStep, { columns, paint }: Terminal): string[] {
  const line = (mark: string, name: string, text: string): string[] =>
    wrapText(`  ${mark} ${paint("name", name.padEnd(indent - 4))}${text}`, columns, indent);
  const good = paint("good", "✓");
  switch (step.step) {
    case "wake":
      return line("·", "wake", `${step.clickType} click, battery ${step.batteryMillivolts} mV`);
    case "resolve":
      return line("·", "resolve", `${step.host} is ${step.address}`);
    case "tcp":
      return line("·", "connect", `TCP to ${step.address} port ${step.port}`);
    case "tls": {
      const asked = step.sentName === undefined ? "no name sent (SNI)" : `asked for ${step.sentName} (SNI)`;
      const group = step.group === undefined ? "" : `, ${step.group}`;
      return line(good, "handshake", `${step.protocol}, ${step.cipherSuite}${group}, ${asked}; the server signed it`);
    }
    case "shown":
      return line(good, "identity", `shown ${step.subject}, signed with its key (${step.certificateId.slice(0, 16)}…)`);
    case "server": {
      const [first = "", ...others] = step.explanation;
      const mark = step.isTrusted ? good : paint("bad", "✗");
      return [
        ...line(mark, "server", first),
        ...others.flatMap((one) => wrapText(" ".repeat(indent) + paint("quiet", one.trim()), columns, indent + 7)),
      ];
    }
    case "request": {
      const payload = step.payload === "" ? "" : ` ${step.payload}`;
      return line("·", "request", `${step.line}${payload}`);
    }
    case "answer":
      return line(step.isAcknowledged ? good : paint("bad", "✗"), "answer", step.line);
    case "sleep":
      return line("·", "sleep", `after ${step.awakeMs} ms`);
  }
}

/** The end of the report. */
export function outcomeLines(topicName: string, error: ButtonError | undefined, terminal: Terminal): string[] {
  const { columns, paint } = terminal;
  const led = `LED: ${ledText(error?.layer)}`;
  if (error !== undefined) {
    return wrapText(`${paint("bad", "refused")} at the layer ${error.layer}; ${led}`, columns, 2);
  }
  return [
    ...notVerified.flatMap((text) => wrapText(paint("quiet", `not verified: ${text}`), columns, 2)),
    ...wrapText(`${paint("good", "acknowledged")}: ${topicName}; ${led}`, columns, 2),
  ];
}

/** The report for programs. Its fields are stable. */
export function reportJson(
  press: Pick<Press, "serialNumber" | "protocol" | "host" | "port">,
  topicName: string,
  steps: readonly PressStep[],
  error: ButtonError | undefined,
): string {
  const { serialNumber, protocol, host, port } = press;
  const failure = error && {
    code: error.code,
    layer: error.layer,
    message: error.message,
    ...(error.alert !== undefined && { alert: error.alert }),
  };
  return JSON.stringify({
    isAcknowledged: error === undefined,
    serialNumber,
    topicName,
    protocol,
    host,
    port,
    led: ledText(error?.layer),
    steps,
    notVerified,
    ...(failure !== undefined && { error: failure }),
  });
}
