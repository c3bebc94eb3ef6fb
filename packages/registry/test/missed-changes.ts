/** A registry that remembers what it read sees every change, of its own and of another process. For as many of them as a caller wants. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { acts, actsBefore, prepareStages } from "./connection-stage.ts";

/** Each act by these, and any acts in so many runs. */
export function describeMissedChanges(by: (act: number) => readonly ("registry" | "other")[], runs: number): void {
  describe("no change is missed", () => {
    const { open, observe } = prepareStages();

    test.each(Object.keys(acts).map((name, index) => [name, by(index)] as const))("%s, by %j", async (name, all) => {
      for (const one of all) {
        await using stage = open();
        for (const step of actsBefore[name] ?? []) expect(await stage.act(step, stage.registry)).toBe(true);
        const before = await observe(stage.registry);
        expect(await stage.act(name, stage[one])).toBe(true);
        const seen = await observe(stage.registry);
        expect(seen).toEqual(await stage.fresh());
        expect(seen).not.toEqual(before);
      }
    });

    test("whatever happens, in any order, by either process", async () => {
      const step = fc.record({ name: fc.constantFrom(...Object.keys(acts)), isOther: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
          await using stage = open();
          await observe(stage.registry);
          for (const { name, isOther } of steps) {
            await stage.act(name, isOther ? stage.other : stage.registry);
            expect(await observe(stage.registry)).toEqual(await stage.fresh());
          }
        }),
        { numRuns: runs },
      );
    });
  });
}
