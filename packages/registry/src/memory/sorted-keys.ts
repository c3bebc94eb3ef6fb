/**
 * Keys in order, for scans: chunks of at most 512 keys, so that adding one moves a few hundred others and not all of them.
 */

const maximumChunk = 512;

/** A sorted set of texts. */
export class SortedKeys {
  readonly #chunks: string[][] = [];

  add(key: string): void {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    const at = firstNotBefore(chunk, key);
    if (chunk[at] === key) return;
    chunk.splice(at, 0, key);
    if (chunk.length <= maximumChunk) return;
    this.#chunks.splice(this.#chunks.indexOf(chunk) + 1, 0, chunk.splice(maximumChunk / 2));
  }

  delete(key: string): void {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    const at = firstNotBefore(chunk, key);
    if (chunk[at] !== key) return;
    chunk.splice(at, 1);
    if (chunk.length === 0) this.#chunks.splice(index, 1);
  }

  /** Keys from `start` on, in order. */
  *from(start: string): Generator<string> {
    for (let index = this.#chunkOf(start); index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] ?? [];
      for (let at = firstNotBefore(chunk, start); at < chunk.length; at++) yield chunk[at] ?? "";
    }
  }

  /** Keys before `end`, from the last to the first. */
  *before(end: string): Generator<string> {
    for (let index = this.#chunkOf(end); index >= 0; index--) {
      const chunk = this.#chunks[index] ?? [];
      for (let at = firstNotBefore(chunk, end) - 1; at >= 0; at--) yield chunk[at] ?? "";
    }
  }

  /** The last chunk that begins at or before the key; the first one where there is none. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle]?.[0] ?? "") <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

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
