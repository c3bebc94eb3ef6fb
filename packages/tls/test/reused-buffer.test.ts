/** A buffer that is lent to one at a time. */

import { expect, it } from "vitest";
import { ReusedBuffer } from "../src/node/reused-buffer.ts";

it("lends the same memory again once it was given back", () => {
  const reused = new ReusedBuffer();
  const first = reused.take(3000);
  expect(first).toHaveLength(3000);
  reused.giveBack(first.subarray(0, 100), true);
  expect(reused.take(5000).buffer).toBe(first.buffer);
});

it("gives memory of its own while the buffer is lent, and where it is of no use", () => {
  const reused = new ReusedBuffer();
  const lent = reused.take(3000);
  const other = reused.take(3000);
  expect(other.buffer).not.toBe(lent.buffer);
  reused.giveBack(other, true);
  for (const octets of [0, 100, 3000, 100_000]) {
    const array = reused.take(octets);
    expect(array).toHaveLength(octets);
    expect(array.buffer).not.toBe(lent.buffer);
  }
});

it("never lends again what somebody still looks at", () => {
  const reused = new ReusedBuffer();
  const kept = reused.take(3000);
  reused.giveBack(kept, false);
  const left = reused.take(3000);
  expect(left.buffer).not.toBe(kept.buffer);
  reused.leave();
  const next = reused.take(3000);
  expect([kept.buffer, left.buffer]).not.toContain(next.buffer);
  // Too late: it is another's by now.
  reused.giveBack(left, true);
  expect(reused.take(3000).buffer).not.toBe(next.buffer);
});
