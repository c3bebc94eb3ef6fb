/**
 * Finds out fast that a text is plain: printable ASCII and, for a topic name, without wildcards. Nearly all texts are. A
 * text that is not plain may still be right; it is then looked at exactly, by `utf8.ts` and `topic.ts`, which alone
 * decide. Four octets are looked at together, as one 32-bit word, and no branch depends on them.
 */

import { HASH, PLUS } from "./topic.ts";

/** Whether the octets from `start` to `end` are plain. */
export function isPlain(view: DataView, start: number, end: number, isTopicName: boolean): boolean {
  let special = 0;
  let wildcards = 0;
  let at = start;
  for (; at < end - 3; at += 4) {
    const word = view.getInt32(at, true);
    special |= specialOctets(word);
    wildcards |= wildcardOctets(word);
  }
  for (; at < end; at++) {
    const word = view.getUint8(at) | PADDING;
    special |= specialOctets(word);
    wildcards |= wildcardOctets(word);
  }
  return ((isTopicName ? special | wildcards : special) & HIGH_BITS) === 0;
}

/** Writes each character as one octet; whether the text is plain, so that these octets are its UTF-8. */
export function writePlain(text: string, bytes: Uint8Array, start: number, isTopicName: boolean): boolean {
  const { length } = text;
  let units = 0;
  let special = 0;
  let wildcards = 0;
  let index = 0;
  let at = start;
  for (; index < length - 3; index += 4) {
    const first = text.charCodeAt(index);
    const second = text.charCodeAt(index + 1);
    const third = text.charCodeAt(index + 2);
    const fourth = text.charCodeAt(index + 3);
    bytes[at++] = first;
    bytes[at++] = second;
    bytes[at++] = third;
    bytes[at++] = fourth;
    units |= first | second | third | fourth;
    const word = first | (second << 8) | (third << 16) | (fourth << 24);
    special |= specialOctets(word);
    wildcards |= wildcardOctets(word);
  }
  for (; index < length; index++) {
    const unit = text.charCodeAt(index);
    bytes[at++] = unit;
    units |= unit;
    const word = unit | PADDING;
    special |= specialOctets(word);
    wildcards |= wildcardOctets(word);
  }
  return units < 0x80 && ((isTopicName ? special | wildcards : special) & HIGH_BITS) === 0;
}

/** The high bit of each of the four octets of a word. */
const HIGH_BITS = 0x8080_8080;
/** Fills a word above its lowest octet with letters. */
const PADDING = 0x6161_6100;

/** A high bit is set if the word holds an octet below 0x20 or above 0x7E; it may be set for others beside such a one. */
function specialOctets(word: number): number {
  return (word - 0x2020_2020) | word | (word + 0x0101_0101);
}

/**
 * A high bit is set if the word holds `#` or `+`. They differ in one bit alone: setting that bit and an exclusive or
 * make both 0, and an octet that is 0 borrows from its high bit.
 */
function wildcardOctets(word: number): number {
  const difference = (word | WILDCARD_BIT) ^ WILDCARDS;
  return (difference - 0x0101_0101) & ~difference;
}

const WILDCARD_BIT = (HASH ^ PLUS) * 0x0101_0101;
const WILDCARDS = PLUS * 0x0101_0101;
