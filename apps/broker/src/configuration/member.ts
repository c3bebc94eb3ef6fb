/** Members of the configuration file: each says what it allows in JSON Schema, and reads a value as its schema does. */

import { nearest } from "@latchkey/command-line";
import { isObject } from "../http/json-body.ts";

/** What is wrong, and where. */
export interface ConfigurationFault {
  /** Names with dots; empty for the whole file. */
  readonly path: string;
  /** What it is and what is allowed there, as the rest of a sentence about the path. */
  readonly problem: string;
}

/** One kind of value. */
export interface Member<T> {
  /** JSON Schema, draft 2020-12. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The value, or undefined where it is not allowed; then `faults` has grown. */
  read(value: unknown, path: string, faults: ConfigurationFault[]): T | undefined;
}

/** What a member reads. */
export type ValueOf<M> = M extends Member<infer T> ? T : never;

/** The value of an object: every member may be left out. */
type ObjectValue<Members> = { readonly [Name in keyof Members]?: ValueOf<Members[Name]> | undefined };

/** A whole number. */
export function whole(least: number, most: number, description: string): Member<number> {
  return checked(
    { type: "integer", minimum: least, maximum: most, description },
    (value): value is number => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    `a whole number from ${least} to ${most}`,
  );
}

/** True or false. */
export function yesOrNo(description: string): Member<boolean> {
  return checked(
    { type: "boolean", description },
    (value): value is boolean => typeof value === "boolean",
    "true or false",
  );
}

/** One of some words. */
export function word<const T extends string>(words: readonly T[], description: string): Member<T> {
  return checked(
    { enum: words, description },
    (value): value is T => words.some((one) => one === value),
    `one of ${words.map((one) => JSON.stringify(one)).join(", ")}`,
  );
}

/** A text that is not empty. `expected` says what `pattern` allows, in a few words. */
export function text(
  description: string,
  pattern: RegExp = /./,
  expected: string = "a text that is not empty",
): Member<string> {
  return checked(
    { type: "string", minLength: 1, ...(pattern.source !== "." && { pattern: pattern.source }), description },
    (value): value is string => typeof value === "string" && value !== "" && pattern.test(value),
    expected,
  );
}

/** A list. */
export function listOf<T>(item: Member<T>, description: string): Member<readonly T[]> {
  return {
    schema: { type: "array", items: item.schema, description },
    read(value, path, faults) {
      if (!Array.isArray(value)) {
        faults.push({ path, problem: `is ${shown(value)}: it has to be a list` });
        return undefined;
      }
      const items: T[] = [];
      for (const [index, one] of value.entries()) {
        const read = item.read(one, `${path}.${index}`, faults);
        if (read !== undefined) items.push(read);
      }
      return items;
    },
  };
}

/** An object with these members and no others; each may be left out. */
export function object<const Members extends Readonly<Record<string, Member<unknown>>>>(
  members: Members,
  description: string,
): Member<ObjectValue<Members>> {
  const names = Object.keys(members);
  const properties = Object.fromEntries(Object.entries(members).map(([name, { schema }]) => [name, schema]));
  return {
    schema: { type: "object", additionalProperties: false, properties, description },
    read(value, path, faults) {
      if (!isObject(value)) {
        faults.push({ path, problem: `is ${shown(value)}: it has to be an object` });
        return undefined;
      }
      const read: Record<string, unknown> = {};
      for (const [name, one] of Object.entries(value)) {
        const at = path === "" ? name : `${path}.${name}`;
        const member = Object.hasOwn(members, name) ? members[name] : undefined;
        if (member === undefined) {
          const near = nearest(name, names);
          const meant = near === undefined ? "" : ` Did you mean ${near}?`;
          faults.push({ path: at, problem: `is not a setting.${meant} There are: ${names.join(", ")}` });
        } else {
          read[name] = member.read(one, at, faults);
        }
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each member was read by its own `read`
      return read as ObjectValue<Members>;
    },
  };
}

function checked<T>(
  schema: Readonly<Record<string, unknown>>,
  isAllowed: (value: unknown) => value is T,
  expected: string,
): Member<T> {
  return {
    schema,
    read(value, path, faults) {
      if (isAllowed(value)) return value;
      faults.push({ path, problem: `is ${shown(value)}: it has to be ${expected}` });
      return undefined;
    },
  };
}

const maximumShownLength = 60;

function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length <= maximumShownLength ? json : `${json.slice(0, maximumShownLength)}...`;
}
