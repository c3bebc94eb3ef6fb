/**
 * To whom a message goes: the subscriptions of all sessions, shared ones too, with what was found for a topic remembered until a
 * subscription changes.
 */

import type { QoS } from "@latchkey/mqtt-codec";
import type { Message } from "./message.ts";
import type { OtherNodes } from "./other-nodes.ts";
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
  readonly #others: OtherNodes | undefined;
  #subscriptions = 0;

  constructor(multiLevelMatchesParent: boolean, hasRetainAsPublished: boolean, others?: OtherNodes) {
    this.#tree = new SubscriptionTree(multiLevelMatchesParent);
    this.#hasRetainAsPublished = hasRetainAsPublished;
    this.#others = others;
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
      if (entry.members.size === 0) this.#others?.subscribed(filter);
      entry.members.set(session, subscription);
    } else {
      entry.groups ??= new Map();
      let shared = entry.groups.get(group);
      if (shared === undefined) {
        entry.groups.set(group, (shared = new SharedGroup(group, filter)));
        this.#others?.subscribed(shared.topicFilter);
      }
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
      if (entry.members.delete(session) && entry.members.size === 0) this.#others?.unsubscribed(filter);
    } else {
      left = entry.groups?.get(group);
      left?.remove(session);
      if (left?.members.size === 0) {
        entry.groups?.delete(group);
        this.#others?.unsubscribed(left.topicFilter);
      }
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

  /** Whether any subscription matches, also of a client that gets no messages now, or on another node. */
  isSubscribed(topicName: string): boolean {
    const { targets, groups } = this.match(topicName);
    return targets.length + groups.length + (this.#others?.match(topicName).length ?? 0) > 0;
  }

  /** Delivers a message to all subscribers of its topic. Returns how many of them get it. */
  route(message: Message, nowMs: number): number {
    if (this.#others !== undefined) return this.#routeAmongNodes(message, this.#others, nowMs);
    const { targets, groups } = this.match(message.topicName);
    let receivers = 0;
    for (const target of targets) if (this.#deliver(message, target, nowMs)) receivers += 1;
    for (const group of groups) if (this.#deliverToGroup(message, group, undefined, nowMs)) receivers += 1;
    return receivers;
  }

  /** The same for a message of another node, which says what of it is to be served here. */
  routeForwarded(message: Message, isForSubscribers: boolean, wanted: readonly string[], nowMs: number): number {
    const { targets, groups } = this.match(message.topicName);
    let receivers = 0;
    if (isForSubscribers) {
      for (const target of targets) if (this.#deliver(message, target, nowMs)) receivers += 1;
    }
    if (wanted.length === 0) return receivers;
    for (const group of groups) {
      if (!wanted.includes(group.topicFilter)) continue;
      if (this.#deliverToGroup(message, group, undefined, nowMs)) receivers += 1;
    }
    return receivers;
  }

  /**
   * Each node that wants the topic counts as one receiver. A shared subscription is served once over all nodes: by a member here that is
   * connected, by another node, or by a member here that is away.
   */
  #routeAmongNodes(message: Message, others: OtherNodes, nowMs: number): number {
    const { targets, groups } = this.match(message.topicName);
    const nodes = others.match(message.topicName);
    let receivers = 0;
    for (const target of targets) if (this.#deliver(message, target, nowMs)) receivers += 1;
    const served = new Set<string>();
    for (const group of groups) {
      if (this.#deliverToGroup(message, group, undefined, nowMs, true)) served.add(group.topicFilter);
    }
    const chosen = others.chooseForGroups(nodes, served);
    for (const names of chosen.values()) for (const name of names) served.add(name);
    for (const group of groups) {
      if (served.has(group.topicFilter)) continue;
      if (this.#deliverToGroup(message, group, undefined, nowMs)) served.add(group.topicFilter);
    }
    for (const { node, hasSubscribers } of nodes) {
      const names = chosen.get(node) ?? [];
      if (hasSubscribers) receivers += 1;
      // A retained message goes to all nodes in any case.
      const isForSubscribers = hasSubscribers && !message.retain;
      if (!isForSubscribers && names.length === 0) continue;
      others.forward(node, message, { isForSubscribers, groups: names, retained: undefined });
    }
    return receivers + served.size;
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

  #deliverToGroup(
    message: Message,
    group: SharedGroup,
    without: Subscriber | undefined,
    nowMs: number,
    isForConnected: boolean = false,
  ): boolean {
    for (const [session, subscription] of group.candidates(message)) {
      if (session === without || (isForConnected && session.receiver === undefined)) continue;
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
      // One by one: clients can make more groups than a call takes as arguments.
      for (const group of entry.groups?.values() ?? []) groups.push(group);
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
