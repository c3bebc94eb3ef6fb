/**
 * Errors as AWS's REST services answer them (restJson1): an HTTP status, the exception's name in the header `x-amzn-errortype`,
 * and a JSON body with `message` and the exception's own members.
 */

/** The exceptions that are answered, and their HTTP statuses. ThrottlingException is 429 on the data plane. */
const exceptionStatus = {
  AccessDeniedException: 403,
  CertificateConflictException: 409,
  CertificateStateException: 406,
  CertificateValidationException: 400,
  ConflictingResourceUpdateException: 409,
  DeleteConflictException: 409,
  ForbiddenException: 403,
  GatewayTimeoutException: 504,
  IncompleteSignatureException: 403,
  InternalFailureException: 500,
  InvalidRequestException: 400,
  InvalidSignatureException: 403,
  LimitExceededException: 410,
  MalformedPolicyException: 400,
  MethodNotAllowedException: 405,
  MissingAuthenticationTokenException: 403,
  RegistrationCodeValidationException: 400,
  RequestEntityTooLargeException: 413,
  RequestTimeoutException: 408,
  ResourceAlreadyExistsException: 409,
  ResourceNotFoundException: 404,
  ResourceRegistrationFailureException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 400,
  TransferAlreadyCompletedException: 410,
  TransferConflictException: 409,
  UnauthorizedException: 401,
  UnknownOperationException: 404,
  UnrecognizedClientException: 403,
  VersionConflictException: 409,
  VersionsLimitExceededException: 409,
} as const;

/** The name of an exception. */
export type ExceptionName = keyof typeof exceptionStatus;

/** Members of an exception besides `message`. */
export interface ExceptionMembers {
  readonly resourceId?: string | undefined;
  readonly resourceArn?: string | undefined;
}

/** An answer that is an exception. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: ExceptionName;
  readonly statusCode: number;
  readonly members: ExceptionMembers;

  constructor(
    code: ExceptionName,
    message: string,
    more: { readonly members?: ExceptionMembers; readonly statusCode?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.statusCode = more.statusCode ?? exceptionStatus[code];
    this.members = more.members ?? {};
  }
}

/** InvalidRequestException: `at` names the member of the request. */
export function invalidRequest(at: string, message: string): ServiceError {
  return new ServiceError("InvalidRequestException", `${at} ${message}`);
}
