/** A message for one connected client that needs no subscription, with or without its confirmation. */

import type { BrokerContext, Connection } from "../connection/connection.ts";
import { Message } from "../routing/message.ts";
import { decisionOn } from "./decision.ts";
import type { Session } from "../session/session.ts";
import { messageFields, type DirectMessage, type DirectResult } from "../server-publish.ts";

/** Messages that are waited for at once. */
const maximumConfirmations = 1000;

const notConnected: DirectResult = { ok: false, cause: "not-connected", reason: "the client is not connected" };

/** Sends a message that `publishFault` has found nothing wrong with. */
export async function sendDirect<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  connection: Connection<Peer, Principal> | undefined,
  message: DirectMessage,
): Promise<DirectResult> {
  if (connection === undefined) return notConnected;
  const decision = decisionOn(connection, "receive", message.topicName);
  const answer = decision instanceof Promise ? await decision : decision;
  if (answer !== true) return { ok: false, cause: "not-authorized", reason: answer.reason };
  // It may have gone while it was asked about, or its CONNACK may wait.
  if (connection.client === undefined || connection.state !== "connected") return notConnected;
  if (message.confirmWithinMs !== undefined && context.confirmations.size >= maximumConfirmations) {
    return { ok: false, cause: "no-room", reason: `${maximumConfirmations} messages wait for their confirmation` };
  }
  const { session } = connection.client;
  const { confirmWithinMs, ...fields } = message;
  const qos = confirmWithinMs === undefined ? 0 : 1;
  const made = new Message(messageFields({ ...fields, qos }), context.nowMs, true, undefined);
  const { promise, settle } = confirmationOf(context, session, made);
  let isTaken: boolean;
  try {
    isTaken = session.deliver(made, qos, false, undefined, undefined, context.nowMs);
  } catch (error) {
    context.confirmations.delete(made);
    throw error;
  }
  if (!isTaken) settle({ ok: false, cause: "no-room", reason: "the client takes no more messages now" });
  else if (confirmWithinMs === undefined) settle({ ok: true });
  else waitAtMost(context, confirmWithinMs, promise, settle);
  context.inputDone();
  return promise;
}

/** The first result counts. */
function confirmationOf<Peer, Principal>(
  { confirmations }: BrokerContext<Peer, Principal>,
  session: Session,
  message: Message,
): { readonly promise: Promise<DirectResult>; readonly settle: (result: DirectResult) => void } {
  const { promise, resolve } = Promise.withResolvers<DirectResult>();
  const settle = (result: DirectResult): void => {
    confirmations.delete(message);
    resolve(result);
  };
  confirmations.set(message, { session, settle });
  return { promise, settle };
}

/** The client has gone, so nobody has to wait for its PUBACKs any more. Where its session stays, a message may still arrive. */
export function endConfirmations<Peer, Principal>(
  { confirmations }: BrokerContext<Peer, Principal>,
  { client }: Connection<Peer, Principal>,
): void {
  const reason = "the client disconnected before it confirmed the message";
  for (const { session, settle } of confirmations.values()) {
    if (session === client?.session) settle({ ok: false, cause: "not-confirmed", reason });
  }
}

function waitAtMost<Peer, Principal>(
  { deadlines, nowMs }: BrokerContext<Peer, Principal>,
  forMs: number,
  promise: Promise<DirectResult>,
  settle: (result: DirectResult) => void,
): void {
  const reason = `the client has not confirmed the message within ${forMs / 1000} s`;
  const deadline = deadlines.add(nowMs + forMs, () => settle({ ok: false, cause: "not-confirmed", reason }));
  void promise.then(() => deadlines.cancel(deadline));
}
