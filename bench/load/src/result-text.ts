/** A result as lines for people. */

import { ms } from "./progress.ts";
import type { Figures, Generator, LedgerCounts, LoadResult } from "./result.ts";

/** Some lines: ours, the peer's, the ratio, what has to be known. */
export function resultText(result: LoadResult): string {
  const { scenario, target, peer, workers, rounds } = result;
  const lines = [
    `${scenario}  (${rounds} ${rounds === 1 ? "round" : "rounds"}, ${workers} ${workers === 1 ? "worker" : "workers"})`,
  ];
  if (result.sent > 0 || result.notSupported === null)
    lines.push(`  ${figuresText(`${target} ${result.targetVersion}`, result)}`);
  if (peer !== null && result.peerFigures !== null) {
    lines.push(`  ${figuresText(`${peer} ${result.peerVersion ?? ""}`, result.peerFigures)}`);
  }
  lines.push(...ratioLines(result).map((line) => `  ${line}`));
  if (result.scalingEfficiency !== null)
    lines.push(`  scaling efficiency: ${(result.scalingEfficiency * 100).toFixed(0)} %`);
  if (result.notSupported !== null) lines.push(`  ${result.notSupported}`);
  for (const note of result.notes) lines.push(`  note: ${note}`);
  return lines.join("\n");
}

/** Of its median; a ratio whose rounds lie farther apart is not to be quoted. */
const widestSpread = [0.8, 1.25] as const;

function ratioLines({ ratio, ratioSpread, ratioOf, rounds, target, peer, lost, peerFigures }: LoadResult): string[] {
  if (ratio === null || ratioSpread === null) return [];
  const [least, most] = ratioSpread;
  const spread = rounds === 1 ? "one round, so its noise is not known" : `${least.toFixed(2)} to ${most.toFixed(2)}`;
  const isWide = least < widestSpread[0] * ratio || most > widestSpread[1] * ratio;
  const losers = [lost > 0 ? target : null, (peerFigures?.lost ?? 0) > 0 ? peer : null].filter((name) => name !== null);
  return [
    `ratio of ${ratioOf}: ${ratio.toFixed(2)} (${spread}); below 1 ${target} is cheaper`,
    ...(isWide ? ["warning: the ratios of the rounds lie far apart: measure again on a quieter machine"] : []),
    ...(losers.length > 0 ? [`warning: ${losers.join(" and ")} lost some; the cost is that of what arrived`] : []),
  ];
}

function figuresText(name: string, figures: Figures): string {
  const { latencyMs: latency } = figures;
  const parts = [
    figures.ratePerSecond === null ? "nothing was due in the measured time" : `${figures.ratePerSecond.toFixed(0)}/s`,
    ...(figures.cpuMicrosecondsPerMessage === null
      ? []
      : [`${figures.cpuMicrosecondsPerMessage.toFixed(1)} us CPU each`]),
    ...(figures.cpuMicrosecondsPerHandshake === null
      ? []
      : [`${figures.cpuMicrosecondsPerHandshake.toFixed(0)} us CPU each`]),
    ...(figures.kilobytesPerConnection === null
      ? []
      : [`${figures.kilobytesPerConnection.toFixed(1)} KB a connection`]),
    ...(latency === null ? [] : [`p50 ${ms(latency.p50)}, p99 ${ms(latency.p99)}, max ${ms(latency.max)}`]),
    `sent ${figures.sent} = received ${figures.received} + lost ${figures.lost}`,
    ...(figures.duplicates === 0 ? [] : [`${figures.duplicates} repeated`]),
    ...(figures.generator === null ? [] : [generatorText(figures.generator)]),
  ];
  const phases = figures.phases.map(
    ({ name: phase, latencyMs, received }) =>
      `${phase} ${received}, p50 ${ms(latencyMs?.p50 ?? null)}, p99 ${ms(latencyMs?.p99 ?? null)}`,
  );
  return [
    `${name}: ${parts.join("; ")}`,
    ...(phases.length > 0 ? [`    phases: ${phases.join("; ")}`] : []),
    ...countsText("lost", lostCounts(figures.ledger)),
    ...survivorsText(figures),
    ...countsText("errors", figures.errors),
    ...countsText("errors before the measured time", figures.errorsBeforeWindow),
    ...((figures.generator?.bottleneck ?? null) === null ? [] : [`    ${figures.generator?.bottleneck}`]),
  ].join("\n  ");
}

/** The lag is part of every latency, and none of the target's. */
function generatorText({ cpuShare, scheduleLagMs }: Generator): string {
  const share = `generator ${(cpuShare * 100).toFixed(0)} % of a core`;
  return scheduleLagMs === 0 ? share : `${share}, p99 of its own lag ${ms(scheduleLagMs)}`;
}

/** From this share on what is lost would have moved the 99th percentile. */
const tellingShare = 0.01;

/** Says that percentiles leave out what did not arrive, where that is much. */
function survivorsText({ latencyMs, sent, lost }: Figures): string[] {
  if (latencyMs === null || lost < sent * tellingShare || lost === 0) return [];
  const share = ((lost / sent) * 100).toFixed(lost / sent < 0.1 ? 1 : 0);
  return [`    the percentiles are of what arrived: ${share} % did not`];
}

/** The parts of `lost`, and what nobody was owed, as people call them. */
function lostCounts(ledger: LedgerCounts): Readonly<Record<string, number>> {
  const { notSent, missing, failed, unfinished, unexpected } = ledger;
  return { "not sent": notSent, missing, failed, unfinished, "not owed to anybody": unexpected };
}

function countsText(name: string, counts: Readonly<Record<string, number>>): string[] {
  const parts = Object.entries(counts).flatMap(([kind, count]) => (count === 0 ? [] : [`${kind}: ${count}`]));
  return parts.length === 0 ? [] : [`    ${name}: ${parts.join("; ")}`];
}
