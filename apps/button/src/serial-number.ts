/**
 * Serial numbers (DSN) of AWS IoT Buttons, by the pattern in AWS's CloudFormation template for the button:
 * `G030[A-Z][A-Z][0=9][0-9][0-9][0-5][0-9][1-7]` and four of `[0-9A-HJ-NP-X]`. Its `[0=9]` is read as `[0-9]`, since the serial
 * numbers in AWS's documents have other digits there.
 */

import { randomInt } from "node:crypto";
import { UsageError } from "@latchkey/command-line";

const pattern = /^G030[A-Z]{2}[0-9]{3}[0-5][0-9][1-7][0-9A-HJ-NP-X]{4}$/;
/** The characters of the last part: no I and O, which look like digits. */
const tailCharacters = "0123456789ABCDEFGHJKLMNPQRSTUVWX";

/** Whether a text is the serial number of an AWS IoT Button. */
export function isSerialNumber(text: string): boolean {
  return pattern.test(text);
}

/** The serial number that was typed for `--serial`. Throws `UsageError`. */
export function serialNumberOf(typed: string): string {
  if (isSerialNumber(typed)) return typed;
  throw new UsageError(
    `--serial ${JSON.stringify(typed)} is not possible: the serial number of a button has 16 characters, for instance ` +
      "G030JF055364XVRB: G030, two letters, six digits (the fourth 0 to 5, the sixth 1 to 7) and four of 0 to 9 and A to X " +
      'without I and O. "latchkey-button provision" makes one',
  );
}

/** A new serial number with the prefix of the buttons that were sold. `random` gives a whole number from 0 up to, not including, its argument. */
export function makeSerialNumber(random: (below: number) => number = randomInt): string {
  const digits = [random(10), random(6), random(10), 1 + random(7)].join("");
  const tail = Array.from({ length: 4 }, () => tailCharacters.charAt(random(tailCharacters.length))).join("");
  return `G030JF05${digits}${tail}`;
}
