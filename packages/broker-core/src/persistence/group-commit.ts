/**
 * Gathers records into groups: one is being committed while the next one grows, so a slow disk makes larger groups instead of a
 * queue of small ones, and no timer is needed.
 */

import type { SessionRecord, SessionStore } from "../ports/session-store.ts";

/** What a group commit needs of its surroundings. */
export interface GroupCommitOptions {
  readonly store: SessionStore;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
  /** Called when more positions are committed. */
  readonly onCommitted: () => void;
  /** Called when the store refuses a group, which stays and is tried again by `retry`. */
  readonly onFailed: (error: unknown) => void;
}

/** Records on their way to a store. */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #pending: (SessionRecord | undefined)[] = [];
  /** Places of records in the pending group that may still be taken back, by delivery. */
  readonly #queued = new Map<number, number>();
  /** Deliveries that were queued and done within the growing group: the store gets no record of them. */
  readonly #takenBack = new Set<number>();
  #group = 1;
  #sending: readonly SessionRecord[] = [];
  #sendingEnd = 0;
  #appended = 0;
  #committed = 0;
  #hasFailed = false;
  #running: Promise<void> | undefined;
  #waiting: { readonly position: number; readonly decided: (isCommitted: boolean) => void }[] = [];

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** The position of the last record that was appended. */
  get appended(): number {
    return this.#appended;
  }

  /** Every position up to it is committed. */
  get committed(): number {
    return this.#committed;
  }

  /** Whether the store refused the last group. Records are gathered meanwhile, and nothing is committed. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /**
   * Rises with each group. A message record may be left out of a group where all that used it was taken back, so a message that is
   * used again in a later group is appended again.
   */
  get group(): number {
    return this.#group;
  }

  /** Adds a record to the next group. Returns its position. */
  append(record: SessionRecord): number {
    if (record.kind === "queued") this.#queued.set(record.delivery, this.#pending.length);
    this.#pending.push(record);
    this.#appended += 1;
    return this.#appended;
  }

  /**
   * A delivery is done. Where it was queued in the group that is still growing, the store gets neither record: this is so for most
   * messages of a client that is connected. Returns the position.
   */
  appendDone(session: number, delivery: number): number {
    const at = this.#queued.get(delivery);
    if (at === undefined) return this.append({ kind: "done", session, delivery });
    this.#queued.delete(delivery);
    this.#pending[at] = undefined;
    this.#takenBack.add(delivery);
    return this.#appended;
  }

  /** Starts to commit what was gathered, unless a group is under way or the store has failed. */
  flush(): void {
    if (this.#running !== undefined || this.#hasFailed) return;
    if (this.#pending.length === 0 && this.#sending.length === 0) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // What was gathered since the last look.
      this.flush();
    });
  }

  /** Tries again after a failure. */
  retry(): void {
    this.#hasFailed = false;
    this.flush();
  }

  /** Has the store keep the time, where it has nothing else to do. */
  touch(): void {
    if (this.#running !== undefined || this.#hasFailed || this.#appended > this.#committed) return;
    this.#running = this.#run(true).finally(() => {
      this.#running = undefined;
      this.flush();
    });
  }

  /** Resolves when a position is committed. */
  async whenCommitted(position: number): Promise<void> {
    while (!(await this.#decided(position)));
  }

  /** Resolves with true when a position is committed, or with false when the store has refused a group and not taken it since. */
  async whenDecided(position: number): Promise<boolean> {
    return this.#hasFailed && position > this.#committed ? false : this.#decided(position);
  }

  async #decided(position: number): Promise<boolean> {
    if (position <= this.#committed) return true;
    return new Promise((decided) => this.#waiting.push({ position, decided }));
  }

  /** Resolves when everything that was appended is committed or the store has failed. */
  async settled(): Promise<void> {
    this.flush();
    while (this.#running !== undefined) await this.#running;
  }

  async #run(isTouch = false): Promise<void> {
    let isEmptyWanted = isTouch;
    while (!this.#hasFailed && (isEmptyWanted || this.#sending.length > 0 || this.#pending.length > 0)) {
      if (this.#sending.length === 0) this.#takeGroup();
      try {
        if (isEmptyWanted || this.#sending.length > 0)
          await this.#options.store.append(this.#sending, this.#options.epochMs());
      } catch (error) {
        this.#hasFailed = true;
        this.#decide();
        this.#options.onFailed(error);
        return;
      }
      isEmptyWanted = false;
      this.#sending = [];
      this.#committed = this.#sendingEnd;
      this.#options.onCommitted();
      this.#decide();
    }
  }

  /** Answers those whose position is committed, and after a failure all. */
  #decide(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const one of waiting) {
      const isCommitted = one.position <= this.#committed;
      if (isCommitted || this.#hasFailed) one.decided(isCommitted);
      else this.#waiting.push(one);
    }
  }

  /** What is gathered becomes the group that is sent. */
  #takeGroup(): void {
    const takenBack = this.#takenBack;
    const needed = new Set<number>();
    for (const record of this.#pending) {
      if (record?.kind === "queued" || record?.kind === "retained") needed.add(record.message);
    }
    this.#sending = this.#pending.filter((record): record is SessionRecord => {
      if (record === undefined) return false;
      if (record.kind === "sent") return !takenBack.has(record.delivery);
      return record.kind !== "message" || needed.has(record.message);
    });
    this.#sendingEnd = this.#appended;
    this.#pending = [];
    this.#group += 1;
    this.#queued.clear();
    takenBack.clear();
  }
}
