/**
 * What a registry refuses. One class; `code` says which refusal it is and gives `evidence` its type, so that
 * `if (error.code === "ERR_REGISTRY_LIMIT")` narrows it. Names in brackets are the AWS IoT exceptions.
 */

import type { ChainFailure } from "@latchkey/chain";
import type { DocumentError } from "@latchkey/policy";

/** What each code brings as fields. */
export interface RegistryEvidence {
  /** Something of that name or identifier exists already (ResourceAlreadyExistsException). */
  readonly ERR_REGISTRY_ALREADY_EXISTS: {
    readonly kind: string;
    readonly resourceId: string;
    readonly resourceArn: string | undefined;
  };
  /** What was named does not exist (ResourceNotFoundException). */
  readonly ERR_REGISTRY_NOT_FOUND: { readonly kind: string; readonly resourceId: string };
  /** A quota is used up (LimitExceededException). */
  readonly ERR_REGISTRY_LIMIT: { readonly quota: string; readonly limit: number; readonly found: number };
  /** A sixth version of a policy (VersionsLimitExceededException). */
  readonly ERR_REGISTRY_VERSIONS_LIMIT: { readonly policyName: string; readonly limit: number };
  /** A value that cannot be (InvalidRequestException). */
  readonly ERR_REGISTRY_INVALID: { readonly field: string; readonly found: string; readonly allowed: string };
  /** A policy document that AWS IoT would refuse (MalformedPolicyException). */
  readonly ERR_REGISTRY_MALFORMED_POLICY: { readonly policyName: string; readonly errors: readonly DocumentError[] };
  /** A certificate, key or request that cannot be taken (CertificateValidationException). */
  readonly ERR_REGISTRY_CERTIFICATE: { readonly failures: readonly ChainFailure[] };
  /** Several authorities have the certificate's issuer as their name (CertificateConflictException). */
  readonly ERR_REGISTRY_CERTIFICATE_CONFLICT: { readonly candidates: readonly string[] };
  /** The verification certificate does not have the registration code (RegistrationCodeValidationException). */
  readonly ERR_REGISTRY_REGISTRATION_CODE: { readonly found: readonly string[]; readonly registrationCode: string };
  /** Not possible in this status (CertificateStateException). */
  readonly ERR_REGISTRY_CERTIFICATE_STATE: {
    readonly certificateId: string;
    readonly status: string;
    readonly needed: readonly string[];
  };
  /** Something is still attached to it (DeleteConflictException). */
  readonly ERR_REGISTRY_DELETE_CONFLICT: { readonly resourceId: string; readonly attached: readonly string[] };
  /** Changed since it was read (VersionConflictException). */
  readonly ERR_REGISTRY_VERSION_CONFLICT: {
    readonly resourceId: string;
    readonly expected: number;
    readonly found: number;
  };
  /** The certificate cannot be transferred (TransferConflictException). */
  readonly ERR_REGISTRY_TRANSFER_CONFLICT: { readonly certificateId: string; readonly attached: readonly string[] };
  /** There is no transfer under way (TransferAlreadyCompletedException). */
  readonly ERR_REGISTRY_TRANSFER_COMPLETED: { readonly certificateId: string };
  /** A provisioning template that cannot be read or carried out (ResourceRegistrationFailureException). */
  readonly ERR_REGISTRY_PROVISIONING: { readonly path: string };
  /** The requester may not do this: a wrong ownership token, a hook that said no. */
  readonly ERR_REGISTRY_ACCESS_DENIED: {
    readonly templateName: string | undefined;
    readonly reason: "token" | "template" | "hook";
  };
  /** A pair of the local authority cannot be used: its key is not the certificate's, or it is not valid now. Names as `KeyPairStore` has them. */
  readonly ERR_REGISTRY_LOCAL_AUTHORITY: {
    readonly certificate: string;
    readonly privateKey: string;
    readonly problem: "mismatch" | "expired" | "not-yet-valid";
    /** Seconds since 1970-01-01T00:00:00Z. */
    readonly notBefore: number;
    readonly notAfter: number;
  };
  /** What is stored is not a registry, is damaged, or was made by a newer version. */
  readonly ERR_REGISTRY_CORRUPT: { readonly file: string | undefined };
  /** What is stored cannot be read or written now; `isFull` where the disk is full. Nothing was changed. */
  readonly ERR_REGISTRY_UNAVAILABLE: { readonly file: string | undefined; readonly isFull: boolean };
}

/** Stable codes of `RegistryError`. */
export type RegistryErrorCode = keyof RegistryEvidence;

/** One refusal for each code, so that `code` narrows `evidence`. */
export type AnyRegistryError = { [Code in RegistryErrorCode]: RegistryError<Code> }[RegistryErrorCode];

/** A refused or failed operation. Whatever it tried has not happened, not even in part. */
export class RegistryError<Code extends RegistryErrorCode = RegistryErrorCode> extends Error {
  override readonly name = "RegistryError";
  readonly code: Code;
  readonly evidence: RegistryEvidence[Code];

  constructor(code: Code, message: string, evidence: RegistryEvidence[Code], options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
    this.evidence = evidence;
  }
}

/** Whether anything thrown is a refusal of a registry; narrows by `code`. */
export function isRegistryError(thrown: unknown): thrown is AnyRegistryError {
  return thrown instanceof RegistryError;
}

/** `kind` with this name or identifier does not exist. */
export function notFound(kind: string, resourceId: string): RegistryError<"ERR_REGISTRY_NOT_FOUND"> {
  return new RegistryError("ERR_REGISTRY_NOT_FOUND", `there is no ${kind} ${JSON.stringify(resourceId)}`, {
    kind,
    resourceId,
  });
}

/** `kind` with this name or identifier exists already. */
export function alreadyExists(
  kind: string,
  resourceId: string,
  resourceArn: string | undefined,
): RegistryError<"ERR_REGISTRY_ALREADY_EXISTS"> {
  return new RegistryError("ERR_REGISTRY_ALREADY_EXISTS", `the ${kind} ${JSON.stringify(resourceId)} exists already`, {
    kind,
    resourceId,
    resourceArn,
  });
}

/** `field` has a value that cannot be; `allowed` says in words what can. */
export function invalid(field: string, found: string, allowed: string): RegistryError<"ERR_REGISTRY_INVALID"> {
  const shown = found.length > 64 ? `${found.slice(0, 64)}…` : found;
  return new RegistryError(
    "ERR_REGISTRY_INVALID",
    `${field} ${JSON.stringify(shown)} is not possible: it is ${allowed}`,
    { field, found, allowed },
  );
}

/** A quota is used up. */
export function limitReached(quota: string, limit: number, found: number): RegistryError<"ERR_REGISTRY_LIMIT"> {
  return new RegistryError("ERR_REGISTRY_LIMIT", `${quota}: ${found} are more than the ${limit} possible`, {
    quota,
    limit,
    found,
  });
}
