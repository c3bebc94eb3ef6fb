/** Work that may come a moment later: done at once while little of the turn is spent on it, and otherwise in turns to come, so that a storm of it holds nobody up. */

/** Milliseconds of a turn of the event loop. */
const budgetMs = 2;

/** Does work in its order. How much may wait is up to those who give it. */
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
