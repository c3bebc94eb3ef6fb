/** A rate that is kept on average: one second's worth may come at once (a token bucket). */

/** So much a second. */
export class Rate {
  #perSecond: number;
  #tokens: number;
  #atMs: number;

  /** `perSecond` 0 allows everything. */
  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#atMs = nowMs;
  }

  /** Another rate from now on. What was taken beyond what was there is still owed. */
  change(perSecond: number, nowMs: number): void {
    this.#refill(nowMs);
    const isNew = this.#perSecond === 0 || perSecond === 0;
    this.#tokens = isNew ? perSecond : Math.min(perSecond, this.#tokens);
    this.#perSecond = perSecond;
  }

  /** Takes this much, also beyond what is there; milliseconds until it is there, 0 where it is. */
  take(amount: number, nowMs: number): number {
    if (this.#perSecond === 0) return 0;
    this.#refill(nowMs);
    this.#tokens -= amount;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / this.#perSecond);
  }

  /** Takes one if it is there. */
  tryTake(nowMs: number): boolean {
    if (this.#perSecond === 0) return true;
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whether nothing was taken for a second, so that a new one would be the same. */
  isUnused(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= this.#perSecond;
  }

  #refill(nowMs: number): void {
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((nowMs - this.#atMs) * this.#perSecond) / 1000);
    this.#atMs = nowMs;
  }
}
