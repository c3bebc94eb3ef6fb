/** One buffer for what is needed within one turn only: memory of this size would be given back by the garbage collector, late. */

/** Below this, Node's own pool is as good. */
const leastOctets = 2048;
const mostOctets = 65_536;

/** Lends a buffer to one at a time. Who holds another's array, or never gives it back, costs only a new buffer. */
export class ReusedBuffer {
  #buffer: Buffer | undefined;
  #isLent = false;

  /** An array of this length with any content: the buffer, or memory of its own where the buffer is lent or of no use. */
  take(octets: number): Buffer {
    if (this.#isLent || octets < leastOctets || octets > mostOctets) return Buffer.allocUnsafe(octets);
    this.#isLent = true;
    this.#buffer ??= Buffer.allocUnsafeSlow(mostOctets);
    return this.#buffer.subarray(0, octets);
  }

  /** `isDone`: nobody looks at the octets of `taken` any more. Otherwise they stay as they are, and the next one gets a new buffer. */
  giveBack(taken: Uint8Array, isDone: boolean): void {
    if (!this.#isLent || taken.buffer !== this.#buffer?.buffer) return;
    if (isDone) this.#isLent = false;
    else this.leave();
  }

  /** Leaves the buffer to whom it is lent, if it is. */
  leave(): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    this.#buffer = undefined;
  }
}
