/**
 * To whom a message goes: the subscriptions of all sessions, shared ones too, with what was found for a topic remembered until a
 * subscription changes.
 */

import type { QoS } from "@latchkey/mqtt-codec";
import type { Message } from "./message.ts";
import { SharedGroup } from "./shared-subscriptions.ts";
import type { Receiver, Subscriber } from "./subscriber.ts";
import type { FilterParts, SessionSubscription } from "./subscription.ts";
import { SubscriptionTree } from "./subscription-tree.ts";

/** All that is subscribed with one filter. */
interface FilterEntry {
  readonly members: Map<Subscriber, SessionSubscription>;
  groups: Map<string, SharedGroup> | undefined;
}

/** One session that gets a message, once, however many of its subscriptions match (MQTT-3.3.4-2, -4). */
interface Target {
  readonly session: Subscriber;
  /** The highest granted QoS of the subscriptions that match. */
  qos: QoS;
  retainAsPublished: boolean;
  subscriptionIdentifiers: number[] | undefined;
  hasNoLocal: boolean;
  readonly subscriptions: SessionSubscription[];
}

/** What a topic name matches. */
export interface Match {
  readonly targets: readonly Target[];
  readonly groups: readonly SharedGroup[];
}

/** A copy of a message that its receiver does not get. */
interface Redispatched {
  readonly message: Message;
  /** The `SharedGroup` it was chosen for. */
  readonly group: object | undefined;
}

/** Topics whose match is remembered. */
const maximumMatches = 4096;

/** One broker's subscriptions. */
export class Router {
  readonly #tree: SubscriptionTree<FilterEntry>;
  readonly #matches = new Map<string, Match>();
  readonly #hasRetainAsPublished: boolean;
  /** Receivers that turned out to be congested since it was emptied last. */
  readonly congested: Receiver[] = [];
  #subscriptions = 0;

  constructor(multiLevelMatchesParent: boolean, hasRetainAsPublished: boolean) {
    this.#tree = new SubscriptionTree(multiLevelMatchesParent);
    this.#hasRetainAsPublished = hasRetainAsPublished;
  }

  /** Subscriptions of all sessions. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Adds a subscription, or replaces the one with the same filter (MQTT-3.8.4-3); true where it is new. */
  subscribe(session: Subscriber, subscription: SessionSubscription, { filter, group }: FilterParts): boolean {
    const isNew = !session.subscriptions.has(subscription.topicFilter);
    session.subscriptions.set(subscription.topicFilter, subscription);
    const entry = this.#tree.at(filter, () => ({ members: new Map(), groups: undefined }));
    if (group === undefined) {
      entry.members.set(session, subscription);
    } else {
      entry.groups ??= new Map();
      let shared = entry.groups.get(group);
      if (shared === undefined) entry.groups.set(group, (shared = new SharedGroup(group, filter)));
      shared.add(session, subscription);
    }
    if (isNew) this.#subscriptions += 1;
    this.#matches.clear();
    return isNew;
  }

  /** Ends a subscription; gives the group that it was a member of, if any. */
  unsubscribe(session: Subscriber, topicFilter: string, { filter, group }: FilterParts): SharedGroup | undefined {
    if (!session.subscriptions.delete(topicFilter)) return undefined;
    this.#subscriptions -= 1;
    this.#matches.clear();
    const entry = this.#tree.get(filter);
    if (entry === undefined) return undefined;
    let left: SharedGroup | undefined;
    if (group === undefined) {
      entry.members.delete(session);
    } else {
      left = entry.groups?.get(group);
      left?.remove(session);
      if (left?.members.size === 0) entry.groups?.delete(group);
    }
    if (entry.members.size === 0 && (entry.groups?.size ?? 0) === 0) this.#tree.remove(filter);
    return left;
  }

  /** A group of shared subscriptions. */
  group(filter: string, name: string): SharedGroup | undefined {
    return this.#tree.get(filter)?.groups?.get(name);
  }

  /** Who a message of this topic goes to; remembered until a subscription changes. */
  match(topicName: string): Match {
    const known = this.#matches.get(topicName);
    if (known !== undefined) return known;
    const match = this.#find(topicName);
    if (this.#matches.size >= maximumMatches) this.#matches.clear();
    this.#matches.set(topicName, match);
    return match;
  }

  /** Hands a message to all subscribers of its topic and gives the number of those who get it. */
  route(message: Message, nowMs: number): number {
    const { targets, groups } = this.match(message.topicName);
    let receivers = 0;
    for (const target of targets) if (this.#deliver(message, target, nowMs)) receivers += 1;
    for (const group of groups) if (this.#deliverToGroup(message, group, undefined, nowMs)) receivers += 1;
    return receivers;
  }

  /** Gives others what a member of a shared subscription had and cannot get any more. */
  redispatch(deliveries: readonly Redispatched[], from: Subscriber, nowMs: number): void {
    for (const { message, group } of deliveries) {
      if (group instanceof SharedGroup && !message.isExpired(nowMs)) this.#deliverToGroup(message, group, from, nowMs);
    }
  }

  #deliver(message: Message, target: Target, nowMs: number): boolean {
    const { session } = target;
    if (target.hasNoLocal && message.publisher === session.clientIdentifier) {
      const others = target.subscriptions.filter(({ noLocal }) => !noLocal);
      if (others.length === 0) return false;
      const other = targetOf(session, others);
      other.hasNoLocal = false;
      return this.#deliver(message, other, nowMs);
    }
    const qos = message.qos < target.qos ? message.qos : target.qos;
    const retain = this.#hasRetainAsPublished && target.retainAsPublished && message.retain;
    const isDelivered = session.deliver(message, qos, retain, target.subscriptionIdentifiers, undefined, nowMs);
    if (session.receiver?.isCongested === true) this.congested.push(session.receiver);
    return isDelivered;
  }

  #deliverToGroup(message: Message, group: SharedGroup, without: Subscriber | undefined, nowMs: number): boolean {
    for (const [session, subscription] of group.candidates(message)) {
      if (session === without) continue;
      const qos = message.qos < subscription.qos ? message.qos : subscription.qos;
      const { subscriptionIdentifier: identifier, retainAsPublished } = subscription;
      const identifiers = identifier === undefined ? undefined : [identifier];
      const retain = this.#hasRetainAsPublished && retainAsPublished && message.retain;
      if (!session.deliver(message, qos, retain, identifiers, group, nowMs)) continue;
      if (session.receiver?.isCongested === true) this.congested.push(session.receiver);
      return true;
    }
    return false;
  }

  #find(topicName: string): Match {
    const bySession = new Map<Subscriber, SessionSubscription[]>();
    const groups: SharedGroup[] = [];
    for (const entry of this.#tree.match(topicName)) {
      for (const [session, subscription] of entry.members) {
        const found = bySession.get(session);
        if (found === undefined) bySession.set(session, [subscription]);
        else found.push(subscription);
      }
      if (entry.groups !== undefined) groups.push(...entry.groups.values());
    }
    return { targets: Array.from(bySession, ([session, subscriptions]) => targetOf(session, subscriptions)), groups };
  }
}

function targetOf(session: Subscriber, subscriptions: SessionSubscription[]): Target {
  let qos: QoS = 0;
  let retainAsPublished = false;
  let hasNoLocal = false;
  let subscriptionIdentifiers: number[] | undefined;
  for (const subscription of subscriptions) {
    if (subscription.qos > qos) ({ qos } = subscription);
    if (subscription.retainAsPublished) retainAsPublished = true;
    if (subscription.noLocal) hasNoLocal = true;
    const { subscriptionIdentifier } = subscription;
    if (subscriptionIdentifier !== undefined) (subscriptionIdentifiers ??= []).push(subscriptionIdentifier);
  }
  return { session, qos, retainAsPublished, subscriptionIdentifiers, hasNoLocal, subscriptions };
}
