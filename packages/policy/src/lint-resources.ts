/** Lint: what stands in Action and Resource of one statement. */

import { clientArn, topicArn, topicFilterArn, type ArnScope } from "./arn.ts";
import { httpsActions, iotActionNamed, iotActions, type ResourceType } from "./actions.ts";
import { isOfConnection } from "./context-key.ts";
import type { PolicyAction, PolicyRequest, RequestContext } from "./context.ts";
import type { ElementValue } from "./document.ts";
import { lintArn } from "./lint-arn.ts";
import type { LintRun, LintSubject } from "./lint-run.ts";
import type { PatternToken } from "./pattern.ts";
import { ResourcePattern, splitArn } from "./resource-pattern.ts";
import { sampleSerialNumber, sampleText } from "./sample.ts";

/** A resource taken apart. */
export interface ResourceParts {
  readonly value: ElementValue;
  readonly pattern: ResourcePattern;
  /** Where it is, with samples for wildcards. */
  readonly scope: ArnScope;
  /** `undefined` where a wildcard leaves it open. */
  readonly type: string | undefined;
  /** What stands behind the type and its slash. */
  readonly name: readonly PatternToken[];
}

/** The scope, the type and the name of a resource. */
export function partsOf(value: ElementValue, context: RequestContext): ResourceParts {
  const segments = splitArn(value.tokens);
  const [, partition, , region, account] = segments.map((tokens) => sampleText(tokens, context) ?? "x");
  const [first, ...rest] = segments[5] ?? [];
  const slash = first?.kind === "text" ? first.text.indexOf("/") : -1;
  const scope = { partition: partition ?? "aws", region: region ?? "x", account: account ?? "x" };
  const pattern = new ResourcePattern(value.tokens);
  if (first?.kind !== "text" || slash === -1) return { value, pattern, scope, type: undefined, name: [] };
  const behind = first.text.slice(slash + 1);
  const name: PatternToken[] = behind === "" ? rest : [{ kind: "text", text: behind }, ...rest];
  return { value, pattern, scope, type: first.text.slice(0, slash), name };
}

/** Reports what is wrong with the resources of one statement. */
export function lintResources(run: LintRun, subject: LintSubject): void {
  const { statement, policy, isAllow } = subject.compiled;
  // A resource with a faulty ARN is reported as that alone: what else it says depends on how the ARN is mended.
  const readable = statement.resource.values.filter((value) => !lintArn(run, subject, value));
  for (const value of statement.resource.values) if (!readable.includes(value)) run.faulty.add(value);
  const resources = readable.map((value) => partsOf(value, run.context));
  if (isAllow && (statement.action.isNegated || (statement.resource.isNegated && !isReceiveOnly(subject)))) {
    const element = statement.action.isNegated ? statement.action : statement.resource;
    const message = "an Allow for everything but a list also allows actions and resources that do not exist yet";
    run.report("not-in-allow", policy, element.at, message, "list what is allowed");
  }
  const isPlain = !statement.action.isNegated && !statement.resource.isNegated;
  if (isPlain && readable.length === statement.resource.values.length) lintTypes(run, subject, resources);
  for (const resource of resources) {
    lintWildcards(run, subject, resource);
    if (isAllow && subject.actions.has("iot:Publish")) lintSerialNumber(run, subject, resource);
    if (isAllow) lintVariables(run, subject, resource);
    lintBasicIngest(run, subject, resource);
  }
}

/** A variable right before `*` also matches the names that start with its value: lamp-1 reaches lamp-10. */
function lintVariables(run: LintRun, { compiled, actions }: LintSubject, parts: ResourceParts): void {
  const { tokens } = parts.value;
  const { policy } = compiled;
  tokens.forEach((token, index) => {
    if (token.kind !== "variable") return;
    if (tokens[index + 1]?.kind === "any") {
      const message = `${token.written}* also matches every name that starts with the value: lamp-1 reaches lamp-10`;
      run.report(
        "variable-without-delimiter",
        policy,
        parts.value.at,
        message,
        delimited(token.written, parts, tokens[index + 2]),
      );
    }
    if (isOverHttps(actions, parts.type) && isOfConnection(token.key)) {
      const place = parts.type === undefined ? "of this statement" : `on ${parts.type}/...`;
      const message = `${token.written} has no value over HTTPS, and the actions ${place} exist there only: it never matches`;
      const fix =
        "write ${iot:Certificate.Subject.CommonName} and issue certificates with the thing's name as common name";
      run.report("thing-variable-over-https", policy, parts.value.at, message, fix);
    }
  });
}

/** Whether all actions that are asked for on a type of resource exist over HTTPS only; on every type where it is undefined. */
export function isOverHttps(actions: ReadonlySet<PolicyAction>, type: string | undefined): boolean {
  const asked = [...actions].filter((action) => type === undefined || iotActions.get(action) === type);
  return asked.length > 0 && asked.every((action) => httpsActions.has(action));
}

/** Behind a client or a thing, and in front of a slash, nothing may follow the value; a topic can have levels below it. */
function delimited(written: string, { type }: ResourceParts, next: PatternToken | undefined): string {
  const isLevel = next?.kind === "text" && next.text.startsWith("/");
  return type === "client" || type === "thing" || isLevel
    ? `write ${written} without the *`
    : `write ${written}/* or ${written}`;
}

/** Basic Ingest topics go to rules and never to subscribers. */
function lintBasicIngest(run: LintRun, { compiled, actions }: LintSubject, parts: ResourceParts): void {
  const [first] = parts.name;
  if (!compiled.isAllow || first?.kind !== "text" || !first.text.startsWith("$aws/rules/")) return;
  const isForTopics = actions.has("iot:Publish") || actions.has("iot:RetainPublish");
  if (parts.type !== "topicfilter" && (parts.type !== "topic" || isForTopics)) return;
  const message =
    "Basic Ingest topics ($aws/rules/...) go to a rule only: no client can subscribe to them or receive from them";
  const fix = "subscribe to the topic that the rule publishes to, or remove this resource";
  run.report("basic-ingest-in-subscribe", compiled.policy, parts.value.at, message, fix);
}

/** NotResource for Receive alone is AWS's own recipe for closing what a filter leaves open. */
function isReceiveOnly({ actions }: LintSubject): boolean {
  return actions.size === 1 && actions.has("iot:Receive");
}

function lintTypes(run: LintRun, subject: LintSubject, resources: readonly ResourceParts[]): void {
  const { statement, policy } = subject.compiled;
  const isOpen = (parts: ResourceParts): boolean => parts.type === undefined;
  for (const value of statement.action.values) {
    const action = iotActionNamed(value.text);
    const needed = action && iotActions.get(action);
    if (
      action === undefined ||
      needed === undefined ||
      resources.some((parts) => isOpen(parts) || parts.type === needed)
    )
      continue;
    const message = `${value.text} is asked for on ${needed === "*" ? "*" : `${needed}/...`}, which no resource here is`;
    const written = resources[0]?.type ?? "";
    const fix = needed === "*" ? 'grant it on "*"' : `write ${needed}/ in place of ${written}/`;
    const request = requestFor(run, resources[0], action, needed);
    run.report(
      "action-resource-mismatch",
      policy,
      value.at,
      message,
      fix,
      request && { request, expected: ["implicit-deny"] },
    );
  }
  // An action that is not known may be the one that this resource is for.
  if (statement.action.values.some(({ text }) => !text.includes("*") && iotActionNamed(text) === undefined)) return;
  for (const parts of resources) {
    if (isOpen(parts) || [...subject.actions].some((action) => iotActions.get(action) === parts.type)) continue;
    const message = `no action of this statement is asked for on ${parts.type}/...`;
    const fix = `use ${[...new Set([...subject.actions].map((action) => `${iotActions.get(action)}/`))].join(" or ")}`;
    run.report("action-resource-mismatch", policy, parts.value.at, message, fix);
  }
}

function requestFor(
  run: LintRun,
  parts: ResourceParts | undefined,
  action: PolicyAction,
  needed: ResourceType,
): PolicyRequest | undefined {
  const name = parts && sampleText(parts.name, run.context);
  if (parts === undefined || name === undefined) return undefined;
  const { partition = "aws", region, account } = parts.scope;
  const resource = needed === "*" ? "*" : (`arn:${partition}:iot:${region}:${account}:${needed}/${name}` as const);
  return { action, resource, context: run.context };
}

/** `+` and `#` in a policy are ordinary characters. */
function lintWildcards(run: LintRun, { compiled, actions }: LintSubject, parts: ResourceParts): void {
  const { type, name, value, scope } = parts;
  if (!name.some((token) => token.kind === "text" && /[+#]/.test(token.text))) return;
  const topic = sampleText(name, run.context)?.replaceAll(/[+#]/g, "x");
  const fix = "write * (any run of characters) in their place";
  const isFilter = type === "topicfilter";
  if (!compiled.isAllow && (isFilter || type === "topic")) {
    const action = isFilter ? "iot:Subscribe" : actions.has("iot:Publish") ? "iot:Publish" : "iot:Receive";
    const arn = isFilter ? topicFilterArn : topicArn;
    const request: PolicyRequest | undefined =
      topic === undefined ? undefined : { action, resource: arn(scope, topic), context: run.context };
    const message = "+ and # are ordinary characters in a policy, so this denies only that very text";
    run.report(
      "mqtt-wildcard-in-deny",
      compiled.policy,
      value.at,
      message,
      fix,
      request && { request, expected: ["allow", "implicit-deny"] },
    );
  } else if (compiled.isAllow && type === "topic") {
    const action = actions.has("iot:Publish") ? "iot:Publish" : "iot:Receive";
    const request: PolicyRequest | undefined =
      topic === undefined ? undefined : { action, resource: topicArn(scope, topic), context: run.context };
    const message = "+ and # are ordinary characters in a policy, and no message has a topic with them";
    run.report(
      "mqtt-wildcard-in-topic",
      compiled.policy,
      value.at,
      message,
      fix,
      request && { request, expected: ["implicit-deny"] },
    );
  }
}

/** The AWS IoT Button publishes to `iotbutton/<serial number>`; a policy without that prefix refuses every press. */
function lintSerialNumber(run: LintRun, { compiled }: LintSubject, { name, type, scope, value }: ResourceParts): void {
  const [only, ...others] = name;
  if (type !== "topic" || others.length > 0 || only?.kind !== "variable") return;
  if (only.key.name !== "iot:Certificate.Subject.SerialNumber") return;
  const resource = topicArn(scope, `iotbutton/${sampleSerialNumber}`);
  run.report(
    "serial-number-without-prefix",
    compiled.policy,
    value.at,
    "buttons publish to iotbutton/<serial number>, and this allows a topic that is the serial number alone",
    `write topic/iotbutton/${only.written}`,
    { request: { action: "iot:Publish", resource, context: run.context }, expected: ["implicit-deny"] },
  );
}

/** A request to connect as `clientId`. */
export function connectRequest(scope: ArnScope, clientId: string, context: RequestContext): PolicyRequest {
  return { action: "iot:Connect", resource: clientArn(scope, clientId), context: { ...context, clientId } };
}
