/** Whether the machine lets a process hold so many connections. */

import { readFileSync } from "node:fs";
import { LoadError } from "./errors.ts";

/** Descriptors beside those of connections: files and pipes. */
const others = 200;
/** What a worker thread takes for itself. */
const perWorker = 5;

/**
 * Throws `ERR_LOAD_MACHINE` where the limit of file descriptors is lower than `connections` at a time and the workers need; started
 * targets inherit it.
 */
export function checkDescriptors(connections: number, workers: number): void {
  const limit = descriptorLimit();
  const needed = connections + others + workers * perWorker;
  if (limit === undefined || limit >= needed) return;
  throw new LoadError(
    "ERR_LOAD_MACHINE",
    `${connections} connections at a time need ${needed} file descriptors in this process and as many in the target, and the limit is ${limit}: ` +
      `run "ulimit -n ${needed}" in the shell first (where the hard limit is lower: LimitNOFILE= or /etc/security/limits.conf)`,
  );
}

/** The limit in force. Node raises it to the hard limit when it starts. Undefined where it is not known. */
function descriptorLimit(): number | undefined {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}
