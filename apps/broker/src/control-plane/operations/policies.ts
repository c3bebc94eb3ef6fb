/** Policies and their versions. */

import { resourceArn } from "@latchkey/registry";
import { ageOptions, agePaging, nextOf, policyDocument, policyName, policyVersionId, tags } from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { flag, label, member, query, required } from "../../http/shape.ts";
import { tagNew } from "./tags.ts";

const name = label(policyName);
const versionId = label(policyVersionId);

/** The operations. */
export const policyOperations: readonly Operation[] = [
  operation("CreatePolicy", "POST /policies/{policyName}", {
    exceptions: ["MalformedPolicyException", "ResourceAlreadyExistsException"],
    members: { policyName: name, policyDocument: required(member(policyDocument)), tags: member(tags) },
    async run({ registry, scope }, input) {
      const policy = await registry.policies.create(scope, input.policyName, input.policyDocument);
      const policyArn = resourceArn(scope, "policy", policy.policyName);
      await tagNew({ registry, scope }, policyArn, input.tags);
      return {
        policyName: policy.policyName,
        policyArn,
        policyDocument: policy.document,
        policyVersionId: policy.defaultVersionId,
      };
    },
  }),
  operation("GetPolicy", "GET /policies/{policyName}", {
    exceptions: ["ResourceNotFoundException"],
    members: { policyName: name },
    run({ registry, scope }, input) {
      const policy = registry.policies.get(scope, input.policyName);
      return {
        policyName: policy.policyName,
        policyArn: resourceArn(scope, "policy", policy.policyName),
        policyDocument: policy.document,
        defaultVersionId: policy.defaultVersionId,
        creationDate: policy.createdAtSeconds,
        lastModifiedDate: policy.modifiedAtSeconds,
      };
    },
  }),
  operation("ListPolicies", "GET /policies", {
    members: agePaging,
    run({ registry, scope }, input) {
      const page = registry.policies.list(scope, ageOptions(input));
      return {
        policies: page.items.map((policy) => ({
          policyName: policy.policyName,
          policyArn: resourceArn(scope, "policy", policy.policyName),
        })),
        nextMarker: nextOf(page),
      };
    },
  }),
  operation("DeletePolicy", "DELETE /policies/{policyName}", {
    exceptions: ["DeleteConflictException", "ResourceNotFoundException"],
    members: { policyName: name },
    run: ({ registry, scope }, input) => registry.policies.delete(scope, input.policyName),
  }),
  operation("CreatePolicyVersion", "POST /policies/{policyName}/version", {
    exceptions: ["MalformedPolicyException", "ResourceNotFoundException", "VersionsLimitExceededException"],
    members: { policyName: name, policyDocument: required(member(policyDocument)), setAsDefault: query(flag) },
    async run({ registry, scope }, input) {
      const { setAsDefault } = input;
      const version = await registry.policies.createVersion(scope, input.policyName, input.policyDocument, {
        setAsDefault,
      });
      return {
        policyArn: resourceArn(scope, "policy", version.policyName),
        policyDocument: version.document,
        policyVersionId: version.versionId,
        isDefaultVersion: setAsDefault === true,
      };
    },
  }),
  operation("GetPolicyVersion", "GET /policies/{policyName}/version/{policyVersionId}", {
    exceptions: ["ResourceNotFoundException"],
    members: { policyName: name, policyVersionId: versionId },
    run({ registry, scope }, input) {
      const version = registry.policies.getVersion(scope, input.policyName, input.policyVersionId);
      return {
        policyArn: resourceArn(scope, "policy", version.policyName),
        policyName: version.policyName,
        policyDocument: version.document,
        policyVersionId: version.versionId,
        isDefaultVersion: version.isDefaultVersion,
        creationDate: version.createdAtSeconds,
        lastModifiedDate: version.createdAtSeconds,
      };
    },
  }),
  operation("ListPolicyVersions", "GET /policies/{policyName}/version", {
    exceptions: ["ResourceNotFoundException"],
    members: { policyName: name },
    run: ({ registry, scope }, input) => ({
      policyVersions: registry.policies.listVersions(scope, input.policyName).map((version) => ({
        versionId: version.versionId,
        isDefaultVersion: version.isDefaultVersion,
        createDate: version.createdAtSeconds,
      })),
    }),
  }),
  operation("DeletePolicyVersion", "DELETE /policies/{policyName}/version/{policyVersionId}", {
    exceptions: ["DeleteConflictException", "ResourceNotFoundException"],
    members: { policyName: name, policyVersionId: versionId },
    run: ({ registry, scope }, input) =>
      registry.policies.deleteVersion(scope, input.policyName, input.policyVersionId),
  }),
  operation("SetDefaultPolicyVersion", "PATCH /policies/{policyName}/version/{policyVersionId}", {
    exceptions: ["ResourceNotFoundException"],
    members: { policyName: name, policyVersionId: versionId },
    run: ({ registry, scope }, input) =>
      registry.policies.setDefaultVersion(scope, input.policyName, input.policyVersionId),
  }),
];
