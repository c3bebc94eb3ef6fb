/** CPU time and resident memory of processes and of their children, from /proc. */

import { readFileSync } from "node:fs";
import { nowMs } from "../clock.ts";
import type { ProcessSample, ProcessSeries } from "../result.ts";
import { childrenOf, CpuClock } from "./cpu-clock.ts";
import type { TargetProcess } from "./target.ts";

/** Bounded: at most one sample a second and process, and this many in a file. */
const sampleIntervalMs = 1000;
const mostSamples = 3600;
const pageKilobytes = 4;

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
  readonly #clock = new CpuClock();
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
    return total(this.#processes.map(({ pid }) => this.#clock.read(pid)));
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
      const cpu = this.#clock.read(pid);
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
