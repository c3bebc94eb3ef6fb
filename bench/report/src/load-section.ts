/** The load files: costs as bars; and for each scenario its percentiles, its course over time and its memory. */

import type { Chart, Line } from "./chart.ts";
import { type Html, html } from "./html.ts";
import type { LoadScenario, Series } from "./load-series.ts";
import { numberText, percentText } from "./number-text.ts";
import type { LoadFigures, LoadLatency } from "./result-file.ts";

/** HTML, and the plots that stand in it. */
export interface Part {
  readonly content: Html;
  readonly charts: readonly Chart[];
}

const costs = [
  ["cpuMicrosecondsPerMessage", "CPU time of a message", "µs"],
  ["cpuMicrosecondsPerHandshake", "CPU time of a handshake", "µs"],
  ["kilobytesPerConnection", "Memory of a connection", "KiB"],
] as const;

/** Costs of all scenarios, ours against the peers: shorter is better. */
export function costSection(scenarios: readonly LoadScenario[]): Html | null {
  const tables = costs.flatMap(([cost, title, unit]) => {
    const known = scenarios.filter(({ series }) => series.some(({ figures }) => figures[cost] !== null));
    return known.length === 0 ? [] : [costTable(cost, `${title}, ${unit}`, known)];
  });
  if (tables.length === 0) return null;
  return html`<section>
    <h2>Cost under load</h2>
    <p>What the target's processes spent. Shorter is cheaper; the bars of a scenario have one scale.</p>
    ${tables}
  </section>`;
}

function costTable(cost: (typeof costs)[number][0], title: string, scenarios: readonly LoadScenario[]): Html {
  return html`<div class="wide">
    <table class="costs">
      <caption>
        ${title}
      </caption>
      <thead>
        <tr>
          <th scope="col">Scenario</th>
          <th scope="col">Target</th>
          <th scope="col" class="number">Cost</th>
          <th scope="col" class="bar-cell" aria-hidden="true"></th>
        </tr>
      </thead>
      ${scenarios.map(({ name, series }) => {
        const known = series.filter(({ figures }) => figures[cost] !== null);
        const most = known.reduce((greatest, { figures }) => Math.max(greatest, figures[cost] ?? 0), 0);
        return html`<tbody>
          ${known.map((one, index) => {
            const value = one.figures[cost] ?? 0;
            const width = most > 0 ? Math.round((Math.max(0, value) / most) * 1000) / 10 : 0;
            return html`<tr>
              ${index === 0 ? html`<th scope="rowgroup" rowspan="${known.length}">${name}</th>` : null}
              <td>${one.label}</td>
              <td class="number">${numberText(value)}</td>
              <td class="bar-cell" aria-hidden="true">
                <i class="bar ${one.isPeer ? "peer" : "own"}" style="width:${width}%"></i>
              </td>
            </tr>`;
          })}
        </tbody>`;
      })}
    </table>
  </div>`;
}

/** One scenario. `index` makes the identifiers of its plots unique. */
export function scenarioSection(scenario: LoadScenario, index: number): Part {
  const figures = [
    percentileFigure(scenario, `percentiles-${index}`),
    rateFigure(scenario, `rate-${index}`),
    latencyFigure(scenario, `latency-${index}`),
    memoryFigure(scenario, `memory-${index}`),
  ].filter((figure) => figure !== null);
  const content = html`<section>
    <h2>${scenario.name}</h2>
    ${overview(scenario)} ${figures.map((figure) => figure.content)} ${phases(scenario)}
  </section>`;
  return { content, charts: figures.flatMap((figure) => figure.charts) };
}

function overview({ series, rows }: LoadScenario): Html {
  const sentences = rows.flatMap((row) => {
    if (row.notSupported !== null) return [html`<li>${row.notSupported}</li>`];
    if (row.ratio === null) return [];
    const what = costs.find(([cost]) => cost === row.ratioOf)?.[1] ?? row.ratioOf;
    const spread = row.ratioSpread?.map(numberText).join(" to ") ?? "unknown";
    const rounds = row.rounds === 1 ? "from one round, so its noise is not known" : `${spread} in the rounds`;
    const ratio = numberText(row.ratio);
    return [html`<li>${what}: ${row.target} needs ${ratio} times what ${row.peer} needs; ${rounds}.</li>`];
  });
  const scaling = rows.flatMap(({ workers, scalingEfficiency }) =>
    scalingEfficiency === null
      ? []
      : [
          html`<li>
            Scaling efficiency with ${workers} ${workers === 1 ? "worker" : "workers"}:
            ${percentText(scalingEfficiency)}.
          </li>`,
        ],
  );
  const notes = [...new Set(rows.flatMap((row) => row.notes))].map((note) => html`<li>${note}</li>`);
  const facts = [...sentences, ...scaling, ...notes];
  return html`<div class="wide">
      <table>
        <caption class="hidden">
          Rates, latencies and losses
        </caption>
        <thead>
          <tr>
            <th scope="col">Target</th>
            <th scope="col" class="number">Per second</th>
            <th scope="col" class="number">p50, ms</th>
            <th scope="col" class="number">p99, ms</th>
            <th scope="col" class="number">p99.9, ms</th>
            <th scope="col" class="number">Worst, ms</th>
            <th scope="col" class="number">Received</th>
            <th scope="col" class="number">Lost</th>
            <th scope="col" class="number">Generator, of a core</th>
          </tr>
        </thead>
        <tbody>
          ${series.map(({ label, colour, figures }) => {
            const { latencyMs } = figures;
            const doubts = problems(figures);
            return html`<tr class="${doubts.length === 0 ? "" : "doubtful"}">
                <th scope="row">${keyed(colour, label)}</th>
                <td class="number">${numberText(figures.ratePerSecond)}</td>
                <td class="number">${numberText(latencyMs?.p50 ?? null)}</td>
                <td class="number">${numberText(latencyMs?.p99 ?? null)}</td>
                <td class="number">${numberText(latencyMs?.p999 ?? null)}</td>
                <td class="number">${numberText(latencyMs?.max ?? null)}</td>
                <td class="number">${numberText(figures.received)}</td>
                <td class="number ${(figures.lost ?? 0) > 0 ? "bad" : ""}">${numberText(figures.lost)}</td>
                <td class="number">${percentText(figures.generatorCpuShare)}</td>
              </tr>
              ${
                doubts.length === 0
                  ? null
                  : html`<tr>
                      <td colspan="9">${doubts}</td>
                    </tr>`
              }`;
          })}
        </tbody>
      </table>
    </div>
    ${
      facts.length === 0
        ? null
        : html`<ul>
            ${facts}
          </ul>`
    }`;
}

/** A label behind the colour of its line, which stays beside the first word. */
function keyed(colour: number, label: string): Html {
  const [first = "", ...others] = label.split(" ");
  return html`<span class="keyed"><i class="key colour-${colour}"></i>${first}</span> ${others.join(" ")}`;
}

function problems({ bottleneck, errors, errorsBeforeWindow }: LoadFigures): Html[] {
  const texts = [
    ...(bottleneck === null ? [] : [bottleneck]),
    ...errors.map(([kind, count]) => `${kind}: ${count}`),
    ...errorsBeforeWindow.map(([kind, count]) => `before the measured time, ${kind}: ${count}`),
  ];
  return texts.map((text) => html`<span class="warning">${text}</span>`);
}

/** A plot with its table; null where no line has a point. */
function figure(title: string, chart: Chart, table: Html): Part | null {
  const lines = chart.lines.filter(({ points }) => points.some(([, y]) => y !== null));
  if (lines.length === 0) return null;
  const content = html`<figure>
    <figcaption>${title}</figcaption>
    <div
      class="plot"
      id="${chart.id}"
      role="img"
      aria-label="${title}: a plot; its figures are in the table after it"
    ></div>
    <div class="wide">${table}</div>
  </figure>`;
  return { content, charts: [{ ...chart, lines }] };
}

const tabulatedPercentiles = [50, 75, 90, 99, 99.9, 99.99, 99.999];

function percentileFigure({ series }: LoadScenario, id: string): Part | null {
  const lines = series.map(({ label, colour, figures }): Line => {
    // 100 % has no place on the axis; the table has it.
    const points = (figures.latencyMs?.percentiles ?? []).filter(([percentile]) => percentile < 100);
    return {
      label,
      colour,
      isDashed: false,
      points: points.map(([percentile, milliseconds]) => [1 / (1 - percentile / 100), milliseconds]),
    };
  });
  const at = (latency: LoadLatency | null, wanted: number): number | null =>
    latency?.percentiles.find(([percentile]) => percentile === wanted)?.[1] ?? null;
  const rows = tabulatedPercentiles
    .filter((wanted) => series.some(({ figures }) => at(figures.latencyMs, wanted) !== null))
    .map((wanted) => [`${wanted} %`, ...series.map(({ figures }) => numberText(at(figures.latencyMs, wanted)))]);
  const worst = ["worst", ...series.map(({ figures }) => numberText(figures.latencyMs?.max ?? null))];
  return figure(
    "Latency by percentile, ms",
    {
      id,
      x: { label: "percentile", scale: "percentile" },
      y: { label: "ms", scale: yScale(lines) },
      lines,
    },
    seriesTable("Percentile", series, [...rows, worst]),
  );
}

function rateFigure({ series, rows }: LoadScenario, id: string): Part | null {
  const rounds = rows.reduce((most, row) => Math.max(most, row.rounds ?? 1), 1);
  const whole = series.map((one) => ({
    ...one,
    figures: { ...one.figures, timeline: wholeSeconds(one.figures, rounds) },
  }));
  const lines = whole.map(({ label, colour, figures }): Line => ({
    label,
    colour,
    isDashed: false,
    points: figures.timeline.map(({ second, ratePerSecond }) => [second, ratePerSecond]),
  }));
  return figure(
    "Throughput over time, per second",
    { id, x: { label: "seconds", scale: "seconds" }, y: { label: "per second", scale: "linear" }, lines },
    timeTable(whole, (figures, second) => figures.timeline.find((one) => one.second === second)?.ratePerSecond ?? null),
  );
}

/**
 * The seconds that the measured time holds to their end. What arrived in a part of a second, or after the measured time, would look
 * like a fall of the rate. All of them where there is no whole one.
 */
function wholeSeconds({ timeline, durationSeconds }: LoadFigures, rounds: number): LoadFigures["timeline"] {
  if (durationSeconds === null) return timeline;
  const whole = timeline.filter(({ second }) => second + 1 <= durationSeconds / rounds + 0.001);
  return whole.length === 0 ? timeline : whole;
}

function latencyFigure({ series }: LoadScenario, id: string): Part | null {
  const lines = series.flatMap(({ label, colour, figures: { timeline } }): Line[] => [
    { label: `${label}, p99`, colour, isDashed: false, points: timeline.map(({ second, p99 }) => [second, p99]) },
    { label: `${label}, p50`, colour, isDashed: true, points: timeline.map(({ second, p50 }) => [second, p50]) },
  ]);
  return figure(
    "Latency over time, ms: p99, and p50 dashed",
    { id, x: { label: "seconds", scale: "seconds" }, y: { label: "ms", scale: yScale(lines) }, lines },
    timeTable(series, (figures, second) => figures.timeline.find((one) => one.second === second)?.p99 ?? null, ", p99"),
  );
}

function memoryFigure({ series }: LoadScenario, id: string): Part | null {
  const lines = series.map(({ label, colour, figures }): Line => {
    const points = figures.memory.map(([connections, kilobytes]) => [connections, kilobytes / 1024] as const);
    return { label, colour, isDashed: false, points: points.toSorted(([a], [b]) => a - b) };
  });
  const counts = [...new Set(lines.flatMap(({ points }) => points.map(([connections]) => connections)))];
  const rows = spread(counts.toSorted((a, b) => a - b)).map((connections) => [
    String(connections),
    ...lines.map(({ points }) => numberText(valueAt(points, connections))),
  ]);
  return figure(
    "Resident memory over connections, MiB",
    { id, x: { label: "connections", scale: "linear" }, y: { label: "MiB", scale: "linear" }, lines },
    seriesTable("Connections", series, rows),
  );
}

/** The height of a line at `x`, between its points as it is drawn; null beside them. */
function valueAt(points: Line["points"], x: number): number | null {
  const after = points.findIndex(([at]) => at >= x);
  const [right, left] = [points[after], points[after - 1]];
  if (right === undefined || right[1] === null) return null;
  if (right[0] === x || left === undefined || left[1] === null) return right[0] === x ? right[1] : null;
  return left[1] + ((right[1] - left[1]) * (x - left[0])) / (right[0] - left[0]);
}

function timeTable(
  series: readonly Series[],
  at: (figures: LoadFigures, second: number) => number | null,
  suffix = "",
): Html {
  const seconds = [...new Set(series.flatMap(({ figures }) => figures.timeline.map(({ second }) => second)))];
  const rows = spread(seconds.toSorted((a, b) => a - b)).map((second) => [
    String(second),
    ...series.map(({ figures }) => numberText(at(figures, second))),
  ]);
  return seriesTable(`Second${suffix}`, series, rows);
}

/** At most twelve items, evenly over the list, with the first and the last: enough for a table beside a plot. */
function spread<Item>(items: readonly Item[]): Item[] {
  const most = 12;
  if (items.length <= most) return [...items];
  return Array.from(
    { length: most },
    (_, index) => items[Math.round((index * (items.length - 1)) / (most - 1))],
  ).filter((item) => item !== undefined);
}

function seriesTable(first: string, series: readonly Series[], rows: readonly (readonly string[])[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">${first}</th>
        ${series.map(({ label, colour }) => html`<th scope="col" class="number">${keyed(colour, label)}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([head, ...cells]) =>
          html`<tr>
            <th scope="row">${head}</th>
            ${cells.map((cell) => html`<td class="number">${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Latencies over more than two powers of ten are drawn logarithmically. */
function yScale(lines: readonly Line[]): "linear" | "logarithmic" {
  const values = lines.flatMap(({ points }) => points.flatMap(([, y]) => (y !== null && y > 0 ? [y] : [])));
  const most = values.reduce((greatest, value) => Math.max(greatest, value), 0);
  const least = values.reduce((smallest, value) => Math.min(smallest, value), Infinity);
  return most > 100 * least ? "logarithmic" : "linear";
}

function phases({ series }: LoadScenario): Html | null {
  const known = series.filter(({ figures }) => figures.phases.length > 0);
  if (known.length === 0) return null;
  return html`<div class="wide">
    <table>
      <caption>
        Parts of the run
      </caption>
      <thead>
        <tr>
          <th scope="col">Target</th>
          <th scope="col">Part</th>
          <th scope="col" class="number">Per second</th>
          <th scope="col" class="number">p50, ms</th>
          <th scope="col" class="number">p99, ms</th>
          <th scope="col" class="number">Worst, ms</th>
        </tr>
      </thead>
      <tbody>
        ${known.flatMap(({ label, colour, figures }) =>
          figures.phases.map(
            ({ name, ratePerSecond, latencyMs }) =>
              html`<tr>
                <th scope="row">${keyed(colour, label)}</th>
                <td>${name}</td>
                <td class="number">${numberText(ratePerSecond)}</td>
                <td class="number">${numberText(latencyMs?.p50 ?? null)}</td>
                <td class="number">${numberText(latencyMs?.p99 ?? null)}</td>
                <td class="number">${numberText(latencyMs?.max ?? null)}</td>
              </tr>`,
          ),
        )}
      </tbody>
    </table>
  </div>`;
}
