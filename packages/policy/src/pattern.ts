/**
 * The text of a policy taken apart: literal text, the wildcards `*` and `?`, and variables.
 *
 * Substituted text stays a value and never becomes a wildcard; `+` and `#` are ordinary characters.
 */

import { contextKey, type ContextKey } from "./context-key.ts";

/** `*` is any run of characters, also none and also across `/`; `?` is exactly one character. */
export type PatternToken =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "any" }
  | { readonly kind: "one" }
  | { readonly kind: "variable"; readonly key: ContextKey; readonly written: string };

/** What counts as special in a text. */
export interface PatternSyntax {
  readonly wildcards: boolean;
  /** `${...}`: since policy version 2012-10-17; in older ones it is literal text. */
  readonly variables: boolean;
}

/**
 * Takes `text` apart. `${*}`, `${?}` and `${$}` are those characters themselves (IAM), and so are `$(*)`, `$(?)` and
 * `$($)`, as the AWS IoT page prints them. A `${` that nothing closes is literal text.
 */
export function parsePattern(text: string, syntax: PatternSyntax): readonly PatternToken[] {
  const tokens: PatternToken[] = [];
  let literal = "";
  const push = (token: PatternToken): void => {
    if (literal !== "") tokens.push({ kind: "text", text: literal });
    literal = "";
    tokens.push(token);
  };
  for (let offset = 0; offset < text.length;) {
    plainPattern.lastIndex = offset;
    const plain = plainPattern.exec(text)?.[0] ?? text.charAt(offset);
    const [written, name] = syntax.variables && plain === "$" ? variableAt(text, offset) : [plain, undefined];
    if (syntax.wildcards && written === "*") push({ kind: "any" });
    else if (syntax.wildcards && written === "?") push({ kind: "one" });
    else if (name === undefined) literal += written;
    else if (name === "*" || name === "?" || name === "$") literal += name;
    else push({ kind: "variable", key: contextKey(name), written });
    offset += written.length;
  }
  if (literal !== "") tokens.push({ kind: "text", text: literal });
  return tokens;
}

/** A text that `parsePattern` takes apart into these tokens. */
export function patternText(tokens: readonly PatternToken[]): string {
  return tokens
    .map((token) => {
      if (token.kind === "text") return escapeLiteral(token.text);
      return token.kind === "variable" ? token.written : token.kind === "any" ? "*" : "?";
    })
    .join("");
}

/** Literal text, written so that nothing in it is taken for a wildcard or a variable. */
export function escapeLiteral(text: string): string {
  return text.replaceAll(/[*?]|\$(?=[{(])/g, "${$&}");
}

/** The variable or escape that starts at a `$`, as written and its name; just the `$` where there is none. */
function variableAt(text: string, offset: number): readonly [string, string | undefined] {
  variablePattern.lastIndex = offset;
  const match = variablePattern.exec(text);
  return match === null ? ["$", undefined] : [match[0], match[1] ?? match[2]];
}

/** Text without anything special. */
const plainPattern = /[^*?$]+/y;
const variablePattern = /\$\{([^{}]+)\}|\$\(([*?$])\)/y;
