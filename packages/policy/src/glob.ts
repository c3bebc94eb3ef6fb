/**
 * Matching text against a pattern, without regular expressions.
 *
 * A pattern is cut at its `*`s into segments. The first must stand at the start, the last at the end, and each one
 * between takes the first place where it fits: taking the first leaves the most for the others, so nothing is ever
 * tried twice and `*a*a*a*b` costs one pass. The cost is at worst the length of the text times that of the longest
 * segment; segments without `?` are found by the engine's own search.
 */

import type { RequestContext } from "./context.ts";
import { substitute, type ContextKey } from "./context-key.ts";
import type { PatternToken } from "./pattern.ts";

/** A stretch of a pattern without `*`; one shape for all three kinds. */
interface Piece {
  /** Literal text; the empty string where the piece is something else. */
  readonly text: string;
  /** The variable; its value takes the place of `text`. */
  readonly key: ContextKey | undefined;
  readonly isOne: boolean;
}

type Segment = readonly Piece[];

const noMatch = -1;

/** A pattern made ready for matching. */
export class Glob {
  /** Literal text at the start, which refutes most candidates before anything else is looked at. */
  readonly #prefix: string;
  /** The rest, cut at its `*`s. */
  readonly #segments: readonly Segment[];
  readonly #keys: readonly ContextKey[];

  constructor(tokens: readonly PatternToken[]) {
    const segments: Piece[][] = [[]];
    const keys: ContextKey[] = [];
    const [first, ...others] = tokens;
    this.#prefix = first?.kind === "text" ? first.text : "";
    for (const token of first?.kind === "text" ? others : tokens) {
      if (token.kind === "any") segments.push([]);
      else if (token.kind === "one") segments.at(-1)?.push({ text: "", key: undefined, isOne: true });
      else if (token.kind === "text") segments.at(-1)?.push({ text: token.text, key: undefined, isOne: false });
      else {
        segments.at(-1)?.push({ text: "", key: token.key, isOne: false });
        keys.push(token.key);
      }
    }
    this.#segments = segments;
    this.#keys = keys;
  }

  /** Whether the part of `text` from `start` to `end` matches. A variable that does not resolve matches nothing. */
  matches(text: string, start: number, end: number, context: RequestContext): boolean {
    const offset = this.#matchStart(text, start, end, context);
    return offset !== noMatch && this.#matchRest(text, offset, end, context);
  }

  /**
   * Whether `text` matches from one of `starts`, in ascending order, to its end. Where the pattern has a `*`, only the first
   * start that fits the text before it is searched: a later one leaves less text, so it cannot succeed where that failed.
   */
  matchesFrom(text: string, starts: readonly number[], context: RequestContext): boolean {
    for (const start of starts) {
      const offset = this.#matchStart(text, start, text.length, context);
      if (offset === noMatch) continue;
      const matches = this.#matchRest(text, offset, text.length, context);
      if (matches || this.#segments.length > 1) return matches;
    }
    return false;
  }

  /** Where the text before the first `*` ends, or `noMatch`. */
  #matchStart(text: string, start: number, end: number, context: RequestContext): number {
    if (!text.startsWith(this.#prefix, start)) return noMatch;
    return matchForward(this.#segments[0] ?? [], text, start + this.#prefix.length, end, context);
  }

  /** Whether what follows the first segment matches from `offset` on. */
  #matchRest(text: string, from: number, end: number, context: RequestContext): boolean {
    const segments = this.#segments;
    const last = segments.length - 1;
    if (last === 0) return from === end;
    const tail = matchBackward(segments[last] ?? [], text, from, end, context);
    if (tail === noMatch) return false;
    let offset = from;
    for (let index = 1; index < last; index++) {
      offset = search(segments[index] ?? [], text, offset, tail, context);
      if (offset === noMatch) return false;
    }
    return true;
  }

  /** Whether every variable has a value. */
  resolves(context: RequestContext): boolean {
    return this.#keys.every((key) => substitute(key, context) !== undefined);
  }
}

/** Where the segment ends that starts at `offset`, or `noMatch`. */
function matchForward(segment: Segment, text: string, offset: number, end: number, context: RequestContext): number {
  for (let index = 0; index < segment.length; index++) {
    const piece = segment[index];
    if (piece === undefined) return noMatch;
    if (piece.isOne) {
      if (offset >= end) return noMatch;
      offset += isPair(text, offset) && offset + 1 < end ? 2 : 1;
    } else {
      const literal = piece.key === undefined ? piece.text : substitute(piece.key, context);
      if (literal === undefined || !text.startsWith(literal, offset)) return noMatch;
      offset += literal.length;
    }
  }
  return offset <= end ? offset : noMatch;
}

/** Where the segment starts that ends at `end`, not before `start`; or `noMatch`. */
function matchBackward(segment: Segment, text: string, start: number, end: number, context: RequestContext): number {
  let offset = end;
  for (let index = segment.length - 1; index >= 0; index--) {
    const piece = segment[index];
    if (piece === undefined) return noMatch;
    if (piece.isOne) offset -= offset - 2 >= start && isPair(text, offset - 2) ? 2 : 1;
    else {
      const literal = piece.key === undefined ? piece.text : substitute(piece.key, context);
      if (literal === undefined || !text.endsWith(literal, offset)) return noMatch;
      offset -= literal.length;
    }
    if (offset < start) return noMatch;
  }
  return offset;
}

/** Where the first occurrence of the segment between `start` and `end` ends, or `noMatch`. */
function search(segment: Segment, text: string, start: number, end: number, context: RequestContext): number {
  const pieces = resolveSegment(segment, context);
  const first = pieces?.[0];
  if (pieces === undefined) return noMatch;
  if (first === undefined) return start;
  for (let offset = start; offset <= end; offset++) {
    if (!first.isOne) {
      offset = text.indexOf(first.text, offset);
      if (offset === -1) return noMatch;
    }
    const stop = matchForward(pieces, text, offset, end, context);
    if (stop !== noMatch) return stop;
  }
  return noMatch;
}

/** The segment with values in place of its variables, so that a search looks each one up once. */
function resolveSegment(segment: Segment, context: RequestContext): Segment | undefined {
  if (segment.every((piece) => piece.key === undefined)) return segment;
  const resolved: Piece[] = [];
  for (const piece of segment) {
    const text = piece.key === undefined ? piece.text : substitute(piece.key, context);
    if (text === undefined) return undefined;
    resolved.push({ text, key: undefined, isOne: piece.isOne });
  }
  return resolved;
}

/** Whether a surrogate pair, one character in two units, stands at `offset`. */
function isPair(text: string, offset: number): boolean {
  return (text.charCodeAt(offset) & 0xfc00) === 0xd800 && (text.charCodeAt(offset + 1) & 0xfc00) === 0xdc00;
}
