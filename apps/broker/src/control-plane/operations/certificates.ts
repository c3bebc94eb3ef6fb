/** Device certificates: CreateKeysAndCertificate, CreateCertificateFromCsr, RegisterCertificate and what is done with them. */

import { resourceArn, type CertificateRecord, type Scope } from "@latchkey/registry";
import { certificatesFromPem } from "@latchkey/x509";
import { invalidRequest } from "../../http/service-error.ts";
import { ageOptions, agePaging, certificateId, certificateStatus, nextOf, pem } from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { flag, label, member, query, required, text } from "../../http/shape.ts";

const csr = required(member(text({ least: 1, most: 4096 })));

/** The operations. */
export const certificateOperations: readonly Operation[] = [
  operation("CreateKeysAndCertificate", "POST /keys-and-certificate", {
    members: { setAsActive: query(flag) },
    async run({ registry, scope }, { setAsActive }) {
      const created = await registry.certificates.createKeysAndCertificate(scope, { setAsActive });
      const keyPair = { PublicKey: created.publicKeyPem, PrivateKey: created.privateKeyPem };
      return { ...newCertificate(scope, created.record), certificatePem: created.record.certificatePem, keyPair };
    },
  }),
  operation("CreateCertificateFromCsr", "POST /certificates", {
    members: { certificateSigningRequest: csr, setAsActive: query(flag) },
    async run({ registry, scope }, { certificateSigningRequest, setAsActive }) {
      const record = await registry.certificates.createFromCsr(scope, certificateSigningRequest, { setAsActive });
      return { ...newCertificate(scope, record), certificatePem: record.certificatePem };
    },
  }),
  operation("RegisterCertificate", "POST /certificate/register", {
    exceptions: [
      "CertificateConflictException",
      "CertificateStateException",
      "CertificateValidationException",
      "ResourceAlreadyExistsException",
    ],
    members: {
      certificatePem: required(member(pem)),
      caCertificatePem: member(pem),
      status: member(certificateStatus),
      setAsActive: query(flag),
    },
    async run({ registry, scope }, { certificatePem, caCertificatePem, status, setAsActive }) {
      const wanted = registeredStatus(status ?? (setAsActive === true ? "ACTIVE" : undefined));
      const registration = { certificatePem, caCertificatePem, status: wanted };
      return newCertificate(scope, await registry.certificates.register(scope, registration));
    },
  }),
  operation("RegisterCertificateWithoutCA", "POST /certificate/register-no-ca", {
    exceptions: ["CertificateStateException", "CertificateValidationException", "ResourceAlreadyExistsException"],
    members: { certificatePem: required(member(pem)), status: member(certificateStatus) },
    async run({ registry, scope }, { certificatePem, status }) {
      const registration = { certificatePem, status: registeredStatus(status) };
      return newCertificate(scope, await registry.certificates.registerWithoutAuthority(scope, registration));
    },
  }),
  operation("DescribeCertificate", "GET /certificates/{certificateId}", {
    exceptions: ["ResourceNotFoundException"],
    members: { certificateId: label(certificateId) },
    run: ({ registry, scope }, { certificateId: id }) => ({
      certificateDescription: describedCertificate(scope, registry.certificates.describe(scope, id)),
    }),
  }),
  operation("ListCertificates", "GET /certificates", {
    members: agePaging,
    run({ registry, scope }, input) {
      const page = registry.certificates.list(scope, ageOptions(input));
      return { certificates: page.items.map((record) => listedCertificate(scope, record)), nextMarker: nextOf(page) };
    },
  }),
  operation("ListCertificatesByCA", "GET /certificates-by-ca/{caCertificateId}", {
    members: { caCertificateId: label(certificateId), ...agePaging },
    run({ registry, scope }, input) {
      const page = registry.certificates.listByAuthority(scope, input.caCertificateId, ageOptions(input));
      return { certificates: page.items.map((record) => listedCertificate(scope, record)), nextMarker: nextOf(page) };
    },
  }),
  operation("UpdateCertificate", "PUT /certificates/{certificateId}", {
    exceptions: ["CertificateStateException", "ResourceNotFoundException"],
    members: { certificateId: label(certificateId), newStatus: required(query(certificateStatus)) },
    async run({ registry, scope }, { certificateId: id, newStatus }) {
      if (newStatus === "REGISTER_INACTIVE") throw invalidRequest("newStatus", "is not possible any more: INACTIVE is");
      await registry.certificates.updateStatus(scope, id, newStatus);
    },
  }),
  operation("DeleteCertificate", "DELETE /certificates/{certificateId}", {
    exceptions: ["CertificateStateException", "DeleteConflictException", "ResourceNotFoundException"],
    members: { certificateId: label(certificateId), forceDelete: query(flag) },
    run: ({ registry, scope }, { certificateId: id, forceDelete }) =>
      registry.certificates.delete(scope, id, { force: forceDelete }),
  }),
];

type RegisteredStatus = "ACTIVE" | "INACTIVE" | "REVOKED" | "PENDING_TRANSFER" | "PENDING_ACTIVATION";

function registeredStatus(status: RegisteredStatus | "REGISTER_INACTIVE" | undefined): RegisteredStatus | undefined {
  if (status === "REGISTER_INACTIVE") throw invalidRequest("status", "is not possible any more: INACTIVE is");
  return status;
}

function newCertificate(scope: Scope, record: CertificateRecord): object {
  return { certificateArn: resourceArn(scope, "cert", record.certificateId), certificateId: record.certificateId };
}

function listedCertificate(scope: Scope, record: CertificateRecord): object {
  return {
    ...newCertificate(scope, record),
    status: record.status,
    certificateMode: record.certificateMode,
    creationDate: record.createdAtSeconds,
  };
}

function describedCertificate(scope: Scope, record: CertificateRecord): object {
  const { transfer } = record;
  return {
    ...listedCertificate(scope, record),
    caCertificateId: record.caCertificateId,
    certificatePem: record.certificatePem,
    ownedBy: scope.account,
    previousOwnedBy: record.previousOwner,
    lastModifiedDate: record.modifiedAtSeconds,
    customerVersion: record.customerVersion,
    validity: validityOf(record.certificatePem),
    transferData: transfer && {
      transferMessage: transfer.transferMessage,
      rejectReason: transfer.rejectReason,
      transferDate: transfer.transferDateSeconds,
      acceptDate: transfer.acceptDateSeconds,
      rejectDate: transfer.rejectDateSeconds,
    },
  };
}

/** From when and until when a stored certificate is valid, in seconds. */
export function validityOf(
  certificatePem: string,
): { readonly notBefore: number; readonly notAfter: number } | undefined {
  return certificatesFromPem(certificatePem)[0]?.validity;
}
