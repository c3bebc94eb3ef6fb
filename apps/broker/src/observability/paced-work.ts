/**
 * Work that may be done a moment later. It is done at once while it has taken little of this turn of the event loop, and otherwise in later
 * turns, so that much of it does not delay other work.
 */

/** Milliseconds of a turn of the event loop. */
const budgetMs = 2;

/** Does work in its order. It keeps all that waits: the caller has to limit how much work it gives. */
export class PacedWork implements Disposable {
  #waiting: (() => void)[] = [];
  #next = 0;
  #spentMs = 0;
  #isTurnAsked = false;

  run(work: () => void): void {
    if (this.#next < this.#waiting.length || this.#spentMs >= budgetMs) this.#waiting.push(work);
    else this.#do(work);
    this.#askTurn();
  }

  /** Does all that waits. */
  [Symbol.dispose](): void {
    while (this.#next < this.#waiting.length) this.#waiting[this.#next++]?.();
    this.#forgetDone();
  }

  #askTurn(): void {
    if (this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnAsked = false;
    this.#spentMs = 0;
    while (this.#next < this.#waiting.length && this.#spentMs < budgetMs) {
      const work = this.#waiting[this.#next++];
      if (work !== undefined) this.#do(work);
    }
    if (this.#next < this.#waiting.length) this.#askTurn();
    else this.#forgetDone();
  }

  #forgetDone(): void {
    this.#waiting = [];
    this.#next = 0;
  }

  #do(work: () => void): void {
    const startedMs = performance.now();
    work();
    this.#spentMs += performance.now() - startedMs;
  }
}
