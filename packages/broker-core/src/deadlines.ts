/** Things that are due at a time: a binary heap, so that the next one costs a look and each change a logarithm. */

/** Something that is due. Setting `isCancelled` takes it out when its time comes. */
export interface Deadline {
  readonly atMs: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** All that is due at some time. */
export class Deadlines {
  readonly #heap: Deadline[] = [];
  #cancelled = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(atMs: number, run: () => void): Deadline {
    const deadline: Deadline = { atMs, run, isCancelled: false };
    this.#heap.push(deadline);
    this.#up(this.#heap.length - 1);
    return deadline;
  }

  /** Cancels one. Where most of the heap is cancelled it is made anew, so that what is gone takes no room. */
  cancel(deadline: Deadline | undefined): void {
    if (deadline === undefined || deadline.isCancelled) return;
    deadline.isCancelled = true;
    this.#cancelled += 1;
    if (this.#cancelled < 1000 || this.#cancelled * 2 < this.#heap.length) return;
    const left = this.#heap.filter(({ isCancelled }) => !isCancelled);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const one of left) {
      this.#heap.push(one);
      this.#up(this.#heap.length - 1);
    }
  }

  /** Runs what is due, in the order of its time. */
  run(nowMs: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs; first = this.#heap[0]) {
      this.#takeFirst();
      if (first.isCancelled) {
        this.#cancelled -= 1;
      } else {
        first.isCancelled = true;
        first.run();
      }
    }
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLater(parent, at)) return;
      at = parent;
    }
  }

  #down(from: number): void {
    let at = from;
    for (;;) {
      const left = at * 2 + 1;
      const right = left + 1;
      const earlier = (this.#heap[right]?.atMs ?? Infinity) < (this.#heap[left]?.atMs ?? Infinity) ? right : left;
      if (!this.#swapIfLater(at, earlier)) return;
      at = earlier;
    }
  }

  #swapIfLater(upper: number, lower: number): boolean {
    const [one, other] = [this.#heap[upper], this.#heap[lower]];
    if (one === undefined || other === undefined || one.atMs <= other.atMs) return false;
    this.#heap[upper] = other;
    this.#heap[lower] = one;
    return true;
  }
}
