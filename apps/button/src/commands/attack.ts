/** `latchkey-button attack`: tries what must not succeed, and says at which layer each attempt was stopped. */

import { terminalOf, wrapText, type Terminal } from "@latchkey/command-line";
import { defineCommand } from "citty";
import { isHeld, type Attack, type Outcome } from "../attack/attack.ts";
import { attacksOn, pressHonestly } from "../attack/attacks.ts";
import { setScene, type Scene } from "../attack/scene.ts";
import { usualEndpoint } from "../device-directory.ts";
import { runningBrokerPorts } from "../provision/broker-ports.ts";
import { chosenPorts, portOrigin } from "./option-values.ts";

/** An attack succeeded, or failed for another reason than it should. */
class AttackError extends Error {
  override readonly name = "AttackError";
  readonly code = "ERR_BUTTON_ATTACK";
}

interface Result {
  readonly attack: Attack;
  readonly outcome: Outcome;
}

/** The command. Throws `AttackError` unless every attack was stopped at its layer. */
export const attackCommand = defineCommand({
  meta: { name: "attack", description: "Attack a broker of your own in every way that must not succeed" },
  args: {
    data: { type: "string", required: true, description: "The data directory of the running broker" },
    host: { type: "string", default: usualEndpoint.host, description: "The broker's host" },
    "mqtt-port": { type: "string", description: `Its port for MQTT; ${portOrigin(usualEndpoint.mqttPort)}` },
    "https-port": { type: "string", description: `Its port for HTTPS; ${portOrigin(usualEndpoint.httpsPort)}` },
    markdown: { type: "boolean", description: "Print the result as a Markdown table" },
    json: { type: "boolean", description: "Print one line of JSON for each attack" },
  },
  async run({ args }) {
    const isPortTyped = args["mqtt-port"] !== undefined || args["https-port"] !== undefined;
    const known = await runningBrokerPorts(args.data, isPortTyped || args.host !== usualEndpoint.host);
    const scene = await setScene(args.data, { host: args.host, ...chosenPorts(args, known) });
    const results: Result[] = [];
    const terminal = terminalOf(process.stdout, process.env);
    try {
      await pressHonestly(scene);
      for (const attack of attacksOn(scene)) {
        const outcome = await attack.run();
        results.push({ attack, outcome });
        if (args.json === true) print([jsonLine(attack, outcome, scene)]);
        else if (args.markdown !== true) print(resultLines(attack, outcome, terminal));
      }
    } finally {
      await scene[Symbol.asyncDispose]();
    }
    if (args.markdown === true) print(markdownTable(results));
    const notHeld = results.filter(({ attack, outcome }) => !isHeld(attack, outcome));
    if (notHeld.length === 0) {
      if (args.json !== true && args.markdown !== true) print([`all ${results.length} attacks were stopped`]);
      return;
    }
    const names = notHeld.map(({ attack, outcome }) => `${attack.name} (${verdictOf(attack, outcome)})`);
    throw new AttackError(
      `${notHeld.length} of ${results.length} attacks were not stopped as they must be: ${names.join(", ")}`,
    );
  },
});

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** What became of an attack, in a few words. */
function verdictOf(attack: Attack, outcome: Outcome): string {
  if (outcome.is === "through") return "got through";
  if (outcome.is === "unclear") return "proved nothing";
  return outcome.layer === attack.expected
    ? `stopped: ${outcome.layer}`
    : `stopped at the layer ${outcome.layer}, not ${attack.expected}`;
}

function resultLines(attack: Attack, outcome: Outcome, { columns, paint }: Terminal): string[] {
  const isStopped = isHeld(attack, outcome);
  const mark = isStopped ? paint("good", "✓") : paint("bad", "✗");
  const verdict = paint(isStopped ? "good" : "bad", verdictOf(attack, outcome));
  return [
    ...wrapText(`${mark} ${paint("strong", attack.name)}: ${verdict}`, columns, 2),
    ...wrapText(`  ${attack.attempt}`, columns, 2),
    ...wrapText(`  ${paint("quiet", outcome.evidence)}`, columns, 2),
  ];
}

function jsonLine(attack: Attack, outcome: Outcome, { own, neighbour }: Scene): string {
  const { name, attempt, expected } = attack;
  const people = { attacker: own.serialNumber, neighbour: neighbour.serialNumber };
  return JSON.stringify({ name, attempt, expected, isHeld: isHeld(attack, outcome), outcome, ...people });
}

/** The table of the README, in the form that the formatter gives tables. */
function markdownTable(results: readonly Result[]): string[] {
  const rows = [
    ["Attack", "What is tried", "Result"],
    ...results.map(({ attack, outcome }) => [
      attack.name,
      attack.attempt.replaceAll(/\$\{[^}]*\}/g, (variable) => `\`${variable}\``).replaceAll("*", "\\*"),
      verdictOf(attack, outcome),
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)];
}
