/** Reads fields of an object that came out of a file: each has the type that is asked for or is absent. */

import { ResultFileError } from "./errors.ts";

/** Items of one list: a day has 86,400 seconds, and each is one. */
const mostItems = 100_000;

/** An object in a file. */
export class Fields {
  readonly #file: string;
  readonly #at: string;
  readonly #object: Readonly<Record<string, unknown>>;

  /** Throws `ERR_RESULT_FILE_SHAPE` where `value` is no object. */
  constructor(file: string, at: string, value: unknown) {
    this.#file = file;
    this.#at = at;
    if (!isObject(value)) throw this.#shape(at, "an object", value);
    this.#object = value;
  }

  /** A text that has to be there. */
  text(name: string): string {
    const value = this.#object[name];
    if (typeof value !== "string") throw this.#shape(this.#path(name), "a text", value);
    return value;
  }

  /** A text, or null for anything else. */
  optionalText(name: string): string | null {
    const value = this.#object[name];
    return typeof value === "string" ? value : null;
  }

  /** A finite number, or null for anything else. */
  number(name: string): number | null {
    const value = this.#object[name];
    return isNumber(value) ? value : null;
  }

  /** A finite number that has to be there. */
  requiredNumber(name: string): number {
    return this.number(name) ?? fail(this.#shape(this.#path(name), "a number", this.#object[name]));
  }

  /** Two numbers in ascending order, or null for anything else. */
  interval(name: string): readonly [number, number] | null {
    const value = this.#object[name];
    if (!Array.isArray(value)) return null;
    const [low, high]: unknown[] = value;
    return isNumber(low) && isNumber(high) && low <= high ? [low, high] : null;
  }

  flag(name: string): boolean {
    return this.#object[name] === true;
  }

  texts(name: string): string[] {
    const value = this.#object[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  }

  /** Pairs of numbers; others are left out. */
  pairs(name: string): (readonly [number, number])[] {
    const value: unknown = this.#object[name];
    if (!Array.isArray(value)) return [];
    this.#checkLength(name, value);
    return value.flatMap((item: unknown) => {
      if (!Array.isArray(item)) return [];
      const [first, second]: unknown[] = item;
      return isNumber(first) && isNumber(second) ? [[first, second] as const] : [];
    });
  }

  /** The object under a name, or null where there is none. */
  object(name: string): Fields | null {
    const value = this.#object[name];
    return isObject(value) ? new Fields(this.#file, this.#path(name), value) : null;
  }

  /** The objects in a list; an absent list is empty, anything but objects in it is an error. */
  objects(name: string): Fields[] {
    const value = this.#object[name];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw this.#shape(this.#path(name), "a list", value);
    this.#checkLength(name, value);
    return value.map((item, index) => new Fields(this.#file, `${this.#path(name)}[${index}]`, item));
  }

  /** Whether there is a list under a name. */
  hasList(name: string): boolean {
    return Array.isArray(this.#object[name]);
  }

  /** What is under a name, whatever it is. */
  value(name: string): unknown {
    return this.#object[name];
  }

  /** The numbers by name in an object under a name. */
  counts(name: string): (readonly [string, number])[] {
    const value = this.#object[name];
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([key, count]) => (isNumber(count) ? [[key, count] as const] : []));
  }

  #checkLength(name: string, list: readonly unknown[]): void {
    if (list.length <= mostItems) return;
    const message = `${list.length} items are there, up to ${mostItems} are read`;
    throw new ResultFileError("ERR_RESULT_FILE_LIMIT", this.#file, this.#path(name), message);
  }

  #path(name: string): string {
    return this.#at === "" ? name : `${this.#at}.${name}`;
  }

  #shape(at: string, expected: string, found: unknown): ResultFileError {
    const seen = found === undefined ? "nothing" : Array.isArray(found) ? "a list" : `a ${typeof found}`;
    const message = `${expected} is expected here, ${found === null ? "null" : seen} is there`;
    return new ResultFileError("ERR_RESULT_FILE_SHAPE", this.#file, at, message);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function fail(error: Error): never {
  throw error;
}
