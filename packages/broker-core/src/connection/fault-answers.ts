/** How a fault is answered: by CONNACK, by DISCONNECT, or by closing, depending on the version and on how far the client has come. */

import { ConnectReturnCode, ReasonCode, type MqttCodecError } from "@latchkey/mqtt-codec";
import type { CloseReason } from "../events.ts";
import type { Connection } from "./connection.ts";

/** Refuses a CONNECT with a reason code of MQTT 5.0 and closes. In denial mode `parity` a 3.1.1 client is closed without a word. */
export function refuseConnect<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  reasonCode: number,
  reason: CloseReason,
  detail: string,
  reasonString?: string,
): void {
  if (connection.state !== "connected" && connection.state !== "closed") {
    const { version } = connection;
    const code = version === 5 ? reasonCode : returnCodeOf(reasonCode);
    if (version === 5 || connection.context.denial === "explain" || code < ConnectReturnCode.badUserNameOrPassword) {
      const bytes = connection.encodeAnswer(
        (properties) => ({ type: "connack", sessionPresent: false, reasonCode: code, properties }),
        reasonString,
        true,
      );
      if (bytes !== undefined) connection.write(bytes);
    }
  }
  connection.close(reason, detail);
}

/** Octets that are not MQTT, or a packet that the client may not send now. */
export function answerMalformed<Peer, Principal>(connection: Connection<Peer, Principal>, error: MqttCodecError): void {
  const detail = `${error.code}: ${error.message}`;
  if (connection.client !== undefined) {
    connection.close("malformed-packet", detail, error.reasonCode);
    return;
  }
  const version = error.protocolVersion === 5 ? 5 : 4;
  const isRefused = connection.state === "awaiting-connect" && error.protocolVersion !== undefined;
  if (isRefused && (version === 5 || error.connackReturnCode !== undefined)) {
    connection.version = version;
    const reasonCode = version === 5 ? error.reasonCode : (error.connackReturnCode ?? ReasonCode.unspecifiedError);
    const properties = undefined;
    const bytes = connection.encodeAnswer(
      () => ({ type: "connack", sessionPresent: false, reasonCode, properties }),
      undefined,
    );
    if (bytes !== undefined) connection.write(bytes);
  }
  connection.close("malformed-packet", detail);
}

/** The Connect Return Code of 3.1.1 that is nearest to a reason code. */
function returnCodeOf(reasonCode: number): number {
  switch (reasonCode) {
    case ReasonCode.unsupportedProtocolVersion:
      return ConnectReturnCode.unacceptableProtocolVersion;
    case ReasonCode.clientIdentifierNotValid:
      return ConnectReturnCode.identifierRejected;
    case ReasonCode.serverUnavailable:
    case ReasonCode.serverBusy:
    case ReasonCode.connectionRateExceeded:
    case ReasonCode.quotaExceeded:
      return ConnectReturnCode.serverUnavailable;
    case ReasonCode.badUserNameOrPassword:
      return ConnectReturnCode.badUserNameOrPassword;
    default:
      return ConnectReturnCode.notAuthorized;
  }
}
