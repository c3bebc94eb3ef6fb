/** What becomes of session and will when a connection has ended (MQTT 3.1.1 §3.1.2.4, §3.1.2.5; 5.0 §3.1.2.5, §4.1). */

import type { Connection } from "../connection/connection.ts";
import type { Action, Decision } from "../ports/authorizer.ts";
import { Message } from "../routing/message.ts";
import type { StoredWill } from "../session/will.ts";
import { publishMessage } from "./publication.ts";

/** Called once for each connection, when its state is closed. */
export function connectionEnded<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  will: StoredWill | undefined,
): void {
  const { context, client } = connection;
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
  // MQTT-3.1.2-8: after its delay, or with the session's end, whichever comes first.
  const delaySeconds = will === undefined ? 0 : Math.min(will.delaySeconds, session.expirySeconds);
  if (will !== undefined && delaySeconds > 0) {
    waitWithWill(connection, will, delaySeconds);
    if (isOwner) detach();
    return;
  }
  if (isOwner) detach();
  if (will === undefined) release(connection);
  else publishWill(connection, will);
}

function waitWithWill<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  will: StoredWill,
  delaySeconds: number,
): void {
  const { context, client } = connection;
  if (client === undefined) return;
  const { session } = client;
  const publish = (): void => {
    session.will = undefined;
    context.deadlines.cancel(deadline);
    publishWill(connection, will);
  };
  const deadline = context.deadlines.add(context.nowMs + delaySeconds * 1000, publish);
  const cancel = (): void => {
    session.will = undefined;
    context.deadlines.cancel(deadline);
    release(connection);
  };
  session.will = { will, deadline, publish, cancel };
}

/** The will was allowed at CONNECT. A policy may have changed since, so it is asked again for all that the will needs. */
function publishWill<Peer, Principal>(connection: Connection<Peer, Principal>, will: StoredWill): void {
  const { context } = connection;
  const { topicName, retain } = will.fields;
  const actions: readonly Action[] = retain ? ["publish", "retain-publish"] : ["publish"];
  const ask = (index: number): void => {
    const action = actions[index];
    if (action === undefined) {
      publishMessage(context, new Message(will.fields, context.nowMs, true, undefined), connection.source());
      release(connection);
      return;
    }
    let decision: Decision | Promise<Decision>;
    try {
      decision = connection.decide(action, topicName);
    } catch {
      release(connection);
      return;
    }
    if (decision === true) ask(index + 1);
    else if (decision instanceof Promise) {
      void decision.then((answer) => {
        if (answer === true) ask(index + 1);
        else release(connection);
        context.inputDone();
      });
    } else release(connection);
  };
  ask(0);
}

function release<Peer, Principal>(connection: Connection<Peer, Principal>): void {
  const { knownPrincipal, context } = connection;
  if (knownPrincipal === undefined) return;
  connection.knownPrincipal = undefined;
  context.authenticator.release?.(knownPrincipal);
}
