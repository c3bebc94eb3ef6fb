/** `latchkey-button fleet`: buttons by the thousand. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { terminalOf, UsageError, type Terminal } from "@latchkey/command-line";
import { defineCommand } from "citty";
import { usualEndpoint } from "../device-directory.ts";
import { fleetButtons, type FleetButton } from "../fleet/identities.ts";
import { runFleet, type FleetResult } from "../fleet/run-fleet.ts";
import { runningBrokerPorts } from "../provision/broker-ports.ts";
import { openDataDirectory } from "../provision/data-directory-service.ts";
import { portOf, wholeNumber } from "./option-values.ts";

/** Presses of a fleet failed. */
class FleetError extends Error {
  override readonly name = "FleetError";
  readonly code = "ERR_BUTTON_FLEET";
}

/** More certificates than that are a work of minutes. */
const maximumButtons = 100_000;
const maximumPresses = 1_000_000;
/** Presses a second, all workers together: far beyond what one machine can begin. */
const maximumRate = 10_000;
const timeoutMs = 10_000;

/** The command. Throws `FleetError` where a press failed. */
export const fleetCommand = defineCommand({
  meta: { name: "fleet", description: "Press thousands of buttons, each with an identity of its own" },
  args: {
    data: { type: "string", required: true, description: "The data directory of the running broker" },
    count: { type: "string", default: "100", description: "How many buttons" },
    presses: { type: "string", description: "How many presses in all; as many as buttons where it is left out" },
    rate: { type: "string", default: "50/s", description: "Presses a second on average, for instance 50/s" },
    workers: { type: "string", default: "2", description: "Worker threads" },
    mqtt: { type: "boolean", description: "By MQTT with QoS 1, in place of HTTPS" },
    host: { type: "string", default: usualEndpoint.host, description: "The broker's host" },
    port: { type: "string", description: "Its port; the one that the running broker says, or 8443, with --mqtt 8883" },
    keep: {
      type: "string",
      description: "The folder that keeps keys and certificates; DATA/fleet where it is left out",
    },
    json: { type: "boolean", description: "Print the result as one line of JSON" },
  },
  async run({ args }) {
    const count = wholeNumber("count", args.count, 1, maximumButtons);
    const presses = args.presses === undefined ? count : wholeNumber("presses", args.presses, 1, maximumPresses);
    const perSecond = rateOf(args.rate);
    const workers = wholeNumber("workers", args.workers, 1, 64);
    const protocol = args.mqtt === true ? "mqtt" : "https";
    const isElsewhere = args.port !== undefined || args.host !== usualEndpoint.host;
    const { mqttPort, httpsPort } = await runningBrokerPorts(args.data, isElsewhere);
    const progress = new Progress(terminalOf(process.stderr, process.env));
    const { buttons, roots } = await identities(args.data, args.keep ?? join(args.data, "fleet"), count, progress);
    const connection = {
      protocol,
      roots,
      timeoutMs,
      host: args.host,
      port: args.port === undefined ? (protocol === "mqtt" ? mqttPort : httpsPort) : portOf("port", args.port),
    } as const;
    const stopping = new AbortController();
    const stop = (): void => stopping.abort();
    process.once("SIGINT", stop);
    const onProgress = (result: FleetResult): void => progress.show("pressed", result.done, presses, detailOf(result));
    const options = { buttons, connection, presses, perSecond, workers: Math.min(workers, count), onProgress };
    const result = await runFleet(options, stopping.signal).finally(() => {
      process.off("SIGINT", stop);
      progress.end();
    });
    process.stdout.write(args.json === true ? `${jsonOf(result, count, presses)}\n` : resultText(result, count));
    const failed = result.done - result.acknowledged;
    if (failed > 0) throw new FleetError(`${failed} of ${result.done} presses failed: ${failuresText(result)}`);
    if (result.done < presses) throw new FleetError(`stopped after ${result.done} of ${presses} presses`);
  },
});

async function identities(
  dataDirectory: string,
  keepDirectory: string,
  count: number,
  progress: Progress,
): Promise<{ readonly buttons: readonly FleetButton[]; readonly roots: string }> {
  const data = await openDataDirectory(dataDirectory);
  try {
    await mkdir(keepDirectory, { recursive: true, mode: 0o700 });
    const onMade = (ready: number): void => progress.show("identities", ready, count, "");
    return { buttons: await fleetButtons(data, keepDirectory, count, onMade), roots: data.rootPem };
  } finally {
    progress.end();
    await data[Symbol.asyncDispose]();
  }
}

/** `50/s` or `50`. Throws `UsageError`. */
function rateOf(typed: string): number {
  const found = /^(\d+(?:\.\d+)?)(?:\/s)?$/.exec(typed);
  const rate = Number(found?.[1] ?? Number.NaN);
  if (rate > 0 && rate <= maximumRate) return rate;
  throw new UsageError(
    `--rate ${JSON.stringify(typed)} is not possible: it is presses a second, for instance 50/s, at most ${maximumRate}/s`,
  );
}

const shares = [
  ["p50", 0.5],
  ["p90", 0.9],
  ["p99", 0.99],
  ["p99.9", 0.999],
] as const;

function resultText(result: FleetResult, count: number): string {
  const { done, acknowledged, latencies, elapsedMs, latestMs } = result;
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1000 : 0;
  const lines = [
    `${acknowledged} of ${done} presses of ${count} buttons acknowledged in ${(elapsedMs / 1000).toFixed(1)} s, ${perSecond.toFixed(1)}/s`,
    ...(acknowledged > 0
      ? [
          `from waking to the acknowledgement: ${shares.map(([name, share]) => `${name} ${milliseconds(latencies.percentile(share))}`).join(", ")}, most ${milliseconds(latencies.maximumMs)}`,
        ]
      : []),
    `the latest press began ${milliseconds(latestMs)} behind its time`,
    ...(result.failures.size > 0 ? [`failures: ${failuresText(result)}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** A duration of no press is null: 0 would say that presses were quick. */
function jsonOf(result: FleetResult, buttons: number, presses: number): string {
  const { done, acknowledged, latencies, elapsedMs, latestMs, failures } = result;
  const measured = (value: number): number | null => (acknowledged > 0 ? value : null);
  return JSON.stringify({
    buttons,
    presses,
    done,
    acknowledged,
    failures: Object.fromEntries(failures),
    elapsedMs,
    latestMs,
    latencyMs: {
      ...Object.fromEntries(shares.map(([name, share]) => [name, measured(latencies.percentile(share))])),
      max: measured(latencies.maximumMs),
    },
  });
}

function detailOf({ done, acknowledged, latencies }: FleetResult): string {
  const failed = done - acknowledged;
  return `p50 ${milliseconds(latencies.percentile(0.5))}${failed === 0 ? "" : `, ${failed} failed`}`;
}

function failuresText({ failures }: FleetResult): string {
  return Array.from(failures, ([code, times]) => `${code} ${times}`).join(", ");
}

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** A bar on the last line of a terminal; nothing where there is none. */
class Progress {
  readonly #terminal: Terminal;
  #isShown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(what: string, done: number, all: number, detail: string): void {
    const { columns, paint } = this.#terminal;
    if (columns === undefined) return;
    const text = ` ${done}/${all} ${what}${detail === "" ? "" : `, ${detail}`}`;
    const room = Math.max(10, columns - text.length - 1);
    const filled = Math.round((Math.min(done, all) / all) * room);
    const bar = paint("good", "█".repeat(filled)) + paint("quiet", "░".repeat(room - filled));
    process.stderr.write(`\r\u001B[2K${bar}${text}`);
    this.#isShown = true;
  }

  end(): void {
    if (this.#isShown) process.stderr.write("\r\u001B[2K");
    this.#isShown = false;
  }
}
