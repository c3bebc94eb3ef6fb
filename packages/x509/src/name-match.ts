/**
 * Comparing names by RFC 5280 §7.1.
 *
 * Two names match where their sets match in order; two sets where they hold the same attributes in any order; two
 * values where they are the same text after the string preparation of RFC 4518, whichever string types carry them.
 * The idea here: prepare each set once into a string that is equal exactly for matching sets. So comparing is string
 * comparison, and pools of certificates can be indexed by name.
 *
 * Of RFC 4518 we do case folding, NFKC and insignificant spaces; not its list of characters that map to nothing.
 * TeletexString, malformed strings, text with more than 30 marks in a row and values that are no strings match only the
 * same octets under the same tag.
 */

import { equalBytes } from "@latchkey/asn1";
import { hexText } from "./hex-text.ts";
import type { Name, NameAttribute, RelativeDistinguishedName } from "./name.ts";

/** Whether two names are the same by RFC 5280 §7.1. */
export function namesMatch(a: Name, b: Name): boolean {
  if (equalBytes(a.encoding, b.encoding)) return true;
  return a.rdns.length === b.rdns.length && startsWith(a, b);
}

/** Whether `name` lies within the subtree of `base`: its first sets are those of `base` (RFC 5280 §4.2.1.10). */
export function nameIsInSubtree(name: Name, base: Name): boolean {
  return name.rdns.length >= base.rdns.length && startsWith(name, base);
}

/** A string that is equal for two names exactly where they match; a key for maps. */
export function nameKey(name: Name): string {
  return name.rdns.map(rdnKey).join("\n");
}

/** Whether the first sets of `name` match all of `base`, which has no more. */
function startsWith(name: Name, base: Name): boolean {
  return base.rdns.every((rdn, index) => {
    const other = name.rdns[index];
    return other !== undefined && other.length === rdn.length && rdnKey(other) === rdnKey(rdn);
  });
}

/** Keys hold no line feed and no `+` of their own, for both stand for structure. */
function rdnKey(rdn: RelativeDistinguishedName): string {
  const [only] = rdn;
  if (rdn.length === 1 && only !== undefined) return attributeKey(only);
  return rdn.map(attributeKey).sort().join("+");
}

function attributeKey({ type, valueTag, value, text, isMalformed }: NameAttribute): string {
  const prepared = text === undefined || isMalformed ? undefined : prepare(text);
  return prepared === undefined
    ? `${hexText(type)}#${valueTag}:${hexText(value)}`
    : `${hexText(type)}=${structural.test(prepared) ? prepared.replaceAll(/[\n+\\]/g, escaped) : prepared}`;
}

const structural = /[\n+\\]/;

function escaped(character: string): string {
  return character === "\n" ? "\\n" : `\\${character === "+" ? "p" : "\\"}`;
}

/**
 * RFC 4518 §2: case folded, normalised, spaces at the ends dropped and runs of them made one. Undefined for text that
 * cannot be normalised in linear time.
 */
function prepare(text: string): string | undefined {
  let folded: string;
  if (isAscii(text)) folded = text.toLowerCase();
  else if (text.length > 30 && manyMarks.test(text)) return undefined;
  else folded = text.normalize("NFKC").toLowerCase().normalize("NFKC");
  const single = folded.includes("  ") ? folded.replaceAll(/ {2,}/g, " ") : folded;
  return single.slice(single.startsWith(" ") ? 1 : 0, single.endsWith(" ") ? -1 : undefined);
}

/**
 * More than 30 marks in a row, which no writing has (UAX #15 §13, Stream-Safe Text Format). Normalisation sorts such a run by
 * insertion, so 120,000 octets of it take seconds. The two halfwidth letters become marks. A run is tried at its start
 * only, so that this is linear, too.
 */
const manyMarks = /(?<![\p{M}\uff9e\uff9f])[\p{M}\uff9e\uff9f]{31}/u;

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
