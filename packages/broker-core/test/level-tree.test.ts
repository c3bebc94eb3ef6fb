import { property, array, boolean, assert as check, constantFrom, tuple } from "fast-check";
import { expect, test } from "vitest";
import { LevelTree } from "../src/routing/level-tree.ts";

const name = array(constantFrom("a", "b", "", "+"), { minLength: 1, maxLength: 3 }).map((levels) => levels.join("/"));

function everything(tree: LevelTree<number>): Map<string, number> {
  const found = new Map<string, number>();
  const open = Array.from(tree.root.children(), ([level, node]) => ({ path: level, node }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, node } = next;
    if (node.value !== undefined) found.set(path, node.value);
    for (const [level, child] of node.children()) open.push({ path: `${path}/${level}`, node: child });
    // A level that nothing needs is not kept.
    expect(node.value !== undefined || node.hasChildren).toBe(true);
  }
  return found;
}

test("holds what a map holds, whatever is set and removed", () => {
  check(
    property(array(tuple(boolean(), name), { maxLength: 60 }), (steps) => {
      const tree = new LevelTree<number>();
      const map = new Map<string, number>();
      for (const [index, [isSet, key]] of steps.entries()) {
        if (isSet) {
          tree.make(key).value = index;
          map.set(key, index);
        } else {
          expect(tree.remove(key)).toBe(map.get(key));
          map.delete(key);
        }
        expect(tree.get(key)).toBe(map.get(key));
      }
      expect(everything(tree)).toEqual(map);
    }),
  );
});

test("gives the children of a level in the order in which they were made", () => {
  const tree = new LevelTree<number>();
  for (const level of ["z", "b", "a"]) tree.make(level).value = 0;
  expect(Array.from(tree.root.children(), ([level]) => level)).toEqual(["z", "b", "a"]);
});
