/**
 * What changed between two result files of one kind, beyond the noise.
 *
 * A figure has an interval: the file's own where it has one, else its spread, else a stated share. It changed where the two
 * intervals do not meet and the change is larger than the floor: two runs of the same revision differ by a few percent
 * that no interval of a single run shows, because each process compiles its code anew.
 *
 * A ratio to a peer has the machine taken out of it. A rate has not: where both files have the same peer, the old rate is
 * first multiplied by what the peer's rate did in the meantime. Between different machines only ratios are compared.
 */

import { differences, type Interval } from "@latchkey/bench-results";
import type { LoadFigures, LoadRow, MicroRow, ResultFile } from "./result-file.ts";

type Verdict = "loss" | "gain" | "same";

/** One figure of a row that is in both files. */
export interface Change {
  readonly row: string;
  readonly figure: string;
  readonly old: number;
  readonly now: number;
  /** By how much it got better or worse, as a share of the old: 0.1 is 10 % better, whichever direction is better. */
  readonly improvement: number;
  readonly oldInterval: Interval;
  readonly nowInterval: Interval;
  readonly verdict: Verdict;
}

/** Both files beside each other. */
export interface Comparison {
  readonly changes: readonly Change[];
  readonly onlyInOld: readonly string[];
  readonly onlyInNew: readonly string[];
  /** What a reader has to know: different machines, other versions of peers. */
  readonly notes: readonly string[];
}

/** Changes smaller than this share are never marked. */
export const defaultFloor = 0.05;
/** The noise of a figure that has neither interval nor spread, as a share to both sides. */
const unstatedNoise = 0.1;
/** Tails of latency move more than medians of costs. */
const tailNoise = 0.25;

/** Compares two files; throws an Error where one is of another kind than the other. */
export function compareFiles(old: ResultFile, now: ResultFile, floor: number = defaultFloor): Comparison {
  const isSameMachine = differences(old.machine, now.machine).length === 0;
  const notes = isSameMachine
    ? []
    : [
        `The files come from different machines (${differences(old.machine, now.machine).join("; ")}). ` +
          "Only ratios to peers are compared; rates, costs and latencies of different machines are not.",
      ];
  if (old.kind === "micro" && now.kind === "micro") {
    const key = (row: MicroRow): string =>
      `${row.scenario} (${row.subject}${row.peer === null ? "" : ` to ${peerName(row.peer)}`})`;
    return compareRows(old.rows, now.rows, key, notes, (row, a, b) => microFigures(row, a, b, isSameMachine), floor);
  }
  if (old.kind === "load" && now.kind === "load") {
    const key = ({ scenario, target, peer, workers }: LoadRow): string =>
      `${scenario} (${target}${peer === null ? "" : ` to ${peer}`}${workers === null ? "" : `, ${workers} workers`})`;
    return compareRows(old.rows, now.rows, key, notes, (row, a, b) => loadFigures(row, a, b, isSameMachine), floor);
  }
  throw new Error(
    `${old.file} is a ${old.kind} file and ${now.file} a ${now.kind} file; two of one kind can be compared`,
  );
}

/** The peer of `--compare` has the revision behind its name, which is another one in every file. */
function peerName(peer: string): string {
  return peer.startsWith("@latchkey/") ? peer.replace(/@[0-9a-f]{12}$/, "@REVISION") : peer;
}

interface Row {
  readonly peer: string | null;
  readonly peerVersion: string | null;
}

function compareRows<Kind extends Row>(
  old: readonly Kind[],
  now: readonly Kind[],
  key: (row: Kind) => string,
  fileNotes: readonly string[],
  figures: (row: string, old: Kind, now: Kind) => readonly Figure[],
  floor: number,
): Comparison {
  const before = new Map(old.map((row) => [key(row), row]));
  const after = new Map(now.map((row) => [key(row), row]));
  const changes: Change[] = [];
  const notes = [...fileNotes];
  for (const [name, row] of after) {
    const previous = before.get(name);
    if (previous === undefined) continue;
    if (previous.peerVersion !== row.peerVersion && previous.peerVersion !== null && row.peerVersion !== null) {
      notes.push(`${name}: the peer was ${previous.peerVersion} and is ${row.peerVersion} now.`);
    }
    const compared = figures(name, previous, row);
    if (compared.length === 0) notes.push(`${name}: nothing can be compared.`);
    changes.push(...compared.map((figure) => judge(figure, floor)));
  }
  const missing = (from: Map<string, Kind>, other: Map<string, Kind>): string[] =>
    [...from.keys()].filter((name) => !other.has(name));
  return { changes, onlyInOld: missing(before, after), onlyInNew: missing(after, before), notes };
}

/** A figure of both files, before it is judged. */
interface Figure {
  readonly row: string;
  readonly figure: string;
  readonly better: "more" | "less";
  readonly old: Estimate;
  readonly now: Estimate;
}

interface Estimate {
  readonly value: number;
  readonly interval: Interval;
}

function judge({ row, figure, better, old, now }: Figure, floor: number): Change {
  const change = old.value === 0 ? (now.value === 0 ? 0 : Infinity) : now.value / old.value - 1;
  const improvement = better === "more" ? change : -change;
  const isApart = now.interval[0] > old.interval[1] || now.interval[1] < old.interval[0];
  const verdict = !isApart || Math.abs(change) <= floor ? "same" : improvement > 0 ? "gain" : "loss";
  const intervals = { oldInterval: old.interval, nowInterval: now.interval };
  return { row, figure, old: old.value, now: now.value, improvement, ...intervals, verdict };
}

function estimate(value: number, interval: Interval | null, noise: number): Estimate {
  return { value, interval: interval ?? [value * (1 - noise), value * (1 + noise)] };
}

function microFigures(row: string, old: MicroRow, now: MicroRow, isSameMachine: boolean): Figure[] {
  const figures: Figure[] = [];
  const more = { row, better: "more" } as const;
  if (old.ratio !== null && now.ratio !== null) {
    const ratioOf = (one: MicroRow, ratio: number): Estimate => {
      const noise = one.spread === null ? unstatedNoise : (one.spread + (one.peerSpread ?? one.spread)) / 2;
      return estimate(ratio, one.ratioInterval, noise);
    };
    figures.push({ ...more, figure: "ratio", old: ratioOf(old, old.ratio), now: ratioOf(now, now.ratio) });
  }
  if (!isSameMachine) return figures;
  const rateOf = (one: MicroRow): Estimate =>
    estimate(one.opsPerSecond, one.opsInterval, one.spread === null ? unstatedNoise : one.spread / 2);
  const hasPeer = old.peerOpsPerSecond !== null && now.peerOpsPerSecond !== null && old.peerVersion === now.peerVersion;
  const drift = hasPeer ? (now.peerOpsPerSecond ?? 1) / (old.peerOpsPerSecond ?? 1) : 1;
  const driftNoise = hasPeer ? ((old.peerSpread ?? 0) + (now.peerSpread ?? 0)) / 2 : 0;
  const { value, interval } = rateOf(old);
  const expected: Estimate = {
    value: value * drift,
    interval: [interval[0] * drift * (1 - driftNoise), interval[1] * drift * (1 + driftNoise)],
  };
  const figure = hasPeer ? "rate, with the peer's change taken out" : "rate";
  return [...figures, { ...more, figure, old: expected, now: rateOf(now) }];
}

function loadFigures(row: string, old: LoadRow, now: LoadRow, isSameMachine: boolean): Figure[] {
  const figures: Figure[] = [];
  if (old.ratio !== null && now.ratio !== null && old.ratioOf === now.ratioOf) {
    const ratioOf = (one: LoadRow, ratio: number): Estimate => estimate(ratio, one.ratioSpread, unstatedNoise);
    const figure = `ratio of ${now.ratioOf ?? "the costs"}`;
    figures.push({ row, figure, better: "less", old: ratioOf(old, old.ratio), now: ratioOf(now, now.ratio) });
  }
  if (!isSameMachine) return figures;
  const add = (
    figure: string,
    better: "more" | "less",
    noise: number,
    pick: (one: LoadFigures) => number | null,
  ): void => {
    const [before, after] = [pick(old.figures), pick(now.figures)];
    if (before === null || after === null) return;
    figures.push({ row, figure, better, old: estimate(before, null, noise), now: estimate(after, null, noise) });
  };
  add("cpuMicrosecondsPerMessage", "less", unstatedNoise, (one) => one.cpuMicrosecondsPerMessage);
  add("cpuMicrosecondsPerHandshake", "less", unstatedNoise, (one) => one.cpuMicrosecondsPerHandshake);
  add("kilobytesPerConnection", "less", unstatedNoise, (one) => one.kilobytesPerConnection);
  add("ratePerSecond", "more", unstatedNoise, (one) => one.ratePerSecond);
  add("latency p50", "less", unstatedNoise, (one) => one.latencyMs?.p50 ?? null);
  add("latency p99", "less", tailNoise, (one) => one.latencyMs?.p99 ?? null);
  add("lost", "less", 0, (one) => one.lost);
  return figures;
}
