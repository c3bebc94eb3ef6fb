/** Reading stored records: every field is checked, and a record that is not as it was written is named as damage. */

import { RegistryError } from "./errors.ts";

/** Reads a value of JSON, or throws `ERR_REGISTRY_CORRUPT`. */
export type Decoder<T> = (value: unknown, path: string) => T;

export const text: Decoder<string> = (value, path) => (typeof value === "string" ? value : damaged(path, "a text"));

export const whole: Decoder<number> = (value, path) =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : damaged(path, "a whole number");

export const flag: Decoder<boolean> = (value, path) =>
  typeof value === "boolean" ? value : damaged(path, "true or false");

/** Undefined where the member is not there. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return (value, path) => (value === undefined ? undefined : decoder(value, path));
}

/** One of the given texts. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Decoder<T> {
  return (value, path) => allowed.find((one) => one === value) ?? damaged(path, `one of ${allowed.join(", ")}`);
}

/** A list. */
export function list<T>(decoder: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return damaged(path, "a list");
    return value.map((item: unknown, index) => decoder(item, `${path}[${index}]`));
  };
}

/** An object with text members of any name. */
export const texts: Decoder<Readonly<Record<string, string>>> = (value, path) => {
  if (!isObject(value)) return damaged(path, "an object");
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, text(member, `${path}.${name}`)]));
};

/** An object with just these members; further ones are passed over, so that a newer version's can be read. */
export function object<T extends object>(members: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T> {
  return (value, path) => {
    if (!isObject(value)) return damaged(path, "an object");
    const result: Partial<T> = {};
    for (const name of keysOf(members)) result[name] = members[name](value[String(name)], `${path}.${String(name)}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every member of T was set in the loop
    return result as T;
  };
}

/** Reads stored JSON text. */
export function decodeRecord<T>(decoder: Decoder<T>, stored: string, path: string): T {
  let value: unknown;
  try {
    value = JSON.parse(stored);
  } catch {
    return damaged(path, "JSON");
  }
  return decoder(value, path);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keysOf<T extends object>(value: T): (keyof T)[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the decoders are literals with just these keys
  return Object.keys(value) as (keyof T)[];
}

/** Throws `ERR_REGISTRY_CORRUPT`. */
export function damaged(path: string, wanted: string): never {
  throw new RegistryError("ERR_REGISTRY_CORRUPT", `the stored record ${path} is damaged: it is not ${wanted}`, {
    file: undefined,
  });
}
