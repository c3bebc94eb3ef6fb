/** What policies are attached to: by target, and in the deprecated form by principal, which stands in a header. */

import { isRegistryError, resourceArn, type Page, type Scope } from "@latchkey/registry";
import { ageOptions, agePaging, arn, markerPaging, nextOf, pageOptions, policyName } from "../members.ts";
import { operation, type Operation, type OperationContext } from "../../http/operation.ts";
import { flag, header, label, member, query, required } from "../../http/shape.ts";

const name = label(policyName);
const target = required(member(arn));
const principal = required(header("x-amzn-iot-principal", arn));

/** The operations. */
export const policyAttachmentOperations: readonly Operation[] = [
  operation("AttachPolicy", "PUT /target-policies/{policyName}", {
    exceptions: ["LimitExceededException", "ResourceNotFoundException"],
    members: { policyName: name, target },
    run: (context, input) => attach(context, input.policyName, input.target),
  }),
  operation("DetachPolicy", "POST /target-policies/{policyName}", {
    exceptions: ["LimitExceededException"],
    members: { policyName: name, target },
    async run(context, input) {
      try {
        await detach(context, input.policyName, input.target);
      } catch (error) {
        // As with AWS IoT: a policy that does not exist is detached, a target that does not exist is an invalid request.
        if (!isRegistryError(error) || error.code !== "ERR_REGISTRY_NOT_FOUND") throw error;
        if (error.evidence.kind !== "policy") throw error;
      }
    },
  }),
  operation("ListAttachedPolicies", "POST /attached-policies/{target}", {
    access: "read",
    exceptions: ["LimitExceededException", "ResourceNotFoundException"],
    members: { target: label(arn), recursive: query(flag), ...markerPaging },
    run({ registry, scope }, input) {
      const options = { ...pageOptions(input), recursive: input.recursive };
      const found = registry.policies.targetOfArn(scope, input.target);
      return attachedPolicies(scope, registry.policies.listAttached(scope, found, options));
    },
  }),
  operation("ListTargetsForPolicy", "POST /policy-targets/{policyName}", {
    access: "read",
    exceptions: ["LimitExceededException", "ResourceNotFoundException"],
    members: { policyName: name, ...markerPaging },
    run({ registry, scope }, input) {
      const page = registry.policies.listTargets(scope, input.policyName, pageOptions(input));
      return { targets: page.items, nextMarker: nextOf(page) };
    },
  }),
  operation("AttachPrincipalPolicy", "PUT /principal-policies/{policyName}", {
    exceptions: ["LimitExceededException", "ResourceNotFoundException"],
    members: { policyName: name, principal },
    run: (context, input) => attach(context, input.policyName, input.principal),
  }),
  operation("DetachPrincipalPolicy", "DELETE /principal-policies/{policyName}", {
    exceptions: ["ResourceNotFoundException"],
    members: { policyName: name, principal },
    run: (context, input) => detach(context, input.policyName, input.principal),
  }),
  operation("ListPrincipalPolicies", "GET /principal-policies", {
    exceptions: ["ResourceNotFoundException"],
    members: { principal, ...agePaging },
    run({ registry, scope }, input) {
      const found = registry.policies.targetOfArn(scope, input.principal);
      return attachedPolicies(scope, registry.policies.listAttached(scope, found, ageOptions(input)));
    },
  }),
  operation("ListPolicyPrincipals", "GET /policy-principals", {
    exceptions: ["ResourceNotFoundException"],
    members: { policyName: required(header("x-amzn-iot-policy", policyName)), ...agePaging },
    run({ registry, scope }, input) {
      const page = registry.policies.listTargets(scope, input.policyName, ageOptions(input));
      return { principals: page.items, nextMarker: nextOf(page) };
    },
  }),
];

function attach({ registry, scope }: OperationContext, policy: string, targetArn: string): Promise<void> {
  return registry.policies.attach(scope, policy, registry.policies.targetOfArn(scope, targetArn));
}

function detach({ registry, scope }: OperationContext, policy: string, targetArn: string): Promise<void> {
  return registry.policies.detach(scope, policy, registry.policies.targetOfArn(scope, targetArn));
}

function attachedPolicies(scope: Scope, page: Page<string>): object {
  return {
    policies: page.items.map((one) => ({ policyName: one, policyArn: resourceArn(scope, "policy", one) })),
    nextMarker: nextOf(page),
  };
}
