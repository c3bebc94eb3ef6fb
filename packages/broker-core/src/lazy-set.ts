/** A set that takes next to no memory while it is empty. A connection has several that it seldom needs, and most connections are idle. */

const nothing: ReadonlySet<never> = new Set();

/** Values in the order in which they were added. */
export class LazySet<T> {
  #values: Set<T> | undefined;

  get size(): number {
    return this.#values === undefined ? 0 : this.#values.size;
  }

  has(value: T): boolean {
    return this.#values !== undefined && this.#values.has(value);
  }

  add(value: T): void {
    this.#values ??= new Set();
    this.#values.add(value);
  }

  /** True where it was there. */
  delete(value: T): boolean {
    return this.#values !== undefined && this.#values.delete(value);
  }

  clear(): void {
    this.#values = undefined;
  }

  [Symbol.iterator](): Iterator<T> {
    return (this.#values ?? nothing)[Symbol.iterator]();
  }
}
