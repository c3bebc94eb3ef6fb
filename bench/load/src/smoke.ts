/** What a smoke run asks of a result: with so little load nothing is lost, and something arrives. */

import type { Figures, LoadResult } from "./result.ts";

/** Scenarios that ask for a listener of their own, which only ours has for certain. */
const withOwnListener: ReadonlySet<string> = new Set(["http-press", "control-plane"]);

/** A line for each side that lost something or delivered nothing, and for a scenario that neither side did. */
export function smokeFailuresOf(result: LoadResult): string[] {
  const { scenario, target, peer, peerFigures, notSupported } = result;
  // A side that was refused began no operation.
  const own = result.rounds === 0 ? [] : failuresOf(`${scenario} ${target}`, result);
  const others = peer === null || peerFigures === null ? [] : failuresOf(`${scenario} ${peer}`, peerFigures);
  const mayLack = target !== "latchkey" && withOwnListener.has(scenario.split("/", 1)[0] ?? "");
  if (result.rounds === 0 && peerFigures === null && !mayLack) {
    return [`smoke: ${scenario}: nothing was run (${notSupported})`];
  }
  return [...own, ...others];
}

function failuresOf(name: string, { received, lost, errors }: Figures): string[] {
  const why = Object.entries(errors).map(([kind, count]) => ` (${kind}: ${count})`);
  if (received === 0) return [`smoke: ${name}: nothing arrived${why.join("")}`];
  if (lost > 0) return [`smoke: ${name}: ${lost} lost${why.join("")}`];
  return [];
}
