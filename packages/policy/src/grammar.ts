/**
 * Reading the members of JSON objects by a grammar, collecting every fault with its place instead of stopping at the
 * first.
 */

import { shorten, type ErrorList, type JsonType, type Location } from "./errors.ts";
import { locate, memberPath, type JsonNode, type JsonObject } from "./json.ts";
import { nearestName } from "./spelling.ts";

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
        const message = unknownMember(name.text, known);
        const fault = { code: "ERR_POLICY_UNKNOWN_ELEMENT", message, member: name.text, allowed: known } as const;
        errors.add(locate(name, path), fault);
      } else this.#members.set(name.text, { node: value, at: locate(value, path) });
    }
  }

  take(name: string): Located | undefined {
    return this.#members.get(name);
  }

  /** A required member; its absence is an error. */
  require(name: string): Located | undefined {
    const found = this.take(name);
    if (found === undefined) {
      const message = `${name} is missing`;
      this.#errors.add(this.at, { code: "ERR_POLICY_MISSING_ELEMENT", message, allowed: [name] });
    }
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
  refuseType(found, `${what} has to be a string`, ["string"], errors);
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
  refuseType(found, `${what} has to be an object`, ["object"], errors);
  return undefined;
}

/** The items of an array, or the single value that may stand in its place. */
export function itemsOf(found: Located): readonly Located[] {
  const { node, at } = found;
  if (node.kind !== "array") return [found];
  return node.items.map((item, index) => ({ node: item, at: locate(item, `${at.path}[${index}]`) }));
}

/** Reports a value of the wrong type; `rule` is the sentence that says which is right. */
export function refuseType(
  { node, at }: Located,
  rule: string,
  allowed: readonly JsonType[],
  errors: ErrorList,
): undefined {
  const message = `${rule}, not ${describe(node)}`;
  errors.add(at, { code: "ERR_POLICY_TYPE", message, found: node.kind, allowed });
}

/** Reports `ERR_POLICY_EMPTY` when `items` is empty. */
export function refuseEmpty(found: Located, items: readonly unknown[], what: string, errors: ErrorList): void {
  const message = `${what} is empty: list at least one`;
  if (items.length === 0) errors.add(found.at, { code: "ERR_POLICY_EMPTY", message, member: what });
}

function describe(node: JsonNode): string {
  return node.kind === "null"
    ? "null"
    : node.kind === "array" || node.kind === "object"
      ? `an ${node.kind}`
      : `a ${node.kind}`;
}

function unknownMember(name: string, known: readonly string[]): string {
  const meant = known.find((one) => one.toLowerCase() === name.toLowerCase());
  if (meant !== undefined) return `${name} is written ${meant}`;
  const near = nearestName(name, known);
  const allowed = near === undefined ? `one of ${known.join(", ")} was expected` : `write ${near}`;
  return `${shorten(name)} is not known here: ${allowed}`;
}
