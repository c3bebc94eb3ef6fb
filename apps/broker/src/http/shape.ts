/**
 * Shapes of request members: what AWS IoT's API model allows for each, and how a text in a path, query or header becomes a value.
 * Each reader throws InvalidRequestException, which names the member, what is allowed and never more than the start of what was found.
 */

import { isObject } from "./json-body.ts";
import { invalidRequest } from "./service-error.ts";

/** Reads a member. `at` is its name, for the error. */
export interface Shape<T> {
  read(value: unknown, at: string): T;
  /** The value that a text of a path, query or header stands for. */
  fromText(text: string, at: string): unknown;
}

/** A text. Lengths are in characters (code points). */
export function text(limits: {
  readonly least?: number;
  readonly most?: number;
  readonly pattern?: RegExp;
  /** The pattern in words. */
  readonly allowed?: string;
}): Shape<string> {
  const { least = 0, most = Infinity, pattern, allowed = "of another form" } = limits;
  return {
    read(value, at) {
      if (typeof value !== "string") throw invalidRequest(at, "has to be a text");
      // A text of n UTF-16 units has at most n code points: counting is needed for those that are close to the limit alone.
      const length = value.length > most && value.length <= 2 * most ? Array.from(value).length : value.length;
      if (length < least || length > most) {
        throw invalidRequest(at, `has ${length} characters: from ${least} to ${most} are possible`);
      }
      if (pattern !== undefined && !pattern.test(value)) throw invalidRequest(at, `has to be ${allowed}`);
      return value;
    },
    fromText: (found) => found,
  };
}

/** One of several words. */
export function word<const T extends string>(...words: readonly T[]): Shape<T> {
  return {
    read(value, at) {
      const found = words.find((one) => one === value);
      if (found === undefined) throw invalidRequest(at, `has to be one of ${words.join(", ")}`);
      return found;
    },
    fromText: (found) => found,
  };
}

/** `true` or `false`. */
export const flag: Shape<boolean> = {
  read(value, at) {
    if (typeof value !== "boolean") throw invalidRequest(at, "has to be true or false");
    return value;
  },
  fromText: (found) => (found === "true" ? true : found === "false" ? false : found),
};

/** A whole number. */
export function whole(least: number, most: number): Shape<number> {
  return {
    read(value, at) {
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
        throw invalidRequest(at, `has to be a whole number from ${least} to ${most}`);
      }
      return value;
    },
    fromText: (found) => (/^-?\d{1,16}$/.test(found) ? Number(found) : found),
  };
}

/** A list. */
export function list<T>(item: Shape<T>, least = 0, most = Infinity): Shape<readonly T[]> {
  return {
    read(value, at) {
      if (!Array.isArray(value)) throw invalidRequest(at, "has to be a list");
      if (value.length < least || value.length > most) {
        throw invalidRequest(at, `has ${value.length} entries: from ${least} to ${most} are possible`);
      }
      return value.map((one: unknown, index) => item.read(one, `${at}[${index}]`));
    },
    fromText: (found) => found,
  };
}

/** An object with names of its own, each of which has the shape `names`. */
export function map<T>(item: Shape<T>, names: Shape<string> = text({})): Shape<Readonly<Record<string, T>>> {
  return {
    read(value, at) {
      if (!isObject(value)) throw invalidRequest(at, "has to be an object");
      return Object.fromEntries(
        Object.entries(value).map(([name, one]) => {
          const place = `${at}.${name.slice(0, 64)}`;
          return [names.read(name, `the name of ${place}`), item.read(one, place)];
        }),
      );
    },
    fromText: (found) => found,
  };
}

/** Base64 of octets. */
export function blob(most: number): Shape<Uint8Array> {
  return {
    read(value, at) {
      if (typeof value !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
        throw invalidRequest(at, "has to be base64");
      }
      const octets = Buffer.from(value, "base64");
      if (octets.length > most) throw invalidRequest(at, `has ${octets.length} octets: at most ${most} are possible`);
      return octets;
    },
    fromText: (found) => found,
  };
}

/** Where a member of a request stands. */
type MemberPlace = "path" | "query" | "header" | "body";

/** A member of a request. */
export interface Member<T, Required extends boolean = boolean> {
  readonly place: MemberPlace;
  /** Its name in query or header; its own name where it is undefined. */
  readonly wireName: string | undefined;
  readonly shape: Shape<T>;
  readonly isRequired: Required;
}

/** The members of a request by name. */
export type Members = Readonly<Record<string, Member<unknown>>>;

/** What a handler gets: required members are there, others may be undefined. */
export type Input<M extends Members> = {
  readonly [K in keyof M]: M[K] extends Member<infer T> ? (M[K]["isRequired"] extends true ? T : T | undefined) : never;
};

/** A label of the path. */
export function label<T>(shape: Shape<T>): Member<T, true> {
  return { place: "path", wireName: undefined, shape, isRequired: true };
}

/** A query parameter. */
export function query<T>(shape: Shape<T>, wireName?: string): Member<T, false> {
  return { place: "query", wireName, shape, isRequired: false };
}

/** A header. Its name is in lower case. */
export function header<T>(wireName: string, shape: Shape<T>): Member<T, false> {
  return { place: "header", wireName, shape, isRequired: false };
}

/** A member of the JSON body. */
export function member<T>(shape: Shape<T>): Member<T, false> {
  return { place: "body", wireName: undefined, shape, isRequired: false };
}

/** The same, but it has to be there. */
export function required<T>(optional: Member<T>): Member<T, true> {
  return { ...optional, isRequired: true };
}

/** An object with known members. Others are ignored, as AWS ignores them. */
export function structure<const M extends Members>(members: M): Shape<Input<M>> {
  return {
    read(value, at) {
      if (!isObject(value)) throw invalidRequest(at, "has to be an object");
      return readMembers(members, (name) => ownMember(value, name), `${at}.`);
    },
    fromText: (found) => found,
  };
}

/** Reads all members; `find` gives the raw value of one. */
export function readMembers<M extends Members>(
  members: M,
  find: (name: string, member: Member<unknown>) => unknown,
  prefix = "",
): Input<M> {
  const entries = Object.entries(members).map(([name, one]): [string, unknown] => {
    const value = find(name, one);
    if (value !== undefined && value !== null) return [name, one.shape.read(value, prefix + name)];
    if (one.isRequired) throw invalidRequest(prefix + name, "is missing");
    return [name, undefined];
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each entry was read by the shape that its type comes from
  return Object.fromEntries(entries) as Input<M>;
}

/** A member that the object itself has; nothing inherited. */
export function ownMember(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
