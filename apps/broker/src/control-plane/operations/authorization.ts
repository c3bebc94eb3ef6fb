/** What a certificate may do: GetEffectivePolicies and TestAuthorization. */

import { resourceArn, type AuthorizationAnswer, type Scope } from "@latchkey/registry";
import { invalidRequest } from "../../http/service-error.ts";
import { arn, policyName, principalCertificate, thingName } from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { list, member, query, required, structure, text, word } from "../../http/shape.ts";

const cognitoIdentityPoolId = member(text({ least: 1, most: 256 }));
const authInfo = structure({
  actionType: required(member(word("PUBLISH", "SUBSCRIBE", "RECEIVE", "CONNECT"))),
  resources: required(member(list(text({ most: 2048 }), 1, 100))),
});

/** The operations. */
export const authorizationOperations: readonly Operation[] = [
  operation("GetEffectivePolicies", "POST /effective-policies", {
    access: "read",
    exceptions: ["LimitExceededException", "ResourceNotFoundException"],
    members: { principal: member(arn), cognitoIdentityPoolId, thingName: query(thingName) },
    run({ registry, scope }, input) {
      refuseCognito(input.cognitoIdentityPoolId);
      if (input.principal === undefined && input.thingName === undefined) {
        throw invalidRequest("principal", "or thingName is needed");
      }
      const documents = new Map<string, string>();
      if (input.principal !== undefined) {
        const id = principalCertificate(scope, input.principal);
        for (const one of registry.effectivePolicies(scope, id, input.thingName)) {
          documents.set(one.policyName, one.document);
        }
      }
      if (input.thingName !== undefined) {
        for (const name of registry.policiesOfThing(scope, input.thingName)) {
          documents.set(name, registry.policies.get(scope, name).document);
        }
      }
      return {
        effectivePolicies: Array.from(documents, ([name, document]) => ({
          ...policyOf(scope, name),
          policyDocument: document,
        })),
      };
    },
  }),
  operation("TestAuthorization", "POST /test-authorization", {
    access: "read",
    exceptions: ["LimitExceededException", "ResourceNotFoundException"],
    members: {
      principal: member(arn),
      cognitoIdentityPoolId,
      authInfos: required(member(list(authInfo, 1, 10))),
      clientId: query(text({ least: 1, most: 128 })),
      policyNamesToAdd: member(list(policyName, 0, 50)),
      policyNamesToSkip: member(list(policyName, 0, 50)),
    },
    run({ registry, scope }, input) {
      refuseCognito(input.cognitoIdentityPoolId);
      if (input.principal === undefined) throw invalidRequest("principal", "is missing: the ARN of a certificate");
      const answers = registry.testAuthorization(scope, {
        certificateId: principalCertificate(scope, input.principal),
        clientIdentifier: input.clientId,
        questions: input.authInfos,
        policyNamesToAdd: input.policyNamesToAdd,
        policyNamesToSkip: input.policyNamesToSkip,
      });
      let next = 0;
      return {
        authResults: input.authInfos.map((info) => {
          const own = answers.slice(next, next + info.resources.length);
          next += info.resources.length;
          return authResult(scope, info, own);
        }),
      };
    },
  }),
];

/** One result for one authInfo: with several resources it is allowed where each is, and denied explicitly where one is. */
function authResult(scope: Scope, info: object, answers: readonly AuthorizationAnswer[]): object {
  const named = (effect: "Allow" | "Deny", decision: AuthorizationAnswer["authDecision"]): readonly object[] => {
    const names = answers
      .filter((answer) => answer.authDecision === decision)
      .flatMap(({ explanation }) => explanation.decisive.filter((statement) => statement.effect === effect))
      .map((statement) => statement.policy);
    return [...new Set(names)].map((name) => policyOf(scope, name));
  };
  const has = (decision: AuthorizationAnswer["authDecision"]): boolean =>
    answers.some((answer) => answer.authDecision === decision);
  const considered = new Set(
    answers.flatMap(({ authDecision, explanation }) =>
      authDecision === "IMPLICIT_DENY" ? explanation.statements.map((statement) => statement.policy) : [],
    ),
  );
  const missing = new Set(
    answers.flatMap(({ explanation }) =>
      explanation.unresolved.map(({ variable }) => variable.replaceAll(/[${}]/g, "")),
    ),
  );
  return {
    authInfo: info,
    allowed: { policies: named("Allow", "ALLOWED") },
    denied: {
      implicitDeny: { policies: Array.from(considered, (name) => policyOf(scope, name)) },
      explicitDeny: { policies: named("Deny", "EXPLICIT_DENY") },
    },
    authDecision: has("EXPLICIT_DENY") ? "EXPLICIT_DENY" : has("IMPLICIT_DENY") ? "IMPLICIT_DENY" : "ALLOWED",
    missingContextValues: [...missing],
  };
}

function policyOf(scope: Scope, name: string): { readonly policyName: string; readonly policyArn: string } {
  return { policyName: name, policyArn: resourceArn(scope, "policy", name) };
}

function refuseCognito(poolId: string | undefined): void {
  if (poolId !== undefined)
    throw invalidRequest("cognitoIdentityPoolId", "is not supported: principals are certificates");
}
