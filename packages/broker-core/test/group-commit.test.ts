import { expect, test } from "vitest";
import { GroupCommit } from "../src/persistence/group-commit.ts";
import type { KeptState, SessionRecord, SessionStore } from "../src/ports/session-store.ts";
import { messageRecord, queuedRecord, sessionRecord } from "./session-store-conformance.ts";

/** A store whose commits end when the test says so. */
class HeldStore implements SessionStore {
  readonly batches: (readonly SessionRecord[])[] = [];
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  load(): Promise<KeptState> {
    throw new Error("not used here");
  }

  append(records: readonly SessionRecord[]): Promise<void> {
    this.batches.push(records);
    return new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  async close(): Promise<void> {}

  async commit(): Promise<void> {
    this.#settle?.resolve();
    await turn();
  }

  async fail(message: string): Promise<void> {
    this.#settle?.reject(new Error(message));
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function started(): { store: HeldStore; commits: GroupCommit; committed: number[]; failures: unknown[] } {
  const store = new HeldStore();
  const committed: number[] = [];
  const failures: unknown[] = [];
  const commits: GroupCommit = new GroupCommit({
    store,
    epochMs: () => 5,
    onCommitted: () => committed.push(commits.committed),
    onFailed: (error) => failures.push(error),
  });
  return { store, commits, committed, failures };
}

test("what comes while a group is committed becomes the next group, and positions are released in order", async () => {
  const { store, commits, committed } = started();
  expect(commits.append(sessionRecord(1))).toBe(1);
  commits.flush();
  expect(commits.append(sessionRecord(2))).toBe(2);
  commits.flush();
  expect(commits.append(sessionRecord(3))).toBe(3);
  commits.flush();
  expect(store.batches.map(({ length }) => length)).toEqual([1]);
  expect([commits.committed, committed]).toEqual([0, []]);
  await store.commit();
  expect(committed).toEqual([1]);
  expect(store.batches.map(({ length }) => length)).toEqual([1, 2]);
  await store.commit();
  expect(committed).toEqual([1, 3]);
  expect(store.batches).toHaveLength(2);
});

test("a message that is done before its group is sent costs the store nothing", async () => {
  const { store, commits } = started();
  commits.append(sessionRecord(1));
  commits.flush();
  commits.append(messageRecord(2));
  commits.append(queuedRecord(1, 3, 2));
  commits.append({ kind: "sent", session: 1, delivery: 3, packetIdentifier: 1 });
  expect(commits.appendDone(1, 3)).toBe(4);
  commits.append(messageRecord(4));
  commits.append(queuedRecord(1, 5, 4));
  await store.commit();
  expect(store.batches[1]?.map(({ kind }) => kind)).toEqual(["message", "queued"]);
  await store.commit();
  expect(commits.committed).toBe(6);
  // The store has the delivery already, so it gets the record that it is done.
  expect(commits.appendDone(1, 5)).toBe(7);
  commits.flush();
  expect(store.batches[2]).toEqual([{ kind: "done", session: 1, delivery: 5 }]);
});

test("a group of which nothing is left is committed without the store, and the next one goes on", async () => {
  const { store, commits, committed } = started();
  commits.append(messageRecord(2));
  commits.append(queuedRecord(1, 3, 2));
  commits.appendDone(1, 3);
  commits.flush();
  await turn();
  expect([committed, store.batches]).toEqual([[2], []]);
  commits.append(sessionRecord(1));
  commits.flush();
  expect(store.batches).toHaveLength(1);
});

test("a message that two deliveries share is kept while one of them is", () => {
  const { store, commits } = started();
  commits.append(messageRecord(2));
  commits.append(queuedRecord(1, 3, 2));
  commits.append(queuedRecord(7, 4, 2));
  commits.appendDone(1, 3);
  commits.flush();
  expect(store.batches[0]?.map(({ kind }) => kind)).toEqual(["message", "queued"]);
});

test("a group that the store refuses stays whole and first, and nothing is committed until it is kept", async () => {
  const { store, commits, committed, failures } = started();
  commits.append(sessionRecord(1));
  commits.flush();
  commits.append(sessionRecord(2));
  await store.fail("no room");
  expect(failures).toMatchObject([{ message: "no room" }]);
  expect([commits.hasFailed, committed]).toEqual([true, []]);
  commits.append(sessionRecord(3));
  commits.flush();
  expect(store.batches).toHaveLength(1);
  commits.retry();
  expect(store.batches[1]).toEqual(store.batches[0]);
  await store.commit();
  await store.commit();
  expect(committed).toEqual([1, 3]);
  expect(store.batches[2]?.map((record) => "session" in record && record.session)).toEqual([2, 3]);
});

test("settled waits for what was appended meanwhile, too", async () => {
  const { store, commits } = started();
  commits.append(sessionRecord(1));
  let isSettled = false;
  const settled = commits.settled().then(() => (isSettled = true));
  commits.append(sessionRecord(2));
  await store.commit();
  expect(isSettled).toBe(false);
  await store.commit();
  await settled;
  expect(commits.committed).toBe(2);
});
