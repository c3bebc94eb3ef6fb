/** Results as lines of text: what was measured, in which unit, against which version, how sure. */

import type { MicroResult } from "@latchkey/bench-results";

/** A row, and a line under it for each warning and note. */
export function tableRow(result: MicroResult, width: number): string {
  const { scenario, unit, opsPerSecond, spread, rounds, warnings, notes } = result;
  const noise = rounds > 1 ? ` ±${((spread / 2) * 100).toFixed(1)} %` : "";
  const parts = [scenario.padEnd(width), `${rateText(opsPerSecond, unit).padStart(20)}${noise}`];
  if (result.peer !== null && result.ratio !== null && result.peerOpsPerSecond !== null) {
    const interval = result.ratioInterval;
    const bounds = interval === null ? "" : ` [${interval[0].toFixed(2)}, ${interval[1].toFixed(2)}]`;
    const { peer: name, peerVersion } = result;
    // The name of another revision of ours ends with it already.
    const peer =
      peerVersion === null || peerVersion === "" || name.endsWith(peerVersion) ? name : `${name} ${peerVersion}`;
    parts.push(
      `${result.ratio.toFixed(2)}x${bounds}`.padEnd(20),
      `${peer}: ${rateText(result.peerOpsPerSecond, unit)}`,
    );
  }
  const remarks = [...warnings.map((warning) => `warning: ${warning}`), ...notes.map((note) => `note: ${note}`)];
  return [parts.join("  "), ...remarks.map((remark) => `    ${remark}`)].join("\n");
}

/** A rate with its unit: `1.32 M packets/s`. */
function rateText(rate: number, unit: string): string {
  const plural = /[^aeiou]y$/.test(unit) ? `${unit.slice(0, -1)}ies` : `${unit}s`;
  if (rate >= 1e6) return `${(rate / 1e6).toFixed(2)} M ${plural}/s`;
  if (rate >= 1e3) return `${(rate / 1e3).toFixed(1)} k ${plural}/s`;
  return `${rate.toFixed(1)} ${plural}/s`;
}

/** `3 min`, `40 s`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
