/** The actions that devices and data-plane clients ask for, each with the type of resource that it is about. */

import type { PolicyAction } from "./context.ts";
import { actionMatches, type CompiledStatement } from "./compile.ts";

/** The kinds of resource that the actions of AWS IoT are about: the word behind the fifth colon of an ARN. */
export type ResourceType = "client" | "topic" | "topicfilter" | "thing" | "rolealias" | "*";

/** Action to resource type; `*` for actions that are about no single resource and are granted on `*` only. */
export const iotActions: ReadonlyMap<PolicyAction, ResourceType> = new Map<PolicyAction, ResourceType>([
  ["iot:Connect", "client"],
  ["iot:Publish", "topic"],
  ["iot:RetainPublish", "topic"],
  ["iot:Subscribe", "topicfilter"],
  ["iot:Receive", "topic"],
  ["iot:GetRetainedMessage", "topic"],
  ["iot:ListRetainedMessages", "*"],
  ["iot:GetThingShadow", "thing"],
  ["iot:UpdateThingShadow", "thing"],
  ["iot:DeleteThingShadow", "thing"],
  ["iot:ListNamedShadowsForThing", "*"],
  ["iot:DescribeJobExecution", "thing"],
  ["iot:GetPendingJobExecutions", "thing"],
  ["iot:UpdateJobExecution", "thing"],
  ["iot:StartNextPendingJobExecution", "thing"],
  ["iot:AssumeRoleWithCertificate", "rolealias"],
  ["iot:SendDirectMessage", "client"],
  ["iot:DeleteConnection", "client"],
  ["iot:GetConnection", "client"],
  ["iot:ListSubscriptions", "client"],
]);

/**
 * Actions that exist over HTTPS only, so that variables about the thing and the client identifier never have a value. Over
 * MQTT, shadows and jobs are decided by Publish, Subscribe and Receive on their topics.
 */
export const httpsActions: ReadonlySet<PolicyAction> = new Set<PolicyAction>([
  "iot:GetRetainedMessage",
  "iot:ListRetainedMessages",
  "iot:GetThingShadow",
  "iot:UpdateThingShadow",
  "iot:DeleteThingShadow",
  "iot:ListNamedShadowsForThing",
  "iot:DescribeJobExecution",
  "iot:GetPendingJobExecutions",
  "iot:UpdateJobExecution",
  "iot:StartNextPendingJobExecution",
  "iot:AssumeRoleWithCertificate",
  "iot:SendDirectMessage",
  "iot:DeleteConnection",
  "iot:GetConnection",
  "iot:ListSubscriptions",
]);

/** Whether an action, in any case, exists over HTTPS only. */
export function isHttpsAction(action: string): boolean {
  const named = iotActionNamed(action);
  return named !== undefined && httpsActions.has(named);
}

const byFoldedName: ReadonlyMap<string, PolicyAction> = new Map(
  Array.from(iotActions.keys(), (action) => [action.toLowerCase(), action]),
);

/** An action as AWS spells it; `undefined` where `text`, in any case, names none of this list. */
export function iotActionNamed(text: string): PolicyAction | undefined {
  return byFoldedName.get(text.toLowerCase());
}

/** The actions of this list that a statement names. */
export function actionsOf(statement: CompiledStatement): PolicyAction[] {
  return [...iotActions.keys()].filter((action) => actionMatches(statement, action.toLowerCase()));
}
