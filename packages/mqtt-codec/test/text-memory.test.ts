import { expect, test } from "vitest";
import { TextMemory } from "../src/text-memory.ts";

const encoder = new TextEncoder();

function recall(memory: TextMemory, text: string): string | undefined {
  const bytes = encoder.encode(`..${text}..`);
  return memory.recall(new DataView(bytes.buffer), 2, text.length);
}

/** A text is kept when it comes for the second time. */
function keep(memory: TextMemory, text: string): void {
  for (let times = 0; times < 2; times++) memory.remember(encoder.encode(`..${text}..`), 2, text);
}

test("a kept text is recalled, one that came once is not", () => {
  const memory = new TextMemory();
  memory.remember(encoder.encode("..topic/a"), 2, "topic/a");
  expect(recall(memory, "topic/a")).toBeUndefined();
  memory.remember(encoder.encode("..topic/a"), 2, "topic/a");
  expect(recall(memory, "topic/a")).toBe("topic/a");
});

test("only the very same text is recalled, also from the same slot", () => {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789".split("");
  const texts = [4, 5, 6, 7, 8, 9, 63, 64].flatMap((length) => [
    ...letters.map((letter) => "x".repeat(length - 1) + letter),
    ...letters.map((letter) => letter + "x".repeat(length - 1)),
  ]);
  for (const kept of texts) {
    const memory = new TextMemory();
    keep(memory, kept);
    for (const text of texts) expect(recall(memory, text)).toBe(text === kept ? text : undefined);
  }
});

test("a text of another length with the same words is not recalled", () => {
  const memory = new TextMemory();
  keep(memory, "abcdabcdabcd");
  expect(recall(memory, "abcdabcd")).toBeUndefined();
  expect(recall(memory, "abcd")).toBeUndefined();
});

test("texts shorter than 4 and longer than 64 octets are not kept", () => {
  const memory = new TextMemory();
  for (const text of ["", "abc", "x".repeat(65)]) {
    keep(memory, text);
    expect(recall(memory, text)).toBeUndefined();
  }
});
