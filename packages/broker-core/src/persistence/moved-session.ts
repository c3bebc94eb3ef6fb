/** A session that goes from one node to another, with all that is owed to its client. */

import type { BrokerContext } from "../connection/connection.ts";
import type { MovedSession } from "../ports/cluster.ts";
import type { StoredDelivery, StoredMessage } from "../ports/session-store.ts";
import type { Message } from "../routing/message.ts";
import { SharedGroup } from "../routing/shared-subscriptions.ts";
import { filterParts } from "../routing/subscription.ts";
import { Delivery } from "../session/outbound-messages.ts";
import type { Session } from "../session/session.ts";
import { clockTimeOf, epochOf, messageOf, storedMessage, type Epoch } from "./stored-message.ts";

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
  const { sessions, router, counters, persistence } = context;
  const epoch = epochIn(context);
  const { clientIdentifier, protocolVersion, expirySeconds } = moved;
  if (sessions.get(clientIdentifier) !== undefined || expirySeconds === 0) return;
  const session = sessions.create(clientIdentifier, protocolVersion, expirySeconds);
  const { awayAtMs = context.epochMs(), awayReason: reason, awayDetail: detail = "" } = moved;
  session.lastEnd = { atMs: awayAtMs, reason, detail };
  if (moved.owner !== undefined) sessions.count(session, [context.groups.of("principal", moved.owner)]);
  session.journal = persistence?.journalOf(session);
  session.journal?.detached(expirySeconds);
  for (const subscription of moved.subscriptions) {
    const parts = filterParts(subscription.topicFilter);
    if (parts === undefined) continue;
    if (router.subscribe(session, subscription, parts)) session.countSubscriptions(1);
    session.journal?.subscribed(subscription);
  }
  counters.subscriptions = router.subscriptions;
  putDeliveries(
    context,
    session,
    moved.deliveries,
    new Map(Array.from(messages, ([number, stored]) => [number, messageOf(epoch, stored)])),
  );
  for (const packetIdentifier of moved.released) {
    session.outbound.restoreReleased(packetIdentifier);
    session.journal?.released(packetIdentifier);
  }
  for (const packetIdentifier of moved.received) {
    session.received.add(packetIdentifier);
    session.journal?.received(packetIdentifier);
  }
  sessions.detach(session, Math.max(0, context.epochMs() - awayAtMs));
}

function putDeliveries<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  session: Session,
  deliveries: readonly StoredDelivery[],
  messages: ReadonlyMap<number, Message>,
): void {
  const epoch = epochIn(context);
  for (const stored of deliveries) {
    const message = messages.get(stored.message);
    if (message === undefined) continue;
    const parts = stored.sharedFilter === undefined ? undefined : filterParts(stored.sharedFilter);
    const group = parts?.group === undefined ? undefined : context.router.group(parts.filter, parts.group);
    const { qos, retain, subscriptionIdentifiers } = stored;
    const delivery = new Delivery(
      message,
      qos,
      retain,
      subscriptionIdentifiers,
      group,
      clockTimeOf(epoch, stored.queuedAtMs),
    );
    delivery.packetIdentifier = stored.packetIdentifier;
    delivery.isSent = stored.isSent;
    session.outbound.restore(delivery);
    if (session.journal === undefined) continue;
    if (qos === 2 && delivery.packetIdentifier === 0) session.outbound.reserve(delivery);
    delivery.sequence = session.journal.queued(delivery);
  }
}
