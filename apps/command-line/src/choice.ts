/** Values of which only some words are possible, and the refusal of other words. */

import { distance } from "fastest-levenshtein";
import { UsageError } from "./errors.ts";

/** The possible word that a mistyped one is most like, or undefined where none is like it. */
export function nearest(typed: string, possible: readonly string[]): string | undefined {
  let best: string | undefined;
  // One wrong letter of three is a mistyped word: "otu" means "out", and "stat" does not mean "start port".
  let bestDistance = Math.max(2, Math.floor(typed.length / 3)) + 1;
  for (const word of possible) {
    const found = distance(typed.toLowerCase(), word.toLowerCase());
    if (found >= bestDistance || found >= Math.max(typed.length, word.length)) continue;
    best = word;
    bestDistance = found;
  }
  return best;
}

/** ` Did you mean X?`, or nothing where no possible word is near. `show` makes of a word what is to be typed. */
export function suggestion(
  typed: string,
  possible: readonly string[],
  show: (word: string) => string = (word) => word,
): string {
  const word = nearest(typed, possible);
  return word === undefined ? "" : ` Did you mean ${show(word)}?`;
}

/**
 * The possible value that was typed for `flag`, in any letter case. Throws `UsageError`, which names the option, the
 * value, the nearest and all possible values.
 */
export function oneOf<const T extends string>(flag: string, typed: string, possible: readonly T[]): T {
  const found = possible.find((one) => one.toLowerCase() === typed.toLowerCase());
  if (found !== undefined) return found;
  throw notPossible(flag, typed, possible);
}

/** The refusal of a value that is none of the possible ones. */
export function notPossible(flag: string, typed: string, possible: readonly string[]): UsageError {
  const values = `Possible values: ${possible.join(", ")}.`;
  return new UsageError(`--${flag} ${JSON.stringify(typed)} is not possible.${suggestion(typed, possible)} ${values}`);
}
