/** AWS IoT policies: parse, compile, decide, explain. */

export {
  certificateAttributes,
  type AlternativeNameInput,
  type CertificateInput,
  type DistinguishedNameInput,
} from "./certificate-attributes.ts";
export { clientArn, roleAliasArn, thingArn, topicArn, topicFilterArn, type ArnScope } from "./arn.ts";
export { httpsActions, iotActions, type ResourceType } from "./actions.ts";
export type {
  AlternativeNameForm,
  AlternativeNames,
  CertificateAttributes,
  ConnectAttribute,
  Decision,
  NameAttribute,
  NameAttributes,
  PolicyAction,
  PolicyRequest,
  RequestContext,
  RequestProtocol,
  ResourceArn,
  ThingAttributes,
} from "./context.ts";
export type {
  Condition,
  ConditionValue,
  Element,
  ElementValue,
  ParsedPolicy,
  PolicyVersion,
  Statement,
} from "./document.ts";
export {
  PolicyError,
  PolicyRequestError,
  type DocumentError,
  type DocumentFaults,
  type JsonType,
  type Location,
  type PolicyErrorCode,
  type PolicyRequestErrorCode,
} from "./errors.ts";
export type {
  ConditionOutcome,
  ElementOutcome,
  Explanation,
  NearestAllow,
  ResourceSlip,
  Separation,
  StatementOutcome,
  ValueOutcome,
} from "./explanation.ts";
export { compile, type PolicyMatcher } from "./matcher.ts";
export {
  defaultMaximumCharacters,
  parsePolicy,
  parsePolicyOrThrow,
  type ParsePolicyOptions,
  type ParsePolicyResult,
} from "./parse-policy.ts";
export { isPolicyAction, isRequestResource } from "./request.ts";
export type { UnresolvedReason, UnresolvedVariable } from "./unresolved.ts";
