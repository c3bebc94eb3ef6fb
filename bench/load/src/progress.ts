/** What a person sees while a round runs: one line that is written over in a terminal, plain lines elsewhere. */

import type { RoundProgress } from "./run-round.ts";

/** Between two plain lines. */
const plainIntervalMs = 5000;

/** Writes progress to standard error, so that standard output holds the results alone. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #lastPlainMs = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Something happened that is worth a line. */
  note(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  /** The state of the round. */
  show(name: string, progress: RoundProgress): void {
    const { second, connections, sent, received, latest } = progress;
    const when = second < 0 ? "preparing" : `${second.toFixed(0)} s`;
    const rate =
      latest === undefined ? "" : `, ${latest.ratePerSecond}/s, p50 ${ms(latest.p50)}, p99 ${ms(latest.p99)}`;
    const line = `${name}: ${when}, ${connections} connections, ${received} of ${sent}${rate}`;
    if (this.#stream.isTTY) {
      // A terminal that does not know its width says 0.
      const columns = this.#stream.columns > 0 ? this.#stream.columns : 80;
      this.#stream.write(`\r\x1b[2K${line.slice(0, Math.max(20, columns - 1))}`);
    } else if (performance.now() - this.#lastPlainMs >= plainIntervalMs) {
      this.#lastPlainMs = performance.now();
      this.#stream.write(`${line}\n`);
    }
  }

  /** Removes the line of a terminal. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write("\r\x1b[2K");
  }
}

/** Milliseconds for people. */
export function ms(value: number | null): string {
  return value === null ? "-" : `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}
