/**
 * From text to a policy, or to the list of everything that is wrong with it.
 *
 * Follows the IAM policy grammar without Principal, which AWS IoT policies do not have. What is valid and probably a
 * mistake is found by `lint`.
 */

import { iotActions } from "./actions.ts";
import {
  ParsedPolicy,
  type Condition,
  type ConditionValue,
  type Element,
  type ElementValue,
  type PolicyVersion,
  type Statement,
} from "./document.ts";
import { ErrorList, PolicyError, shorten, type DocumentError } from "./errors.ts";
import { itemsOf, membersOf, refuseEmpty, refuseType, textOf, type Located, type MemberReader } from "./grammar.ts";
import { documentText, locate, memberPath, readJson, type JsonMember } from "./json.ts";
import { operatorNames, parseOperator } from "./operator.ts";
import { parsePattern } from "./pattern.ts";
import { nearestName } from "./spelling.ts";
import { isResourceText, parseArnPattern } from "./resource-pattern.ts";

/** How a document is read. */
export interface ParsePolicyOptions {
  /** What messages call the policy; `policy` where it is left out. */
  readonly name?: string | undefined;
  /** Characters allowed, white space not counted; 2,048 where it is left out, which is AWS's quota. */
  readonly maximumCharacters?: number | undefined;
}

/** A policy, or everything that is wrong with the document. */
export type ParsePolicyResult =
  | { readonly ok: true; readonly policy: ParsedPolicy }
  | { readonly ok: false; readonly errors: readonly [DocumentError, ...DocumentError[]] };

/** AWS IoT's quota for the size of a policy document, white space not counted. */
export const defaultMaximumCharacters = 2048;

/**
 * Reads a policy document, given as JSON text or as the object that the text stands for. All faults are reported at once, in
 * the order of the text, at most a hundred of them; those of an object have their places in its JSON, indented by two.
 */
export function parsePolicy(document: string | object, options: ParsePolicyOptions = {}): ParsePolicyResult {
  const errors = new ErrorList();
  const text = documentText(document, errors);
  const policy = text === undefined ? undefined : readPolicy(text, options, errors);
  const [first, ...others] = errors.found.sort((a, b) => a.line - b.line || a.column - b.column);
  if (first !== undefined) return { ok: false, errors: [first, ...others] };
  if (policy === undefined) throw new Error("a policy that was not read has to have an error");
  return { ok: true, policy };
}

/** As `parsePolicy`; throws a `PolicyError` that holds all faults. */
export function parsePolicyOrThrow(document: string | object, options: ParsePolicyOptions = {}): ParsedPolicy {
  const result = parsePolicy(document, options);
  if (!result.ok) throw new PolicyError(result.errors);
  return result.policy;
}

function readPolicy(text: string, options: ParsePolicyOptions, errors: ErrorList): ParsedPolicy | undefined {
  const maximum = options.maximumCharacters ?? defaultMaximumCharacters;
  const length = text.replaceAll(/\s+/g, "").length;
  if (length > maximum) {
    const at = { path: "$", line: 1, column: 1 };
    const message = `${length} characters without white space: ${maximum} are allowed`;
    errors.add(at, { code: "ERR_POLICY_SIZE", message, found: length, limit: maximum });
    return undefined;
  }
  const node = readJson(text, errors);
  if (node === undefined) return undefined;
  const root: Located = { node, at: locate(node, "$") };
  const members = membersOf(root, "a policy", ["Version", "Id", "Statement"], errors);
  if (members === undefined) return undefined;
  const version = readVersion(members, errors);
  const id = members.text("Id");
  const found = members.require("Statement");
  if (found === undefined) return undefined;
  const items = itemsOf(found);
  refuseEmpty(found, items, "Statement", errors);
  const statements = items.flatMap((item) => readStatement(item, version, errors) ?? []);
  return new ParsedPolicy({ name: options.name ?? "policy", version, id, statements, text, at: root.at });
}

function readVersion(members: MemberReader, errors: ErrorList): PolicyVersion {
  const found = members.take("Version");
  const text = members.text("Version") ?? "2008-10-17";
  if (text === "2008-10-17" || text === "2012-10-17") return text;
  const message = `there is no version ${shorten(text)}: write 2012-10-17`;
  const allowed = ["2008-10-17", "2012-10-17"];
  errors.add(found?.at ?? members.at, { code: "ERR_POLICY_VERSION", message, found: text, allowed });
  return "2012-10-17";
}

const statementMembers = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

function readStatement(found: Located, version: PolicyVersion, errors: ErrorList): Statement | undefined {
  const members = membersOf(found, "a statement", statementMembers, errors);
  if (members === undefined) return undefined;
  const variables = version === "2012-10-17";
  const sid = members.text("Sid");
  const effect = readEffect(members, errors);
  const action = readElement(members, "Action", false, errors);
  const resource = readElement(members, "Resource", variables, errors);
  const conditions = readConditions(members, variables, errors);
  if (effect === undefined || action === undefined || resource === undefined) return undefined;
  return { sid, effect, action, resource, conditions, at: found.at };
}

function readEffect(members: MemberReader, errors: ErrorList): "Allow" | "Deny" | undefined {
  const found = members.require("Effect");
  const text = members.text("Effect");
  if (found === undefined || text === undefined) return undefined;
  if (text === "Allow" || text === "Deny") return text;
  const message = `Effect is Allow or Deny, not ${shorten(text)}`;
  errors.add(found.at, { code: "ERR_POLICY_EFFECT", message, found: text, allowed: ["Allow", "Deny"] });
  return undefined;
}

/** `name` or its `Not` form: exactly one of the two, a text or a list of texts. */
function readElement(
  members: MemberReader,
  name: "Action" | "Resource",
  variables: boolean,
  errors: ErrorList,
): Element | undefined {
  const positive = members.take(name);
  const negative = members.take(`Not${name}`);
  const found = positive ?? negative;
  if (positive !== undefined && negative !== undefined) {
    const message = `${name} and Not${name} exclude each other: keep one of them`;
    const excluding = [name, `Not${name}`] as const;
    errors.add(negative.at, { code: "ERR_POLICY_CONFLICTING_ELEMENTS", message, members: excluding });
  }
  if (found === undefined) {
    const message = `${name} (or Not${name}) is missing`;
    errors.add(members.at, { code: "ERR_POLICY_MISSING_ELEMENT", message, allowed: [name, `Not${name}`] });
    return undefined;
  }
  const items = itemsOf(found);
  refuseEmpty(found, items, name, errors);
  const values = items.flatMap((item) => readElementValue(item, name, variables, errors) ?? []);
  return { isNegated: positive === undefined, values, at: found.at };
}

function readElementValue(
  item: Located,
  name: "Action" | "Resource",
  variables: boolean,
  errors: ErrorList,
): ElementValue | undefined {
  const text = textOf(item, name, errors);
  if (text === undefined) return undefined;
  const isAction = name === "Action";
  const isValid = isAction ? /^(?:\*+|[\w-]+:[\w*?-]+)$/.test(text) : isResourceText(text);
  if (!isValid) {
    const fault = isAction
      ? ({ code: "ERR_POLICY_ACTION", message: notAnAction(text) } as const)
      : ({ code: "ERR_POLICY_RESOURCE", message: notAResource(text) } as const);
    errors.add(item.at, { ...fault, found: text });
    return undefined;
  }
  // Actions compare without case.
  const tokens = isAction
    ? parsePattern(text.toLowerCase(), { wildcards: true, variables: false })
    : parseArnPattern(text, variables);
  return { text, tokens, at: item.at };
}

function notAnAction(text: string): string {
  if (!/^[\w-]+$/.test(text)) return `${textOrEmpty(text)} is not an action such as iot:Publish, or *`;
  const written = `iot:${text}`;
  const meant = nearestName(written, [...iotActions.keys()]) ?? written;
  return `${shorten(text)} lacks the service that an action starts with: write ${shorten(meant)}`;
}

function notAResource(text: string): string {
  return `${textOrEmpty(text)} is not an ARN such as arn:aws:iot:eu-west-1:123456789012:topic/a, or *`;
}

function textOrEmpty(text: string): string {
  return text === "" ? "an empty text" : shorten(text);
}

function readConditions(members: MemberReader, variables: boolean, errors: ErrorList): Condition[] {
  const found = members.take("Condition");
  if (found === undefined) return [];
  return objectMembers(found, "Condition", errors).flatMap(({ name, value }) => {
    const path = memberPath(found.at.path, name.text);
    const operator = parseOperator(name.text);
    if (operator === undefined) {
      const message = unknownOperator(name.text);
      const fault = { code: "ERR_POLICY_OPERATOR", message, found: name.text, allowed: operatorNames() } as const;
      errors.add(locate(name, path), fault);
    }
    return objectMembers({ node: value, at: locate(value, path) }, name.text, errors).flatMap((key) => {
      const at = locate(key.name, memberPath(path, key.name.text));
      const items = itemsOf({ node: key.value, at: locate(key.value, at.path) });
      if (operator === undefined) return [];
      const read = (item: Located): readonly ConditionValue[] =>
        readConditionValue(item, operator.parseValue, variables, errors);
      return [{ operatorText: name.text, operator, keyText: key.name.text, values: items.flatMap(read), at }];
    });
  });
}

function objectMembers(found: Located, what: string, errors: ErrorList): readonly JsonMember[] {
  if (found.node.kind === "object") return found.node.members;
  refuseType(found, `${shorten(what)} has to be an object`, ["object"], errors);
  return [];
}

function readConditionValue(
  item: Located,
  parseValue: NonNullable<ReturnType<typeof parseOperator>>["parseValue"],
  variables: boolean,
  errors: ErrorList,
): readonly ConditionValue[] {
  const { node, at } = item;
  if (node.kind === "object" || node.kind === "array" || node.kind === "null") {
    refuseType(item, "a condition's value is text, a number or a Boolean", ["string", "number", "boolean"], errors);
    return [];
  }
  const test = parseValue(node.text, variables);
  if (typeof test !== "string") return [{ text: node.text, test, at }];
  errors.add(at, { code: "ERR_POLICY_VALUE", message: `${textOrEmpty(node.text)}: ${test}`, found: node.text });
  return [];
}

function unknownOperator(written: string): string {
  const [, prefix = "", name = "", suffix = ""] = /^(?:([^:]*):)?(.*?)(if_?exists?)?$/i.exec(written) ?? [];
  const meantName = nearestName(name, operatorNames());
  const meantPrefix = prefix === "" ? "" : nearestName(prefix, ["ForAnyValue", "ForAllValues"]);
  if (meantName === undefined || meantPrefix === undefined) {
    return `there is no condition operator ${shorten(written)}: one of ${operatorNames().join(", ")} was expected`;
  }
  // Null has neither prefix nor suffix.
  const isNull = meantName === "Null";
  const meant = `${meantPrefix === "" || isNull ? "" : `${meantPrefix}:`}${meantName}${suffix === "" || isNull ? "" : "IfExists"}`;
  return `there is no condition operator ${shorten(written)}: write ${meant} (operators compare with case)`;
}
