/** Lint: how far the policies reach together, found by sample requests to `decide`. */

import { clientArn, roleAliasArn, thingArn, topicArn, topicFilterArn, type ArnScope } from "./arn.ts";
import { resourceMatches } from "./compile.ts";
import type { PolicyAction, PolicyRequest, RequestContext, ResourceArn } from "./context.ts";
import { Glob } from "./glob.ts";
import type { LintCode, LintRun, LintSubject } from "./lint-run.ts";
import { connectRequest, partsOf, type ResourceParts } from "./lint-resources.ts";
import { patternText, type PatternToken } from "./pattern.ts";
import { sampleText, satisfying } from "./sample.ts";
import { topicFilterMatches } from "./topic-filter.ts";

/** Questions that these rules may ask of the policies together, so that many statements end in bounded time. */
const maximumComparisons = 2_000_000;

/** Reports what the policies let a device do beyond its own topics, and what they keep from it. */
export function lintReach(run: LintRun): void {
  let budget = maximumComparisons;
  const receives = run.subjects
    .filter(({ compiled, actions }) => compiled.isAllow && actions.has("iot:Receive"))
    .map((subject) => ({ subject, topics: topicsOf(run, subject) }));
  for (const subject of run.subjects) {
    const { compiled, actions } = subject;
    if (compiled.statement.resource.isNegated) continue;
    for (const value of compiled.statement.resource.values) {
      if (run.faulty.has(value)) continue;
      const parts = partsOf(value, run.context);
      if (compiled.isAllow) lintProbes(run, subject, parts);
      if (!actions.has("iot:Subscribe")) continue;
      budget -= run.subjects.length;
      if (budget < 0) {
        const message = "these policies are so many that not every filter was compared with every statement";
        run.report("not-everything-checked", compiled.policy, value.at, message, "lint fewer policies together");
        return;
      }
      if (compiled.isAllow) {
        lintReceive(run, subject, parts, receives);
        lintInjection(run, subject, parts);
      } else lintBypass(run, subject, parts);
    }
  }
}

/** A request by a device for what belongs to another. */
interface Probe {
  readonly code: LintCode;
  readonly action: PolicyAction;
  readonly resource: (scope: ArnScope) => ResourceArn;
  readonly message: string;
  readonly fix: string;
}

const other = "other-thing";
const anyShadow = "this reaches the reserved topics of every thing, such as its shadows and jobs";
const ownShadow = "name the thing: $aws/things/${iot:Connection.Thing.ThingName}/...";
const anyThing = "this reaches every thing";
const ownThing =
  "write thing/${iot:Certificate.Subject.CommonName} and issue certificates with the thing's name as common name: over " +
  "HTTPS variables about the thing have no value";

/** Reserved topics of one thing, one for each service that has some (AWS IoT: reserved topics). */
const reservedTopics = [
  "shadow/update",
  "shadow/get",
  "shadow/delete",
  "shadow/update/documents",
  "shadow/update/accepted",
  "shadow/update/delta",
  "shadow/get/accepted",
  "shadow/delete/accepted",
  "shadow/name/sample/update",
  "shadow/name/sample/get",
  "shadow/name/sample/update/documents",
  "shadow/name/sample/get/accepted",
  "jobs/get",
  "jobs/start-next",
  "jobs/notify",
  "jobs/notify-next",
  "jobs/sample/get",
  "jobs/sample/update",
  "jobs/get/accepted",
  "jobs/start-next/accepted",
  "jobs/sample/get/accepted",
  "jobs/sample/update/accepted",
  "tunnels/notify",
  "streams/sample/get/json",
  "streams/sample/data/json",
  "defender/metrics/json",
  "defender/metrics/json/accepted",
].map((name) => `$aws/things/${other}/${name}`);

/** Filters with MQTT wildcards that deliver reserved topics of other things. */
const reservedFilters = [
  "#",
  "$aws/#",
  "$aws/things/#",
  "$aws/things/+/#",
  `$aws/things/${other}/#`,
  "$aws/things/+/shadow/#",
  "$aws/things/+/shadow/update",
  "$aws/things/+/shadow/update/accepted",
  "$aws/things/+/shadow/update/documents",
  "$aws/things/+/shadow/name/#",
  "$aws/things/+/shadow/name/+/update",
  "$aws/things/+/jobs/#",
  "$aws/things/+/jobs/notify",
];

const probes: readonly Probe[] = [
  {
    code: "any-client",
    action: "iot:Connect",
    resource: (scope) => clientArn(scope, other),
    message: "any client identifier may connect, also one that another device uses",
    fix: "write client/${iot:Connection.Thing.ThingName}, or add the condition Bool iot:Connection.Thing.IsAttached true",
  },
  ...reservedTopics.map((topic) => shadowProbe("iot:Publish", (scope) => topicArn(scope, topic))),
  ...[...reservedTopics, ...reservedFilters].map((filter) =>
    shadowProbe("iot:Subscribe", (scope) => topicFilterArn(scope, filter)),
  ),
  ...(["Get", "Update", "Delete"] as const).map((verb) => thingProbe(`iot:${verb}ThingShadow`)),
  ...(
    ["DescribeJobExecution", "GetPendingJobExecutions", "UpdateJobExecution", "StartNextPendingJobExecution"] as const
  ).map((name) => thingProbe(`iot:${name}`)),
  {
    code: "any-role-alias",
    action: "iot:AssumeRoleWithCertificate",
    resource: (scope) => roleAliasArn(scope, "other-role-alias"),
    message: "this gives the rights of every role that an alias leads to",
    fix: "write rolealias/ and the name of the one alias that the device needs",
  },
];

function shadowProbe(action: PolicyAction, resource: Probe["resource"]): Probe {
  return { code: "any-shadow", action, resource, message: anyShadow, fix: ownShadow };
}

function thingProbe(action: PolicyAction): Probe {
  return { code: "any-thing", action, resource: (scope) => thingArn(scope, other), message: anyThing, fix: ownThing };
}

/**
 * Device Defender's check for permissive policies. Each pattern is reported once for each kind of reach, and only where the
 * policies together allow the request: a Deny or a condition that closes the hole silences the finding.
 */
function lintProbes(run: LintRun, { compiled, actions }: LintSubject, parts: ResourceParts): void {
  const reported = new Set<LintCode>();
  for (const { code, action, resource, message, fix } of [...probes, ...filterProbes(run, parts)]) {
    if (!actions.has(action) || reported.has(code)) continue;
    // An attacker can bring about most conditions of CONNECT, but not that the thing is attached.
    const context: RequestContext =
      code === "any-client"
        ? { ...satisfying(compiled.conditions, run.context), clientId: other, thing: undefined }
        : run.context;
    const request = { action, resource: resource(parts.scope), context };
    if (!parts.pattern.matches(request.resource, context) || run.matcher.decide(request) !== "allow") continue;
    reported.add(code);
    run.report(code, compiled.policy, parts.value.at, message, fix, { request, expected: ["allow"] });
  }
}

/** The filter of the policy itself, where it delivers a reserved topic of another thing; and shared filters of its group. */
function filterProbes(run: LintRun, { type, name }: ResourceParts): readonly Probe[] {
  const filter = type === "topicfilter" ? sampleText(name, run.context) : undefined;
  const delivered = sampleText(withoutGroup(name), run.context);
  if (filter === undefined || delivered === undefined) return [];
  const isReserved = reservedTopics.some((topic) => topicFilterMatches(delivered, topic));
  const group = filter.slice(0, filter.length - delivered.length).replace(/\/$/, "");
  const filters = [
    ...(isReserved ? [filter] : []),
    ...(group === "" ? [] : [...reservedTopics, ...reservedFilters].map((reserved) => `${group}/${reserved}`)),
  ];
  return filters.map((one) => shadowProbe("iot:Subscribe", (scope) => topicFilterArn(scope, one)));
}

/** Topics that a statement about Receive lets through, one for each of its patterns. */
function topicsOf(run: LintRun, { compiled }: LintSubject): string[] {
  if (compiled.statement.resource.isNegated) return [];
  return compiled.statement.resource.values.flatMap(
    (value) => sampleText(partsOf(value, run.context).name, run.context) ?? [],
  );
}

interface Receive {
  readonly subject: LintSubject;
  readonly topics: readonly string[];
}

/** A subscription whose messages no statement lets through stays silent. */
function lintReceive(
  run: LintRun,
  { compiled }: LintSubject,
  parts: ResourceParts,
  receives: readonly Receive[],
): void {
  const filter = deliverable(parts.name);
  const topic = sampleText(filter, run.context);
  if (parts.type !== "topicfilter" || topic === undefined) return;
  const resource = topicArn(parts.scope, topic);
  // A shared subscription's messages may be granted with its group before the topic, too.
  const shared = topicArn(parts.scope, (sampleText(parts.name, run.context) ?? topic).replaceAll(/[+#]/g, "x"));
  const glob = new Glob(filter);
  const isHeard = receives.some(
    ({ subject, topics }) =>
      [resource, shared].some((one) => resourceMatches(subject.compiled, one, run.context)) ||
      topics.some((one) => glob.matches(one, 0, one.length, run.context)),
  );
  if (isHeard) return;
  const request: PolicyRequest = { action: "iot:Receive", resource, context: run.context };
  const message = "no statement allows iot:Receive for what this filter subscribes to, so nothing is delivered";
  const fix = `allow iot:Receive on topic/${patternText(filter)}`;
  run.report("receive-missing", compiled.policy, parts.value.at, message, fix, {
    request,
    expected: ["implicit-deny", "explicit-deny"],
  });
}

/** The filter as a pattern of topics: `+` and `#` become `*`, and `$share/group/` is taken off. */
export function deliverable(name: readonly PatternToken[]): readonly PatternToken[] {
  return withoutGroup(name).flatMap((token): PatternToken[] => {
    if (token.kind !== "text") return [token];
    return token.text.split(/([+#])/).flatMap((part): PatternToken[] => {
      if (part === "+" || part === "#") return [{ kind: "any" }];
      return part === "" ? [] : [{ kind: "text", text: part }];
    });
  });
}

/** A shared filter without `$share/group/`; the group may be a wildcard or a variable. */
function withoutGroup([first, ...others]: readonly PatternToken[]): readonly PatternToken[] {
  const share = "$share/";
  if (first === undefined) return [];
  if (first.kind !== "text" || !first.text.startsWith(share)) return [first, ...others];
  const rest: PatternToken[] = [{ kind: "text", text: first.text.slice(share.length) }, ...others];
  const end = rest.findIndex((token) => token.kind === "text" && token.text.includes("/"));
  const token = rest[end];
  if (token?.kind !== "text") return [];
  return [{ kind: "text", text: token.text.slice(token.text.indexOf("/") + 1) }, ...rest.slice(end + 1)];
}

/** AWS's own example: as client `+`, `topicfilter/${iot:ClientId}` is everybody's. */
function lintInjection(run: LintRun, { compiled }: LintSubject, { name, scope, value, type }: ResourceParts): void {
  if (type !== "topicfilter" || !name.some((token) => token.kind === "variable" && token.key.name === "iot:ClientId"))
    return;
  const context: RequestContext = { ...run.context, clientId: "+", thing: undefined };
  const filter = sampleText(name, context);
  if (filter === undefined || run.matcher.decide(connectRequest(scope, "+", context)) !== "allow") return;
  const request: PolicyRequest = { action: "iot:Subscribe", resource: topicFilterArn(scope, filter), context };
  const message = "a client that calls itself + subscribes to every client's topics here";
  const fix =
    "use ${iot:Connection.Thing.ThingName}, or a certificate variable, or allow only certain client identifiers";
  run.report("client-id-injection", compiled.policy, value.at, message, fix, { request, expected: ["allow"] });
}

/** A Deny on filters is compared with the text of a filter, so a wider filter passes it by. */
function lintBypass(run: LintRun, { compiled }: LintSubject, { name, scope, value, type }: ResourceParts): void {
  const topic = sampleText(name, run.context)?.replaceAll(/[+#]/g, "x");
  if (type !== "topicfilter" || topic === undefined) return;
  const received: PolicyRequest = { action: "iot:Receive", resource: topicArn(scope, topic), context: run.context };
  if (run.matcher.decide(received) === "explicit-deny") return;
  const levels = topic.split("/").slice(0, 8);
  const wider = levels.map((_, index) => [...levels.slice(0, index), "#"].join("/")).toReversed();
  for (const filter of wider) {
    const request: PolicyRequest = {
      action: "iot:Subscribe",
      resource: topicFilterArn(scope, filter),
      context: run.context,
    };
    if (run.matcher.decide(request) !== "allow") continue;
    const message = `a Deny on Subscribe does not stop the wider filter ${filter}, which delivers the same messages`;
    const fix = `deny iot:Receive on topic/${patternText(deliverable(name))} as well`;
    run.report("deny-bypassed-by-filter", compiled.policy, value.at, message, fix, { request, expected: ["allow"] });
    return;
  }
}
