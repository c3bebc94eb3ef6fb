/**
 * CPU time of a process and of all processes that come from it, from /proc.
 *
 * The scheduler's count of each thread is exact, and ends with the thread. The count of a whole process keeps ended threads and ended
 * children, in ticks of 10 ms. So the threads are added up, what a thread had when it was last seen is kept, and the ticks are taken
 * only where they show more than that: threads that came and went between two readings.
 */

import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ of Linux on every machine that Node runs on. */
const ticksPerSecond = 100;
/** Four counts are rounded down to a tick each. */
const tickErrorMicroseconds = 40_000;
/** Fields of /proc/PID/stat behind the name, from 0 (proc_pid_stat(5) counts from 1 and has two before). */
const [userTime, systemTime, childrenUserTime, childrenSystemTime] = [11, 12, 13, 14] as const;

interface Known {
  readonly threads: Map<string, number>;
  /** Of threads that have been seen and are gone. */
  endedMicroseconds: number;
  /** What the ticks had more than the threads at the first reading: threads that had ended before. */
  readonly missedMicroseconds: number;
}

/** Reads one target's CPU time again and again. */
export class CpuClock {
  readonly #known = new Map<number, Known>();

  /** Microseconds of `pid` and its descendants; undefined where it is gone or the machine has no /proc. */
  read(pid: number): number | undefined {
    const own = this.#own(pid);
    if (own === undefined) return undefined;
    return childrenOf(pid).reduce((sum, child) => sum + (this.read(child) ?? 0), own);
  }

  #own(pid: number): number | undefined {
    let threads: Map<string, number>;
    let ticks: { readonly own: number; readonly children: number };
    try {
      threads = new Map(readdirSync(`/proc/${pid}/task`).map((thread) => [thread, threadMicroseconds(pid, thread)]));
      ticks = ticksOf(pid);
    } catch {
      return undefined;
    }
    const alive = [...threads.values()].reduce((sum, microseconds) => sum + microseconds, 0);
    const before = this.#known.get(pid);
    let ended = before?.endedMicroseconds ?? 0;
    for (const [thread, microseconds] of before?.threads ?? []) if (!threads.has(thread)) ended += microseconds;
    const missed = before?.missedMicroseconds ?? Math.max(0, ticks.own - alive);
    const unseen = ticks.own - alive - ended - missed;
    if (unseen > tickErrorMicroseconds) ended += unseen;
    this.#known.set(pid, { threads, endedMicroseconds: ended, missedMicroseconds: missed });
    return alive + ended + missed + ticks.children;
  }
}

function ticksOf(pid: number): { readonly own: number; readonly children: number } {
  // The name in parentheses may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const microseconds = (field: number): number => (Number(fields[field]) / ticksPerSecond) * 1e6;
  return {
    own: microseconds(userTime) + microseconds(systemTime),
    children: microseconds(childrenUserTime) + microseconds(childrenSystemTime),
  };
}

/** A thread may end between the listing and the reading; the ticks of its process have its time. */
function threadMicroseconds(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0]) / 1000;
  } catch {
    return 0;
  }
}

/** Processes that a process has started and that still run; none where the kernel does not list them. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
