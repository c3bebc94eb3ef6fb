/** A store for tests of what waits for a commit. */

import { MemorySessionStore } from "../src/persistence/memory-session-store.ts";
import type { KeptState, SessionRecord, SessionStore } from "../src/ports/session-store.ts";

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A store whose commits end when the test says so; what was not committed is lost when the broker is killed. */
export class HeldStore implements SessionStore {
  readonly disk: MemorySessionStore;
  #held: { readonly commit: () => Promise<void>; readonly refuse: () => void }[] = [];
  isFull = false;
  /** Groups that were given to it. */
  groups = 0;

  constructor(disk: MemorySessionStore = new MemorySessionStore()) {
    this.disk = disk;
  }

  load(): Promise<KeptState> {
    return this.disk.load();
  }

  append(records: readonly SessionRecord[], atMs: number): Promise<void> {
    this.groups += 1;
    if (this.isFull) return Promise.reject(new Error("no room"));
    return new Promise((resolve, reject) => {
      this.#held.push({
        commit: async () => {
          await this.disk.append(records, atMs);
          resolve();
        },
        refuse: () => reject(new Error("no room")),
      });
    });
  }

  async close(): Promise<void> {}

  /** Fails the commits that wait. */
  async fail(): Promise<void> {
    for (const { refuse } of this.#held.splice(0)) refuse();
    await turn();
  }

  /** Commits until nothing is held. */
  async commit(): Promise<void> {
    for (let held = this.#held.shift(); held !== undefined; held = this.#held.shift()) {
      await held.commit();
      await turn();
    }
  }
}
