import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { PacedWork } from "../../src/observability/paced-work.ts";

function busy(ms: number): void {
  for (const startMs = performance.now(); performance.now() - startMs < ms;);
}

test("a little work is done at once", () => {
  const done: number[] = [];
  const work = new PacedWork();
  for (let n = 0; n < 3; n++) work.run(() => done.push(n));
  expect(done).toEqual([0, 1, 2]);
});

test("a storm of it is spread over turns, in its order", async () => {
  const done: number[] = [];
  const work = new PacedWork();
  for (let n = 0; n < 20; n++) {
    work.run(() => {
      busy(1);
      done.push(n);
    });
  }
  expect(done.length).toBeLessThan(4);
  while (done.length < 20) {
    const before = done.length;
    await nextTurn();
    expect(done.length - before).toBeLessThan(4);
  }
  expect(done).toEqual(Array.from({ length: 20 }, (_, n) => n));
});

test("what waits is done at the end", () => {
  const done: number[] = [];
  const work = new PacedWork();
  for (let n = 0; n < 5; n++) {
    work.run(() => {
      busy(1);
      done.push(n);
    });
  }
  work[Symbol.dispose]();
  expect(done).toHaveLength(5);
});
