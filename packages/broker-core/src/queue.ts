/**
 * First in, first out, each step in constant time on average. `Array.shift` moves every element that is left, which for a
 * long queue costs its length at each step.
 */

/** A queue of values that are not undefined. */
export class Queue<T extends object> {
  #values: (T | undefined)[] = [];
  /** Index of the first value. What is before it has been taken. */
  #head = 0;

  get size(): number {
    return this.#values.length - this.#head;
  }

  push(value: T): void {
    this.#values.push(value);
  }

  /** Takes the first value; undefined where there is none. */
  take(): T | undefined {
    const value = this.#values[this.#head];
    if (value === undefined) return undefined;
    // The value can be freed although the array still has its place.
    this.#values[this.#head++] = undefined;
    if (this.#head * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }
}
