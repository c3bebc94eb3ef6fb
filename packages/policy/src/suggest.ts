/**
 * Suggesting: from requests that were observed, the least policy that allows just those.
 *
 * A part of a resource that is a value of the requester (its certificate's, its thing's name, its client identifier)
 * becomes the variable for it, so that one policy serves all devices; everything else stays literal. No wildcard is
 * ever guessed. The client identifier, which every client can choose, is used last, and never for iot:Connect, where it
 * would allow any. Over HTTPS only certificate variables are used, as those of things have no value there.
 */

import { iotActionNamed, iotActions, isHttpsAction } from "./actions.ts";
import { resourceOffset } from "./arn.ts";
import { contextKey, substitute, type ContextKey } from "./context-key.ts";
import type { PolicyAction, PolicyRequest } from "./context.ts";
import type { ParsedPolicy } from "./document.ts";
import { lint } from "./lint.ts";
import { deliverable } from "./lint-reach.ts";
import type { LintFinding } from "./lint-run.ts";
import { compile } from "./matcher.ts";
import { isRequestResource } from "./request.ts";
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
  const observations = new Observations(requests);
  for (const request of requests) observations.add(request);
  const { grants, notes } = observations;
  if (grants.size === 0) throw new RangeError("no request names an action of AWS IoT and an ARN or *");
  const observed = policyOf(grants);
  addReceives(grants, lint([observed]), observed, notes);
  const policy = policyOf(grants);
  if (policy.text.replaceAll(/\s/g, "").length > defaultMaximumCharacters) {
    notes.push(`the document is longer than AWS's ${defaultMaximumCharacters} characters: split it into several`);
  }
  const matcher = compile([policy]);
  const refused = requests.filter((request) => grantable(request) && matcher.decide(request) !== "allow");
  for (const request of new Set(refused.map(requestText))) notes.push(`${request} is not allowed by this policy`);
  return { text: policy.text, policy, notes, findings: lint([policy]) };
}

/** Actions on one resource under one condition. */
interface Grant {
  readonly resource: string;
  readonly actions: Set<PolicyAction>;
  /** Values by `operator key`; what is observed is added, so that each key keeps to what was seen. */
  readonly conditions: Map<string, Set<string>>;
}

const directMessage = "iot:SendDirectMessage";
const topicIs = "StringEquals iot:Topic";
const attributesAre = "ForAllValues:StringEquals iot:ConnectAttributes";
const willTopicIs = "ArnEquals iot:LastWillTopic";

/** The requests that were observed, and the policy made of them so far. */
class Observations {
  readonly grants = new Map<string, Grant>();
  readonly notes: string[] = [];
  readonly #requests: readonly PolicyRequest[];

  constructor(requests: readonly PolicyRequest[]) {
    this.#requests = requests;
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  add(request: PolicyRequest): void {
    const action = actionName(request);
    if (!grantable(request) || action === undefined) {
      this.note(`${requestText(request)} was left out: it is no action of AWS IoT on an ARN or *`);
      return;
    }
    const asked = isHttpsAction(action)
      ? { ...request, context: { ...request.context, protocol: "https" as const } }
      : request;
    const resource = this.#generalise(asked, action);
    const conditions = this.#conditionsOf(asked, action);
    // Connections with and without a will keep to their own statements, as only those with one have a will topic.
    const kind = [...conditions.keys()].join(" ");
    const grant = grantFor(this.grants, `${kind === "" ? "" : action} ${kind} ${resource}`, resource);
    grant.actions.add(action);
    for (const [condition, values] of conditions) {
      const all = grant.conditions.get(condition) ?? new Set();
      for (const value of values) all.add(value);
      grant.conditions.set(condition, all);
    }
  }

  /** What a statement has to keep of a request beside its resource. */
  #conditionsOf(request: PolicyRequest, action: PolicyAction): ReadonlyMap<string, readonly string[]> {
    const { topic, connectAttributes, lastWillTopic } = request.context;
    const conditions = new Map<string, readonly string[]>();
    if (action === directMessage && topic !== undefined) conditions.set(topicIs, [escapeLiteral(topic)]);
    if (action !== "iot:Connect" || connectAttributes === undefined) return conditions;
    conditions.set(attributesAre, connectAttributes);
    if (lastWillTopic !== undefined && isRequestResource(lastWillTopic)) {
      const will = this.#generalise({ ...request, resource: lastWillTopic }, "iot:Publish");
      conditions.set(willTopicIs, [will]);
      // A CONNECT is refused where its will could not be published.
      grantFor(this.grants, `  ${will}`, will).actions.add("iot:Publish");
    }
    return conditions;
  }

  /** The request's resource as a pattern. */
  #generalise({ resource, context }: PolicyRequest, action: PolicyAction): string {
    const slash = resource.indexOf("/", Math.max(0, resourceOffset(resource)));
    if (resource === "*" || slash === -1) return resource === "*" ? resource : escapeLiteral(resource);
    const name = resource.slice(slash + 1);
    const values = identities.flatMap((key): Identity[] => {
      const value = substitute(key, context);
      // For buttons a topic that is the serial number alone is the article's slip; lint would object.
      const isSlip = key.name === "iot:Certificate.Subject.SerialNumber" && value === name && action !== "iot:Connect";
      const isOpen = key.name === "iot:ClientId" && action === "iot:Connect";
      if (value === undefined || isSlip || isOpen) return [];
      return [
        { variable: `\${${key.name}}`, value, isOwnLevel: (level) => this.#isOwn(key, value, level, name, action) },
      ];
    });
    return escapeLiteral(resource.slice(0, slash + 1)) + withVariables(name, values, 0);
  }

  /**
   * Whether a level stands for the requester, and is not an ordinary word that the requester happens to be called. It is
   * ordinary where another requester uses it in the same place. Where there is no other, a word without a digit is taken
   * for ordinary, as keeping it literal allows no more than was seen.
   */
  #isOwn(key: ContextKey, value: string, level: number, name: string, action: PolicyAction): boolean {
    if (action === "iot:Connect" && name === value) return true;
    if (name.startsWith("$aws/things/")) return level === 2;
    const others = this.#requests.filter(
      (other) => actionName(other) === action && (substitute(key, other.context) ?? value) !== value,
    );
    if (others.some((other) => levelsOf(other.resource)[level] === value)) return false;
    if (others.length > 0 || /[0-9]/.test(value)) return true;
    this.note(`the level ${value} of ${name} was kept as text; the requests of a second device show what varies`);
    return false;
  }
}

/** The levels of the name in a resource. */
function levelsOf(resource: string): readonly string[] {
  const slash = resource.indexOf("/", Math.max(0, resourceOffset(resource)));
  return slash === -1 ? [] : resource.slice(slash + 1).split("/");
}

function grantFor(grants: Map<string, Grant>, key: string, resource: string): Grant {
  const found = grants.get(key) ?? { resource, actions: new Set(), conditions: new Map() };
  grants.set(key, found);
  return found;
}

function grantable(request: PolicyRequest): boolean {
  const isResource = isRequestResource(request.resource);
  return isResource && actionName(request) !== undefined;
}

/** The action as AWS spells it. */
function actionName({ action }: PolicyRequest): PolicyAction | undefined {
  return iotActionNamed(action);
}

function requestText({ action, resource }: PolicyRequest): string {
  return `${action} on ${resource}`;
}

/** Variables whose values identify a requester, the hardest to forge first. */
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

interface Identity {
  readonly variable: string;
  readonly value: string;
  /** Whether the level with this number, which is the whole value, may become the variable. */
  readonly isOwnLevel: (level: number) => boolean;
}

/** A value inside a level (`button-G03X...`) is only taken for the requester's own where it is at least this long. */
const minimumInnerLength = 6;

/** `level`: the number of levels in front of `text`. */
function withVariables(text: string, identities: readonly Identity[], level: number): string {
  for (const { variable, value, isOwnLevel } of identities) {
    for (let start = text.indexOf(value); start !== -1; start = text.indexOf(value, start + 1)) {
      const end = start + value.length;
      const before = level + text.slice(0, start).split("/").length - 1;
      if (!standsAlone(text, start, end)) continue;
      const isLevel = (text[start - 1] ?? "/") === "/" && (text[end] ?? "/") === "/";
      if (isLevel && !isOwnLevel(before)) continue;
      const behind = before + value.split("/").length - 1;
      return (
        withVariables(text.slice(0, start), identities, level) +
        variable +
        withVariables(text.slice(end), identities, behind)
      );
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
  const groups = new Map<string, { actions: PolicyAction[]; resources: string[]; conditions: [string, string[]][] }>();
  for (const { resource, actions, conditions } of grants.values()) {
    const sorted = [...actions].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    const listed = Array.from(conditions, ([name, values]): [string, string[]] => [name, [...values].sort()]);
    const key = JSON.stringify([sorted, listed]);
    const group = groups.get(key) ?? { actions: sorted, resources: [], conditions: listed };
    group.resources.push(resource);
    groups.set(key, group);
  }
  const rank = ({ actions: [first] }: { actions: PolicyAction[] }): number =>
    first === undefined ? -1 : order.indexOf(first);
  const statements = [...groups.values()]
    .sort((a, b) => rank(a) - rank(b))
    .map(({ actions, resources, conditions }) => ({
      Effect: "Allow",
      Action: oneOrMany(actions),
      Resource: oneOrMany(resources.sort()),
      ...(conditions.length === 0 ? {} : { Condition: Object.fromEntries(conditions.map(conditionOf)) }),
    }));
  const text = JSON.stringify({ Version: "2012-10-17", Statement: statements }, undefined, 2);
  return parsePolicyOrThrow(text, { name: "suggestion", maximumCharacters: Number.POSITIVE_INFINITY });
}

function conditionOf([name, values]: readonly [string, readonly string[]]): [string, Record<string, unknown>] {
  const space = name.indexOf(" ");
  return [name.slice(0, space), { [name.slice(space + 1)]: oneOrMany(values) }];
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
    grantFor(grants, `  ${resource}`, resource).actions.add("iot:Receive");
    notes.push(`iot:Receive on ${resource} was added: nothing was received yet, and without it nothing can be`);
  }
}
