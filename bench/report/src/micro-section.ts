/** The micro files as tables with a plot in each row: the ratio and its interval on an axis that all rows share. */

import { type Html, html } from "./html.ts";
import { intervalText, numberText, ratioText } from "./number-text.ts";
import type { MicroRow, MicroRun } from "./result-file.ts";

/** One file. */
export function microSection(run: MicroRun): Html {
  const axis = new RatioAxis(run.rows);
  const suites = Map.groupBy(run.rows, ({ scenario }) => scenario.split("/")[0] ?? "");
  return html`<section>
    <h2>Micro: ratios to the peers <small>${run.file}</small></h2>
    <p>
      A dot is the ratio of our rate to the peer's; right of the line at 1 we are faster. The bar is the 95 % interval
      of the ratio. The axis is logarithmic and the same for all rows.
    </p>
    ${[...suites].map(([suite, rows]) => suiteTable(suite, rows, axis))}
  </section>`;
}

function suiteTable(suite: string, rows: readonly MicroRow[], axis: RatioAxis): Html {
  return html`<div class="wide">
    <table class="ratios">
      <caption>
        ${suite}
      </caption>
      <thead>
        <tr>
          <th scope="col">Scenario</th>
          <th scope="col" class="number">Ours, per second</th>
          <th scope="col">Peer</th>
          <th scope="col" class="number">Peer, per second</th>
          <th scope="col" class="number">Ratio, 95 % interval</th>
          <th scope="col" class="axis-cell">${axis.labels()}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => microRow(row, axis))}
      </tbody>
    </table>
  </div>`;
}

function microRow(row: MicroRow, axis: RatioAxis): Html {
  const verdict = row.ratio === null ? "" : row.ratio >= 1 ? "gain" : "loss";
  return html`<tr class="${row.warnings.length === 0 ? "" : "doubtful"}">
      <th scope="row">
        ${row.scenario.split("/").slice(1).join("/")}
        <small>${row.unit}</small>
        ${row.notes.map((note) => html`<small class="note">${note}</small>`)}
      </th>
      <td class="number">${numberText(row.opsPerSecond)}</td>
      <td>${row.peer ?? "no peer"} <small>${row.peerVersion}</small></td>
      <td class="number">${numberText(row.peerOpsPerSecond)}</td>
      <td class="number">${ratioText(row.ratio)} <small>${intervalText(row.ratioInterval)}</small></td>
      <td class="axis-cell">${row.ratio === null ? null : axis.mark(row.ratio, row.ratioInterval, verdict)}</td>
    </tr>
    ${
      row.warnings.length === 0
        ? null
        : html`<tr>
            <td colspan="6">${row.warnings.map((warning) => html`<span class="warning">${warning}</span>`)}</td>
          </tr>`
    }`;
}

/** So far apart, in percent of the axis, are labels that do not touch. */
const leastTickDistance = 14;

/** So long is the shorter side of 1 at least, as a share of the longer one. */
const leastShareOfOne = 0.08;

/** A logarithmic axis that holds every ratio and interval of a file, and 1. */
class RatioAxis {
  readonly #low: number;
  readonly #high: number;

  constructor(rows: readonly MicroRow[]) {
    const values = rows.flatMap(({ ratio, ratioInterval }) => [ratio ?? 1, ...(ratioInterval ?? [])]);
    const positive = values.filter((value) => value > 0);
    const low = Math.log(positive.reduce((least, value) => Math.min(least, value), 1) / 1.15);
    const high = Math.log(positive.reduce((most, value) => Math.max(most, value), 1) * 1.15);
    // The line at 1 keeps room for its label where all rows are on one side of it.
    this.#low = Math.min(low, -high * leastShareOfOne);
    this.#high = Math.max(high, -low * leastShareOfOne);
  }

  /** Where a ratio is, in percent of the axis. */
  #at(ratio: number): number {
    const share = (Math.log(Math.max(ratio, Number.MIN_VALUE)) - this.#low) / (this.#high - this.#low);
    return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
  }

  /** The ratios that have a label: 1, then powers of ten, then 2 and 5 times those, as far as there is room for each. */
  #ticks(): number[] {
    const decades = Array.from({ length: 13 }, (_, index) => 10 ** (index - 6));
    const candidates = [1, ...decades, ...decades.flatMap((decade) => [2 * decade, 5 * decade])];
    const places = new Map<number, number>();
    for (const tick of candidates) {
      const place = this.#at(tick);
      const hasRoom = [...places.values()].every((other) => Math.abs(other - place) >= leastTickDistance);
      if (place > leastTickDistance / 3 && place < 100 - leastTickDistance / 3 && hasRoom) places.set(tick, place);
    }
    return [...places.keys()].sort((a, b) => a - b);
  }

  labels(): Html {
    const label = (tick: number): Html => html`<span style="left:${this.#at(tick)}%">${numberText(tick)}×</span>`;
    return html`<span class="axis-labels" aria-hidden="true">${this.#ticks().map(label)}</span>`;
  }

  mark(ratio: number, interval: readonly [number, number] | null, verdict: string): Html {
    const [low, high] = interval ?? [ratio, ratio];
    const width = Math.max(0.2, this.#at(high) - this.#at(low));
    return html`<span class="axis ${verdict}" aria-hidden="true">
      ${this.#ticks().map((tick) => html`<i class="${tick === 1 ? "one" : "tick"}" style="left:${this.#at(tick)}%"></i>`)}
      <i class="range" style="left:${this.#at(low)}%;width:${width}%"></i
      ><i class="dot" style="left:${this.#at(ratio)}%"></i>
    </span>`;
  }
}
