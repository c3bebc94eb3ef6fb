/** Which exception a refusal of the registry is. */

import { isRegistryError, type AnyRegistryError } from "@latchkey/registry";
import { ServiceError, type ExceptionMembers, type ExceptionName } from "./service-error.ts";

/** The exceptions that every operation can answer. */
const common: ReadonlySet<ExceptionName> = new Set<ExceptionName>([
  "InvalidRequestException",
  "ThrottlingException",
  "UnauthorizedException",
  "ServiceUnavailableException",
  "InternalFailureException",
]);

const exceptionOfCode: Readonly<Record<AnyRegistryError["code"], ExceptionName>> = {
  ERR_REGISTRY_ALREADY_EXISTS: "ResourceAlreadyExistsException",
  ERR_REGISTRY_NOT_FOUND: "ResourceNotFoundException",
  ERR_REGISTRY_LIMIT: "LimitExceededException",
  ERR_REGISTRY_VERSIONS_LIMIT: "VersionsLimitExceededException",
  ERR_REGISTRY_INVALID: "InvalidRequestException",
  ERR_REGISTRY_MALFORMED_POLICY: "MalformedPolicyException",
  ERR_REGISTRY_CERTIFICATE: "CertificateValidationException",
  ERR_REGISTRY_CERTIFICATE_CONFLICT: "CertificateConflictException",
  ERR_REGISTRY_REGISTRATION_CODE: "RegistrationCodeValidationException",
  ERR_REGISTRY_CERTIFICATE_STATE: "CertificateStateException",
  ERR_REGISTRY_DELETE_CONFLICT: "DeleteConflictException",
  ERR_REGISTRY_VERSION_CONFLICT: "VersionConflictException",
  ERR_REGISTRY_TRANSFER_CONFLICT: "TransferConflictException",
  ERR_REGISTRY_TRANSFER_COMPLETED: "TransferAlreadyCompletedException",
  ERR_REGISTRY_PROVISIONING: "ResourceRegistrationFailureException",
  ERR_REGISTRY_ACCESS_DENIED: "UnauthorizedException",
  ERR_REGISTRY_LOCAL_AUTHORITY: "InternalFailureException",
  ERR_REGISTRY_CORRUPT: "InternalFailureException",
  ERR_REGISTRY_UNAVAILABLE: "ServiceUnavailableException",
};

/**
 * The exception for what an operation threw, out of those that the operation has; another one becomes InvalidRequestException.
 * Undefined for a defect.
 */
export function exceptionOf(thrown: unknown, exceptions: readonly ExceptionName[]): ServiceError | undefined {
  if (thrown instanceof ServiceError) return thrown;
  if (!isRegistryError(thrown)) return undefined;
  const name = exceptionOfCode[thrown.code];
  const isModelled = common.has(name) || exceptions.includes(name);
  return new ServiceError(isModelled ? name : "InvalidRequestException", thrown.message, {
    members: membersOf(thrown),
    cause: thrown,
  });
}

function membersOf(error: AnyRegistryError): ExceptionMembers {
  if (error.code !== "ERR_REGISTRY_ALREADY_EXISTS") return {};
  const { resourceId, resourceArn } = error.evidence;
  return { resourceId, resourceArn };
}
