/** What was measured under load, by scenario: each target once, with a name and a colour of its own. */

import { isDeepStrictEqual } from "node:util";
import { colours } from "./chart.ts";
import type { LoadFigures, LoadRow, LoadRun } from "./result-file.ts";

/** A target under one scenario. */
export interface Series {
  readonly label: string;
  readonly colour: number;
  readonly isPeer: boolean;
  readonly figures: LoadFigures;
}

/** A scenario of all files. */
export interface LoadScenario {
  readonly name: string;
  readonly series: readonly Series[];
  readonly rows: readonly LoadRow[];
}

/** Groups the rows of all files by scenario. */
export function scenariosOf(runs: readonly LoadRun[]): LoadScenario[] {
  const all = runs.flatMap((run) => run.rows.map((row) => ({ run, row })));
  return [...Map.groupBy(all, ({ row }) => row.scenario)].map(([name, entries]) => {
    const named: Omit<Series, "colour">[] = [];
    const isOfSeveralFiles = new Set(entries.map(({ run }) => run)).size > 1;
    for (const { run, row } of entries) {
      const others = entries.filter((entry) => entry.run === run && entry.row.target === row.target);
      const workers = row.workers === 1 ? "1 worker" : `${row.workers ?? "?"} workers`;
      const details = [
        ...(isOfSeveralFiles ? [run.file] : []),
        ...(others.some((entry) => entry.row.workers !== row.workers) ? [workers] : []),
      ];
      // Ours stands in an entry for each peer; it was measured once where the figures are the same.
      const same = others.filter((entry) => entry.row.workers === row.workers);
      const isFirst = same[0]?.row === row;
      const isRepeated = !isFirst && isDeepStrictEqual(same[0]?.row.figures, row.figures);
      const beside = isFirst || row.peer === null ? [] : [`beside ${row.peer}`];
      if (!isRepeated) {
        const label = labelOf(row.target, [row.targetVersion, ...details, ...beside]);
        named.push({ label, isPeer: false, figures: row.figures });
      }
      if (row.peer === null || row.peerFigures === null) continue;
      const label = labelOf(row.peer, [row.peerVersion ?? "", ...details]);
      named.push({ label, isPeer: true, figures: row.peerFigures });
    }
    const series = named.map((one, index) => ({ ...one, colour: index % colours }));
    return { name, series, rows: entries.map(({ row }) => row) };
  });
}

function labelOf(target: string, details: readonly string[]): string {
  const [version = "", ...others] = details;
  return [version === "" ? target : `${target} ${version}`, ...others].join(", ");
}
