import { expect, test } from "vitest";
import { TextMemory } from "../src/text-memory.ts";

const encoder = new TextEncoder();

function viewOf(text: string): DataView {
  return new DataView(encoder.encode(`..${text}..`).buffer);
}

function recall(memory: TextMemory, text: string): string | undefined {
  return memory.recall(viewOf(text), 2, text.length);
}

/** As the reader does: looks for the text, and keeps it where it is not found. */
function keep(memory: TextMemory, text: string): void {
  if (recall(memory, text) === undefined) memory.remember(viewOf(text), 2, text);
}

test("a text that was kept is found", () => {
  const memory = new TextMemory();
  expect(recall(memory, "topic/a")).toBeUndefined();
  keep(memory, "topic/a");
  expect(recall(memory, "topic/a")).toBe("topic/a");
});

test("only the very same text is found", () => {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789".split("");
  const texts = [4, 5, 6, 7, 8, 9, 63, 64].flatMap((length) => [
    ...letters.map((letter) => "x".repeat(length - 1) + letter),
    ...letters.map((letter) => letter + "x".repeat(length - 1)),
  ]);
  for (const kept of texts) {
    const memory = new TextMemory();
    keep(memory, kept);
    const found = texts.filter((text) => recall(memory, text) !== undefined);
    expect(new Set(found)).toEqual(new Set([kept]));
    expect(recall(memory, kept)).toBe(kept);
  }
});

test("a text of another length with the same words is not found", () => {
  const memory = new TextMemory();
  keep(memory, "abcdabcdabcd");
  expect(recall(memory, "abcdabcd")).toBeUndefined();
  expect(recall(memory, "abcd")).toBeUndefined();
});

test("texts shorter than 4 and longer than 64 octets are not kept, those between are", () => {
  for (const length of [0, 3, 4, 64, 65]) {
    const memory = new TextMemory();
    const text = "x".repeat(length);
    keep(memory, text);
    expect(recall(memory, text)).toBe(length >= 4 && length <= 64 ? text : undefined);
  }
});

test("it grows for the texts of a gateway, and most of them are found", () => {
  const memory = new TextMemory();
  const texts = Array.from({ length: 64 }, (_, index) => `gateway/device-${index}/state`);
  for (let round = 0; round < 20; round++) for (const text of texts) keep(memory, text);
  expect(texts.filter((text) => recall(memory, text) === text).length).toBeGreaterThan(44);
});

test("texts that never come again do not push out those that do, and the table stays within its largest size", () => {
  const memory = new TextMemory();
  for (let index = 0; index < 3000; index++) {
    keep(memory, "the/device/topic");
    keep(memory, `never/again/${index}`);
  }
  const found = Array.from({ length: 100 }, (_, index) => {
    keep(memory, `never/again/x${index}`);
    const isKept = recall(memory, "the/device/topic") !== undefined;
    keep(memory, "the/device/topic");
    return isKept;
  });
  expect(found.filter(Boolean).length).toBeGreaterThan(90);
  expect(sizeOf(memory)).toBe(256);
});

test("after many texts that never came again, one that comes again is found soon", () => {
  const memory = new TextMemory();
  for (let index = 0; index < 2000; index++) keep(memory, `never/again/${index}`);
  let found = 0;
  for (let times = 0; times < 60; times++) {
    if (recall(memory, "the/device/topic") === undefined) {
      memory.remember(viewOf("the/device/topic"), 2, "the/device/topic");
    } else {
      found += 1;
    }
  }
  expect(found).toBeGreaterThan(20);
});

test("a device's few texts need no more than the first slots, and the table doubles when as many were replaced", () => {
  const memory = new TextMemory();
  for (let round = 0; round < 50; round++) keep(memory, "one/device/topic");
  expect(sizeOf(memory)).toBe(4);
  const sizes = new Set<number>();
  for (let index = 0; index < 40; index++) {
    keep(memory, `a/gateway/topic/${index}`);
    sizes.add(sizeOf(memory));
  }
  expect([...sizes]).toEqual([4, 8, 16]);
});

/** The slots of a memory. */
function sizeOf(memory: TextMemory): number {
  const { words } = memory as unknown as { readonly words: Int32Array };
  return words.byteLength / 64;
}
