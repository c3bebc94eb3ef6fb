/** The actions that devices and data-plane clients ask for, each with the type of resource that it is about. */

import { actionMatches, type CompiledStatement } from "./compile.ts";

export type ResourceType = "client" | "topic" | "topicfilter" | "thing" | "rolealias" | "*";

/** Action to resource type; `*` for actions that are about no single resource and are granted on `*` only. */
export const iotActions: ReadonlyMap<string, ResourceType> = new Map([
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

/** The actions of this list that a statement speaks about. */
export function actionsOf(statement: CompiledStatement): string[] {
  return [...iotActions.keys()].filter((action) => actionMatches(statement, action.toLowerCase()));
}
