/** What a certificate would be allowed (TestAuthorization), by the same decisions as in life, with the reasons. */

import { compile, parsePolicy, type Explanation, type RequestContext, isRequestResource } from "@latchkey/policy";
import { certificateAttributes } from "./certificate-attributes.ts";
import { storedCertificate } from "./certificate-input.ts";
import { requireCertificate } from "./stored-certificate.ts";
import type { RegistryContext } from "./context.ts";
import { documentsOf, effectivePolicies, thingAttributes } from "./effective-policies.ts";
import { invalid, notFound } from "./errors.ts";
import { policies as policyTable } from "./records/policy.ts";
import { scopeKey, type Scope } from "./scope.ts";
import type { StorageReader } from "./storage.ts";

/** The actions that AWS IoT's TestAuthorization knows. */
export type AuthorizationAction = "CONNECT" | "PUBLISH" | "SUBSCRIBE" | "RECEIVE";

/** One question. */
export interface AuthorizationQuestion {
  readonly actionType: AuthorizationAction;
  /** ARNs; each is decided. */
  readonly resources: readonly string[];
}

/** Who asks, and what is changed for the question alone. */
export interface AuthorizationTest {
  readonly certificateId: string;
  /** Selects the thing, and stands for the variables of client identifier and thing. */
  readonly clientIdentifier?: string | undefined;
  /** From 1 to 10. */
  readonly questions: readonly AuthorizationQuestion[];
  /** Policies that are taken as attached. */
  readonly policyNamesToAdd?: readonly string[] | undefined;
  /** Policies that are taken as not attached. */
  readonly policyNamesToSkip?: readonly string[] | undefined;
}

/** One answer, for one resource of one question. */
export interface AuthorizationAnswer {
  readonly actionType: AuthorizationAction;
  readonly resource: string;
  readonly authDecision: "ALLOWED" | "EXPLICIT_DENY" | "IMPLICIT_DENY";
  /** Why, statement by statement. */
  readonly explanation: Explanation;
}

const actions = {
  CONNECT: "iot:Connect",
  PUBLISH: "iot:Publish",
  SUBSCRIBE: "iot:Subscribe",
  RECEIVE: "iot:Receive",
} as const;
const decisions = { allow: "ALLOWED", "explicit-deny": "EXPLICIT_DENY", "implicit-deny": "IMPLICIT_DENY" } as const;
const maximumQuestions = 10;

/** Answers questions for a certificate. Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_INVALID`. */
export function testAuthorization(
  context: RegistryContext,
  scope: Scope,
  test: AuthorizationTest,
): readonly AuthorizationAnswer[] {
  const { questions, clientIdentifier, certificateId } = test;
  if (questions.length < 1 || questions.length > maximumQuestions) {
    throw invalid("authInfos", `${questions.length} entries`, `from 1 to ${maximumQuestions} entries`);
  }
  const key = scopeKey(scope);
  const read = context.storage.read((reader) => {
    const record = requireCertificate(reader, key, certificateId);
    const effective = effectivePolicies(reader, key, certificateId, clientIdentifier);
    const names = new Set([...effective.policyNames, ...existing(reader, key, test.policyNamesToAdd ?? [])]);
    for (const name of test.policyNamesToSkip ?? []) names.delete(name);
    return { record, thing: effective.thing, documents: documentsOf(reader, key, [...names].sort()) };
  });
  const certificate = storedCertificate(read.record);
  const matcher = compile(
    read.documents.flatMap(({ policyName, document }) => {
      const result = parsePolicy(document, { name: policyName });
      return result.ok ? [result.policy] : [];
    }),
  );
  const requestContext: RequestContext = {
    protocol: "mqtt",
    clientId: clientIdentifier,
    certificateId,
    certificate: certificateAttributes(certificate),
    thing: thingAttributes(read.thing),
  };
  return questions.flatMap(({ actionType, resources }) =>
    resources.map((resource) => {
      if (!isRequestResource(resource)) throw invalid("resources", resource, "a whole ARN, or *");
      const explanation = matcher.explain({ action: actions[actionType], resource, context: requestContext });
      return { actionType, resource, authDecision: decisions[explanation.decision], explanation };
    }),
  );
}

function existing(reader: StorageReader, scope: string, names: readonly string[]): readonly string[] {
  for (const name of names) {
    if (policyTable.get(reader, scope, name) === undefined) throw notFound("policy", name);
  }
  return names;
}
