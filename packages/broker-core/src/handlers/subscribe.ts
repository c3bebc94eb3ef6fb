/** SUBSCRIBE and UNSUBSCRIBE, MQTT 3.1.1 and 5.0 §3.8 to §3.11. */

import {
  encode,
  ReasonCode,
  type SubscribePacket,
  type Subscription,
  type UnsubscribePacket,
} from "@latchkey/mqtt-codec";
import type { Client } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { limitText } from "../limits.ts";
import type { Decision } from "../ports/authorizer.ts";
import { filterParts, type FilterParts, type SessionSubscription } from "../routing/subscription.ts";
import { noGroups } from "../session/connection-group.ts";
import { decisionOn } from "./decision.ts";
import { isReservedFilter } from "./reserved.ts";
import { shortened, topicFault } from "./topic-limits.ts";

/** What to answer for one filter. */
type Grant =
  | { readonly subscription: SessionSubscription; readonly parts: FilterParts }
  | { readonly reasonCode: number; readonly detail: string };

/** Handles a SUBSCRIBE. */
export function handleSubscribe<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  packet: SubscribePacket,
): void {
  const { limits, isAws } = connection.context;
  const { subscriptions, properties } = packet;
  if (subscriptions.length > limits.maximumFiltersPerSubscribe) {
    const limit = limitText(limits, "maximumFiltersPerSubscribe");
    const detail = `${limit}: SUBSCRIBE has ${subscriptions.length} topic filters`;
    connection.close("limit", detail, ReasonCode.quotaExceeded);
    return;
  }
  if (isAws && properties?.subscriptionIdentifier !== undefined) {
    const detail = "subscription identifiers are not supported";
    connection.close("protocol-error", detail, ReasonCode.subscriptionIdentifiersNotSupported);
    return;
  }
  connection.workLeft -= subscriptions.length * workPerFilter;
  const added = new Set<string>();
  const grants = subscriptions.map((one) => check(connection, client, one, properties?.subscriptionIdentifier, added));
  const decisions = grants.map((grant) =>
    "parts" in grant ? decisionOn(connection, "subscribe", grant.subscription.topicFilter) : true,
  );
  const isLater = decisions.some((one) => one instanceof Promise);
  const settled = isLater ? Promise.all(decisions.map(async (one) => one)) : decisions.filter(isSettled);
  connection.hold(settled, (answers) => grantAll(connection, client, packet, grants, answers));
}

function isSettled(decision: Decision | Promise<Decision>): decision is Decision {
  return !(decision instanceof Promise);
}

/** A subscription changes a tree and asks for retained messages: as much work as some deliveries. */
const workPerFilter = 4;

/** What can be said without the authorizer. `added` are the new filters of the same packet, which count before they are there. */
function check<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  { session }: Client<Principal>,
  { topicFilter, qos, noLocal, retainAsPublished, retainHandling }: Subscription,
  subscriptionIdentifier: number | undefined,
  added: Set<string>,
): Grant {
  const { limits, isAws } = connection.context;
  const isNew = !session.subscriptions.has(topicFilter) && !added.has(topicFilter);
  const fault = topicFault(limits, isAws, "a topic filter", topicFilter);
  if (fault !== undefined) return { reasonCode: ReasonCode.topicFilterInvalid, detail: fault };
  const parts = filterParts(topicFilter);
  if (parts === undefined) {
    return { reasonCode: ReasonCode.topicFilterInvalid, detail: `not a topic filter: ${shortened(topicFilter)}` };
  }
  if ((parts.group?.length ?? 0) > limits.maximumShareNameLength) {
    const detail = `${limitText(limits, "maximumShareNameLength")}: ${shortened(topicFilter)}`;
    return { reasonCode: ReasonCode.topicFilterInvalid, detail };
  }
  if (isReservedFilter(isAws, parts.filter)) {
    return { reasonCode: ReasonCode.topicFilterInvalid, detail: `reserved: ${shortened(topicFilter)}` };
  }
  const { maximumSubscriptionsPerSession } = limits;
  for (const group of isNew ? session.groups : noGroups) {
    const limit = group.limits.subscriptions;
    if (group.subscriptions + added.size < limits[limit]) continue;
    connection.context.limited.add(group, limit, connection.source());
    return { reasonCode: ReasonCode.quotaExceeded, detail: `${limitText(limits, limit)}: ${shortened(topicFilter)}` };
  }
  const { subscriptions } = connection.context.counters;
  if (isNew && subscriptions + added.size >= limits.maximumSubscriptionsOfAll) {
    const detail = `${limitText(limits, "maximumSubscriptionsOfAll")}: ${shortened(topicFilter)}`;
    return { reasonCode: ReasonCode.quotaExceeded, detail };
  }
  if (isNew && session.subscriptions.size + added.size >= maximumSubscriptionsPerSession) {
    const detail = `maximumSubscriptionsPerSession ${maximumSubscriptionsPerSession}: ${shortened(topicFilter)}`;
    return { reasonCode: ReasonCode.quotaExceeded, detail };
  }
  if (isNew) added.add(topicFilter);
  const granted = isAws && qos === 2 ? 1 : qos;
  const options = { noLocal, retainAsPublished, retainHandling, subscriptionIdentifier };
  return { subscription: { topicFilter, qos: granted, ...options }, parts };
}

function grantAll<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  { packetIdentifier }: SubscribePacket,
  grants: readonly Grant[],
  answers: readonly Decision[],
): void {
  const { context, version } = connection;
  const codes: number[] = [];
  const details: string[] = [];
  const granted: { readonly subscription: SessionSubscription; readonly parts: FilterParts }[] = [];
  for (const [index, grant] of grants.entries()) {
    if (isClosed(connection)) return;
    if (!("parts" in grant)) {
      codes.push(grant.reasonCode);
      details.push(grant.detail);
    } else if (answers[index] === true) {
      codes.push(grant.subscription.qos);
      granted.push(grant);
    } else {
      const { topicFilter } = grant.subscription;
      if (version === 4 && context.denial === "parity") {
        connection.close("not-authorized", `subscribe to ${topicFilter}`);
        return;
      }
      codes.push(ReasonCode.notAuthorized);
      details.push(`not allowed: subscribe to ${shortened(topicFilter)}`);
    }
  }
  // A subscription exists before its SUBACK, which promises it.
  const wanted = granted.map((one) => ({ ...one, isNew: subscribe(connection, client, one.subscription, one.parts) }));
  if (granted.length > 0) reportSubscribed(connection, client, granted);
  // The listener may have ended the connection.
  if (isClosed(connection)) return;
  const reasonCodes = version === 5 ? codes : codes.map((code) => (code >= 0x80 ? subscriptionFailure : code));
  const bytes = connection.encodeAnswer(
    (properties) => ({ type: "suback", packetIdentifier, reasonCodes, properties }),
    details.length === 0 ? undefined : details.join("; "),
  );
  if (bytes !== undefined) connection.acknowledgements.send(bytes, context.appended, 0);
  for (const { subscription, parts, isNew } of wanted) {
    if (isClosed(connection)) return;
    sendRetained(connection, client, subscription, parts, isNew);
  }
  // The retained messages of many SUBSCRIBEs are sent within one turn's work, not within that of each.
  const steps = { left: Math.max(0, connection.workLeft) };
  client.sender.sendQueued(steps);
  connection.workLeft = steps.left;
}

/** SUBACK return code "failure" (MQTT 3.1.1 §3.9.3). */
const subscriptionFailure = 0x80;

function isClosed<Peer, Principal>({ state }: Connection<Peer, Principal>): boolean {
  return state === "closed";
}

function subscribe<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  { session }: Client<Principal>,
  subscription: SessionSubscription,
  parts: FilterParts,
): boolean {
  const { router, counters } = connection.context;
  const isNew = router.subscribe(session, subscription, parts);
  if (isNew) session.countSubscriptions(1);
  counters.subscriptions = router.subscriptions;
  session.journal?.subscribed(subscription);
  return isNew;
}

function reportSubscribed<Peer, Principal>(
  { context, peer }: Connection<Peer, Principal>,
  { clientIdentifier, isAssignedIdentifier, principal }: Client<Principal>,
  granted: readonly { readonly subscription: SessionSubscription }[],
): void {
  const subscriptions = granted.map(({ subscription: { topicFilter, qos } }) => ({ topicFilter, qos }));
  context.emit({ type: "subscribed", peer, clientIdentifier, isAssignedIdentifier, principal, subscriptions });
}

/** The retained messages of a subscription (MQTT-3.3.1-9 to -11); none for shared ones (MQTT 5.0 §4.8.2). */
function sendRetained<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  { session }: Client<Principal>,
  subscription: SessionSubscription,
  { filter, group, hasWildcards }: FilterParts,
  isNew: boolean,
): void {
  const { retained, isAws } = connection.context;
  const { retainHandling } = subscription;
  if (group !== undefined || retainHandling === 2 || (retainHandling === 1 && !isNew)) return;
  // AWS IoT Core sends retained messages only where the filter is the topic.
  if (retained.size === 0 || (isAws && hasWildcards)) return;
  session.outbound.addRetained(subscription, retained.matching(filter), retained.lastPlace);
}

/** Handles an UNSUBSCRIBE. */
export function handleUnsubscribe<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  { packetIdentifier, topicFilters }: UnsubscribePacket,
): void {
  const { context, version, peer } = connection;
  const { session, clientIdentifier, isAssignedIdentifier, principal } = client;
  connection.workLeft -= topicFilters.length * workPerFilter;
  const ended: string[] = [];
  const reasonCodes = topicFilters.map((topicFilter) => {
    const parts = session.subscriptions.has(topicFilter) ? filterParts(topicFilter) : undefined;
    if (parts === undefined) return ReasonCode.noSubscriptionExisted;
    const group = context.router.unsubscribe(session, topicFilter, parts);
    session.countSubscriptions(-1);
    context.counters.subscriptions = context.router.subscriptions;
    session.outbound.dropRetained(topicFilter);
    session.journal?.unsubscribed(topicFilter);
    if (group !== undefined && group.members.size > 0) {
      const taken = session.outbound.takeOfGroup(group);
      for (const delivery of taken) session.journal?.done(delivery);
      context.router.redispatch(taken, session, context.nowMs);
    }
    ended.push(topicFilter);
    return ReasonCode.success;
  });
  if (ended.length > 0) {
    const source = { peer, clientIdentifier, isAssignedIdentifier, principal };
    context.emit({ type: "unsubscribed", ...source, topicFilters: ended });
  }
  const bytes = encode({ type: "unsuback", packetIdentifier, reasonCodes }, version);
  connection.acknowledgements.send(bytes, context.appended, 0);
}
