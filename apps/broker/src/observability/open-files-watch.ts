/**
 * Notices that the process may open no more files. The system's loop then takes connections and closes them without a word, and Node reports
 * nothing, so an operator would see clients that are cut and a log that says nothing.
 */

import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Logger } from "pino";

/** Where files come and go at the limit, a line for each time would flood the log. */
const quietMs = 60_000;

/** Opens a file and closes it. Throws the system's error. */
function openOneFile(): void {
  closeSync(openSync(devNull, "r"));
}

/** Tries at each look whether a file can be opened. */
export class OpenFilesWatch {
  readonly #log: Logger;
  readonly #open: () => void;
  #sinceMs: number | undefined;
  #quietUntilMs = 0;
  #isReported = false;

  constructor(log: Logger, open: () => void = openOneFile) {
    this.#log = log;
    this.#open = open;
  }

  /** Writes a line where files cannot be opened any more, once, and another where they can be again. `nowMs`: of a clock that is never set. */
  look(nowMs: number, connections: number): void {
    try {
      this.#open();
    } catch (error) {
      const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== "EMFILE" && code !== "ENFILE") return;
      this.#sinceMs ??= nowMs;
      if (this.#isReported || nowMs < this.#quietUntilMs) return;
      this.#isReported = true;
      this.#quietUntilMs = nowMs + quietMs;
      const mend = "raise the limit on open files (ulimit -n, LimitNOFILE of systemd), or lower maximumConnections";
      this.#log.error(
        { reason: code, connections, mend },
        "no more files can be opened: the system cuts new connections",
      );
      return;
    }
    const sinceMs = this.#sinceMs;
    this.#sinceMs = undefined;
    if (!this.#isReported || sinceMs === undefined) return;
    this.#isReported = false;
    this.#log.warn({ forMs: Math.round(nowMs - sinceMs), connections }, "files can be opened again");
  }
}
