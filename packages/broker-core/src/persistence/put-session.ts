/** A session that was kept by a store, or by another node, becomes one of this broker again. */

import type { BrokerContext } from "../connection/connection.ts";
import type { MovedSession } from "../ports/cluster.ts";
import type { Message } from "../routing/message.ts";
import { filterParts } from "../routing/subscription.ts";
import { Delivery } from "../session/outbound-messages.ts";
import type { Session } from "../session/session.ts";
import { clockTimeOf, type Epoch } from "./stored-message.ts";

/** Puts it in, without a journal. `messages` are those of its deliveries, by their numbers. */
export function putSession<Peer, Principal>(
  { sessions, groups, router, counters }: BrokerContext<Peer, Principal>,
  kept: MovedSession["session"],
  messages: ReadonlyMap<number, Message>,
  epoch: Epoch,
): Session {
  const session = sessions.create(kept.clientIdentifier, kept.protocolVersion, kept.expirySeconds);
  if (kept.owner !== undefined) sessions.count(session, [groups.of("principal", kept.owner)]);
  for (const subscription of kept.subscriptions) {
    const parts = filterParts(subscription.topicFilter);
    if (parts !== undefined && router.subscribe(session, subscription, parts)) session.countSubscriptions(1);
  }
  counters.subscriptions = router.subscriptions;
  for (const stored of kept.deliveries) {
    const message = messages.get(stored.message);
    if (message === undefined) continue;
    const parts = stored.sharedFilter === undefined ? undefined : filterParts(stored.sharedFilter);
    const group = parts?.group === undefined ? undefined : router.group(parts.filter, parts.group);
    const { qos, retain, subscriptionIdentifiers, queuedAtMs } = stored;
    const delivery = new Delivery(message, qos, retain, subscriptionIdentifiers, group, clockTimeOf(epoch, queuedAtMs));
    delivery.packetIdentifier = stored.packetIdentifier;
    delivery.isSent = stored.isSent;
    delivery.recordNumber = stored.delivery;
    session.outbound.restore(delivery);
  }
  for (const packetIdentifier of kept.released) session.outbound.restoreReleased(packetIdentifier);
  for (const packetIdentifier of kept.received) session.received.add(packetIdentifier);
  return session;
}
