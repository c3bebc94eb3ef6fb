/** Provisioning templates, claims and RegisterThing. */

import { resourceArn, type ProvisioningTemplateRecord, type Scope } from "@latchkey/registry";
import { invalidRequest } from "../../http/service-error.ts";
import { nextOf, pageOptions, roleArn, tags, templateBody, templateName, tokenPaging } from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { flag, label, map, member, required, structure, text, whole, word } from "../../http/shape.ts";
import { tagNew } from "./tags.ts";

const description = text({ most: 500, pattern: /^[^\p{C}]*$/u, allowed: "printable characters" });
const hook = structure({ targetArn: required(member(text({ least: 1, most: 2048 }))) });
const name = label(templateName);

/** The operations. */
export const provisioningOperations: readonly Operation[] = [
  operation("CreateProvisioningTemplate", "POST /provisioning-templates", {
    exceptions: ["LimitExceededException", "ResourceAlreadyExistsException"],
    members: {
      templateName: required(member(templateName)),
      templateBody: required(member(templateBody)),
      provisioningRoleArn: required(member(roleArn)),
      description: member(description),
      enabled: member(flag),
      preProvisioningHook: member(hook),
      tags: member(tags),
      type: member(word("FLEET_PROVISIONING", "JITP")),
    },
    async run({ registry, scope }, input) {
      refuseHook(input.preProvisioningHook);
      const record = await registry.templates.create(scope, input.templateName, {
        templateBody: input.templateBody,
        provisioningRoleArn: input.provisioningRoleArn,
        description: input.description,
        enabled: input.enabled,
        type: input.type,
      });
      const templateArn = resourceArn(scope, "provisioningtemplate", record.templateName);
      await tagNew({ registry, scope }, templateArn, input.tags);
      return { templateArn, templateName: record.templateName, defaultVersionId: 1 };
    },
  }),
  operation("DescribeProvisioningTemplate", "GET /provisioning-templates/{templateName}", {
    exceptions: ["ResourceNotFoundException"],
    members: { templateName: name },
    run({ registry, scope }, input) {
      const record = registry.templates.describe(scope, input.templateName);
      return {
        ...listed(scope, record),
        defaultVersionId: 1,
        templateBody: record.templateBody,
        provisioningRoleArn: record.provisioningRoleArn,
      };
    },
  }),
  operation("ListProvisioningTemplates", "GET /provisioning-templates", {
    members: tokenPaging,
    run({ registry, scope }, input) {
      const page = registry.templates.list(scope, pageOptions(input));
      return { templates: page.items.map((record) => listed(scope, record)), nextToken: nextOf(page) };
    },
  }),
  operation("UpdateProvisioningTemplate", "PATCH /provisioning-templates/{templateName}", {
    exceptions: ["ConflictingResourceUpdateException", "ResourceNotFoundException"],
    members: {
      templateName: name,
      description: member(description),
      enabled: member(flag),
      defaultVersionId: member(whole(1, 1)),
      provisioningRoleArn: member(roleArn),
      preProvisioningHook: member(hook),
    },
    run({ registry, scope }, input) {
      refuseHook(input.preProvisioningHook);
      const { enabled, description: text_, provisioningRoleArn } = input;
      return registry.templates.update(scope, input.templateName, { enabled, description: text_, provisioningRoleArn });
    },
  }),
  operation("DeleteProvisioningTemplate", "DELETE /provisioning-templates/{templateName}", {
    exceptions: ["ConflictingResourceUpdateException", "DeleteConflictException", "ResourceNotFoundException"],
    members: { templateName: name },
    run: ({ registry, scope }, input) => registry.templates.delete(scope, input.templateName),
  }),
  operation("CreateProvisioningClaim", "POST /provisioning-templates/{templateName}/provisioning-claim", {
    exceptions: ["ResourceNotFoundException"],
    members: { templateName: name },
    async run({ registry, scope }, input) {
      const claim = await registry.templates.createClaim(scope, input.templateName);
      return {
        certificateId: claim.record.certificateId,
        certificatePem: claim.record.certificatePem,
        keyPair: { PublicKey: claim.publicKeyPem, PrivateKey: claim.privateKeyPem },
        expiration: claim.expirationSeconds,
      };
    },
  }),
  operation("RegisterThing", "POST /things", {
    exceptions: ["ConflictingResourceUpdateException", "ResourceRegistrationFailureException"],
    members: { templateBody: required(member(templateBody)), parameters: member(map(text({ most: 4096 }))) },
    async run({ registry, scope }, input) {
      const made = await registry.templates.registerThing(scope, input.templateBody, input.parameters ?? {});
      return { certificatePem: made.certificate.certificatePem, resourceArns: made.resourceArns };
    },
  }),
];

function refuseHook(given: object | undefined): void {
  if (given !== undefined)
    throw invalidRequest("preProvisioningHook", "is not supported: there are no Lambda functions");
}

function listed(scope: Scope, record: ProvisioningTemplateRecord): object {
  return {
    templateArn: resourceArn(scope, "provisioningtemplate", record.templateName),
    templateName: record.templateName,
    description: record.description,
    creationDate: record.createdAtSeconds,
    lastModifiedDate: record.modifiedAtSeconds,
    enabled: record.enabled,
    type: record.type,
  };
}
