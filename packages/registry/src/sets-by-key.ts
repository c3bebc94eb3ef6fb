/** Sets of items by a key, none of them empty. */

/**
 * A set of one item, which most are, is the item itself: where every device has some, that is a kilobyte less for each.
 * Items are objects that are no Set.
 */
export class SetsByKey<K, T extends object> {
  readonly #sets = new Map<K, T | Set<T>>();

  /** How many keys have items. */
  get size(): number {
    return this.#sets.size;
  }

  keys(): IterableIterator<K> {
    return this.#sets.keys();
  }

  /** The items of a key, as a list that stays as it is. */
  of(key: K): readonly T[] {
    const set = this.#sets.get(key);
    if (set === undefined) return [];
    return set instanceof Set ? Array.from(set) : [set];
  }

  add(key: K, item: T): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, item);
    else if (set instanceof Set) set.add(item);
    else if (set !== item) this.#sets.set(key, new Set([set, item]));
  }

  /** Nothing happens where it is not there. */
  delete(key: K, item: T): void {
    const set = this.#sets.get(key);
    if (set instanceof Set) {
      set.delete(item);
      if (set.size === 0) this.#sets.delete(key);
    } else if (set === item) {
      this.#sets.delete(key);
    }
  }

  deleteAll(key: K): void {
    this.#sets.delete(key);
  }
}
