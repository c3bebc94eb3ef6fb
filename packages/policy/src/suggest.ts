/**
 * Suggesting: from requests that were observed, the least policy that allows just those.
 *
 * A part of a resource that is a value of the requester (its certificate's, its thing's name, its client identifier)
 * becomes the variable for it, so that one policy serves all devices; everything else stays literal. No wildcard is
 * ever guessed. What is stolen most easily, the client identifier, is used last, and never for iot:Connect, where it
 * would allow any.
 */

import { iotActions } from "./actions.ts";
import { resourceOffset } from "./arn.ts";
import { contextKey, substitute } from "./context-key.ts";
import type { PolicyRequest } from "./context.ts";
import type { ParsedPolicy } from "./document.ts";
import { lint } from "./lint.ts";
import { deliverable } from "./lint-reach.ts";
import type { LintFinding } from "./lint-run.ts";
import { compile } from "./matcher.ts";
import { defaultMaximumCharacters, parsePolicyOrThrow } from "./parse-policy.ts";
import { escapeLiteral, parsePattern, patternText } from "./pattern.ts";

/** A policy made from observed requests. */
export interface Suggestion {
  /** The document as indented JSON. */
  readonly text: string;
  readonly policy: ParsedPolicy;
  /** What a reader has to know: requests that no policy can allow, what was added, a document over AWS's size. */
  readonly notes: readonly string[];
  /** What `lint` says about it: nothing, unless what was observed reaches too far itself. */
  readonly findings: readonly LintFinding[];
}

/**
 * The least policy for `requests`, such as the allowed ones of a decision log. iot:Receive is added for filters that
 * nothing was received on, as a subscription without it is silent. Throws a RangeError where no request can be used.
 */
export function suggest(requests: readonly PolicyRequest[]): Suggestion {
  const notes: string[] = [];
  const grants = new Map<string, Grant>();
  for (const request of requests) addRequest(grants, request, notes);
  if (grants.size === 0) throw new RangeError("no request names an action of AWS IoT and an ARN or *");
  const observed = policyOf(grants);
  addReceives(grants, lint([observed]), observed, notes);
  const policy = policyOf(grants);
  if (policy.text.replaceAll(/\s/g, "").length > defaultMaximumCharacters) {
    notes.push(`the document is longer than AWS's ${defaultMaximumCharacters} characters: split it into several`);
  }
  const matcher = compile([policy]);
  const refused = requests.filter((request) => grantable(request) && matcher.decide(request) !== "allow");
  for (const request of new Set(refused.map(wishOf))) notes.push(`${request} is not allowed by this policy`);
  return { text: policy.text, policy, notes, findings: lint([policy]) };
}

/** Actions on one resource, and for direct messages the topics. */
interface Grant {
  readonly resource: string;
  readonly actions: Set<string>;
  readonly topics: Set<string>;
}

const directMessage = "iot:SendDirectMessage";

function addRequest(grants: Map<string, Grant>, request: PolicyRequest, notes: string[]): void {
  const action = actionName(request);
  if (!grantable(request) || action === undefined) {
    const note = `${wishOf(request)} was left out: it is no action of AWS IoT on an ARN or *`;
    if (!notes.includes(note)) notes.push(note);
    return;
  }
  const resource = generalise(request, action);
  // Direct messages have a condition of their own, so they share no statement with others.
  const isDirect = action === directMessage && request.context.topic !== undefined;
  const grant = grantFor(grants, isDirect ? `${directMessage} ${resource}` : resource, resource);
  grant.actions.add(action);
  if (isDirect && request.context.topic !== undefined) grant.topics.add(escapeLiteral(request.context.topic));
}

function grantFor(grants: Map<string, Grant>, key: string, resource: string): Grant {
  const found = grants.get(key) ?? { resource, actions: new Set(), topics: new Set() };
  grants.set(key, found);
  return found;
}

function grantable(request: PolicyRequest): boolean {
  const isResource = request.resource === "*" || resourceOffset(request.resource) !== -1;
  return isResource && actionName(request) !== undefined;
}

/** The action as AWS spells it. */
function actionName({ action }: PolicyRequest): string | undefined {
  if (iotActions.has(action)) return action;
  return [...iotActions.keys()].find((name) => name.toLowerCase() === action.toLowerCase());
}

function wishOf({ action, resource }: PolicyRequest): string {
  return `${action} on ${resource}`;
}

/** Variables whose values identify somebody, what is hardest to forge first. */
const identities = [
  "iot:Certificate.Subject.SerialNumber",
  "iot:Certificate.Subject.CommonName",
  "iot:Certificate.SerialNumber",
  "iot:CertificateId",
  "iot:Connection.Thing.ThingName",
  "iot:Certificate.Subject.OrganizationalUnit",
  "iot:Certificate.Subject.Organization",
  "iot:ClientId",
].map(contextKey);

/** The request's resource as a pattern. */
function generalise({ resource, context }: PolicyRequest, action: string): string {
  const slash = resource.indexOf("/", Math.max(0, resourceOffset(resource)));
  if (resource === "*" || slash === -1) return resource === "*" ? resource : escapeLiteral(resource);
  const name = resource.slice(slash + 1);
  const values = identities.flatMap((key): Identity[] => {
    const value = substitute(key, context);
    // For buttons a topic that is the serial number alone is the article's slip; lint would object.
    const isSlip = key.name === "iot:Certificate.Subject.SerialNumber" && value === name && action !== "iot:Connect";
    const isOpen = key.name === "iot:ClientId" && action === "iot:Connect";
    return value === undefined || value === "" || isSlip || isOpen ? [] : [{ variable: `\${${key.name}}`, value }];
  });
  return escapeLiteral(resource.slice(0, slash + 1)) + withVariables(name, values);
}

interface Identity {
  readonly variable: string;
  readonly value: string;
}

/** A value inside a level (`button-G03X...`) is only taken for the requester's own where it is at least this long. */
const minimumInnerLength = 6;

function withVariables(text: string, identities: readonly Identity[]): string {
  for (const { variable, value } of identities) {
    for (let start = text.indexOf(value); start !== -1; start = text.indexOf(value, start + 1)) {
      const end = start + value.length;
      if (!standsAlone(text, start, end)) continue;
      return withVariables(text.slice(0, start), identities) + variable + withVariables(text.slice(end), identities);
    }
  }
  return escapeLiteral(text);
}

/** Whether the part is a whole level, or long enough and not part of a longer word. */
function standsAlone(text: string, start: number, end: number): boolean {
  const before = text[start - 1] ?? "/";
  const after = text[end] ?? "/";
  if (before === "/" && after === "/") return true;
  return end - start >= minimumInnerLength && !/[\p{L}\p{N}]/u.test(before + after);
}

function policyOf(grants: ReadonlyMap<string, Grant>): ParsedPolicy {
  const order = [...iotActions.keys()];
  const groups = new Map<string, { actions: string[]; resources: string[]; topics: string[] }>();
  for (const { resource, actions, topics } of grants.values()) {
    const sorted = [...actions].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    const listed = [...topics].sort();
    const key = [...sorted, "", ...listed].join("\n");
    const group = groups.get(key) ?? { actions: sorted, resources: [], topics: listed };
    group.resources.push(resource);
    groups.set(key, group);
  }
  const rank = ({ actions: [first = ""] }: { actions: string[] }): number => order.indexOf(first);
  const statements = [...groups.values()]
    .sort((a, b) => rank(a) - rank(b))
    .map(({ actions, resources, topics }) => ({
      Effect: "Allow",
      Action: oneOrMany(actions),
      Resource: oneOrMany(resources.sort()),
      ...(topics.length === 0 ? {} : { Condition: { StringEquals: { "iot:Topic": oneOrMany(topics) } } }),
    }));
  const text = JSON.stringify({ Version: "2012-10-17", Statement: statements }, undefined, 2);
  return parsePolicyOrThrow(text, { name: "suggestion", maximumCharacters: Number.POSITIVE_INFINITY });
}

function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [first, ...others] = values;
  return first !== undefined && others.length === 0 ? first : values;
}

/** Grants iot:Receive where lint misses it. */
function addReceives(
  grants: Map<string, Grant>,
  findings: readonly LintFinding[],
  { statements }: ParsedPolicy,
  notes: string[],
): void {
  const silent = new Set(findings.filter(({ code }) => code === "receive-missing").map(({ path }) => path));
  for (const { text, at } of statements.flatMap((statement) => statement.resource.values)) {
    if (!silent.has(at.path)) continue;
    const slash = text.indexOf("/", resourceOffset(text));
    const head = text.slice(0, resourceOffset(text));
    const filter = parsePattern(text.slice(slash + 1), { wildcards: true, variables: true });
    const resource = `${head}topic/${patternText(deliverable(filter))}`;
    grantFor(grants, resource, resource).actions.add("iot:Receive");
    notes.push(`iot:Receive on ${resource} was added: nothing was received yet, and without it nothing can be`);
  }
}
