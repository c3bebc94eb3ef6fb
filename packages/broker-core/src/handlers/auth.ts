/** AUTH, MQTT 5.0 §3.15 and §4.12: the exchange before CONNACK, and re-authentication. */

import { ReasonCode, type AuthPacket } from "@latchkey/mqtt-codec";
import type { Connection } from "../connection/connection.ts";
import type { AuthenticationStep } from "../ports/authenticator.ts";

/** Handles an AUTH. */
export function handleAuth<Peer, Principal>(connection: Connection<Peer, Principal>, packet: AuthPacket): void {
  const { exchange, client, context } = connection;
  const method = packet.properties?.authenticationMethod;
  const data = packet.properties?.authenticationData;
  if (packet.reasonCode === ReasonCode.continueAuthentication && exchange !== undefined) {
    if (method !== exchange.method) {
      connection.close(
        "protocol-error",
        "AUTH has another authentication method than CONNECT",
        ReasonCode.protocolError,
      );
      return;
    }
    connection.exchange = undefined;
    if (client === undefined) connection.state = "authenticating";
    askAuthenticator(connection, () => exchange.next(data, context.nowMs), exchange.settled);
    return;
  }
  const { authenticator } = context;
  const { authenticationMethod } = client ?? {};
  const mayRepeat = client !== undefined && authenticator.reauthenticate !== undefined && exchange === undefined;
  // MQTT-4.12.0-7, MQTT-4.12.1-1
  if (packet.reasonCode !== ReasonCode.reAuthenticate || !mayRepeat || authenticationMethod === undefined) {
    connection.close("protocol-error", "AUTH is not expected here", ReasonCode.protocolError);
    return;
  }
  if (method !== authenticationMethod) {
    connection.close("protocol-error", "AUTH has another authentication method than CONNECT", ReasonCode.protocolError);
    return;
  }
  const ask = (): AuthenticationStep<Principal> | Promise<AuthenticationStep<Principal>> =>
    authenticator.reauthenticate?.(client.principal, data, context.nowMs) ?? { ok: false, reason: "not supported" };
  askAuthenticator(connection, ask, (result) => reauthenticated(connection, authenticationMethod, result));
}

/** How long an authentication holds, in milliseconds of the broker's clock. */
export function authenticatedUntilMs(
  nowMs: number,
  { validSeconds = Number.POSITIVE_INFINITY }: { readonly validSeconds?: number | undefined },
): number {
  return nowMs + validSeconds * 1000;
}

/** Calls an authenticator and goes on with its answer; one that throws or rejects has refused. */
export function askAuthenticator<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  call: () => AuthenticationStep<Principal> | Promise<AuthenticationStep<Principal>>,
  settled: (step: AuthenticationStep<Principal>) => void,
): void {
  let result: AuthenticationStep<Principal> | Promise<AuthenticationStep<Principal>>;
  try {
    result = call();
  } catch (cause) {
    result = { ok: false, reason: String(cause) };
  }
  connection.hold(result, settled, (cause) => settled({ ok: false, reason: String(cause) }));
}

function reauthenticated<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  method: string,
  result: AuthenticationStep<Principal>,
): void {
  const { client, context } = connection;
  if (client === undefined || connection.state === "closed") return;
  if (result.ok === "continue") {
    connection.exchange = {
      method,
      next: result.next,
      settled: (next) => reauthenticated(connection, method, next),
    };
    const properties = { authenticationMethod: method, authenticationData: result.authenticationData };
    connection.send({ type: "auth", reasonCode: ReasonCode.continueAuthentication, properties });
  } else if (!result.ok) {
    // MQTT-4.12.1-2
    connection.close("not-authenticated", result.reason, ReasonCode.notAuthorized, result.reasonString ?? "refused");
  } else {
    if (result.principal !== client.principal) {
      context.authenticator.release?.(client.principal);
      client.principal = result.principal;
      connection.knownPrincipal = result.principal;
      connection.lastPublish = undefined;
      connection.received = undefined;
    }
    client.authenticatedUntilMs = authenticatedUntilMs(context.nowMs, result);
    const properties = { authenticationMethod: method, authenticationData: result.authenticationData };
    connection.send({ type: "auth", reasonCode: ReasonCode.success, properties });
  }
}
