/** Holds the tests through real sockets to the lists of the standards: every statement has a test, or a reason for none. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { mqtt311, mqtt5, numbersOf } from "./normative-statements.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
/** MQTT over WebSocket is the same for both versions. */
const both = fileURLToPath(new URL("../data-plane/websocket.test.ts", import.meta.url));

/** The numbers that the titles of tests name. Comments do not count. */
function named(prefix: string): Set<string> {
  const files = readdirSync(folder).filter((name) => name.startsWith(prefix) && name.endsWith(".test.ts"));
  const found = new Set<string>();
  for (const file of [...files.map((name) => `${folder}${name}`), both]) {
    const source = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gmu, "");
    for (const [, titled = ""] of source.matchAll(/"((?:[^"\\\n]|\\.)*)"/gu)) {
      for (const [number] of titled.matchAll(/MQTT-\d[\d.-]*\d/gu)) found.add(number);
    }
  }
  return found;
}

test.each([
  ["3.1.1", mqtt311, 141],
  ["5.0", mqtt5, 251],
] as const)("MQTT %s", (_, statements, count) => {
  const numbers = numbersOf(statements);
  expect(new Set(numbers).size).toBe(count);
  const tested = named(statements.files);
  expect(Array.from(tested).filter((number) => !numbers.includes(number))).toEqual([]);
  const reasons = Object.keys(statements.withoutTest);
  expect(numbers.filter((number) => !tested.has(number)).toSorted()).toEqual(reasons.toSorted());
});
