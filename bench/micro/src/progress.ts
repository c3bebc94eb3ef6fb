/** One line that says what is going on and what is left; it goes to standard error, so that a table can be redirected. */

import type { WriteStream } from "node:tty";
import { durationText } from "./table.ts";

/** Progress over a number of scenarios. */
export class Progress {
  readonly #total: number;
  readonly #stream: WriteStream;
  readonly #startMs = performance.now();
  #done = 0;

  constructor(total: number, stream: WriteStream = process.stderr) {
    this.#total = total;
    this.#stream = stream;
  }

  /** A scenario begins. Without a terminal each scenario has one line, with one the line is written over. */
  begin(scenario: string): void {
    if (!this.#stream.isTTY) this.#stream.write(`${this.#text(scenario)}\n`);
  }

  phase(scenario: string, phase: string): void {
    if (!this.#stream.isTTY) return;
    const line = `${this.#text(scenario)}: ${phase}`;
    this.#stream.write(`\r\u001B[2K${line.slice(0, Math.max(20, this.#stream.columns - 1))}`);
  }

  /** A scenario has ended; its row can be printed now. */
  end(): void {
    this.#done++;
    if (this.#stream.isTTY) this.#stream.write("\r\u001B[2K");
  }

  #text(scenario: string): string {
    const left = this.#total - this.#done;
    const perScenario = (performance.now() - this.#startMs) / this.#done;
    const time = this.#done === 0 ? "" : `, about ${durationText(perScenario * left)}`;
    return `[${left} of ${this.#total} left${time}] ${scenario}`;
  }
}
