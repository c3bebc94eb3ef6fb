/** What every storage does, whichever is under it. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change } from "../src/changes.ts";
import type { Storage, StorageWriter } from "../src/storage.ts";

function keys(storage: Storage, prefix: string, after?: string, limit = 100): string[] {
  return storage.read((reader) => reader.scan("t", prefix, { after, limit }).map(({ key }) => key));
}

/** `open` gives an empty storage. */
export function describeStorage(name: string, open: () => Storage): void {
  describe(name, () => {
    test("gives back what was put, replaces it, deletes it, and keeps tables apart", async () => {
      await using storage = open();
      await storage.write((writer) => writer.put("t", "a", "1"));
      await storage.write((writer) => writer.put("t", "a", "2"));
      await storage.write((writer) => writer.put("u", "a", "3"));
      expect(storage.read((reader) => [reader.get("t", "a"), reader.get("u", "a"), reader.get("t", "b")])).toEqual([
        "2",
        "3",
        undefined,
      ]);
      expect(await storage.write((writer) => [writer.delete("t", "a"), writer.delete("t", "a")])).toEqual([
        true,
        false,
      ]);
      expect(storage.read((reader) => reader.get("t", "a"))).toBeUndefined();
      expect(storage.read((reader) => reader.get("__proto__", "constructor"))).toBeUndefined();
    });

    test("scans by prefix, in the order of the keys, behind a key, up to a limit", async () => {
      await using storage = open();
      await storage.write((writer) => {
        for (const key of ["b/2", "a/1", "b/10", "b/1", "ba", "b", "B/1", "b/~"]) writer.put("t", key, key);
      });
      expect(keys(storage, "b/")).toEqual(["b/1", "b/10", "b/2", "b/~"]);
      expect(keys(storage, "b/", "b/1")).toEqual(["b/10", "b/2", "b/~"]);
      expect(keys(storage, "b/", "b/15")).toEqual(["b/2", "b/~"]);
      expect(keys(storage, "b/", "a")).toEqual(["b/1", "b/10", "b/2", "b/~"]);
      expect(keys(storage, "b/", "b/~")).toEqual([]);
      expect(keys(storage, "b/", undefined, 2)).toEqual(["b/1", "b/10"]);
      expect(keys(storage, "")).toEqual(["B/1", "a/1", "b", "b/1", "b/10", "b/2", "b/~", "ba"]);
      expect(keys(storage, "c")).toEqual([]);
      expect(keys(storage, "b/", undefined, 0)).toEqual([]);
    });

    test("scans from the last key to the first, before a key, up to a limit", async () => {
      await using storage = open();
      await storage.write((writer) => {
        for (const key of ["b/2", "a/1", "b/10", "b/1", "ba", "b", "B/1", "b/~"]) writer.put("t", key, key);
      });
      const descending = (prefix: string, after?: string, limit = 100): string[] =>
        storage.read((reader) => reader.scan("t", prefix, { after, limit, isDescending: true }).map(({ key }) => key));
      expect(descending("b/")).toEqual(["b/~", "b/2", "b/10", "b/1"]);
      expect(descending("b/", "b/2")).toEqual(["b/10", "b/1"]);
      expect(descending("b/", "b/15")).toEqual(["b/10", "b/1"]);
      expect(descending("b/", "b/1")).toEqual([]);
      expect(descending("b/", "c")).toEqual(["b/~", "b/2", "b/10", "b/1"]);
      expect(descending("b/", undefined, 2)).toEqual(["b/~", "b/2"]);
      expect(descending("")).toEqual(["ba", "b/~", "b/2", "b/10", "b/1", "b", "a/1", "B/1"]);
      expect(descending("b/", undefined, 0)).toEqual([]);
    });

    test("a transaction sees its own writes", async () => {
      await using storage = open();
      await storage.write((writer) => {
        writer.put("t", "a", "1");
        expect(writer.get("t", "a")).toBe("1");
        expect(writer.scan("t", "", { limit: 9 })).toEqual([{ key: "a", value: "1" }]);
        writer.delete("t", "a");
        expect(writer.get("t", "a")).toBeUndefined();
      });
    });

    test("a transaction that throws has done nothing, and the next one works", async () => {
      await using storage = open();
      await storage.write((writer) => writer.put("t", "kept", "1"));
      const failed = storage.write((writer) => {
        writer.put("t", "kept", "2");
        writer.put("t", "new", "2");
        writer.delete("t", "kept");
        writer.announce("thing", ["x"]);
        throw new RangeError("no");
      });
      await expect(failed).rejects.toThrow(RangeError);
      expect(storage.read((reader) => reader.scan("t", "", { limit: 9 }))).toEqual([{ key: "kept", value: "1" }]);
      expect(storage.sequence()).toBe(0);
      await storage.write((writer) => writer.put("t", "new", "3"));
      expect(keys(storage, "")).toEqual(["kept", "new"]);
    });

    test("the feed has each change in its order, and none of what was rolled back", async () => {
      await using storage = open();
      const seen: Change[] = [];
      const stop = storage.onCommit((changes) => seen.push(...changes));
      await storage.write((writer) => {
        writer.announce("policy", ["a", "b"]);
        writer.announce("thing", []);
      });
      await storage
        .write((writer) => {
          writer.announce("account", []);
          throw new Error("no");
        })
        .catch(() => {});
      await storage.write((writer) => writer.put("t", "quiet", ""));
      await storage.write((writer) => writer.announce("certificate", ["c"]));
      const changes: Change[] = [
        { sequence: 1, kind: "policy", touches: ["a", "b"] },
        { sequence: 2, kind: "thing", touches: [] },
        { sequence: 3, kind: "certificate", touches: ["c"] },
      ];
      expect(seen).toEqual(changes);
      expect(storage.sequence()).toBe(3);
      expect(storage.changesAfter(0, 10)).toEqual({ isComplete: true, changes });
      expect(storage.changesAfter(1, 1)).toEqual({ isComplete: true, changes: changes.slice(1, 2) });
      expect(storage.changesAfter(3, 10)).toEqual({ isComplete: true, changes: [] });
      expect(storage.changesAfter(4, 10)).toEqual({ isComplete: false, sequence: 3 });
      stop();
      await storage.write((writer) => writer.announce("thing", []));
      expect(seen).toHaveLength(3);
    });
  });
}

/** Any writes, in so many runs. */
export function testAsSortedMap(name: string, open: () => Storage, runs: number): void {
  test(`${name} behaves like a sorted map, whatever is done`, async () => {
    const key = fc.string({ unit: fc.constantFrom("a", "b", "/", "~", "0"), minLength: 1, maxLength: 4 });
    const step = fc.record({ key, value: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom("", "a", "b/", "~"),
        async (steps, prefix) => {
          await using storage = open();
          const model = new Map<string, string>();
          const act = (writer: StorageWriter, one: { key: string; value: string | undefined }): void => {
            if (one.value === undefined) writer.delete("t", one.key);
            else writer.put("t", one.key, one.value);
          };
          for (const one of steps) {
            await storage.write((writer) => act(writer, one));
            if (one.value === undefined) model.delete(one.key);
            else model.set(one.key, one.value);
          }
          const expected = [...model.keys()].filter((one) => one.startsWith(prefix)).sort();
          expect(keys(storage, prefix)).toEqual(expected);
        },
      ),
      { numRuns: runs },
    );
  });
}
