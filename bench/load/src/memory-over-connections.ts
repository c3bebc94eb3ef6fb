/** How a target's resident memory grows with its connections. */

import type { MemorySample } from "./result.ts";

const intervalMs = 50;
/** A sample is kept when so many connections have come since the last one. */
const leastStep = 5;
const mostSamples = 500;
/** With fewer samples a line through them says nothing. */
const leastForLine = 8;
/** With the first connections of all, a target compiles code and grows its young generation once: they are no part of the line. */
const beforeLine = 0.1;

/** Samples memory while connections are opened. */
export class MemoryOverConnections {
  readonly #memory: () => number | null;
  readonly #connections: () => number;
  readonly #isWanted: boolean;
  readonly #samples: MemorySample[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(memory: () => number | null, connections: () => number, isWanted: boolean) {
    this.#memory = memory;
    this.#connections = connections;
    this.#isWanted = isWanted;
  }

  /** Begins, with a first sample. */
  start(): void {
    if (!this.#isWanted) return;
    this.#sample(0);
    this.#timer = setInterval(() => this.#sample(leastStep), intervalMs);
  }

  /** Ends, with a last sample. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#sample(1);
  }

  samples(): readonly MemorySample[] {
    return this.#samples;
  }

  /**
   * The slope of the line through the samples of the last nine tenths of the connections (least squares): what a target allocates
   * once does not count. Null where memory is not known.
   */
  kilobytesPerConnection(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.connections <= first.connections) return null;
    const begin = first.connections + beforeLine * (last.connections - first.connections);
    const line = this.#samples.filter(({ connections }) => connections >= begin);
    const count = line.length;
    if (count < leastForLine) {
      return (last.residentKilobytes - first.residentKilobytes) / (last.connections - first.connections);
    }
    const meanX = line.reduce((sum, { connections }) => sum + connections, 0) / count;
    const meanY = line.reduce((sum, { residentKilobytes }) => sum + residentKilobytes, 0) / count;
    let xy = 0;
    let xx = 0;
    for (const { connections, residentKilobytes } of line) {
      xy += (connections - meanX) * (residentKilobytes - meanY);
      xx += (connections - meanX) ** 2;
    }
    return xy / xx;
  }

  #sample(step: number): void {
    const residentKilobytes = this.#memory();
    const connections = this.#connections();
    const before = this.#samples.at(-1)?.connections ?? Number.NEGATIVE_INFINITY;
    if (residentKilobytes === null || connections - before < step || this.#samples.length >= mostSamples) return;
    this.#samples.push({ connections, residentKilobytes });
  }
}
