/**
 * Records as JSON. Every field is checked when a record is read, where one that is not as it was written is named as damage, and when it is
 * written: what cannot be read again is not stored.
 */

import { invalid, RegistryError } from "./errors.ts";

/** A value that is not what its decoder wants. */
export class Misfit extends Error {
  /** Where it is, such as `thing.attributes.room`. */
  readonly path: string;
  readonly found: unknown;
  /** In words. */
  readonly wanted: string;

  constructor(path: string, found: unknown, wanted: string) {
    super(`${path} is not ${wanted}`);
    this.path = path;
    this.found = found;
    this.wanted = wanted;
  }

  /** The error for a caller who gave this value. */
  toInvalid(): RegistryError<"ERR_REGISTRY_INVALID"> {
    const { path, found, wanted } = this;
    return invalid(path, typeof found === "string" ? found : (JSON.stringify(found) ?? "undefined"), wanted);
  }
}

/** Reads a value of JSON, or throws `Misfit`. */
export type Decoder<T> = (value: unknown, path: string) => T;

export const text: Decoder<string> = (value, path) =>
  typeof value === "string" ? value : misfit(path, value, "a text");

export const whole: Decoder<number> = (value, path) =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : misfit(path, value, "a whole number");

export const flag: Decoder<boolean> = (value, path) =>
  typeof value === "boolean" ? value : misfit(path, value, "true or false");

/** Undefined where the member is not there. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return (value, path) => (value === undefined ? undefined : decoder(value, path));
}

/** One of the given texts. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Decoder<T> {
  return (value, path) => allowed.find((one) => one === value) ?? misfit(path, value, `one of ${allowed.join(", ")}`);
}

/** A list. */
export function list<T>(decoder: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return misfit(path, value, "a list");
    return value.map((item: unknown, index) => decoder(item, `${path}[${index}]`));
  };
}

/** An object with text members of any name. */
export const texts: Decoder<Readonly<Record<string, string>>> = (value, path) => {
  if (!isObject(value)) return misfit(path, value, "an object");
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, text(member, `${path}.${name}`)]));
};

/** An object with just these members; further ones are passed over, so that a newer version's can be read. */
export function object<T extends object>(members: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T> {
  return (value, path) => {
    if (!isObject(value)) return misfit(path, value, "an object");
    const result: Partial<T> = {};
    for (const name of keysOf(members)) result[name] = members[name](value[String(name)], `${path}.${String(name)}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every member of T was set in the loop
    return result as T;
  };
}

/** Reads stored JSON text. Throws `ERR_REGISTRY_CORRUPT`. */
export function decodeRecord<T>(decoder: Decoder<T>, stored: string, path: string): T {
  try {
    return decoder(JSON.parse(stored), path);
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(path, "JSON");
    throw error instanceof Misfit ? damaged(error.path, error.wanted) : error;
  }
}

/** The JSON text of a record. Throws `ERR_REGISTRY_INVALID` for one that `decodeRecord` would not read. */
export function encodeRecord<T>(decoder: Decoder<T>, record: T, path: string): string {
  try {
    decoder(record, path);
  } catch (error) {
    throw error instanceof Misfit ? error.toInvalid() : error;
  }
  return JSON.stringify(record);
}

/** Throws `Misfit`. */
export function misfit(path: string, found: unknown, wanted: string): never {
  throw new Misfit(path, found, wanted);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keysOf<T extends object>(value: T): (keyof T)[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the decoders are literals with just these keys
  return Object.keys(value) as (keyof T)[];
}

function damaged(path: string, wanted: string): RegistryError<"ERR_REGISTRY_CORRUPT"> {
  const message = `the stored record ${path} is damaged: it is not ${wanted}`;
  return new RegistryError("ERR_REGISTRY_CORRUPT", message, { file: undefined });
}
