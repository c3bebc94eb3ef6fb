/**
 * A Resource element, and the value of an Arn condition: an ARN whose segments may hold wildcards and variables.
 *
 * The first five segments are matched one by one, so that a `*` in the account cannot swallow the rest; the resource
 * behind them is one pattern. A lone `*` matches anything, also the resource `*` of actions that have none.
 */

import type { RequestContext } from "./context.ts";
import { Glob } from "./glob.ts";
import type { PatternToken } from "./pattern.ts";

const headSegments = 5;

export class ResourcePattern {
  readonly #isEverything: boolean;
  /** Patterns of the first five segments; undefined where they are literal and stand at the front of `#tail`. */
  readonly #head: readonly Glob[] | undefined;
  readonly #tail: Glob;

  /** `tokens` of a text for which `isResourceText` holds. */
  constructor(tokens: readonly PatternToken[]) {
    this.#isEverything = tokens.length > 0 && tokens.every((token) => token.kind === "any");
    const segments = splitArn(tokens);
    const isLiteral = segments
      .slice(0, headSegments)
      .every((segment) => segment.length > 0 && segment.every((token) => token.kind === "text"));
    const isWhole = isLiteral && segments.length > headSegments;
    this.#head = isWhole
      ? undefined
      : Array.from({ length: headSegments }, (_, index) => new Glob(segments[index] ?? [{ kind: "any" }]));
    this.#tail = new Glob(isWhole ? tokens : (segments[headSegments] ?? [{ kind: "any" }]));
  }

  matches(resource: string, context: RequestContext): boolean {
    if (this.#isEverything) return true;
    const head = this.#head;
    if (head === undefined) return this.#tail.matches(resource, 0, resource.length, context);
    let offset = 0;
    for (const segment of head) {
      const colon = resource.indexOf(":", offset);
      if (colon === -1 || !segment.matches(resource, offset, colon, context)) return false;
      offset = colon + 1;
    }
    return this.#tail.matches(resource, offset, resource.length, context);
  }

  resolves(context: RequestContext): boolean {
    return this.#tail.resolves(context) && (this.#head?.every((segment) => segment.resolves(context)) ?? true);
  }
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
