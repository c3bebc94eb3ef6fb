/** Changes of all processes, as events: the feed is asked a few times a second, which costs some microseconds each. */

import type { Change } from "../changes.ts";
import type { Storage } from "../storage.ts";

/** What a watcher reports. */
export interface ChangeWatcherOptions {
  /** How often the feed is asked. Default 50 ms, so that a change of another process acts within 100 ms. */
  readonly everyMs?: number;
  /** Behind which change to begin. Default: the last one at the time of the call. */
  readonly after?: number;
  /** Called with each batch, oldest first. The next batch waits for its promise. */
  readonly onChanges: (changes: readonly Change[]) => void | Promise<void>;
  /** Called where the feed does not reach back far enough: everything has to be read again. */
  readonly onReset: () => void | Promise<void>;
  /** Called where the feed cannot be read; the watcher tries again. */
  readonly onError: (error: unknown) => void;
}

/** Most changes in one batch. */
const batchSize = 1000;

/** Watches the feed until it is disposed. Commits of this process are reported at once, in the same order. */
export function watchChanges(storage: Storage, options: ChangeWatcherOptions): Disposable {
  const { everyMs = 50, onChanges, onReset, onError } = options;
  let sequence = options.after ?? storage.sequence();
  let isReading = false;
  let isEnded = false;
  // Asked through a function, since it changes while a batch is acted on.
  const hasEnded = (): boolean => isEnded;

  const read = async (): Promise<void> => {
    if (isReading || hasEnded()) return;
    isReading = true;
    try {
      while (storage.sequence() !== sequence) {
        const batch = storage.changesAfter(sequence, batchSize);
        if (batch.isComplete) {
          sequence = batch.changes.at(-1)?.sequence ?? sequence;
          await onChanges(batch.changes);
        } else {
          sequence = batch.sequence;
          await onReset();
        }
        if (hasEnded()) return;
      }
    } catch (error) {
      if (!isEnded) onError(error);
    } finally {
      isReading = false;
    }
  };

  const timer = setInterval(() => void read(), everyMs);
  const stopListening = storage.onCommit(() => void read());
  return {
    [Symbol.dispose]() {
      isEnded = true;
      clearInterval(timer);
      stopListening();
    },
  };
}
