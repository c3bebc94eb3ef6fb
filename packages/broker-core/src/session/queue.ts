/**
 * First in, first out, each step in constant time on average. `Array.shift` moves every element that is left, which for a
 * long queue costs its length at each step.
 */

/** Of queues that hold nothing, which most do. Never written to. */
const noValues: never[] = [];

/** A queue of values that are not undefined. */
export class Queue<T extends object> {
  #values: (T | undefined)[] = noValues;
  /** Index of the first value. What is before it has been taken. */
  #head = 0;

  get size(): number {
    return this.#values.length - this.#head;
  }

  push(value: T): void {
    if (this.#values === noValues) this.#values = [value];
    else this.#values.push(value);
  }

  /** The first value, which stays. */
  get first(): T | undefined {
    return this.#values[this.#head];
  }

  /** Takes the first value; undefined where there is none. */
  take(): T | undefined {
    const value = this.#values[this.#head];
    if (value === undefined) return undefined;
    // The value can be freed although the array still has its place.
    this.#values[this.#head++] = undefined;
    if (this.#head === this.#values.length) {
      this.#values.length = 0;
      this.#head = 0;
    } else if (this.#head >= 32 && this.#head * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }

  clear(): void {
    this.#values = noValues;
    this.#head = 0;
  }

  /** Takes out every value for which `isOut` says so, and gives them in order. */
  takeWhere(isOut: (value: T) => boolean): T[] {
    const taken: T[] = [];
    const left: T[] = [];
    for (const value of this) (isOut(value) ? taken : left).push(value);
    if (taken.length > 0) {
      this.#values = left;
      this.#head = 0;
    }
    return taken;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#head; at < this.#values.length; at++) {
      const value = this.#values[at];
      if (value !== undefined) yield value;
    }
  }
}
