/**
 * The result files of `bench/micro` and `bench/load` as the report and the comparison see them. Files are made by other
 * revisions, too: what is missing is null, only what names a row has to be there.
 */

import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { Interval } from "@latchkey/bench-results";
import { ResultFileError } from "./errors.ts";
import { Fields } from "./fields.ts";

/** What both kinds have. */
interface Run {
  /** The file's name without folders. */
  readonly file: string;
  /** An object or a text; `machineText` reads it. */
  readonly machine: unknown;
  readonly node: string;
  readonly revision: string;
  readonly date: string;
  /** What a reader has to know before the figures. */
  readonly warnings: readonly string[];
}

export interface MicroRun extends Run {
  readonly kind: "micro";
  readonly rows: readonly MicroRow[];
}

export interface LoadRun extends Run {
  readonly kind: "load";
  readonly rows: readonly LoadRow[];
}

/** A file of either kind. */
export type ResultFile = MicroRun | LoadRun;

/** A row of a micro file; the fields are those of `MicroResult`. */
export interface MicroRow {
  readonly scenario: string;
  readonly subject: string;
  readonly unit: string;
  readonly opsPerSecond: number;
  readonly spread: number | null;
  readonly opsInterval: Interval | null;
  readonly peer: string | null;
  readonly peerVersion: string | null;
  readonly peerOpsPerSecond: number | null;
  readonly peerSpread: number | null;
  readonly ratio: number | null;
  readonly ratioInterval: Interval | null;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/** A row of a load file; the fields are those of its `LoadResult`. */
export interface LoadRow {
  readonly scenario: string;
  readonly target: string;
  readonly targetVersion: string;
  readonly peer: string | null;
  readonly peerVersion: string | null;
  readonly workers: number | null;
  readonly rounds: number | null;
  readonly scalingEfficiency: number | null;
  readonly ratio: number | null;
  readonly ratioSpread: Interval | null;
  readonly ratioOf: string | null;
  readonly notSupported: string | null;
  readonly notes: readonly string[];
  readonly figures: LoadFigures;
  readonly peerFigures: LoadFigures | null;
}

/** What was measured against one target. */
export interface LoadFigures {
  readonly cpuMicrosecondsPerMessage: number | null;
  readonly cpuMicrosecondsPerHandshake: number | null;
  readonly kilobytesPerConnection: number | null;
  readonly ratePerSecond: number | null;
  readonly latencyMs: LoadLatency | null;
  /** The sum over all rounds. */
  readonly durationSeconds: number | null;
  readonly sent: number | null;
  readonly received: number | null;
  readonly lost: number | null;
  readonly errors: readonly (readonly [kind: string, count: number])[];
  readonly errorsBeforeWindow: readonly (readonly [kind: string, count: number])[];
  /** A sentence where the generator was the bottleneck. */
  readonly bottleneck: string | null;
  readonly generatorCpuShare: number | null;
  readonly timeline: readonly Second[];
  readonly phases: readonly {
    readonly name: string;
    readonly ratePerSecond: number | null;
    readonly latencyMs: LoadLatency | null;
  }[];
  readonly memory: readonly (readonly [connections: number, residentKilobytes: number])[];
}

export interface LoadLatency {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
  /** Percentile from 0 to 100, and milliseconds. */
  readonly percentiles: readonly (readonly [percentile: number, milliseconds: number])[];
}

interface Second {
  readonly second: number;
  readonly ratePerSecond: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Octets of one file. An hour of soak with a peer takes less than 3 MB. */
const mostFileOctets = 64 * 2 ** 20;
/** Files of one page. */
export const mostFiles = 100;

/** Reads a file; throws a `ResultFileError` that says where it is no result file. */
export function readResultFile(path: string): ResultFile {
  let text: string;
  try {
    const information = statSync(path);
    if (!information.isFile()) throw new Error("it is no regular file");
    if (information.size > mostFileOctets) {
      const found = `has ${information.size} octets; up to ${mostFileOctets} are read, which is many times a day of soak`;
      throw new ResultFileError("ERR_RESULT_FILE_LIMIT", path, "", `${found}. Is it a result file?`);
    }
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof ResultFileError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ResultFileError("ERR_RESULT_FILE_UNREADABLE", path, "", `cannot be read: ${reason}`, { cause: error });
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    const message =
      "is no JSON; a file that npm run bench -- --json FILE or npm run bench:load -- --json FILE wrote is expected";
    throw new ResultFileError("ERR_RESULT_FILE_NOT_JSON", path, "", message, { cause: error });
  }
  return parseResultFile(path, content);
}

/** Takes the content of a file apart. A file without a `kind` is a load file where its rows have a target. */
export function parseResultFile(path: string, content: unknown): ResultFile {
  const file = new Fields(path, "", content);
  if (!file.hasList("results")) {
    throw new ResultFileError("ERR_RESULT_FILE_SHAPE", path, "results", "a list of results is expected");
  }
  const rows = file.objects("results");
  const kind = file.value("kind") ?? (typeof rows[0]?.value("target") === "string" ? "load" : "micro");
  const common = {
    file: basename(path),
    machine: file.object("environment") === null ? file.value("machine") : file.value("environment"),
    node: file.optionalText("node") ?? "unknown",
    revision: file.optionalText("revision") ?? "unknown",
    date: file.optionalText("date") ?? "unknown",
  };
  if (kind === "micro") {
    const warnings = file
      .objects("failures")
      .map((one) => `${one.optionalText("scenario") ?? "?"} failed: ${firstLine(one)}`);
    if (file.value("complete") === false) warnings.push("The run did not measure everything that was asked for.");
    return { kind, ...common, warnings, rows: rows.map(microRow) };
  }
  if (kind === "load") {
    const warnings = file.flag("interrupted") ? ["The run was interrupted: the figures are those until then."] : [];
    return { kind, ...common, warnings, rows: rows.map(loadRow) };
  }
  const found = `kind ${JSON.stringify(kind)} is unknown; "micro" and "load" are accepted`;
  throw new ResultFileError("ERR_RESULT_FILE_SHAPE", path, "kind", found);
}

function firstLine(failure: Fields): string {
  return (failure.optionalText("reason") ?? "no reason given").split("\n")[0] ?? "";
}

function microRow(row: Fields): MicroRow {
  return {
    scenario: row.text("scenario"),
    subject: row.text("subject"),
    unit: row.optionalText("unit") ?? "operation",
    opsPerSecond: row.requiredNumber("opsPerSecond"),
    spread: row.number("spread"),
    opsInterval: row.interval("opsInterval"),
    peer: row.optionalText("peer"),
    peerVersion: row.optionalText("peerVersion"),
    peerOpsPerSecond: row.number("peerOpsPerSecond"),
    peerSpread: row.number("peerSpread"),
    ratio: row.number("ratio"),
    ratioInterval: row.interval("ratioInterval"),
    warnings: row.texts("warnings"),
    notes: row.texts("notes"),
  };
}

function loadRow(row: Fields): LoadRow {
  const peerFigures = row.object("peerFigures");
  return {
    scenario: row.text("scenario"),
    target: row.text("target"),
    targetVersion: row.optionalText("targetVersion") ?? "",
    peer: row.optionalText("peer"),
    peerVersion: row.optionalText("peerVersion"),
    workers: row.number("workers"),
    rounds: row.number("rounds"),
    scalingEfficiency: row.number("scalingEfficiency"),
    ratio: row.number("ratio"),
    ratioSpread: row.interval("ratioSpread"),
    ratioOf: row.optionalText("ratioOf"),
    notSupported: row.optionalText("notSupported"),
    notes: row.texts("notes"),
    figures: loadFigures(row),
    peerFigures: peerFigures && loadFigures(peerFigures),
  };
}

function loadFigures(figures: Fields): LoadFigures {
  const generator = figures.object("generator");
  return {
    cpuMicrosecondsPerMessage: figures.number("cpuMicrosecondsPerMessage"),
    cpuMicrosecondsPerHandshake: figures.number("cpuMicrosecondsPerHandshake"),
    kilobytesPerConnection: figures.number("kilobytesPerConnection"),
    ratePerSecond: figures.number("ratePerSecond"),
    latencyMs: latency(figures),
    durationSeconds: figures.number("durationSeconds"),
    sent: figures.number("sent"),
    received: figures.number("received"),
    lost: figures.number("lost"),
    errors: figures.counts("errors"),
    errorsBeforeWindow: figures.counts("errorsBeforeWindow"),
    bottleneck: generator?.optionalText("bottleneck") ?? null,
    generatorCpuShare: generator?.number("cpuShare") ?? null,
    timeline: figures.objects("timeline").flatMap((second) => {
      const at = second.number("second");
      if (at === null) return [];
      const [ratePerSecond, p50, p99] = [second.number("ratePerSecond"), second.number("p50"), second.number("p99")];
      return [{ second: at, ratePerSecond, p50, p99 }];
    }),
    phases: figures.objects("phases").map((phase) => ({
      name: phase.text("name"),
      ratePerSecond: phase.number("ratePerSecond"),
      latencyMs: latency(phase),
    })),
    memory: figures.objects("memory").flatMap((sample) => {
      const [connections, kilobytes] = [sample.number("connections"), sample.number("residentKilobytes")];
      return connections === null || kilobytes === null ? [] : [[connections, kilobytes] as const];
    }),
  };
}

function latency(figures: Fields): LoadLatency | null {
  const fields = figures.object("latencyMs");
  if (fields === null) return null;
  const at = (name: string): number | null => fields.number(name);
  const percentiles = fields.pairs("percentiles").filter(([percentile]) => percentile >= 0 && percentile <= 100);
  return { p50: at("p50"), p99: at("p99"), p999: at("p999"), max: at("max"), percentiles };
}
