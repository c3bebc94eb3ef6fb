/**
 * UTCTime and GeneralizedTime in the one form each that RFC 5280 §4.1.2.5 allows: seconds present, `Z` at the end, no
 * fraction, no offset. Times are whole seconds since 1970-01-01T00:00:00Z; no `Date` is made from text.
 */

import { Asn1Error } from "./errors.ts";

/**
 * Seconds of the `YYMMDDHHMMSSZ` in `bytes` from `start` to `end` (years 50 to 99 are 1950 to 1999), or
 * undefined if it has another form.
 */
export function decodeUtcTime(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start !== 13) return undefined;
  const year = twoDigits(bytes, start);
  return year < 0 ? undefined : decodeFields(bytes, start + 2, year < 50 ? 2000 + year : 1900 + year);
}

/** Seconds of the `YYYYMMDDHHMMSSZ` in `bytes` from `start` to `end`, or undefined if it has another form. */
export function decodeGeneralizedTime(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start !== 15) return undefined;
  const century = twoDigits(bytes, start);
  const year = twoDigits(bytes, start + 2);
  return century < 0 || year < 0 ? undefined : decodeFields(bytes, start + 4, century * 100 + year);
}

/** Whether RFC 5280 wants UTCTime for the time that `generalizedTimeText` wrote: in the years 1950 to 2049. */
export function isUtcTime(text: string): boolean {
  return text >= "1950" && text < "2050";
}

/** `YYYYMMDDHHMMSSZ` of a whole second within the years 0 to 9999. Throws `ERR_ASN1_VALUE` for others. */
export function generalizedTimeText(seconds: number): string {
  // Further from 1970 than this, Date has no text.
  const isTime = Number.isInteger(seconds) && Math.abs(seconds) < 1e12;
  const text = isTime ? new Date(seconds * 1000).toISOString().replaceAll(/[-:T]|\.000/g, "") : "";
  if (text.length === 15) return text;
  throw new Asn1Error("ERR_ASN1_VALUE", `${seconds} is no whole second of the years 0 to 9999, counted from 1970`, {});
}

/** Month to second and the `Z`, from `start`. */
function decodeFields(content: Uint8Array, start: number, year: number): number | undefined {
  const month = twoDigits(content, start);
  const day = twoDigits(content, start + 2);
  const hour = twoDigits(content, start + 4);
  const minute = twoDigits(content, start + 6);
  const second = twoDigits(content, start + 8);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  // Second 60 is a leap second. Like BoringSSL we read it as the first second of the next minute.
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return undefined;
  if (content[start + 10] !== 0x5a) return undefined;
  return daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
}

/** The value of two ASCII digits, or -1. */
function twoDigits(content: Uint8Array, start: number): number {
  const tens = (content[start] ?? 0) - 0x30;
  const units = (content[start + 1] ?? 0) - 0x30;
  return tens < 0 || tens > 9 || units < 0 || units > 9 ? -1 : tens * 10 + units;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Days from 1970-01-01 in the proleptic Gregorian calendar. Years start in March here. Then the leap day is the last
 * day of a year, and the number of days before month `m` is `(153 m + 2) / 5`.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const marchMonth = (month + 9) % 12;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((153 * marchMonth + 2) / 5) + day - 719_469;
}
