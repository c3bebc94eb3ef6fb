/** What a registry refuses, by code. */

export type RegistryErrorCode =
  /** A certificate, authority or policy of that identifier exists already. */
  | "ERR_REGISTRY_ALREADY_EXISTS"
  /** The certificate or policy named does not exist. */
  | "ERR_REGISTRY_NOT_FOUND"
  /** Ten policies are attached already (AWS IoT quota "policies attached to a certificate"). */
  | "ERR_REGISTRY_TOO_MANY_POLICIES"
  /** A policy's name is not 1 to 128 of `A-Z a-z 0-9 _ + = , . @ -`. */
  | "ERR_REGISTRY_POLICY_NAME"
  /** The stored file is not a registry, or is damaged, or was made by a newer version. */
  | "ERR_REGISTRY_CORRUPT"
  /** The stored file cannot be read or written. */
  | "ERR_REGISTRY_UNAVAILABLE";

/** A refused or failed registry operation. Whatever it tried has not happened, not even in part. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly code: RegistryErrorCode;

  constructor(code: RegistryErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The refusals that every store words alike. */
export function alreadyExists(key: string, options?: { readonly cause: unknown }): RegistryError {
  return new RegistryError("ERR_REGISTRY_ALREADY_EXISTS", `${key} exists already`, options);
}

export function notFound(key: string): RegistryError {
  return new RegistryError("ERR_REGISTRY_NOT_FOUND", `there is no ${key}`);
}

export function notAttached(policyName: string, certificateId: string): RegistryError {
  return new RegistryError("ERR_REGISTRY_NOT_FOUND", `${policyName} is not attached to ${certificateId}`);
}
