/** Values of options that have a form of their own. */

import { isIP } from "node:net";
import { UsageError } from "@latchkey/command-line";

/** A whole number. Throws `UsageError`. */
export function wholeNumber(flag: string, typed: string, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(typed) ? Number(typed) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(
    `--${flag} ${JSON.stringify(typed)} is not possible: it is a whole number from ${least} to ${most}`,
  );
}

/** The parts of a list with commas. */
export function listOf(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((item) => item !== "");
}

/** Names for the server's certificate, separated by commas: IP addresses and DNS names, the first label may be `*`. Throws `UsageError`. */
export function serverNamesOf(typed: string | undefined): string[] {
  const names = listOf(typed);
  for (const name of names) {
    if (isIP(name) !== 0 || (name.length <= 253 && dnsName.test(name))) continue;
    throw new UsageError(
      `--name ${JSON.stringify(name)} is not possible: it is an IP address, or a DNS name in ASCII, for instance broker.example`,
    );
  }
  return names;
}

/** RFC 1123 §2.1: letters, digits and hyphens; the underscore is not a host's, but in use. */
const dnsName = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** An account as it stands in ARNs: 12 digits. Throws `UsageError`. */
export function accountOf(typed: string): string {
  if (/^\d{12}$/.test(typed)) return typed;
  throw new UsageError(
    `--account ${JSON.stringify(typed)} is not possible: it is 12 digits, for instance 000000000000`,
  );
}

/** The ID of a certificate: 64 hexadecimal digits. Throws `UsageError`. */
export function certificateIdOf(flag: string, typed: string | undefined): string | undefined {
  if (typed === undefined || /^[0-9a-f]{64}$/.test(typed)) return typed;
  throw new UsageError(
    `--${flag} ${JSON.stringify(typed)} is not possible: it is the 64 hexadecimal digits of a certificate's ID`,
  );
}

/** A region as it stands in ARNs: small letters, digits and hyphens. Throws `UsageError`. */
export function regionOf(typed: string): string {
  if (/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(typed) && typed.length <= maximumRegionLength) return typed;
  throw new UsageError(
    `--region ${JSON.stringify(typed)} is not possible: it is small letters, digits and hyphens, for instance us-east-1`,
  );
}

/** Longer than any region of AWS, so that names in ARNs stay short. */
const maximumRegionLength = 32;
