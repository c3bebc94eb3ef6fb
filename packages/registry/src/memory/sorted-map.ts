/**
 * Texts under keys in order, in chunks of at most 512, so that adding one moves a few hundred others and not all of them. A `Map` of a
 * hundred thousand makes its whole table anew when it grows, which holds up everything else for some ten milliseconds.
 */

/** Most entries that one write moves. */
export const maximumChunk = 512;

interface Chunk {
  readonly keys: string[];
  /** In the order of the keys. */
  readonly values: string[];
}

/** A map from text to text, sorted by its keys. */
export class SortedMap {
  readonly #chunks: Chunk[] = [];

  get(key: string): string | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk === undefined) return undefined;
    const at = firstNotBefore(chunk.keys, key);
    return chunk.keys[at] === key ? chunk.values[at] : undefined;
  }

  set(key: string, value: string): void {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push({ keys: [key], values: [value] });
      return;
    }
    const { keys, values } = chunk;
    const at = firstNotBefore(keys, key);
    if (keys[at] === key) {
      values[at] = value;
      return;
    }
    keys.splice(at, 0, key);
    values.splice(at, 0, value);
    if (keys.length <= maximumChunk) return;
    const half = maximumChunk / 2;
    this.#chunks.splice(index + 1, 0, { keys: keys.splice(half), values: values.splice(half) });
  }

  delete(key: string): void {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    const at = firstNotBefore(chunk.keys, key);
    if (chunk.keys[at] !== key) return;
    chunk.keys.splice(at, 1);
    chunk.values.splice(at, 1);
    if (chunk.keys.length === 0) this.#chunks.splice(index, 1);
  }

  /** Keys with their values from `start` on, in order. */
  *from(start: string): Generator<readonly [key: string, value: string]> {
    for (let index = this.#chunkOf(start); index < this.#chunks.length; index++) {
      const { keys, values } = this.#chunks[index] ?? empty;
      for (let at = firstNotBefore(keys, start); at < keys.length; at++) yield [keys[at] ?? "", values[at] ?? ""];
    }
  }

  /** Keys before `end` with their values, from the last to the first. */
  *before(end: string): Generator<readonly [key: string, value: string]> {
    for (let index = this.#chunkOf(end); index >= 0; index--) {
      const { keys, values } = this.#chunks[index] ?? empty;
      for (let at = firstNotBefore(keys, end) - 1; at >= 0; at--) yield [keys[at] ?? "", values[at] ?? ""];
    }
  }

  /** How many entries each chunk has, in the order of the keys. A write moves those of one chunk. */
  chunkSizes(): readonly number[] {
    return this.#chunks.map(({ keys }) => keys.length);
  }

  /** The last chunk that begins at or before the key; the first one where there is none. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle]?.keys[0] ?? "") <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

const empty: Chunk = { keys: [], values: [] };

function firstNotBefore(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
