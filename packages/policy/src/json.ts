/**
 * A strict JSON reader (RFC 8259) that keeps what JSON.parse drops: where each value stands, and members that occur
 * twice.
 */

import { shorten, type ErrorList, type Location } from "./errors.ts";

/** A JSON value with its place. Numbers keep their text, so that nothing is lost to rounding. */
export type JsonNode = JsonObject | JsonArray | JsonString | JsonLiteral;

interface JsonPlace {
  readonly line: number;
  readonly column: number;
}

/** An object; a member that occurs twice stands twice. */
export interface JsonObject extends JsonPlace {
  readonly kind: "object";
  readonly members: readonly JsonMember[];
}

/** One member of an object. */
export interface JsonMember {
  readonly name: JsonString;
  readonly value: JsonNode;
}

interface JsonArray extends JsonPlace {
  readonly kind: "array";
  readonly items: readonly JsonNode[];
}

interface JsonString extends JsonPlace {
  readonly kind: "string";
  readonly text: string;
}

interface JsonLiteral extends JsonPlace {
  readonly kind: "number" | "boolean" | "null";
  readonly text: string;
}

/** Nesting that no valid document reaches: the deepest, a condition value, lies at 7. */
const maximumDepth = 32;

/** Reads `text`; `undefined` where it is not JSON, with the reason in `errors`. Duplicate members are errors too. */
export function readJson(text: string, errors: ErrorList): JsonNode | undefined {
  const reader = new JsonReader(text, errors);
  try {
    return reader.document();
  } catch (error) {
    if (error !== unreadable) throw error;
    return undefined;
  }
}

/** The JSON text of a document; `undefined` where an object cannot be written as JSON, with the reason in `errors`. */
export function documentText(document: string | object, errors: ErrorList): string | undefined {
  if (typeof document === "string") return document;
  let text: unknown;
  let reason = "it is no value that JSON has";
  try {
    text = JSON.stringify(document, undefined, 2);
  } catch (error) {
    // A cycle, a bigint, or a toJSON or getter that throws.
    if (error instanceof Error) reason = error.message.split("\n", 1)[0] ?? reason;
  }
  if (typeof text === "string") return text;
  const message = `the document cannot be written as JSON: ${reason}; give it as text or as plain objects`;
  errors.add({ path: "$", line: 1, column: 1 }, { code: "ERR_POLICY_JSON", message });
  return undefined;
}

/** The location of a node, given the path that led to it. */
export function locate(node: JsonPlace, path: string): Location {
  return { path, line: node.line, column: node.column };
}

/** `path` with a member's name behind it. */
export function memberPath(path: string, name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

/** Thrown inside the reader once the fault is in the list. */
const unreadable: unique symbol = Symbol("unreadable");

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** Everything up to the next quote, backslash or control character. */
// oxlint-disable-next-line no-control-regex -- RFC 8259 §7: control characters have to be escaped
const plainPattern = /[^"\\\u0000-\u001f]*/y;
const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

class JsonReader {
  readonly #text: string;
  readonly #errors: ErrorList;
  #offset = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string, errors: ErrorList) {
    this.#text = text;
    this.#errors = errors;
  }

  document(): JsonNode {
    if (this.#text.charCodeAt(0) === 0xfeff) {
      this.#fail(
        "$",
        "the text starts with a byte order mark (U+FEFF), which JSON does not allow: save it without one",
      );
    }
    const root = this.#value("$", 0);
    this.#skipSpace();
    if (this.#offset < this.#text.length) this.#fail("$", "there is text behind the end of the document");
    return root;
  }

  #value(path: string, depth: number): JsonNode {
    this.#skipSpace();
    const character = this.#text[this.#offset];
    if (character === "{" || character === "[") {
      if (depth >= maximumDepth) {
        const message = `nested deeper than ${maximumDepth} levels`;
        this.#errors.add(this.#here(path), { code: "ERR_POLICY_DEPTH", message, limit: maximumDepth });
        throw unreadable;
      }
      return character === "{" ? this.#object(path, depth) : this.#array(path, depth);
    }
    return character === '"' ? this.#string(path) : this.#literal(path);
  }

  #object(path: string, depth: number): JsonObject {
    const place = this.#place();
    const members: JsonMember[] = [];
    const names = new Set<string>();
    this.#offset++;
    for (this.#skipSpace(); !this.#take("}"); this.#separator(path, "}")) {
      if (this.#text[this.#offset] !== '"') this.#fail(path, "a member's name in quotes was expected");
      const name = this.#string(path);
      const inner = memberPath(path, name.text);
      if (names.has(name.text)) {
        const message = `${shorten(name.text)} occurs twice in this object: keep one of the two`;
        this.#errors.add(locate(name, inner), { code: "ERR_POLICY_DUPLICATE_MEMBER", message, member: name.text });
      }
      names.add(name.text);
      this.#skipSpace();
      if (!this.#take(":")) this.#fail(inner, "a colon was expected");
      members.push({ name, value: this.#value(inner, depth + 1) });
    }
    return { kind: "object", members, ...place };
  }

  #array(path: string, depth: number): JsonArray {
    const place = this.#place();
    const items: JsonNode[] = [];
    this.#offset++;
    for (this.#skipSpace(); !this.#take("]"); this.#separator(path, "]")) {
      items.push(this.#value(`${path}[${items.length}]`, depth + 1));
    }
    return { kind: "array", items, ...place };
  }

  /** Behind an item: the closing bracket comes next, or a comma and then another item. */
  #separator(path: string, close: string): void {
    this.#skipSpace();
    if (this.#take(",")) {
      this.#skipSpace();
      if (this.#text[this.#offset] === close) this.#fail(path, "nothing follows the comma");
    } else if (this.#text[this.#offset] !== close) this.#fail(path, `a comma or ${close} was expected`);
  }

  #string(path: string): JsonString {
    const place = this.#place();
    this.#offset++;
    let text = this.#match(plainPattern);
    for (;;) {
      if (this.#take('"')) break;
      if (!this.#take("\\")) this.#fail(path, "the string is not closed, or holds a control character");
      const letter = this.#text[this.#offset++] ?? "";
      text += letter === "u" ? this.#codeUnit(path) : (escapes.get(letter) ?? this.#fail(path, "unknown escape"));
      text += this.#match(plainPattern);
    }
    if (!text.isWellFormed()) this.#fail(path, "half of a surrogate pair is not a character");
    return { kind: "string", text, ...place };
  }

  #codeUnit(path: string): string {
    const digits = this.#match(/[0-9a-fA-F]{4}/y);
    if (digits === "") this.#fail(path, "four hexadecimal digits were expected");
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #literal(path: string): JsonLiteral {
    const place = this.#place();
    const word = this.#match(/true|false|null/y);
    if (word !== "") return { kind: word === "null" ? "null" : "boolean", text: word, ...place };
    const number = this.#match(numberPattern);
    if (number === "") this.#fail(path, "a value was expected");
    return { kind: "number", text: number, ...place };
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#offset += found.length;
    return found;
  }

  #take(character: string): boolean {
    if (this.#text[this.#offset] !== character) return false;
    this.#offset++;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#offset);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#offset++;
      if (code === 0x0a) {
        this.#line++;
        this.#lineStart = this.#offset;
      }
    }
  }

  #place(): JsonPlace {
    return { line: this.#line, column: this.#offset - this.#lineStart + 1 };
  }

  #here(path: string): Location {
    return locate(this.#place(), path);
  }

  #fail(path: string, message: string): never {
    this.#errors.add(this.#here(path), { code: "ERR_POLICY_JSON", message });
    throw unreadable;
  }
}
