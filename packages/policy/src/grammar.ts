/**
 * Reading the members of JSON objects by a grammar, collecting every fault with its place instead of stopping at the
 * first.
 */

import { type ErrorList, type Location, type PolicyErrorCode } from "./errors.ts";
import { locate, memberPath, type JsonNode, type JsonObject } from "./json.ts";

/** A node together with its path. */
export interface Located {
  readonly node: JsonNode;
  readonly at: Location;
}

/** The members of one object, taken out by name. */
export class MemberReader {
  readonly at: Location;
  readonly #members = new Map<string, Located>();
  readonly #errors: ErrorList;

  constructor(object: JsonObject, at: Location, known: readonly string[], errors: ErrorList) {
    this.at = at;
    this.#errors = errors;
    for (const { name, value } of object.members) {
      const path = memberPath(at.path, name.text);
      if (!known.includes(name.text)) {
        errors.add("ERR_POLICY_UNKNOWN_ELEMENT", locate(name, path), unknownMember(name.text, known));
      } else this.#members.set(name.text, { node: value, at: locate(value, path) });
    }
  }

  take(name: string): Located | undefined {
    return this.#members.get(name);
  }

  /** A required member; its absence is an error. */
  require(name: string): Located | undefined {
    const found = this.take(name);
    if (found === undefined) this.#errors.add("ERR_POLICY_MISSING_ELEMENT", this.at, `${name} is missing`);
    return found;
  }

  /** The text of an optional member that is a string. */
  text(name: string): string | undefined {
    const found = this.take(name);
    return found === undefined ? undefined : textOf(found, name, this.#errors);
  }
}

/** The text of a string; any other type is an error. */
export function textOf(found: Located, what: string, errors: ErrorList): string | undefined {
  if (found.node.kind === "string") return found.node.text;
  errors.add("ERR_POLICY_TYPE", found.at, `${what} has to be a string, not ${describe(found.node)}`);
  return undefined;
}

/** The members of an object; any other type is an error. */
export function membersOf(
  found: Located,
  what: string,
  known: readonly string[],
  errors: ErrorList,
): MemberReader | undefined {
  if (found.node.kind === "object") return new MemberReader(found.node, found.at, known, errors);
  errors.add("ERR_POLICY_TYPE", found.at, `${what} has to be an object, not ${describe(found.node)}`);
  return undefined;
}

/** The items of an array, or the single value that may stand in its place. */
export function itemsOf(found: Located): readonly Located[] {
  const { node, at } = found;
  if (node.kind !== "array") return [found];
  return node.items.map((item, index) => ({ node: item, at: locate(item, `${at.path}[${index}]`) }));
}

/** Reports `code` when `items` is empty. */
export function refuseEmpty(found: Located, items: readonly unknown[], what: string, errors: ErrorList): void {
  const code: PolicyErrorCode = "ERR_POLICY_EMPTY";
  if (items.length === 0) errors.add(code, found.at, `${what} is empty`);
}

export function describe(node: JsonNode): string {
  return node.kind === "null"
    ? "null"
    : node.kind === "array" || node.kind === "object"
      ? `an ${node.kind}`
      : `a ${node.kind}`;
}

function unknownMember(name: string, known: readonly string[]): string {
  const meant = known.find((one) => one.toLowerCase() === name.toLowerCase());
  return meant === undefined ? `${shorten(name)} is not known here` : `${name} is written ${meant}`;
}

/** A text for a message, cut where it is long. */
export function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
