/** Why a variable has no value in a request. */

import { isSafe, knownNames, maximumAttributeValues, type ContextKey } from "./context-key.ts";
import type { RequestContext } from "./context.ts";
import { nearestName } from "./spelling.ts";

/**
 * `unknown`: AWS IoT has no such variable. `condition-only`: the name is a condition key and no variable. `several`: it
 * stands for a set of values. `absent`: the request has no value for it. `unsafe`: the certificate's value holds
 * `* $ + ? #` or is longer than 1,024 characters.
 */
export type UnresolvedReason = "unknown" | "condition-only" | "several" | "absent" | "unsafe";

/** A variable that stands for nothing in a request, and why. */
export interface UnresolvedVariable {
  /** As written, such as `${iot:Certificate.Subject.CommonName}`. */
  readonly variable: string;
  readonly reason: UnresolvedReason;
  /** What is the matter, for people: the end of a sentence that starts with the variable. */
  readonly detail: string;
}

/** `undefined` where the variable resolves. */
export function whyUnresolved(
  variable: string,
  key: ContextKey,
  context: RequestContext,
): UnresolvedVariable | undefined {
  const value = key.read(context);
  if (key.isMultiValued || (value !== undefined && typeof value !== "string")) {
    return { variable, reason: "several", detail: "stands for several values, so only conditions can use it" };
  }
  if (!key.isVariable) {
    return { variable, reason: "condition-only", detail: "is a condition key and no variable" };
  }
  if (value === undefined) {
    if (!key.isKnown) {
      const meant = nearestName(key.name, knownNames());
      const detail = `is no variable of AWS IoT${meant === undefined ? "" : `; write \${${meant}}`}`;
      return { variable, reason: "unknown", detail };
    }
    return { variable, reason: "absent", detail: whyAbsent(key.name, context) };
  }
  if (value === "") return { variable, reason: "absent", detail: "has no value: it is empty" };
  if (!key.isFromCertificate || isSafe(value)) return undefined;
  const cause = value.length > 100 ? `of ${value.length} characters` : value;
  const detail =
    `is not substituted: the certificate's value holds one of * $ + ? # or is too long (${cause}); ` +
    "issue a certificate without these";
  return { variable, reason: "unsafe", detail };
}

/** Why a known variable or key has no value: the end of a sentence that starts with its name. */
export function whyAbsent(name: string, context: RequestContext): string {
  if (name.startsWith("iot:Connection.Thing.")) return whyThingIsAbsent(name, context);
  if (name.startsWith("iot:Certificate.")) {
    if (context.certificate === undefined)
      return "has no value: there is no certificate; the client has to present one";
    if (Number(/\.([0-9]+)$/.exec(name)?.[1] ?? 0) >= maximumAttributeValues) {
      return `has no value: only the first ${maximumAttributeValues} values of an attribute count`;
    }
    return "has no value: the certificate does not have it; issue one that has, or use another variable";
  }
  if (name !== "iot:ClientId") return "has no value in this request";
  return context.protocol === "https"
    ? "has no value over HTTPS: only MQTT connections have client identifiers"
    : "has no value: only MQTT connections have client identifiers";
}

function whyThingIsAbsent(name: string, { thing, protocol }: RequestContext): string {
  if (protocol === "https") {
    return "has no value over HTTPS: only MQTT connections have things, so use a certificate variable or the name itself";
  }
  if (thing === undefined)
    return "has no value: no thing is associated with the connection; attach the certificate to the thing that is called like the client identifier";
  if (!thing.isAttached) return `has no value: the thing ${thing.name} is not attached to the certificate; attach it`;
  return name.endsWith("ThingTypeName")
    ? `has no value: the thing ${thing.name} has no type`
    : `has no value: the thing ${thing.name} has no such attribute`;
}
