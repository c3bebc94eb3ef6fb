/** Which Allow statement comes nearest to a request that none allows, and what separates the two. */

import { partsOfArn } from "./arn.ts";
import type { PolicyRequest } from "./context.ts";
import { topicFilterMatches } from "./topic-filter.ts";
import type { NearestAllow, ResourceSlip, Separation, StatementOutcome, ValueOutcome } from "./explanation.ts";

/** Undefined where there is no Allow statement at all. */
export function nearestAllow(outcomes: readonly StatementOutcome[], request: PolicyRequest): NearestAllow | undefined {
  let nearest: NearestAllow | undefined;
  let nearestRank = Number.POSITIVE_INFINITY;
  for (const statement of outcomes) {
    if (statement.effect !== "Allow") continue;
    const separatedBy = separationsOf(statement, request);
    const rank = rankOf(separatedBy, request.resource);
    if (rank < nearestRank) {
      nearest = { statement, separatedBy };
      nearestRank = rank;
    }
  }
  return nearest;
}

/** Fewer separations come first, then those that are not the action's, then the resource that is most alike. */
function rankOf(separations: readonly Separation[], resource: string): number {
  let rank = 0;
  for (const separation of separations) {
    rank += 2;
    if (separation.element === "action") rank += 3;
    if (separation.element === "resource") {
      const closest = separation.closest;
      rank += 1 - (closest === undefined ? 0 : likeness(closest.resolved, resource));
    }
  }
  return rank;
}

function separationsOf(statement: StatementOutcome, request: PolicyRequest): Separation[] {
  const separations: Separation[] = [];
  const { action, resource, conditions, path } = statement;
  if (!action.matches)
    separations.push({ element: "action", path: `${path}.${action.isNegated ? "NotAction" : "Action"}` });
  if (!resource.matches) {
    const closest = resource.isNegated ? undefined : closestOf(resource.values, request.resource);
    const slip = closest === undefined ? undefined : slipOf(closest.resolved, request.resource);
    const element = resource.isNegated ? "NotResource" : "Resource";
    separations.push({ element: "resource", path: closest?.path ?? `${path}.${element}`, closest, slip });
  }
  for (const condition of conditions) {
    if (!condition.matches) separations.push({ element: "condition", path: condition.path, condition });
  }
  return separations;
}

function closestOf(values: readonly ValueOutcome[], resource: string): ValueOutcome | undefined {
  let closest: ValueOutcome | undefined;
  let best = -1;
  for (const value of values) {
    const measure = likeness(value.resolved, resource);
    if (measure > best) {
      closest = value;
      best = measure;
    }
  }
  return closest;
}

/** From 0 to 1: how much of the two texts is common at their starts and ends. */
function likeness(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let front = 0;
  while (front < shorter && a[front] === b[front]) front++;
  let back = 0;
  while (back < shorter - front && a.at(-1 - back) === b.at(-1 - back)) back++;
  return (front + back) / Math.max(a.length, b.length, 1);
}

function slipOf(pattern: string, resource: string): ResourceSlip | undefined {
  const [patternHead, patternType, patternName] = partsOfArn(pattern);
  const [head, type, name] = partsOfArn(resource);
  if (patternName === "" || name === "") return undefined;
  if (patternHead !== head) {
    if (patternType !== type || patternName !== name) return undefined;
    const differing = headSlips.filter((_, index) => patternHead.split(":")[index + 1] !== head.split(":")[index + 1]);
    return differing.length === 1 ? differing[0] : "head";
  }
  if (patternType !== type) return patternName === name ? "type" : undefined;
  if (name === `/${patternName}` || patternName === `/${name}`) return "leading-slash";
  if (patternName.toLowerCase() === name.toLowerCase()) return "case";
  if (name.endsWith(`/${patternName}`)) return "prefix";
  if (patternName.endsWith(`/${name}`)) return "further-levels";
  return /[+#]/.test(patternName) && topicFilterMatches(patternName, name) ? "mqtt-wildcard" : undefined;
}

/** The segments of an ARN behind `arn:` that place it. */
const headSlips: readonly ResourceSlip[] = ["partition", "service", "region", "account"];
