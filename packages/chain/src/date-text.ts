/** Times as dates, for evidence and sentences. */

/** `2026-11-23T12:00:00Z` (ISO 8601, UTC); the bare number where it is no time that a Date can hold. */
export function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace(".000Z", "Z");
}
