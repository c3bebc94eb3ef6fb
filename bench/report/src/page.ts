/** The whole page: one HTML text with style, script and figures in it, that fetches nothing. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { differences, machineText } from "@latchkey/bench-results";
import { drawCharts } from "./browser/draw-charts.ts";
import { type Html, html, jsonHtml, trustedHtml } from "./html.ts";
import { costSection, scenarioSection } from "./load-section.ts";
import { type LoadScenario, scenariosOf } from "./load-series.ts";
import { microSection } from "./micro-section.ts";
import { numberText } from "./number-text.ts";
import type { LoadRun, MicroRun, ResultFile } from "./result-file.ts";

/** Makes the page of files of both kinds, in any order. */
export function reportPage(files: readonly ResultFile[]): string {
  const micro = files.filter((file): file is MicroRun => file.kind === "micro");
  const load = files.filter((file): file is LoadRun => file.kind === "load");
  const scenarios = scenariosOf(load);
  const parts = scenarios.map(scenarioSection);
  const charts = parts.flatMap((part) => part.charts);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
        />
        <title>Latchkey bench report</title>
        <style>
          ${asset(import.meta.resolve("uplot/dist/uPlot.min.css"))}${asset(new URL("./page.css", import.meta.url).href)}
        </style>
      </head>
      <body>
        <header>
          <p class="overline">Latchkey</p>
          <h1>Bench report</h1>
          ${runList(files)}
        </header>
        <main>
          ${warningList(files, scenarios)} ${costSection(scenarios)} ${parts.map((part) => part.content)}
          ${micro.map(microSection)}
        </main>
        <script type="application/json" id="charts">
          ${jsonHtml(charts)}
        </script>
        <script>
          ${asset(import.meta.resolve("uplot/dist/uPlot.iife.min.js"))};
        </script>
        <script>
          (${trustedHtml(drawCharts.toString())})(uPlot, JSON.parse(document.getElementById("charts").textContent));
        </script>
      </body>
    </html> `;
  return page.text;
}

function asset(url: string): Html {
  return trustedHtml(readFileSync(fileURLToPath(url), "utf8"));
}

function runList(files: readonly ResultFile[]): Html {
  return html`<ul class="runs">
    ${files.map(
      ({ file, kind, revision, node, date, machine }) =>
        html`<li>
          <strong>${file}</strong> ${kind}, revision <code>${revision}</code>, Node ${node}, ${dateText(date)}
          <small>${machineText(machine)}</small>
        </li>`,
    )}
  </ul>`;
}

/** `2026-11-26 12:00 UTC`; what is no date stays as it is. */
function dateText(date: string): string {
  const time = Date.parse(date);
  return Number.isNaN(time) ? date : `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Of its median; a ratio whose rounds lie farther apart is not to be quoted. */
const widestSpread = [0.8, 1.25] as const;

/** More warnings of rows than this are counted here; they stand under the rows, too. */
const mostRowWarnings = 4;

function microWarnings({ rows }: MicroRun): string[] {
  const warnings = rows.flatMap((row) =>
    row.warnings.map((warning) => `${row.scenario}${row.peer === null ? "" : ` to ${row.peer}`}: ${warning}`),
  );
  if (warnings.length <= mostRowWarnings) return warnings;
  const doubtful = rows.filter((row) => row.warnings.length > 0).length;
  return [`${doubtful} of ${rows.length} rows are doubtful; the reasons stand under each of them.`];
}

/** Everything that makes a figure doubtful, in words and before the figures. */
function warningList(files: readonly ResultFile[], scenarios: readonly LoadScenario[]): Html | null {
  const warnings = files.flatMap((file) => {
    const rows = file.kind === "micro" ? microWarnings(file) : [];
    return [...file.warnings, ...rows].map((warning) => `${file.file}: ${warning}`);
  });
  for (const { name, series, rows } of scenarios) {
    for (const { peer, ratio, ratioSpread } of rows) {
      if (ratio === null || ratioSpread === null) continue;
      const isWide = ratioSpread[0] < widestSpread[0] * ratio || ratioSpread[1] > widestSpread[1] * ratio;
      const words = "the ratios of the rounds lie far apart: measure again on a quieter machine.";
      if (isWide) warnings.push(`${name}, beside ${peer}: ${words}`);
    }
    for (const { label, figures } of series) {
      if (figures.bottleneck !== null) warnings.push(`${name}, ${label}: ${figures.bottleneck}`);
      if ((figures.lost ?? 0) > 0)
        warnings.push(`${name}, ${label}: ${numberText(figures.lost)} of ${numberText(figures.sent)} were lost.`);
    }
  }
  const [first, ...others] = files;
  if (others.some(({ machine }) => differences(first?.machine, machine).length > 0)) {
    warnings.unshift("The files come from different machines: compare ratios, not rates.");
  }
  if (warnings.length === 0) return null;
  return html`<section class="warnings">
    <h2>Before the figures</h2>
    <ul>
      ${[...new Set(warnings)].map((warning) => html`<li>${warning}</li>`)}
    </ul>
  </section>`;
}
