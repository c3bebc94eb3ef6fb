/** How long acknowledgements took: counted in buckets of about 2 %, so that a million presses take no more memory than ten. */

/** Buckets a factor of e: each is 2 % wide. */
const bucketsPerE = 50;
const bucketCount = 1024;
const smallestMs = 0.01;

/** A count of durations. Can be sent to another thread. */
export class Latencies {
  readonly #counts: Uint32Array;
  #count = 0;
  #maximumMs = 0;

  constructor() {
    this.#counts = new Uint32Array(bucketCount);
  }

  add(milliseconds: number): void {
    const bucket = Math.round(Math.log(Math.max(milliseconds, smallestMs) / smallestMs) * bucketsPerE);
    const index = Math.min(bucketCount - 1, bucket);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count++;
    this.#maximumMs = Math.max(this.#maximumMs, milliseconds);
  }

  get count(): number {
    return this.#count;
  }

  get maximumMs(): number {
    return this.#maximumMs;
  }

  /** The duration that this share (0 to 1) of all durations does not exceed; 0 where there are none. */
  percentile(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let index = 0; index < bucketCount; index++) {
      seen += this.#counts[index] ?? 0;
      if (seen >= wanted) return Math.min(this.#maximumMs, smallestMs * Math.exp(index / bucketsPerE));
    }
    return 0;
  }
}
