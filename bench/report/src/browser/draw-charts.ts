/**
 * The script of the page. The function is put into the page by its text, so it uses nothing from outside of itself: its
 * types are erased, its imports are types only.
 */

import type uPlot from "uplot";
import type { Chart, Line } from "../chart.ts";

/** Draws every plot into the element with its identifier; again when its width, the colour scheme or the medium changes. */
// oxlint-disable-next-line max-lines-per-function -- it has to be one function, because its text goes into the page
export function drawCharts(Plot: typeof uPlot, charts: readonly Chart[]): void {
  const root = document.documentElement;
  const drawn = new Map<string, uPlot>();
  const printWidth = 640;

  function colour(name: string): string {
    return getComputedStyle(root).getPropertyValue(name).trim();
  }

  /** All x values of all lines, and each line's y at them. */
  function aligned({ lines, y }: Chart): uPlot.AlignedData {
    const xs = [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
    const columns = lines.map(({ points }) => {
      const byX = new Map(points);
      return xs.map((x) => {
        const value = byX.get(x);
        // A logarithmic axis has no place for 0.
        return value === undefined || (y.scale === "logarithmic" && value !== null && value <= 0) ? null : value;
      });
    });
    return [xs, ...columns];
  }

  function shortNumber(value: number): string {
    if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
    if (Math.abs(value) >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
    return String(Number(value.toPrecision(3)));
  }

  /** 1 / (1 - p) as a percentile: 100 is 99 %. */
  function percentile(x: number): string {
    return `${Number((100 - 100 / x).toPrecision(7))} %`;
  }

  function tenths(_plot: uPlot, _axis: number, low: number, high: number): number[] {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const last = Math.floor(Math.log10(high) + 1e-9);
    return Array.from({ length: Math.max(0, last - first) + 1 }, (_, index) => 10 ** (first + index));
  }

  function axis(label: string, isVertical: boolean): uPlot.Axis {
    const line = { stroke: colour("--grid"), width: 1 };
    const font = "12px system-ui, sans-serif";
    const size = isVertical ? 58 : 34;
    return { label, labelSize: 20, size, stroke: colour("--muted"), grid: line, ticks: line, font, labelFont: font };
  }

  function series({ label, colour: number, isDashed, points }: Line): uPlot.Series {
    return {
      label,
      stroke: colour(`--line-${number}`),
      width: isDashed ? 1.25 : 2,
      spanGaps: true,
      // One point makes no line.
      points: { show: points.filter(([, y]) => y !== null).length === 1, size: 8 },
      value: (_plot, value) => (value === null ? "–" : shortNumber(value)),
      ...(isDashed ? { dash: [5, 4] } : {}),
    };
  }

  function draw(chart: Chart, width: number): void {
    const element = document.getElementById(chart.id);
    if (element === null) return;
    drawn.get(chart.id)?.destroy();
    const isPercentile = chart.x.scale === "percentile";
    const isLogarithmic = chart.y.scale === "logarithmic";
    const x = axis(chart.x.label, false);
    const y = axis(chart.y.label, true);
    const options: uPlot.Options = {
      width,
      height: Math.round(Math.min(340, Math.max(220, width * 0.5))),
      scales: {
        x: isPercentile ? { time: false, distr: 3, log: 10 } : { time: false },
        y: isLogarithmic ? { distr: 3, log: 10 } : { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      axes: [
        {
          ...x,
          ...(isPercentile ? { splits: tenths, values: (_plot, splits) => splits.map(percentile) } : {}),
          ...(chart.x.scale === "seconds"
            ? { incrs: [1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600, 7200, 21_600] }
            : {}),
        },
        { ...y, ...(isLogarithmic ? { splits: tenths } : {}), values: (_plot, splits) => splits.map(shortNumber) },
      ],
      series: [
        {
          label: chart.x.label,
          value: (_plot, value) => (value === null ? "–" : isPercentile ? percentile(value) : shortNumber(value)),
        },
        ...chart.lines.map(series),
      ],
      cursor: { points: { size: 6 } },
    };
    drawn.set(chart.id, new Plot(options, aligned(chart), element));
  }

  function widthOf(chart: Chart): number {
    return Math.max(240, Math.floor(document.getElementById(chart.id)?.clientWidth ?? 0));
  }

  function drawAll(): void {
    for (const chart of charts) draw(chart, widthOf(chart));
  }

  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("resize", () => {
    for (const chart of charts) if (drawn.get(chart.id)?.width !== widthOf(chart)) draw(chart, widthOf(chart));
  });
  addEventListener("beforeprint", () => {
    root.classList.add("print");
    for (const chart of charts) draw(chart, printWidth);
  });
  addEventListener("afterprint", () => {
    root.classList.remove("print");
    drawAll();
  });
}
