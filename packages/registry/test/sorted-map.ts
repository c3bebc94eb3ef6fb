/** The sorted map behind the storage in memory, beside a plain map. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { SortedMap } from "../src/memory/sorted-map.ts";

const keyOf = (number: number): string => String(number).padStart(5, "0");

/** Any writes, in so many runs. */
export function testSortedMap(runs: number): void {
  test("a sorted map has what was set and not deleted, in order, beyond one chunk", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { minLength: 1200, maxLength: 2000 }), fc.nat(5000), (numbers, start) => {
        const map = new SortedMap();
        const model = new Map<string, string>();
        for (const [index, number] of numbers.entries()) {
          const key = keyOf(number);
          if (index % 3 === 2) {
            map.delete(key);
            model.delete(key);
          } else {
            map.set(key, `value ${index}`);
            model.set(key, `value ${index}`);
          }
        }
        const from = keyOf(start);
        const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
        expect([...map.from(from)]).toEqual(sorted.filter(([key]) => key >= from));
        expect([...map.before(from)]).toEqual(sorted.filter(([key]) => key < from).reverse());
        for (const number of [...numbers, start]) expect(map.get(keyOf(number))).toBe(model.get(keyOf(number)));
      }),
      { numRuns: runs },
    );
  });
}
