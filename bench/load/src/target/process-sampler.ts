/** CPU time and resident memory of processes and of their children, from /proc. */

import { readdirSync, readFileSync } from "node:fs";
import { nowMs } from "../clock.ts";
import type { ProcessSample, ProcessSeries } from "../result.ts";
import type { TargetProcess } from "./target.ts";

/** Bounded: at most one sample a second and process, and this many in a file. */
const sampleIntervalMs = 1000;
const mostSamples = 3600;
const pageKilobytes = 4;
/** USER_HZ of Linux on every machine that Node runs on. */
const ticksPerSecond = 100;
/** Fields of /proc/PID/stat behind the name, from 0 (proc_pid_stat(5) counts from 1 and has three before). */
const [userTime, systemTime, childrenUserTime, childrenSystemTime] = [11, 12, 13, 14] as const;

/**
 * CPU time in microseconds of a process and of all processes that come from it, those that have ended included; undefined where it is
 * gone or the machine has no /proc.
 */
function cpuMicroseconds(pid: number): number | undefined {
  const own = ownCpuMicroseconds(pid);
  if (own === undefined) return undefined;
  return childrenOf(pid).reduce((sum, child) => sum + (cpuMicroseconds(child) ?? 0), own);
}

/** The same without the children that still run. */
function ownCpuMicroseconds(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.reduce((sum, thread) => sum + threadNanoseconds(pid, thread), 0);
    // The name in parentheses may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    const ticks = (field: number): number => (Number(fields[field]) / ticksPerSecond) * 1e6;
    // What threads have ended is in the ticks of 10 ms alone, as is everything where a kernel has no scheduler statistics.
    return (
      Math.max(nanoseconds / 1000, ticks(userTime) + ticks(systemTime)) +
      ticks(childrenUserTime) +
      ticks(childrenSystemTime)
    );
  } catch {
    return undefined;
  }
}

/** Processes that a process has started and that still run; none where the kernel does not list them. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** A thread may end between the listing and the reading; the ticks of its process have its time. */
function threadNanoseconds(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0]);
  } catch {
    return 0;
  }
}

/** Resident memory in kilobytes of a process and of those that it has started; undefined where it is not known. */
function residentKilobytes(pid: number): number | undefined {
  try {
    const own = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * pageKilobytes;
    return childrenOf(pid).reduce((sum, child) => sum + (residentKilobytes(child) ?? 0), own);
  } catch {
    return undefined;
  }
}

/** Samples a target's processes once a second until it is stopped. */
export class ProcessSampler {
  readonly #processes: readonly TargetProcess[];
  readonly #samples = new Map<number, ProcessSample[]>();
  readonly #last = new Map<number, { cpu: number; atMs: number }>();
  readonly #timer: NodeJS.Timeout;
  #measuredFromMs: number | undefined;

  constructor(processes: readonly TargetProcess[]) {
    this.#processes = processes;
    this.#timer = setInterval(() => this.#sample(), sampleIntervalMs);
    this.#sample();
  }

  /** The measured time begins: samples count from here. */
  measureFrom(atMs: number): void {
    this.#measuredFromMs = atMs;
  }

  /** CPU time of all processes so far; null where there is none to look at or one of them is gone. */
  totalCpuMicroseconds(): number | null {
    return total(this.#processes.map(({ pid }) => cpuMicroseconds(pid)));
  }

  /** Resident memory of all processes; null where there is none to look at. */
  totalResidentKilobytes(): number | null {
    return total(this.#processes.map(({ pid }) => residentKilobytes(pid)));
  }

  /** Ends the sampling. */
  stop(): ProcessSeries[] {
    clearInterval(this.#timer);
    const offset = this.#measuredFromMs ?? nowMs();
    return this.#processes.map(({ pid, name }) => ({
      pid,
      name,
      samples: (this.#samples.get(pid) ?? []).map((sample) => ({
        ...sample,
        second: (sample.second * 1000 - offset) / 1000,
      })),
    }));
  }

  #sample(): void {
    const atMs = nowMs();
    for (const { pid } of this.#processes) {
      const cpu = cpuMicroseconds(pid);
      const resident = residentKilobytes(pid);
      if (cpu === undefined || resident === undefined) continue;
      const last = this.#last.get(pid);
      this.#last.set(pid, { cpu, atMs });
      if (last === undefined) continue;
      const samples = this.#samples.get(pid) ?? [];
      this.#samples.set(pid, samples);
      if (samples.length >= mostSamples) samples.shift();
      const cpuShare = (cpu - last.cpu) / 1000 / (atMs - last.atMs);
      samples.push({ second: atMs / 1000, cpuShare, residentKilobytes: resident });
    }
  }
}

function total(values: readonly (number | undefined)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === undefined) return null;
    sum += value;
  }
  return values.length === 0 ? null : sum;
}
