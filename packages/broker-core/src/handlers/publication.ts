/** A message that may be published: retained, handed to the program around the broker, or routed. */

import { ReasonCode, type PublishProperties } from "@latchkey/mqtt-codec";
import type { BrokerContext } from "../connection/connection.ts";
import type { EventSource } from "../events.ts";
import { Message } from "../routing/message.ts";
import { isBasicIngest, isReservedTopic } from "./reserved.ts";

/** What became of a message. */
export type Publication =
  | { readonly ok: true; readonly receivers: number }
  | { readonly ok: false; readonly reasonCode: number; readonly reason: string };

/** Publishes a message that is allowed. `isOwnWord`: it is the broker's own, or comes from another node. */
export function publishMessage<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  message: Message,
  source: EventSource<Peer, Principal>,
  isOwnWord: boolean = false,
): Publication {
  const { topicName } = message;
  if (topicName.charCodeAt(0) === DOLLAR && !isOwnWord) {
    const outcome = reserved(context, message, source);
    if (outcome !== "routed") return outcome;
  }
  if (message.retain) {
    const refused = retain(context, message);
    if (refused !== undefined) return refused;
  }
  const receivers = context.router.route(message, context.nowMs);
  context.onPublished?.({
    ...source,
    topicName,
    qos: message.qos,
    retain: message.retain,
    payloadOctets: message.payload.length,
    receivers,
  });
  return { ok: true, receivers };
}

const DOLLAR = 0x24;

function reserved<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  message: Message,
  source: EventSource<Peer, Principal>,
): Publication | "routed" {
  const { topicName, qos, retain: isRetained, expirySeconds, properties } = message;
  const { reservedTopics, isAws, nowMs } = context;
  const refused = {
    ok: false,
    reasonCode: ReasonCode.topicNameInvalid,
    reason: "the topic is reserved and nothing serves it",
  } as const;
  if (reservedTopics === undefined) {
    if (isReservedTopic(isAws, topicName)) return refused;
    return isAws && isBasicIngest(topicName) ? { ok: true, receivers: 0 } : "routed";
  }
  message.keep();
  const { peer, principal, clientIdentifier } = source;
  const publish = { peer, principal, clientIdentifier, topicName, payload: message.payload, qos, retain: isRetained };
  const filled: PublishProperties | undefined =
    properties === undefined && expirySeconds === undefined
      ? undefined
      : {
          payloadFormatIndicator: properties?.payloadFormatIndicator,
          messageExpiryInterval: expirySeconds,
          topicAlias: undefined,
          responseTopic: properties?.responseTopic,
          correlationData: properties?.correlationData,
          contentType: properties?.contentType,
          subscriptionIdentifiers: [],
          userProperties: properties?.userProperties ?? [],
        };
  const outcome = reservedTopics({ ...publish, properties: filled }, nowMs);
  if (outcome === "refused") return refused;
  return outcome === "taken" ? { ok: true, receivers: 1 } : "routed";
}

/** Keeps, replaces or (empty payload) removes what the topic retains (MQTT-3.3.1-5 to -7). */
function retain<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  message: Message,
): (Publication & { ok: false }) | undefined {
  const { retained } = context;
  const { topicName } = message;
  const version = retained.nextVersion();
  if (message.payload.length === 0) {
    retained.delete(topicName, version);
    tellOthers(context, message, version);
    return undefined;
  }
  const refused = keepRetained(context, message, version, context.epochMs());
  if (refused === undefined) tellOthers(context, message, version);
  return refused;
}

/** Every node has all retained messages. */
function tellOthers<Peer, Principal>(
  { others, epochMs }: BrokerContext<Peer, Principal>,
  message: Message,
  version: number,
): void {
  const retained = { version, storedAtMs: epochMs() };
  others?.forward(undefined, message, { isForSubscribers: true, groups: [], retained });
}

/** Removes what a topic retains, on all nodes; false where it retains nothing. */
export function removeRetained<Peer, Principal>(context: BrokerContext<Peer, Principal>, topicName: string): boolean {
  const { retained, nowMs, others, epochMs } = context;
  const version = retained.nextVersion();
  const isRemoved = retained.delete(topicName, version);
  const fields = { topicName, payload: new Uint8Array(0), qos: 0, retain: true } as const;
  const nothing = { properties: undefined, expirySeconds: undefined, publisher: undefined };
  const empty = new Message({ ...fields, ...nothing }, nowMs, true, undefined);
  others?.forward(undefined, empty, {
    isForSubscribers: false,
    groups: [],
    retained: { version, storedAtMs: epochMs() },
  });
  return isRemoved;
}

/** Keeps a retained message that is not empty, unless the topic has a newer one; why not, where a limit is in the way. */
export function keepRetained<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  message: Message,
  version: number,
  storedAtMs: number,
): (Publication & { ok: false }) | undefined {
  const { retained, limits } = context;
  const { topicName } = message;
  const known = retained.get(topicName);
  const octets = retained.octets + message.octets - (known?.message.octets ?? 0);
  const isFull = known === undefined && retained.size >= limits.maximumRetainedMessages;
  if (isFull || octets > limits.maximumRetainedOctets) {
    const limit = isFull ? "maximumRetainedMessages" : "maximumRetainedOctets";
    context.counters.messagesDropped[limit] += 1;
    return {
      ok: false,
      reasonCode: ReasonCode.quotaExceeded,
      reason: `${limit} ${limits[limit]}: it cannot be retained`,
    };
  }
  message.keep();
  if (retained.set(message, storedAtMs, version) !== undefined) expireRetained(context, message, version);
  return undefined;
}

/** Has a retained message removed when it expires (MQTT-3.3.2-5). */
export function expireRetained<Peer, Principal>(
  { retained, deadlines }: BrokerContext<Peer, Principal>,
  { topicName, expirySeconds, publishedMs }: Message,
  version: number,
): void {
  if (expirySeconds === undefined) return;
  deadlines.add(publishedMs + expirySeconds * 1000, () => {
    if (retained.get(topicName)?.version === version) retained.delete(topicName, version);
  });
}
