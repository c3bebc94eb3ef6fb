/** What every session store has to do. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MemorySessionStore } from "../src/persistence/memory-session-store.ts";
import type { CloseReason } from "../src/events.ts";
import type { KeptState, SessionRecord, SessionStore } from "../src/ports/session-store.ts";

/** A place where a store keeps its records: opened again, what was appended is there. */
export interface StorePlace {
  open(): SessionStore;
  remove(): void;
}

export const messageRecord = (message: number, topicName = "a/b"): SessionRecord => ({
  kind: "message",
  message,
  topicName,
  payload: Uint8Array.of(message & 0xff, 2, 3),
  qos: 1,
  retain: false,
  publishedAtMs: 1000 + message,
  expirySeconds: message % 2 === 0 ? 60 : undefined,
  publisher: "publisher",
  payloadFormatIndicator: 0,
  contentType: "text/plain",
  responseTopic: "r",
  correlationData: Uint8Array.of(9),
  userProperties: [["a", "ü"]],
});

export const willRecord = (will: number): SessionRecord & { kind: "will" } => {
  const { kind: _, message: __, ...message } = messageRecord(will) as SessionRecord & { kind: "message" };
  const delaySeconds = 30;
  return {
    ...message,
    kind: "will",
    will,
    clientIdentifier: "client",
    principal: "{}",
    delaySeconds,
    dueAtMs: undefined,
  };
};

export const sessionRecord = (session: number, awayAtMs?: number, awayReason?: CloseReason): SessionRecord => ({
  kind: "session",
  session,
  clientIdentifier: `client-${session}`,
  protocolVersion: session % 2 === 0 ? 5 : 4,
  expirySeconds: 3600,
  awayAtMs,
  awayReason,
  awayDetail: awayReason && `because of ${awayReason}`,
  owner: session % 2 === 0 ? "principal" : undefined,
});

export const queuedRecord = (session: number, delivery: number, message: number, qos: 1 | 2 = 1): SessionRecord => ({
  kind: "queued",
  session,
  delivery,
  message,
  qos,
  retain: false,
  subscriptionIdentifiers: delivery % 2 === 0 ? [1, 268_435_455] : undefined,
  sharedFilter: delivery % 3 === 0 ? "$share/g/a/#" : undefined,
  queuedAtMs: 5000 + delivery,
  packetIdentifier: 0,
  isSent: false,
});

const subscribed = (session: number, topicFilter: string): SessionRecord => ({
  kind: "subscribed",
  session,
  topicFilter,
  qos: 2,
  noLocal: true,
  retainAsPublished: false,
  retainHandling: 1,
  subscriptionIdentifier: session === 1 ? undefined : 7,
});

/** A broker never gives a number to two deliveries: leaves out what would queue one again. */
function withoutRepeats(batches: readonly (readonly SessionRecord[])[]): SessionRecord[][] {
  const queued = new Set<number>();
  return batches.map((batch) =>
    batch.filter((record) => {
      if (record.kind !== "queued") return true;
      const isNew = !queued.has(record.delivery);
      queued.add(record.delivery);
      return isNew;
    }),
  );
}

/** Two states, whatever the order of what has none. */
function comparable(state: KeptState): unknown {
  const byNumber = (one: { session: number }, other: { session: number }): number => one.session - other.session;
  const numbers = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);
  return {
    sessions: state.sessions.toSorted(byNumber).map((session) => ({
      ...session,
      subscriptions: session.subscriptions.toSorted((a, b) => (a.topicFilter < b.topicFilter ? -1 : 1)),
      received: numbers(session.received),
      deliveries: session.deliveries.toSorted((a, b) => a.delivery - b.delivery),
    })),
    messages: Array.from(state.messages, ([number, message]) => ({
      number,
      ...message,
      payload: Array.from(message.payload),
      correlationData: message.correlationData && Array.from(message.correlationData),
    })).toSorted((a, b) => a.number - b.number),
    retained: state.retained.toSorted((a, b) => a.message - b.message || a.version - b.version),
    wills: state.wills
      .toSorted((a, b) => a.will - b.will)
      .map((will) => ({
        ...will,
        payload: Array.from(will.payload),
        correlationData: Array.from(will.correlationData ?? []),
      })),
    lastAppendAtMs: state.lastAppendAtMs,
  };
}

async function reopened(place: StorePlace, batches: readonly (readonly SessionRecord[])[]): Promise<KeptState> {
  const store = place.open();
  await store.load();
  for (const batch of batches) await store.append(batch, 77);
  await store.close();
  const again = place.open();
  const state = await again.load();
  await again.close();
  return state;
}

/** Runs everything on stores in new places. */
export function storeConformance(newPlace: () => StorePlace): void {
  const withPlace = async (act: (place: StorePlace) => Promise<void>): Promise<void> => {
    const place = newPlace();
    try {
      await act(place);
    } finally {
      place.remove();
    }
  };

  test("a new store is empty", () =>
    withPlace(async (place) => {
      const state = await reopened(place, []);
      expect(comparable(state)).toEqual({ sessions: [], messages: [], retained: [], wills: [] });
    }));

  test("a session comes back with all that belongs to it, in its order", () =>
    withPlace(async (place) => {
      const state = await reopened(place, [
        [sessionRecord(1), subscribed(1, "a/#"), subscribed(1, "b"), messageRecord(2), queuedRecord(1, 3, 2)],
        [messageRecord(4), queuedRecord(1, 5, 4, 2), queuedRecord(1, 6, 4, 2)],
        [
          { kind: "sent", session: 1, delivery: 5, packetIdentifier: 65_535 },
          { kind: "sent", session: 1, delivery: 3, packetIdentifier: 2 },
          { kind: "unsubscribed", session: 1, topicFilter: "b" },
          { kind: "received", session: 1, packetIdentifier: 9 },
          { kind: "received", session: 1, packetIdentifier: 8 },
          { kind: "finished", session: 1, packetIdentifier: 9 },
        ],
        [{ kind: "released", session: 1, packetIdentifier: 65_535 }, sessionRecord(1, 123_456, "connection-lost")],
      ]);
      const [session] = state.sessions;
      expect(session).toMatchObject({
        session: 1,
        clientIdentifier: "client-1",
        awayAtMs: 123_456,
        awayReason: "connection-lost",
        awayDetail: "because of connection-lost",
        received: [8],
      });
      expect(session?.released).toEqual([65_535]);
      expect(session?.subscriptions.map(({ topicFilter }) => topicFilter)).toEqual(["a/#"]);
      expect(session?.deliveries.map(({ delivery, packetIdentifier }) => [delivery, packetIdentifier])).toEqual([
        [3, 2],
        [6, 0],
      ]);
      expect(state.messages.get(4)).toMatchObject({
        topicName: "a/b",
        expirySeconds: 60,
        userProperties: [["a", "ü"]],
      });
      expect(Array.from(state.messages.get(2)?.payload ?? [])).toEqual([2, 2, 3]);
      expect([state.lastNumber, state.lastAppendAtMs]).toEqual([6, 77]);
    }));

  test("a message is kept for the last that uses it, and no longer", () =>
    withPlace(async (place) => {
      const retained = (message: number, version: number): SessionRecord => ({
        kind: "retained",
        topicName: "a/b",
        message,
        version,
        storedAtMs: 5,
      });
      const uses = [sessionRecord(1), sessionRecord(2), messageRecord(3), queuedRecord(1, 4, 3), queuedRecord(2, 5, 3)];
      const state = await reopened(place, [
        [...uses, retained(3, 1)],
        [{ kind: "done", session: 1, delivery: 4 }],
        [{ kind: "session-ended", session: 2 }],
      ]);
      expect(Array.from(state.messages.keys())).toEqual([3]);
      // Of two versions the higher stays, also where the lower one comes later.
      const later = await reopened(place, [
        [messageRecord(6), retained(6, 3)],
        [messageRecord(7), retained(7, 2)],
      ]);
      expect(later.retained).toEqual([{ message: 6, version: 3, storedAtMs: 5 }]);
      expect(Array.from(later.messages.keys())).toEqual([6]);
      const none = await reopened(place, [[{ kind: "retained-deleted", topicName: "a/b" }]]);
      expect([none.retained, none.messages.size]).toEqual([[], 0]);
    }));

  test("a will is kept until it is gone, with when it is due", () =>
    withPlace(async (place) => {
      const { kind: _, ...first } = willRecord(1);
      const state = await reopened(place, [
        [willRecord(1), willRecord(2), willRecord(3)],
        [
          { kind: "will-waits", will: 1, dueAtMs: 9_000_000_000_000 },
          { kind: "will-gone", will: 2 },
          { kind: "will-gone", will: 2 },
          { kind: "will-waits", will: 2, dueAtMs: 1 },
        ],
      ]);
      expect(state.wills.map(({ will, dueAtMs }) => [will, dueAtMs])).toEqual([
        [1, 9_000_000_000_000],
        [3, undefined],
      ]);
      const [kept] = state.wills;
      const octets = [Uint8Array.from(kept?.payload ?? []), Uint8Array.from(kept?.correlationData ?? [])];
      expect({ ...kept, payload: octets[0], correlationData: octets[1] }).toEqual({
        ...first,
        dueAtMs: 9_000_000_000_000,
      });
      expect([state.lastNumber, state.messages.size]).toEqual([3, 0]);
    }));

  test("what comes for a session that is over changes nothing", () =>
    withPlace(async (place) => {
      const state = await reopened(place, [
        [sessionRecord(1), { kind: "session-ended", session: 1 }],
        [
          subscribed(1, "a"),
          { kind: "received", session: 1, packetIdentifier: 1 },
          { kind: "released", session: 1, packetIdentifier: 1 },
          { kind: "sent", session: 1, delivery: 2, packetIdentifier: 1 },
          { kind: "done", session: 1, delivery: 2 },
        ],
      ]);
      expect(state.sessions).toEqual([]);
    }));

  test("a new session of a client identifier replaces the old one", () =>
    withPlace(async (place) => {
      const again = { ...sessionRecord(9), clientIdentifier: "client-1" } as SessionRecord;
      const end: SessionRecord = { kind: "session-ended", session: 1 };
      const state = await reopened(place, [[sessionRecord(1), subscribed(1, "old"), end, again, subscribed(9, "new")]]);
      expect(state.sessions.map(({ session, subscriptions }) => [session, subscriptions[0]?.topicFilter])).toEqual([
        [9, "new"],
      ]);
    }));

  test("any records, opened again after any batch, give the state of the model", { timeout: 30_000 }, async () => {
    const session = fc.integer({ min: 1, max: 3 });
    const packetIdentifier = fc.integer({ min: 1, max: 4 });
    const delivery = fc.integer({ min: 100, max: 105 });
    const message = fc.integer({ min: 20, max: 23 });
    const record = fc.oneof(
      fc
        .tuple(session, fc.option(fc.nat({ max: 99 }), { nil: undefined }))
        .map(([number, at]) => sessionRecord(number, at)),
      session.map((number): SessionRecord => ({ kind: "session-ended", session: number })),
      fc.tuple(session, fc.constantFrom("a", "b/#")).map(([number, filter]) => subscribed(number, filter)),
      session.map((number): SessionRecord => ({ kind: "unsubscribed", session: number, topicFilter: "a" })),
      fc
        .tuple(fc.constantFrom("sent" as const, "done" as const), session, delivery, packetIdentifier)
        .map(([kind, number, at, identifier]): SessionRecord => {
          const of = { session: number, delivery: 10 * number + at };
          return kind === "sent" ? { kind, ...of, packetIdentifier: identifier } : { kind, ...of };
        }),
      fc.record({
        kind: fc.constantFrom("released" as const, "completed" as const, "received" as const, "finished" as const),
        session,
        packetIdentifier,
      }),
    );
    const uses = fc.oneof(
      // A number means one thing for ever: the same delivery is always of the same message.
      fc.tuple(session, delivery).map(([number, at]) => {
        const own = 10 * number + at;
        return [messageRecord(20 + (own % 4)), queuedRecord(number, own, 20 + (own % 4))];
      }),
      fc
        .tuple(message, fc.nat({ max: 5 }))
        .map(([of, version]): SessionRecord[] => [
          messageRecord(of),
          { kind: "retained", topicName: version % 2 === 0 ? "x" : "y", message: of, version, storedAtMs: 1 },
        ]),
      record.map((one) => [one]),
      fc
        .tuple(fc.constantFrom("will" as const, "will-waits" as const, "will-gone" as const), fc.nat({ max: 2 }))
        .map(([kind, place]): SessionRecord[] => {
          const will = 300 + place;
          if (kind === "will") return [willRecord(will)];
          return [kind === "will-waits" ? { kind, will, dueAtMs: 5 } : { kind, will }];
        }),
    );
    const batches = fc.array(
      fc.array(uses, { maxLength: 6 }).map((lists) => lists.flat()),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(batches, (generated) =>
        withPlace(async (place) => {
          const all = withoutRepeats(generated);
          const model = new MemorySessionStore();
          for (const batch of all) await model.append(batch, 77);
          // A message whose delivery was never taken up is in neither.
          const [found, expected] = [await reopened(place, all), await model.load()];
          expect(comparable(found)).toEqual(comparable(expected));
          // It may count a number that is not in use any more.
          expect(found.lastNumber).toBeGreaterThanOrEqual(expected.lastNumber);
        }),
      ),
      { numRuns: 100 },
    );
  });
}
