/**
 * Why a connection failed: one class, told apart by a stable `code`.
 *
 * No message and no field ever holds a key, a secret, plaintext or verify data.
 */

import type { AlertName } from "./alert.ts";

/** The peer's bytes break their format, or the order or limits of the protocol. */
export type TlsMalformedCode =
  /** A message, extension or alert that is cut off, too long, or followed by further octets. */
  | "ERR_TLS_DECODE"
  /** A record or message that the state does not allow. */
  | "ERR_TLS_UNEXPECTED_MESSAGE"
  /** A record longer than its version allows. */
  | "ERR_TLS_RECORD_OVERFLOW"
  /** A limit of `TlsLimits`, named in `limit`. */
  | "ERR_TLS_LIMIT"
  /** The transport ended without close_notify: what came may be cut off. */
  | "ERR_TLS_TRUNCATED";

/** The peer's bytes are well-formed, and claim or choose what they must not. */
export type TlsMisbehaviourCode =
  | "ERR_TLS_ILLEGAL_PARAMETER"
  | "ERR_TLS_UNSUPPORTED_EXTENSION"
  | "ERR_TLS_MISSING_EXTENSION"
  /** The mark of RFC 8446 §4.1.3: somebody between the peers took the newer version away. */
  | "ERR_TLS_DOWNGRADE"
  /** TLS_FALLBACK_SCSV with a version below ours (RFC 7507). */
  | "ERR_TLS_INAPPROPRIATE_FALLBACK"
  /** Renegotiation was asked for, or RFC 5746 is not followed. */
  | "ERR_TLS_RENEGOTIATION";

/** A proof that did not hold. */
export type TlsVerificationCode =
  | "ERR_TLS_BAD_RECORD_MAC"
  /** CertificateVerify or ServerKeyExchange is not signed by the certificate's key. */
  | "ERR_TLS_SIGNATURE"
  | "ERR_TLS_FINISHED"
  | "ERR_TLS_BINDER"
  /** The certificate cannot be read, or its key cannot be used. */
  | "ERR_TLS_CERTIFICATE"
  /** The `PeerVerifier` refused the chain; its reason is the `cause`. */
  | "ERR_TLS_PEER_REFUSED"
  /** `require`, and the client sent none. */
  | "ERR_TLS_CERTIFICATE_REQUIRED";

/** The two sides have nothing in common. */
export type TlsNegotiationCode =
  | "ERR_TLS_VERSION"
  | "ERR_TLS_NO_COMMON_SUITE"
  | "ERR_TLS_NO_COMMON_GROUP"
  | "ERR_TLS_NO_COMMON_SCHEME"
  | "ERR_TLS_NO_APPLICATION_PROTOCOL"
  /** TLS 1.2 without RFC 7627. */
  | "ERR_TLS_NO_EXTENDED_MASTER_SECRET"
  | "ERR_TLS_SERVER_NAME";

/** Not the peer's bytes: its decision, or ours. */
export type TlsLocalCode =
  /** The peer sent a fatal alert: `alertReceived`. */
  | "ERR_TLS_ALERT_RECEIVED"
  /** The credential has no fitting key, or its signing failed; the reason is the `cause`. */
  | "ERR_TLS_CREDENTIAL"
  /** `abort` was called. */
  | "ERR_TLS_ABORTED"
  /** A fault of this package or of its provider. */
  | "ERR_TLS_INTERNAL"
  /** The caller's own mistake: thrown, never an event. */
  | "ERR_TLS_ARGUMENT";

/** Every code of `TlsError`. */
export type TlsErrorCode =
  | TlsMalformedCode
  | TlsMisbehaviourCode
  | TlsVerificationCode
  | TlsNegotiationCode
  | TlsLocalCode;

/** What is known about a failure besides its code. */
export interface TlsErrorDetails {
  /** The alert that is sent for it. */
  readonly alert?: AlertName | undefined;
  /** The description of the alert that came, `handshake_failure` for instance. */
  readonly alertReceived?: string | undefined;
  /** What came, in words or numbers. */
  readonly found?: string | undefined;
  /** What would have been accepted. */
  readonly allowed?: string | undefined;
  /** The name of the limit in `TlsLimits`. */
  readonly limit?: string | undefined;
  /** The clause that was broken, such as `RFC 8446 §4.2.8`. */
  readonly clause?: string | undefined;
  readonly cause?: unknown;
}

/** Why a connection failed. Branch on `code`; the message is for people. */
export class TlsError extends Error {
  override readonly name: string = "TlsError";
  readonly code: TlsErrorCode;
  /** The alert that was sent to the peer, where one was. */
  readonly alertSent: AlertName | undefined;
  readonly alertReceived: string | undefined;
  readonly found: string | undefined;
  readonly allowed: string | undefined;
  readonly limit: string | undefined;
  readonly clause: string | undefined;

  constructor(code: TlsErrorCode, message: string, details: TlsErrorDetails = {}) {
    const found = details.found === undefined ? "" : `: found ${details.found}`;
    const allowed = details.allowed === undefined ? "" : `, allowed ${details.allowed}`;
    const clause = details.clause === undefined ? "" : ` (${details.clause})`;
    super(`${message}${found}${allowed}${clause}`, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.alertSent = details.alert;
    this.alertReceived = details.alertReceived;
    this.found = details.found;
    this.allowed = details.allowed;
    this.limit = details.limit;
    this.clause = details.clause;
  }
}

/** A message or extension that is not what its format says. */
export function decodeError(what: string, clause?: string): TlsError {
  return new TlsError("ERR_TLS_DECODE", what, { alert: "decode_error", clause });
}

/** A value that is well-formed and must not be there. */
export function illegalParameter(
  what: string,
  clause: string,
  details: Pick<TlsErrorDetails, "found" | "allowed"> = {},
): TlsError {
  return new TlsError("ERR_TLS_ILLEGAL_PARAMETER", what, { alert: "illegal_parameter", clause, ...details });
}

/** A record or message at a time when it must not come. */
export function unexpectedMessage(
  what: string,
  details: Pick<TlsErrorDetails, "found" | "allowed" | "clause">,
): TlsError {
  return new TlsError("ERR_TLS_UNEXPECTED_MESSAGE", what, { alert: "unexpected_message", ...details });
}

/** The caller's own mistake. */
export function argument(message: string): TlsError {
  return new TlsError("ERR_TLS_ARGUMENT", message);
}

/** What was thrown is not about the peer: the engine or its provider failed. */
export function internalError(cause: unknown): TlsError {
  return new TlsError("ERR_TLS_INTERNAL", "The engine or its provider failed", { alert: "internal_error", cause });
}
