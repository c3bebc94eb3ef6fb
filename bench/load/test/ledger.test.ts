import { expect, test } from "vitest";
import { Ledger, settle, sharedGroup } from "../src/ledger.ts";

test("messages that are owed by one worker and come to another are compared one by one", () => {
  const sender = new Ledger(2);
  const receiver = new Ledger(2);
  sender.owe(0, 10, 20, 1);
  for (const sequence of [9, 10, 12, 12, 19, 20]) receiver.arrive(1, 0, sequence);
  const { settlement, delivered } = settle([sender.report(), receiver.report()]);
  expect(delivered).toBe(3);
  expect(settlement).toMatchObject({ missing: 7, unexpected: 0 });
});

test("a receiver too many does not make up for one that got nothing", () => {
  const ledger = new Ledger(3);
  // Message 0 is owed to two and came to three, message 1 is owed to two and came to one.
  ledger.owe(0, 0, 2, 2);
  for (const group of [1, 2, 3]) ledger.arrive(group, 0, 0);
  ledger.arrive(1, 0, 1);
  expect(settle([ledger.report()])).toMatchObject({ delivered: 3, settlement: { missing: 1, unexpected: 1 } });
});

test("members of a shared subscription in several workers are one receiver", () => {
  const [a, b] = [new Ledger(1), new Ledger(1)];
  a.owe(0, 0, 4, 1);
  for (const sequence of [0, 2]) a.arrive(sharedGroup, 0, sequence);
  for (const sequence of [1, 2]) b.arrive(sharedGroup, 0, sequence);
  expect(settle([a.report(), b.report()])).toMatchObject({ delivered: 3, settlement: { missing: 1, repeated: 1 } });
});

test("an arrival is the first, a repetition, or no message of this run", () => {
  const ledger = new Ledger(1);
  expect(ledger.arrive(5, 0, 4000)).toBe("first");
  expect(ledger.arrive(5, 0, 4000)).toBe("again");
  expect(ledger.arrive(6, 0, 4000)).toBe("first");
  expect(ledger.arrive(5, 1, 0)).toBe("strange");
  expect(ledger.arrive(5, 0, 4_000_000_000)).toBe("strange");
});
