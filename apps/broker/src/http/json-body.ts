/** The JSON body of a request. */

import { invalidRequest } from "./service-error.ts";

/** How many objects and arrays may lie within each other. */
const maximumDepth = 32;

/** The members of a JSON object; an empty body has none. Throws InvalidRequestException. */
export function readJsonBody(body: Uint8Array): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw invalidRequest("the body", "is no JSON in UTF-8");
  }
  if (!isObject(value)) throw invalidRequest("the body", "has to be a JSON object");
  if (depthOf(value) > maximumDepth) throw invalidRequest("the body", `is nested deeper than ${maximumDepth} levels`);
  return value;
}

/** Whether a value of JSON is an object with members. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Counts without recursion, and no further than the limit. */
function depthOf(value: unknown): number {
  let level: unknown[] = [value];
  let depth = 0;
  while (level.length > 0 && depth <= maximumDepth) {
    depth++;
    level = level.flatMap((one) =>
      typeof one === "object" && one !== null
        ? Object.values(one).filter((inner) => typeof inner === "object" && inner !== null)
        : [],
    );
  }
  return depth;
}
