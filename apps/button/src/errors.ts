/** Failures of a press, by code. */

import { messageOf } from "@latchkey/command-line";

/** Why a connection or an exchange failed. */
export type MqttClientErrorCode =
  /** The client's own certificate or key cannot be read, or the key is another one's. */
  | "ERR_BUTTON_CREDENTIALS"
  /** No program listens there, or the name does not resolve. */
  | "ERR_BUTTON_UNREACHABLE"
  /** The TLS handshake failed, for instance because the server did not want the certificate. */
  | "ERR_BUTTON_TLS"
  /** The server's certificate is not believed; the message says why. */
  | "ERR_BUTTON_SERVER_NOT_TRUSTED"
  /** CONNACK said no. */
  | "ERR_BUTTON_REFUSED"
  /** SUBACK said no. */
  | "ERR_BUTTON_SUBSCRIPTION_REFUSED"
  /** The connection ended before the answer came: how a broker refuses a PUBLISH in MQTT 3.1.1. */
  | "ERR_BUTTON_CLOSED"
  | "ERR_BUTTON_TIMEOUT"
  /** What came was not MQTT. */
  | "ERR_BUTTON_PROTOCOL";

/** A failed connection or exchange. The connection is closed. */
export class MqttClientError extends Error {
  override readonly name = "MqttClientError";
  readonly code: MqttClientErrorCode;

  constructor(code: MqttClientErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The failure of a connection that was not open yet: the network's or the handshake's. */
export function connectionFailure(cause: unknown): MqttClientError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const isNetwork = ["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN", "ETIMEDOUT"].includes(
    code,
  );
  const kind = isNetwork ? "ERR_BUTTON_UNREACHABLE" : "ERR_BUTTON_TLS";
  return new MqttClientError(kind, messageOf(cause), { cause });
}
