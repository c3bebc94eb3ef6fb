/** What becomes of session and will when a connection has ended (MQTT 3.1.1 §3.1.2.4, §3.1.2.5; 5.0 §3.1.2.5, §4.1). */

import type { Connection } from "../connection/connection.ts";
import type { StoredWill } from "../session/will.ts";
import { forgetWill, publishWill, type WillOwner } from "./will-publication.ts";
import { waitWithWill } from "./will.ts";

/** Called once for each connection, when its state is closed. */
export function connectionEnded<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  will: StoredWill | undefined,
): void {
  const { context, client, willNumber } = connection;
  if (client === undefined) {
    release(connection);
    return;
  }
  const { session, sender } = client;
  const detach = (): void => {
    session.journal?.detached(session.expirySeconds);
    context.sessions.detach(session);
  };
  const isOwner = session.receiver === sender || session.receiver === undefined;
  if (session.receiver === sender) session.receiver = undefined;
  if (will === undefined) {
    if (isOwner) detach();
    forgetWill(context, willNumber);
    release(connection);
    return;
  }
  const owner: WillOwner<Peer, Principal> = {
    principal: () => connection.knownPrincipal,
    source: () => connection.source(),
    release: () => release(connection),
  };
  const ended = { owner, will, number: willNumber };
  // MQTT-3.1.2-8: after its delay, or with the session's end, whichever comes first.
  const delayMs = Math.min(will.delaySeconds, session.expirySeconds) * 1000;
  if (delayMs > 0) {
    const dueAtMs = context.epochMs() + delayMs;
    if (willNumber > 0) context.persistence?.append({ kind: "will-waits", will: willNumber, dueAtMs });
    waitWithWill(context, session, ended, delayMs);
    if (isOwner) detach();
    return;
  }
  if (isOwner) detach();
  publishWill(context, ended);
}

function release<Peer, Principal>(connection: Connection<Peer, Principal>): void {
  const { knownPrincipal, context } = connection;
  if (knownPrincipal === undefined) return;
  connection.knownPrincipal = undefined;
  context.authenticator.release?.(knownPrincipal);
}
