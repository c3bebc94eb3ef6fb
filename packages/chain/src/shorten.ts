/** Cutting what a peer wrote to a length that people read. */

/** Longer text is cut: a peer can have names of 100,000 characters, and the sentences go to logs. */
const maximumCharacters = 300;

/** A text, cut where it is long. */
export function shorten(text: string): string {
  const { length } = text;
  return length <= maximumCharacters
    ? text
    : `${text.slice(0, maximumCharacters).toWellFormed()}... (${length} characters)`;
}

function cut(value: unknown): unknown {
  return typeof value === "string" ? shorten(value) : value;
}

/** The evidence with its texts, and lists of texts, cut. */
export function shortened<Evidence extends object>(evidence: Evidence): Evidence {
  const entries = Object.entries(evidence).map(([name, value]: [string, unknown]) => [
    name,
    Array.isArray(value) ? value.map(cut) : cut(value),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each field has the type that it had
  return Object.fromEntries(entries) as Evidence;
}
