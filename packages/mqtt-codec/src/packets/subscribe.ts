/** SUBSCRIBE and UNSUBSCRIBE, MQTT 3.1.1 and 5.0 §3.8 and §3.10. */

import { quoted } from "../errors.ts";
import { type Encodable, isQoS, type QoS } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import { propertyLists, type SubscribeProperties, type UnsubscribeProperties } from "../property.ts";
import type { Reader } from "../reader.ts";
import { isSharedTopicFilter, topicClause, topicFaults, topicFilterFault } from "../topic.ts";
import type { Writer } from "../writer.ts";

/** A SUBSCRIBE. */
export interface SubscribePacket {
  readonly type: "subscribe";
  readonly packetIdentifier: number;
  readonly subscriptions: readonly Subscription[];
  readonly properties: SubscribeProperties | undefined;
}

/** When retained messages are sent: 0 at every SUBSCRIBE, 1 for a new subscription, 2 never. */
export type RetainHandling = 0 | 1 | 2;

/** Whether a value is 0, 1 or 2, the values of retain handling as of QoS. */
const isRetainHandling: (value: unknown) => value is RetainHandling = isQoS;

/**
 * A topic filter and its options. 3.1.1 has only the QoS; the other options belong to 5.0, and a 3.1.1 subscription is
 * decoded with them at `false` and 0, which is how 3.1.1 behaves.
 */
export interface Subscription {
  readonly topicFilter: string;
  /** The highest QoS that the client wants. */
  readonly qos: QoS;
  /** Messages that this client publishes are not sent to it. */
  readonly noLocal: boolean;
  /** Messages are forwarded with the RETAIN flag that they were published with. */
  readonly retainAsPublished: boolean;
  readonly retainHandling: RetainHandling;
}

/** A SUBSCRIBE to encode. */
export interface EncodableSubscribe {
  readonly type: "subscribe";
  readonly packetIdentifier: number;
  readonly subscriptions: readonly EncodableSubscription[];
  readonly properties?: Encodable<SubscribeProperties, never> | undefined;
}

/** A subscription to encode: by default QoS 0 and the options of 3.1.1. */
export type EncodableSubscription = Encodable<Subscription, "topicFilter">;

/** An UNSUBSCRIBE. */
export interface UnsubscribePacket {
  readonly type: "unsubscribe";
  readonly packetIdentifier: number;
  readonly topicFilters: readonly string[];
  readonly properties: UnsubscribeProperties | undefined;
}

/** An UNSUBSCRIBE to encode. */
export type EncodableUnsubscribe = Omit<
  Encodable<UnsubscribePacket, "type" | "packetIdentifier" | "topicFilters">,
  "properties"
> & { readonly properties?: Encodable<UnsubscribeProperties, never> | undefined };

/** Bits of the subscription options, MQTT 5.0 §3.8.3.1. */
const QOS = 0x03;
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
const RETAIN_HANDLING_SHIFT = 4;
const RESERVED_4 = 0xfc;
const RESERVED_5 = 0xc0;

/** Reads the body of a SUBSCRIBE. */
export function readSubscribe(reader: Reader): SubscribePacket {
  const packetIdentifier = reader.packetIdentifier("packetIdentifier");
  const properties = reader.version === 5 ? readProperties(reader, propertyLists.subscribe) : undefined;
  const subscriptions: Subscription[] = [];
  while (reader.position < reader.end) {
    checkCount(reader, subscriptions.length, "subscriptions");
    subscriptions.push(readSubscription(reader));
  }
  if (subscriptions.length === 0) reader.fail("noSubscription", reader.position, "subscriptions", { count: 0 });
  return { type: "subscribe", packetIdentifier, subscriptions, properties };
}

/** Reads the body of an UNSUBSCRIBE. */
export function readUnsubscribe(reader: Reader): UnsubscribePacket {
  const packetIdentifier = reader.packetIdentifier("packetIdentifier");
  const properties = reader.version === 5 ? readProperties(reader, propertyLists.unsubscribe) : undefined;
  const topicFilters: string[] = [];
  while (reader.position < reader.end) {
    checkCount(reader, topicFilters.length, "topicFilters");
    topicFilters.push(readTopicFilter(reader, "topicFilters"));
  }
  if (topicFilters.length === 0) reader.fail("noTopicFilter", reader.position, "topicFilters", { count: 0 });
  return { type: "unsubscribe", packetIdentifier, topicFilters, properties };
}

/** The limit on the topic filters of a packet and the reason codes of its answer. */
export function checkCount(reader: Reader, count: number, field: string): void {
  const limit = reader.limits.maximumTopicFilters;
  if (count >= limit) reader.fail("tooManyTopicFilters", reader.position, field, { limit });
}

function readSubscription(reader: Reader): Subscription {
  const topicFilter = readTopicFilter(reader, "subscriptions.topicFilter");
  const at = reader.position;
  const options = reader.uint8("subscriptions.options");
  if ((options & (reader.version === 5 ? RESERVED_5 : RESERVED_4)) !== 0) {
    reader.fail("subscriptionOptions", at, "subscriptions.options", { found: options });
  }
  const qos = options & QOS;
  if (!isQoS(qos)) return reader.fail("subscriptionQos", at, "subscriptions.qos", { found: qos });
  const noLocal = (options & NO_LOCAL) !== 0;
  const retainHandling = options >>> RETAIN_HANDLING_SHIFT;
  if (!isRetainHandling(retainHandling)) {
    return reader.fail("retainHandling", at, "subscriptions.retainHandling", { found: retainHandling });
  }
  if (noLocal && isSharedTopicFilter(topicFilter)) {
    reader.fail("noLocalShared", at, "subscriptions.noLocal", { text: topicFilter });
  }
  return { topicFilter, qos, noLocal, retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0, retainHandling };
}

function readTopicFilter(reader: Reader, field: string): string {
  const at = reader.position;
  const text = reader.string(field);
  const wrong = topicFilterFault(text, reader.version === 5);
  if (wrong !== undefined) {
    const { fault } = wrong;
    reader.fail("topicFilter", at, field, { text, fault }, topicClause(fault, reader.version));
  }
  return text;
}

/** Writes the body of a SUBSCRIBE. */
export function writeSubscribe(writer: Writer, packet: EncodableSubscribe): void {
  const { subscriptions, properties } = packet;
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) writeProperties(writer, propertyLists.subscribe, properties);
  if (writer.list(subscriptions, "subscriptions").length === 0) {
    writer.fail("ERR_MQTT_CODEC_NO_TOPIC_FILTER", "subscriptions", subscriptions, "at least one subscription");
  }
  for (const subscription of subscriptions) writeSubscription(writer, writer.object(subscription, "subscriptions"));
}

function writeSubscription(writer: Writer, subscription: EncodableSubscription): void {
  const { topicFilter, qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0 } = subscription;
  writeTopicFilter(writer, topicFilter, "subscriptions.topicFilter");
  if (!isQoS(qos)) writer.fail("ERR_MQTT_CODEC_QOS", "subscriptions.qos", qos, "0, 1 or 2");
  if (!isRetainHandling(retainHandling)) {
    writer.fail("ERR_MQTT_CODEC_RETAIN_HANDLING", "subscriptions.retainHandling", retainHandling, "0, 1 or 2");
  }
  const options =
    qos |
    (writer.boolean(noLocal, "subscriptions.noLocal") ? NO_LOCAL : 0) |
    (writer.boolean(retainAsPublished, "subscriptions.retainAsPublished") ? RETAIN_AS_PUBLISHED : 0) |
    (retainHandling << RETAIN_HANDLING_SHIFT);
  if (writer.version === 4 && options > QOS) {
    const found = "a subscription with options of MQTT 5.0";
    writer.failWith("ERR_MQTT_CODEC_VERSION_FIELD", "subscriptions", found, "only a QoS in MQTT 3.1.1");
  }
  if (noLocal && isSharedTopicFilter(topicFilter)) {
    writer.fail("ERR_MQTT_CODEC_NO_LOCAL_SHARED", "subscriptions.noLocal", noLocal, "false on a shared subscription");
  }
  writer.uint8(options);
}

/** Writes the body of an UNSUBSCRIBE. */
export function writeUnsubscribe(writer: Writer, packet: EncodableUnsubscribe): void {
  const { topicFilters } = packet;
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) writeProperties(writer, propertyLists.unsubscribe, packet.properties);
  if (writer.list(topicFilters, "topicFilters").length === 0) {
    writer.fail("ERR_MQTT_CODEC_NO_TOPIC_FILTER", "topicFilters", topicFilters, "at least one topic filter");
  }
  for (const topicFilter of topicFilters) writeTopicFilter(writer, topicFilter, "topicFilters");
}

function writeTopicFilter(writer: Writer, topicFilter: unknown, field: string): void {
  if (typeof topicFilter !== "string") return writer.failField(field, topicFilter, "a topic filter");
  const wrong = topicFilterFault(topicFilter, writer.version === 5);
  if (wrong !== undefined) {
    writer.failWith("ERR_MQTT_CODEC_TOPIC_FILTER", field, quoted(topicFilter), topicFaults[wrong.fault][2]);
  }
  writer.string(topicFilter, field);
}
