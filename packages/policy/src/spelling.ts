/** The name that was probably meant, by edit distance; for suggestions. */

/**
 * The name nearest to `written`, without regard to case; `undefined` where none is near. A name whose last part is exactly
 * what was written last, such as `iot:Connection.Thing.ThingName` for `iot:ThingName`, comes first.
 */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  const folded = written.toLowerCase();
  const last = lastPart(folded);
  const exact = names.filter((name) => lastPart(name.toLowerCase()) === last);
  const candidates = exact.length > 0 ? exact : names;
  // What is further away than this is not near, and not measured.
  const near = Math.max(1, Math.floor(written.length / 5));
  let nearest: string | undefined;
  let best = exact.length > 0 ? Number.POSITIVE_INFINITY : near + 1;
  for (const name of candidates) {
    const distance = editDistance(folded, name.toLowerCase(), best);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

function lastPart(name: string): string {
  return name.slice(Math.max(name.lastIndexOf("."), name.lastIndexOf(":")) + 1);
}

/** How many characters have to be added, removed or replaced (Levenshtein); at most `limit` is of interest. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? limit;
}
