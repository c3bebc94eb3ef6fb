/** Checks of a request: an action with its service on a whole ARN, or `*`. */

import { resourceOffset } from "./arn.ts";
import type { PolicyAction, PolicyRequest, ResourceArn } from "./context.ts";
import { shorten, PolicyRequestError } from "./errors.ts";

/** Throws a `PolicyRequestError` for an action or a resource that cannot be one. */
export function checkRequest({ action, resource }: PolicyRequest): void {
  if (!isPolicyAction(action)) {
    throw new PolicyRequestError("ERR_POLICY_REQUEST_ACTION", String(action), actionFault(action) ?? "");
  }
  checkResource(resource);
}

/** As `checkRequest`, for the resource alone. */
export function checkResource(resource: unknown): void {
  if (!isRequestResource(resource)) {
    throw new PolicyRequestError("ERR_POLICY_REQUEST_RESOURCE", String(resource), resourceFault(resource) ?? "");
  }
}

/** A service and a name without wildcards. */
export function isPolicyAction(text: unknown): text is PolicyAction {
  return typeof text === "string" && /^[\w-]+:[\w-]+$/.test(text);
}

/** Six segments, with something in the last. */
export function isRequestResource(text: unknown): text is ResourceArn | "*" {
  if (text === "*") return true;
  if (typeof text !== "string" || !text.startsWith("arn:")) return false;
  const offset = resourceOffset(text);
  return offset !== -1 && offset < text.length;
}

/** What is wrong with an action, and what would be accepted; `undefined` where nothing is. */
export function actionFault(action: unknown): string | undefined {
  if (isPolicyAction(action)) return undefined;
  if (typeof action !== "string" || action === "") return "an action is text such as iot:Publish";
  const written = shorten(action);
  if (/[*?]/.test(action)) return `a request is about one action, such as iot:Publish, and ${written} is a pattern`;
  const meant = /^[\w-]+$/.test(action) ? `: write iot:${action}` : "";
  return action.includes(":")
    ? `an action is a service and a name, such as iot:Publish, and ${written} is not`
    : `an action has its service in front, such as iot:Publish; ${written} has not${meant}`;
}

/** What is wrong with a resource, and what would be accepted; `undefined` where nothing is. */
export function resourceFault(resource: unknown): string | undefined {
  if (isRequestResource(resource)) return undefined;
  const expected = "* or a whole ARN such as arn:aws:iot:eu-west-1:123456789012:topic/a (topicArn makes it)";
  return `a resource is ${expected}, not ${resource === "" ? "an empty text" : shorten(String(resource))}`;
}
