/** Failures of a press, by code and by the layer that they belong to. */

import { messageOf } from "@latchkey/command-line";

/** The layers of a press, lowest first. The layer that fails decides what the LED blinks. */
export type Layer =
  | "battery"
  | "credentials"
  | "resolve"
  | "tcp"
  | "tls"
  | "server"
  | "identity"
  | "permission"
  | "answer";

/** Each code, and the layer of it. */
const layers = {
  /** The battery is empty: the button does not wake up. */
  ERR_BUTTON_BATTERY: "battery",
  /** The client's own certificate or key cannot be read, or they do not belong together. */
  ERR_BUTTON_CREDENTIALS: "credentials",
  /** The host's name does not resolve. */
  ERR_BUTTON_RESOLVE: "resolve",
  /** No program listens there, or the network does not lead there. */
  ERR_BUTTON_UNREACHABLE: "tcp",
  /** The TLS handshake failed. */
  ERR_BUTTON_TLS: "tls",
  /** The server's certificate is not trusted; the message says why. */
  ERR_BUTTON_SERVER_NOT_TRUSTED: "server",
  /** The server does not want this client's certificate: an alert, HTTP 401, or the end before any answer. */
  ERR_BUTTON_CERTIFICATE_REFUSED: "identity",
  /** CONNACK refused. */
  ERR_BUTTON_REFUSED: "permission",
  /** SUBACK refused. */
  ERR_BUTTON_SUBSCRIPTION_REFUSED: "permission",
  /** The connection ended before the acknowledgement: how a broker refuses a PUBLISH in MQTT 3.1.1. */
  ERR_BUTTON_CLOSED: "permission",
  /** HTTP 403: this certificate may not publish to this topic. */
  ERR_BUTTON_FORBIDDEN: "permission",
  /** HTTP, another status than 200, 401 and 403. */
  ERR_BUTTON_HTTP_STATUS: "answer",
  ERR_BUTTON_TIMEOUT: "answer",
  /** What came was not MQTT, or not HTTP. */
  ERR_BUTTON_PROTOCOL: "answer",
} as const satisfies Readonly<Record<string, Layer>>;

/** Why a press failed. */
export type ButtonErrorCode = keyof typeof layers;

/** What is known of a failure besides its code. */
export interface ButtonErrorDetails {
  readonly cause?: unknown;
  /** The TLS alert that came, by its name in RFC 8446 §6. */
  readonly alert?: string | undefined;
}

/** A failed press, connection or exchange. The connection is closed. */
export class ButtonError extends Error {
  override readonly name = "ButtonError";
  readonly code: ButtonErrorCode;
  readonly alert: string | undefined;

  constructor(code: ButtonErrorCode, message: string, details: ButtonErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.alert = details.alert;
  }

  get layer(): Layer {
    return layers[this.code];
  }
}

const networkCodes = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "EADDRNOTAVAIL", "EMFILE"];
const resolverCodes = ["ENOTFOUND", "EAI_AGAIN", "ENODATA"];

/** Alerts by which a server says that it does not want the client's certificate (RFC 8446 §6.2). */
const certificateAlerts: ReadonlySet<string> = new Set([
  "bad_certificate",
  "unsupported_certificate",
  "certificate_revoked",
  "certificate_expired",
  "certificate_unknown",
  "unknown_ca",
  "access_denied",
  "certificate_required",
]);

/** The failure of a connection: the resolver's, the network's or the handshake's. */
export function connectionFailure(cause: unknown): ButtonError {
  if (cause instanceof ButtonError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const message = messageOf(cause);
  if (resolverCodes.includes(code)) return new ButtonError("ERR_BUTTON_RESOLVE", message, { cause });
  if (networkCodes.includes(code)) {
    const hint =
      code === "ECONNREFUSED" ? ": no program listens there. Start the broker, or give its host and port" : "";
    return new ButtonError("ERR_BUTTON_UNREACHABLE", `${message || code}${hint}`, { cause });
  }
  const alert = alertOf(cause, code);
  if (alert !== undefined && certificateAlerts.has(alert)) {
    const why = `the server does not accept this certificate: it sent the TLS alert ${alert}`;
    return new ButtonError("ERR_BUTTON_CERTIFICATE_REFUSED", why, { cause, alert });
  }
  const why = alert === undefined ? message : `the server ended the handshake by the TLS alert ${alert}`;
  return new ButtonError("ERR_BUTTON_TLS", why, { cause, alert });
}

/** The connection ended before any answer: brokers end it like this where they refuse a certificate. */
export function closedBeforeAnswer(cause?: unknown): ButtonError {
  const why =
    "the server closed the connection after the handshake and before any answer: that is how a certificate is refused " +
    "that is unknown there, INACTIVE or REVOKED";
  return new ButtonError("ERR_BUTTON_CERTIFICATE_REFUSED", why, cause === undefined ? {} : { cause });
}

/** Whether the connection was simply ended, without an alert. */
export function isPlainEnd(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return ["ECONNRESET", "EPIPE", "ERR_TLS_TRUNCATED", "ERR_STREAM_PREMATURE_CLOSE"].includes(code);
}

/** `@latchkey/tls` has the name of the alert as a field; OpenSSL has it in its code. */
function alertOf(cause: unknown, code: string): string | undefined {
  if (cause instanceof Error && "alertReceived" in cause && typeof cause.alertReceived === "string") {
    return cause.alertReceived;
  }
  return /^ERR_SSL_.*ALERT_(\w+)$/.exec(code)?.[1]?.toLowerCase();
}
