import { expect, test } from "vitest";
import { createMessage, Session, type OwedMessage } from "../src/session.ts";

const owed = (topicName: string): { message: { topicName: string } } => ({ message: { topicName } });

function owedMessage(topicName: string): OwedMessage {
  return { message: createMessage(topicName, new Uint8Array()), retain: false };
}

function sessionWith(messages: number, limits = { maximumInFlight: 70_000, maximumQueuedMessages: 70_000 }): Session {
  const session = new Session("button", true, limits);
  for (let i = 0; i < messages; i++) session.enqueue(owedMessage(`t/${i}`));
  return session;
}

test("packet identifiers count from 1, and in the order of the queue", () => {
  const session = sessionWith(2);
  expect(session.takeNext()).toMatchObject({ packetIdentifier: 1, owed: owed("t/0") });
  expect(session.takeNext()).toMatchObject({ packetIdentifier: 2, owed: owed("t/1") });
  expect(session.takeNext()).toBeUndefined();
});

test("a packet identifier in flight is skipped, and 0 is never used (MQTT-2.3.1-1, MQTT-2.3.1-4)", () => {
  const session = sessionWith(65_537);
  const taken = Array.from({ length: 65_535 }, () => session.takeNext()?.packetIdentifier);
  expect(new Set(taken).size).toBe(65_535);
  expect(taken).not.toContain(0);
  session.acknowledge(2);
  expect(session.takeNext()?.packetIdentifier).toBe(2);
});

test("no more than the limit is in flight", () => {
  const session = sessionWith(3, { maximumInFlight: 2, maximumQueuedMessages: 10 });
  session.takeNext();
  session.takeNext();
  expect(session.takeNext()).toBeUndefined();
  expect(session.acknowledge(1)).toBe(true);
  expect(session.acknowledge(1)).toBe(false);
  expect(session.takeNext()?.owed).toMatchObject(owed("t/2"));
});

test("a full queue refuses the newest", () => {
  const session = sessionWith(2, { maximumInFlight: 1, maximumQueuedMessages: 2 });
  expect(session.enqueue(owedMessage("late"))).toBe(false);
  expect(session.takeNext()?.owed).toMatchObject(owed("t/0"));
  expect(session.enqueue(owedMessage("fits"))).toBe(true);
});
