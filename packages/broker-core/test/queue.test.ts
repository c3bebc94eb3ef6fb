import fc from "fast-check";
import { expect, test } from "vitest";
import { Queue } from "../src/session/queue.ts";

test("gives what was put in, in its order, like an array", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (steps) => {
      const queue = new Queue<{ number: number }>();
      const model: { number: number }[] = [];
      for (const [number, isPush] of steps.entries()) {
        if (isPush) {
          queue.push({ number });
          model.push({ number });
        } else {
          expect(queue.take()).toEqual(model.shift());
        }
        expect(queue.size).toBe(model.length);
      }
    }),
  );
});

test("taking costs the same however long the queue is", () => {
  const secondsToDrain = (length: number): number => {
    let best = Infinity;
    for (let run = 0; run < 5; run++) {
      const queue = new Queue<object>();
      for (let i = 0; i < length; i++) queue.push({});
      const before = process.cpuUsage().user;
      while (queue.take() !== undefined);
      best = Math.min(best, process.cpuUsage().user - before);
    }
    return best;
  };
  const few = secondsToDrain(50_000);
  // Eight times as many: 64 times the time where a step costs the queue's length.
  expect(secondsToDrain(400_000)).toBeLessThan(24 * Math.max(few, 1000));
});
