/** Values of options that have a form of their own. */

import { UsageError } from "@latchkey/command-line";

/** A port. Throws `UsageError`. */
export function portOf(flag: string, typed: string): number {
  return wholeNumber(flag, typed, 1, 65_535);
}

/** A whole number. Throws `UsageError`. */
export function wholeNumber(flag: string, typed: string, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(typed) ? Number(typed) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(
    `--${flag} ${JSON.stringify(typed)} is not possible: it is a whole number from ${least} to ${most}`,
  );
}
