/** A session that goes from one node to another, with all that is owed to its client. */

import type { BrokerContext } from "../connection/connection.ts";
import type { MovedSession } from "../ports/cluster.ts";
import type { StoredDelivery, StoredMessage } from "../ports/session-store.ts";
import type { Message } from "../routing/message.ts";
import { SharedGroup } from "../routing/shared-subscriptions.ts";
import type { SessionJournal } from "../session/session-journal.ts";
import type { Session } from "../session/session.ts";
import { putSession } from "./put-session.ts";
import { epochOf, messageOf, storedMessage, type Epoch } from "./stored-message.ts";

function epochIn<Peer, Principal>(context: BrokerContext<Peer, Principal>): Epoch {
  return { epochMs: context.epochMs, nowMs: () => context.nowMs };
}

/** What a session is, to be taken out here afterwards. Its client is away. */
export function movedSession<Peer, Principal>(context: BrokerContext<Peer, Principal>, session: Session): MovedSession {
  const epoch = epochIn(context);
  const numbers = new Map<Message, number>();
  const messages = new Map<number, StoredMessage>();
  const numberOf = (message: Message): number => {
    const known = numbers.get(message);
    if (known !== undefined) return known;
    const number = numbers.size + 1;
    numbers.set(message, number);
    messages.set(number, storedMessage(epoch, message));
    return number;
  };
  const deliveries = Array.from(session.outbound.all(), (delivery, index): StoredDelivery => {
    const { message, qos, retain, subscriptionIdentifiers, group, queuedMs, packetIdentifier, isSent } = delivery;
    return {
      delivery: index + 1,
      message: numberOf(message),
      qos: qos === 2 ? 2 : 1,
      retain,
      subscriptionIdentifiers,
      sharedFilter: group instanceof SharedGroup ? group.topicFilter : undefined,
      queuedAtMs: epochOf(epoch, queuedMs),
      packetIdentifier,
      isSent,
    };
  });
  const { clientIdentifier, protocolVersion, expirySeconds, owner, subscriptions, outbound, received, lastEnd } =
    session;
  return {
    session: {
      clientIdentifier,
      protocolVersion,
      expirySeconds,
      awayAtMs: Math.round(context.epochMs()),
      awayReason: lastEnd?.reason,
      awayDetail: lastEnd?.reason && lastEnd.detail,
      owner,
      subscriptions: Array.from(subscriptions.values()),
      deliveries,
      released: Array.from(outbound.released),
      received: Array.from(received),
    },
    messages,
  };
}

/** Puts a session in that another node gave away. Its client is away until its connection takes it. */
export function putMovedSession<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  { session: moved, messages }: MovedSession,
): void {
  const { sessions, persistence } = context;
  const epoch = epochIn(context);
  const { clientIdentifier, expirySeconds } = moved;
  if (sessions.get(clientIdentifier) !== undefined || expirySeconds === 0) return;
  const session = putSession(
    context,
    moved,
    new Map(Array.from(messages, ([number, stored]) => [number, messageOf(epoch, stored)])),
    epoch,
  );
  const { awayAtMs = context.epochMs(), awayReason: reason, awayDetail: detail = "" } = moved;
  session.lastEnd = { atMs: awayAtMs, reason, detail };
  session.journal = persistence?.journalOf(session);
  if (session.journal !== undefined) record(session, session.journal);
  sessions.detach(session, Math.max(0, context.epochMs() - awayAtMs));
}

/** The store of this node learns what the other one had kept. */
function record({ expirySeconds, subscriptions, outbound, received }: Session, journal: SessionJournal): void {
  journal.detached(expirySeconds);
  for (const subscription of subscriptions.values()) journal.subscribed(subscription);
  for (const delivery of outbound.all()) {
    if (delivery.qos === 2 && delivery.packetIdentifier === 0) outbound.reserve(delivery);
    delivery.sequence = journal.queued(delivery);
  }
  for (const packetIdentifier of outbound.released) journal.released(packetIdentifier);
  for (const packetIdentifier of received) journal.received(packetIdentifier);
}
