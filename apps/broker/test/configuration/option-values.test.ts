import { expect, test } from "vitest";
import { serverNamesOf } from "../../src/configuration/option-values.ts";

test("names of the server are IP addresses and DNS names", () => {
  const names = ["broker.example", "*.Example", "10.0.0.1", "::1", "a_b", "x".repeat(63)];
  expect(serverNamesOf(names.join(","))).toEqual(names);
  expect([serverNamesOf(undefined), serverNamesOf(",,")]).toEqual([[], []]);
});

test.each(["bad name", "bücher.example", "a..b", "-a", "a.*.b", "https://x", "x:1", "x".repeat(64), "a\n", "a\0b"])(
  "%j is none of them",
  (name) => {
    expect(() => serverNamesOf(`good.example,${name}`)).toThrow(`--name ${JSON.stringify(name)} is not possible`);
  },
);
