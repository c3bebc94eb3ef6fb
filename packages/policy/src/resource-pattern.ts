/**
 * A Resource element, and the value of an Arn condition: an ARN whose segments may hold wildcards and variables.
 *
 * The first five segments end at colons, and a wildcard inside one of them matches no colon. Only a `*` that ends a segment
 * can run across colons (IAM guide, "Resource element"), so `arn:aws:iot:*:topic/a` reaches the topic of every region and
 * account. Behind the fifth colon `*` and `?` match anything. A lone `*` matches also the resource `*` of actions that
 * have none.
 */

import { resourceOffset } from "./arn.ts";
import type { RequestContext } from "./context.ts";
import { Glob } from "./glob.ts";
import { parsePattern, type PatternToken } from "./pattern.ts";

const headSegments = 5;

/**
 * Takes the text of an ARN pattern apart. Variables stand for something only behind the fifth colon (IAM guide, "Policy
 * variables": where variables can be used); in front of it they are text.
 */
export function parseArnPattern(text: string, variables: boolean): readonly PatternToken[] {
  const tail = resourceOffset(text);
  if (!variables || !text.includes("$")) return parsePattern(text, { wildcards: true, variables: false });
  if (tail === -1) return parsePattern(text, { wildcards: true, variables: false });
  const head = parsePattern(text.slice(0, tail), { wildcards: true, variables: false });
  return [...head, ...parsePattern(text.slice(tail), { wildcards: true, variables })];
}

/** One of the segments in front of the last. */
interface HeadSegment {
  readonly glob: Glob;
  /** Whether it ends with a `*` that can run across colons. */
  readonly isOpen: boolean;
}

/** A resource made ready for matching. */
export class ResourcePattern {
  /** Literal text that every match starts with. */
  readonly literalStart: string;
  readonly #isEverything: boolean;
  /** Undefined where one search from left to right is enough, as no wildcard in the head has to stop at a colon. */
  readonly #head: readonly HeadSegment[] | undefined;
  readonly #tail: Glob;

  /**
   * `tokens` of a text for which `isResourceText` holds. `runsOver`: whether a `*` that ends a segment can run across colons;
   * it can in Resource elements, and cannot in the values of Arn operators, which compare segment by segment (IAM).
   */
  constructor(tokens: readonly PatternToken[], runsOver = true) {
    this.#isEverything = tokens.length > 0 && tokens.every((token) => token.kind === "any");
    const segments = splitArn(tokens);
    const last = segments.length - 1;
    const head = segments.slice(0, last).map((segment) => {
      const isOpen = runsOver && segment.at(-1)?.kind === "any";
      const isPlain = (isOpen ? segment.slice(0, -1) : segment).every(({ kind }) => kind === "text");
      return { segment, isOpen, isPlain };
    });
    // Segments that are missing at the end stand for `*` (IAM), unless an open one before has already run over them.
    const isShort = last < headSegments && !head.some(({ isOpen }) => isOpen);
    const missing: PatternToken[] = isShort ? [{ kind: "text", text: ":" }, { kind: "any" }] : [];
    const isPlain = head.every((segment) => segment.isPlain);
    this.#head = isPlain ? undefined : head.map(({ segment, isOpen }) => ({ glob: new Glob(segment), isOpen }));
    const behind = isPlain ? tokens : (segments[last] ?? []);
    const endsOpen = runsOver && tokens.at(-1)?.kind === "any";
    this.#tail = new Glob(endsOpen ? behind : [...behind, ...missing]);
    this.literalStart = tokens[0]?.kind === "text" ? tokens[0].text : "";
  }

  matches(resource: string, context: RequestContext): boolean {
    if (this.#isEverything) return true;
    if (this.#head === undefined) return this.#tail.matches(resource, 0, resource.length, context);
    return this.#tail.matchesFrom(resource, startsBehind(this.#head, resource, context), context);
  }

  /** Whether every variable has a value. */
  resolves(context: RequestContext): boolean {
    return this.#tail.resolves(context);
  }
}

/** Every offset behind a colon up to which the head matches, in ascending order. */
function startsBehind(head: readonly HeadSegment[], resource: string, context: RequestContext): readonly number[] {
  let starts: readonly number[] = [0];
  for (const { glob, isOpen } of head) {
    const next: number[] = [];
    for (const start of starts) {
      let colon = resource.indexOf(":", start);
      if (colon === -1) break;
      if (!glob.matches(resource, start, colon, context)) continue;
      next.push(colon + 1);
      if (!isOpen) continue;
      // The segment may end at every later colon, too, so no later start adds anything.
      while ((colon = resource.indexOf(":", colon + 1)) !== -1) next.push(colon + 1);
      break;
    }
    starts = next;
  }
  return starts;
}

/** Whether a text can be a resource: only `*`s, or an ARN. Segments that are missing at its end stand for `*` (IAM). */
export function isResourceText(text: string): boolean {
  return /^\*+$/.test(text) || /^arn:./.test(text);
}

/** The tokens of each segment: at most six, as the last keeps its colons. */
export function splitArn(tokens: readonly PatternToken[]): PatternToken[][] {
  const segments: PatternToken[][] = [[]];
  for (const token of tokens) {
    let rest = token.kind === "text" ? token.text : "";
    if (token.kind !== "text") segments.at(-1)?.push(token);
    while (rest !== "") {
      const colon = segments.length > headSegments ? -1 : rest.indexOf(":");
      const text = colon === -1 ? rest : rest.slice(0, colon);
      if (text !== "") segments.at(-1)?.push({ kind: "text", text });
      if (colon !== -1) segments.push([]);
      rest = colon === -1 ? "" : rest.slice(colon + 1);
    }
  }
  return segments;
}
