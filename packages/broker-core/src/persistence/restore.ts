/** What a store kept becomes sessions and retained messages of a broker that starts. */

import type { BrokerContext } from "../connection/connection.ts";
import { expireRetained } from "../handlers/publication.ts";
import type { KeptSession, KeptState } from "../ports/session-store.ts";
import type { Message } from "../routing/message.ts";
import { filterParts } from "../routing/subscription.ts";
import { Delivery } from "../session/outbound-messages.ts";
import type { SessionPersistence } from "./session-persistence.ts";
import { clockTimeOf, messageOf, type Epoch } from "./stored-message.ts";

/** Puts everything back that has not expired meanwhile. Called once, before the first connection. */
export function restore<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  persistence: SessionPersistence,
  kept: KeptState,
): void {
  const { nowMs, epochMs, retained, sessions } = context;
  const epochNow = epochMs();
  const epoch = { nowMs: () => nowMs, epochMs: () => epochNow };
  const messages = new Map<number, Message>();
  for (const [number, stored] of kept.messages) {
    const message = messageOf(epoch, stored);
    persistence.isKept(message, number);
    messages.set(number, message);
  }
  for (const { message: number, version, storedAtMs } of kept.retained) {
    const message = messages.get(number);
    if (message === undefined) continue;
    if (retained.set(message, storedAtMs, version) !== undefined) expireRetained(context, message, version);
  }
  const awaySince = ({ awayAtMs }: KeptSession): number => awayAtMs ?? kept.lastAppendAtMs ?? epochNow;
  for (const session of kept.sessions.toSorted((one, other) => awaySince(one) - awaySince(other))) {
    restoreSession(context, persistence, session, messages, epoch);
    const restored = sessions.get(session.clientIdentifier);
    if (restored === undefined) continue;
    const atMs = awaySince(session);
    restored.lastEnd = { atMs, reason: session.awayReason, detail: session.awayDetail ?? "" };
    // Where the last process was killed, the client has been away since.
    if (session.awayAtMs === undefined) restored.journal?.detached(restored.expirySeconds);
    sessions.detach(restored, Math.max(0, epochNow - atMs));
  }
}

function restoreSession<Peer, Principal>(
  { sessions, groups, router, counters }: BrokerContext<Peer, Principal>,
  persistence: SessionPersistence,
  kept: KeptSession,
  messages: ReadonlyMap<number, Message>,
  epoch: Epoch,
): void {
  const session = sessions.create(kept.clientIdentifier, kept.protocolVersion, kept.expirySeconds);
  session.journal = persistence.journalOf(session, kept.session);
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
}
