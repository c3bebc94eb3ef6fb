import { expect, test } from "vitest";
import { LazySet } from "../src/lazy-set.ts";

test("holds what a set holds, in the same order", () => {
  const lazy = new LazySet<number>();
  const plain = new Set<number>();
  const agree = () => {
    expect([...lazy]).toEqual([...plain]);
    expect(lazy.size).toBe(plain.size);
    for (let value = 0; value < 5; value++) expect(lazy.has(value)).toBe(plain.has(value));
  };
  agree();
  expect(lazy.delete(1)).toBe(false);
  for (const value of [3, 1, 3, 4]) {
    lazy.add(value);
    plain.add(value);
    agree();
  }
  expect(lazy.delete(3)).toBe(plain.delete(3));
  agree();
  lazy.clear();
  plain.clear();
  agree();
  lazy.add(2);
  plain.add(2);
  agree();
});
