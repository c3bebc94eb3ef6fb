/** Certificate authorities of an account, and its registration code. */

import { resourceArn, type CertificateAuthorityRecord, type Scope } from "@latchkey/registry";
import {
  ageOptions,
  agePaging,
  certificateId,
  certificateMode,
  nextOf,
  pem,
  registrationConfig,
  tags,
  templateName,
} from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { flag, label, member, query, required, word } from "../../http/shape.ts";
import { validityOf } from "./certificates.ts";
import { tagNew } from "./tags.ts";

const id = label(certificateId);

/** The operations. */
export const authorityOperations: readonly Operation[] = [
  operation("RegisterCACertificate", "POST /cacertificate", {
    exceptions: [
      "CertificateValidationException",
      "LimitExceededException",
      "RegistrationCodeValidationException",
      "ResourceAlreadyExistsException",
      "ResourceNotFoundException",
    ],
    members: {
      caCertificate: required(member(pem)),
      verificationCertificate: member(pem),
      setAsActive: query(flag),
      allowAutoRegistration: query(flag),
      registrationConfig: member(registrationConfig),
      tags: member(tags),
      certificateMode: member(certificateMode),
    },
    async run({ registry, scope }, input) {
      const record = await registry.authorities.register(scope, {
        caCertificatePem: input.caCertificate,
        verificationCertificatePem: input.verificationCertificate,
        certificateMode: input.certificateMode,
        setAsActive: input.setAsActive,
        allowAutoRegistration: input.allowAutoRegistration,
        registrationConfig: input.registrationConfig,
      });
      const certificateArn = resourceArn(scope, "cacert", record.certificateId);
      await tagNew({ registry, scope }, certificateArn, input.tags);
      return { certificateArn, certificateId: record.certificateId };
    },
  }),
  operation("DescribeCACertificate", "GET /cacertificate/{certificateId}", {
    exceptions: ["ResourceNotFoundException"],
    members: { certificateId: id },
    run({ registry, scope }, input) {
      const record = registry.authorities.describe(scope, input.certificateId);
      return {
        certificateDescription: {
          ...listedAuthority(scope, record),
          certificatePem: record.certificatePem,
          ownedBy: scope.account,
          autoRegistrationStatus: record.autoRegistration ? "ENABLE" : "DISABLE",
          lastModifiedDate: record.modifiedAtSeconds,
          customerVersion: record.customerVersion,
          validity: validityOf(record.certificatePem),
          certificateMode: record.certificateMode,
        },
        registrationConfig: record.registrationConfig,
      };
    },
  }),
  operation("ListCACertificates", "GET /cacertificates", {
    members: { ...agePaging, templateName: query(templateName) },
    run({ registry, scope }, input) {
      const page = registry.authorities.list(scope, ageOptions(input));
      const wanted = page.items.filter(
        ({ registrationConfig: config }) =>
          input.templateName === undefined || config?.templateName === input.templateName,
      );
      return { certificates: wanted.map((record) => listedAuthority(scope, record)), nextMarker: nextOf(page) };
    },
  }),
  operation("UpdateCACertificate", "PUT /cacertificate/{certificateId}", {
    exceptions: ["ResourceNotFoundException"],
    members: {
      certificateId: id,
      newStatus: query(word("ACTIVE", "INACTIVE")),
      newAutoRegistrationStatus: query(word("ENABLE", "DISABLE")),
      registrationConfig: member(registrationConfig),
      removeAutoRegistration: member(flag),
    },
    async run({ registry, scope }, input) {
      const { newAutoRegistrationStatus: auto } = input;
      await registry.authorities.update(scope, input.certificateId, {
        status: input.newStatus,
        autoRegistration: auto === undefined ? undefined : auto === "ENABLE",
        registrationConfig: input.registrationConfig,
        removeAutoRegistration: input.removeAutoRegistration,
      });
    },
  }),
  operation("DeleteCACertificate", "DELETE /cacertificate/{certificateId}", {
    exceptions: ["CertificateStateException", "ResourceNotFoundException"],
    members: { certificateId: id },
    run: ({ registry, scope }, input) => registry.authorities.delete(scope, input.certificateId),
  }),
  operation("GetRegistrationCode", "GET /registrationcode", {
    run: async ({ registry, scope }) => ({ registrationCode: await registry.authorities.registrationCode(scope) }),
  }),
  operation("DeleteRegistrationCode", "DELETE /registrationcode", {
    exceptions: ["ResourceNotFoundException"],
    run: ({ registry, scope }) => registry.authorities.deleteRegistrationCode(scope),
  }),
];

function listedAuthority(scope: Scope, record: CertificateAuthorityRecord): object {
  return {
    certificateArn: resourceArn(scope, "cacert", record.certificateId),
    certificateId: record.certificateId,
    status: record.status,
    creationDate: record.createdAtSeconds,
  };
}
