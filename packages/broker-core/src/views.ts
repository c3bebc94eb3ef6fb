/** What the program around the broker is shown of its state. */

import type { Connection } from "./connection/connection.ts";
import type { Message } from "./routing/message.ts";
import type { ConnectionView, RetainedMessageView, SessionView } from "./server-publish.ts";
import type { Session } from "./session/session.ts";

/** A retained message with what is left of its expiry. */
export function retainedView(message: Message, storedAtMs: number, nowMs: number): RetainedMessageView {
  const { topicName, payload, qos } = message;
  return { topicName, payload, qos, properties: message.propertiesFor(nowMs), storedAtMs };
}

/** A session, with the principal of its connection. */
export function sessionView<Principal>(session: Session, principal: Principal | undefined): SessionView<Principal> {
  const { clientIdentifier, outbound } = session;
  const isConnected = session.receiver !== undefined;
  return {
    clientIdentifier,
    isConnected,
    principal,
    subscriptions: Array.from(session.subscriptions.values()),
    queuedMessages: outbound.queued,
    queuedOctets: outbound.octets,
    inFlight: outbound.inFlight,
  };
}

/** A session with its connection, where there is one. */
export function connectionView<Peer, Principal>(
  { clientIdentifier, expirySeconds, lastEnd }: Session,
  connection: Connection<Peer, Principal> | undefined,
): ConnectionView<Peer, Principal> {
  if (connection?.client === undefined) {
    return { clientIdentifier, sessionExpirySeconds: expirySeconds, connection: undefined, lastEnd };
  }
  const { principal, keepAliveSeconds, connectedAtMs } = connection.client;
  return {
    clientIdentifier,
    sessionExpirySeconds: expirySeconds,
    connection: { peer: connection.peer, principal, keepAliveSeconds, connectedAtMs },
    lastEnd: undefined,
  };
}
