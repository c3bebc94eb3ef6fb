/** Names that an object of a JSON text has more than once: `JSON.parse` takes the last and says nothing (RFC 8259 §4 leaves it open). */

/** An object or a list that has begun. */
interface Open {
  readonly path: string;
  /** Undefined for a list. */
  readonly names: Set<string> | undefined;
  /** The member, or the place in the list, that is being read. */
  at: string | number;
  isNameNext: boolean;
}

/** Strings and what gives the text its form; numbers and words have no part in it. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;

/** The paths of all members that stand twice, with dots, in their order. `json` has to be valid. */
export function duplicateMembers(json: string): string[] {
  const found: string[] = [];
  const open: Open[] = [];
  for (const [text] of json.matchAll(token)) {
    const inner = open.at(-1);
    if (text === "{" || text === "[") {
      const isObject = text === "{";
      const path = inner === undefined ? "" : pathOf(inner.path, inner.at);
      open.push({ path, names: isObject ? new Set() : undefined, at: 0, isNameNext: isObject });
    } else if (text === "}" || text === "]") open.pop();
    else if (inner === undefined) continue;
    else if (text !== ",") readString(inner, text, found);
    else if (typeof inner.at === "number") inner.at += 1;
    else inner.isNameNext = true;
  }
  return found;
}

function readString(inner: Open, text: string, found: string[]): void {
  const { names } = inner;
  if (names === undefined || !inner.isNameNext) return;
  // Escapes: "port" and "\u0070ort" are one name.
  const name = String(JSON.parse(text));
  inner.at = name;
  inner.isNameNext = false;
  if (names.has(name)) found.push(pathOf(inner.path, name));
  names.add(name);
}

function pathOf(path: string, member: string | number): string {
  return path === "" ? `${member}` : `${path}.${member}`;
}
