/** What was measured under load, by scenario: each target once, with a name and a colour of its own. */

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
    for (const { run, row } of entries) {
      const others = entries.filter((entry) => entry.run === run && entry.row.target === row.target);
      const details = [
        row.targetVersion,
        ...(runs.length > 1 ? [run.file] : []),
        ...(others.some((entry) => entry.row.workers !== row.workers) ? [`${row.workers ?? "?"} workers`] : []),
        // Ours is measured anew beside each peer.
        ...(row.peer !== null && others.length > 1 ? [`beside ${row.peer}`] : []),
      ];
      named.push({ label: labelOf(row.target, details), isPeer: false, figures: row.figures });
      if (row.peer === null || row.peerFigures === null) continue;
      const peerDetails = [row.peerVersion ?? "", ...details.slice(1).filter((detail) => !detail.startsWith("beside"))];
      named.push({ label: labelOf(row.peer, peerDetails), isPeer: true, figures: row.peerFigures });
    }
    const series = named.map((one, index) => ({ ...one, colour: index % colours }));
    return { name, series, rows: entries.map(({ row }) => row) };
  });
}

function labelOf(target: string, details: readonly string[]): string {
  const [version = "", ...others] = details;
  return [version === "" ? target : `${target} ${version}`, ...others].join(", ");
}
