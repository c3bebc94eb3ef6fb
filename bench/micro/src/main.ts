/**
 * `npm run bench -- [--filter TEXT] [--json FILE] [--list] [--smoke]`: runs the micro suites whose scenario contains
 * TEXT and prints a table; the JSON file has the shape described in the README.
 */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { fullEffort, measureScenario, smokeEffort, type Result } from "./measure.ts";
import type { Scenario } from "./scenario.ts";
import { loadSuites } from "./suites.ts";

const { values: options } = parseArgs({
  options: {
    filter: { type: "string", default: "" },
    json: { type: "string" },
    list: { type: "boolean", default: false },
    smoke: { type: "boolean", default: false },
  },
});

const chosen: Scenario[] = [];
const known: string[] = [];
const suites = await loadSuites();
// A filter that begins with a suite's name needs no other suite's peers and fixtures.
const named = suites.filter(({ name }) => options.filter.startsWith(`${name}/`));
for (const suite of named.length > 0 ? named : suites) {
  for (const scenario of await suite.scenarios()) {
    known.push(scenario.scenario);
    if (scenario.scenario.includes(options.filter)) chosen.push(scenario);
  }
}
if (options.list) {
  console.log(known.join("\n"));
} else if (chosen.length === 0) {
  console.error(`No scenario contains "${options.filter}". There are:\n${known.map((name) => `  ${name}`).join("\n")}`);
  process.exitCode = 1;
} else {
  await run(chosen);
}

async function run(scenarios: readonly Scenario[]): Promise<void> {
  const results: Result[] = [];
  const width = Math.max(...scenarios.map(({ scenario }) => scenario.length));
  for (const scenario of scenarios) {
    const rows = await measureScenario(scenario, options.smoke ? smokeEffort : fullEffort);
    results.push(...rows);
    for (const row of rows) console.log(tableRow(row, width));
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report(results), undefined, 2)}\n`);
}

function tableRow(result: Result, width: number): string {
  const own = `${result.scenario.padEnd(width)}  ${perSecond(result.opsPerSecond)}  ±${(result.spread * 50).toFixed(1)} %`;
  if (result.peer === null || result.peerOpsPerSecond === null || result.ratio === null) return own;
  return `${own}  ${result.ratio.toFixed(2)}x  ${result.peer} ${perSecond(result.peerOpsPerSecond).trim()}`;
}

function perSecond(rate: number): string {
  const text =
    rate >= 1e6
      ? `${(rate / 1e6).toFixed(2)} M/s`
      : rate >= 1e3
        ? `${(rate / 1e3).toFixed(1)} k/s`
        : `${rate.toFixed(1)} /s`;
  return text.padStart(11);
}

function report(results: readonly Result[]): Record<string, unknown> {
  const processors = cpus();
  return {
    machine: `${processors.length} x ${processors[0]?.model ?? "unknown"}, ${process.platform} ${process.arch}`,
    node: process.version,
    revision: revision(),
    date: new Date().toISOString(),
    results,
  };
}

/** The commit that was measured, `+` behind it where the working tree differs; `unknown` outside a checkout. */
function revision(): string {
  try {
    return git("rev-parse", "--short=12", "HEAD") + (git("status", "--porcelain") === "" ? "" : "+");
  } catch {
    return "unknown";
  }
}

function git(...words: string[]): string {
  return execFileSync("git", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}
