/** SUBSCRIBE and UNSUBSCRIBE, MQTT 3.1.1 and 5.0 §3.8 and §3.10. */

import { type Encodable, isQoS, type QoS } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import type { UserProperty } from "../property.ts";
import type { Reader } from "../reader.ts";
import { isSharedTopicFilter, validateTopicFilter, wrongFilter } from "../topic.ts";
import type { Writer } from "../writer.ts";

export interface SubscribePacket {
  readonly type: "subscribe";
  readonly packetIdentifier: number;
  readonly subscriptions: readonly Subscription[];
  readonly properties: SubscribeProperties | undefined;
}

export type RetainHandling = 0 | 1 | 2;

/** It has the values of QoS. */
const isRetainHandling: (value: number) => value is RetainHandling = isQoS;

/** One topic filter and its options; those but QoS are of 5.0 and have their 3.1.1 meaning at the default. */
export interface Subscription {
  readonly topicFilter: string;
  /** The highest QoS that the client wants. */
  readonly qos: QoS;
  /** Messages of this client are not sent back to it. */
  readonly noLocal: boolean;
  /** RETAIN is forwarded as it came. */
  readonly retainAsPublished: boolean;
  /** Retained messages are sent: 0 at every SUBSCRIBE, 1 for a new subscription, 2 never. */
  readonly retainHandling: RetainHandling;
}

export interface SubscribeProperties {
  readonly subscriptionIdentifier: number | undefined;
  readonly userProperties: readonly UserProperty[];
}

export interface EncodableSubscribe {
  readonly type: "subscribe";
  readonly packetIdentifier: number;
  readonly subscriptions: readonly EncodableSubscription[];
  readonly properties?: Encodable<SubscribeProperties, never> | undefined;
}

export type EncodableSubscription = Encodable<Subscription, "topicFilter">;

export interface UnsubscribePacket {
  readonly type: "unsubscribe";
  readonly packetIdentifier: number;
  readonly topicFilters: readonly string[];
  readonly properties: UnsubscribeProperties | undefined;
}

export interface UnsubscribeProperties {
  readonly userProperties: readonly UserProperty[];
}

export type EncodableUnsubscribe = Encodable<UnsubscribePacket, "type" | "packetIdentifier" | "topicFilters">;

export function readSubscribe(reader: Reader): SubscribePacket {
  const packetIdentifier = reader.packetIdentifier();
  const properties = reader.version === 5 ? readProperties<SubscribeProperties>(reader, 8) : undefined;
  const subscriptions: Subscription[] = [];
  while (reader.position < reader.end) {
    checkCount(reader, subscriptions.length);
    subscriptions.push(readSubscription(reader));
  }
  if (subscriptions.length === 0) {
    reader.fail("ERR_MQTT_CODEC_NO_TOPIC_FILTER", reader.position, "MQTT-3.8.3-3", "MQTT-3.8.3-2");
  }
  return { type: "subscribe", packetIdentifier, subscriptions, properties };
}

export function readUnsubscribe(reader: Reader): UnsubscribePacket {
  const packetIdentifier = reader.packetIdentifier();
  const properties = reader.version === 5 ? readProperties<UnsubscribeProperties>(reader, 10) : undefined;
  const topicFilters: string[] = [];
  while (reader.position < reader.end) {
    checkCount(reader, topicFilters.length);
    topicFilters.push(readTopicFilter(reader));
  }
  if (topicFilters.length === 0) reader.fail("ERR_MQTT_CODEC_NO_TOPIC_FILTER", reader.position, "MQTT-3.10.3-2");
  return { type: "unsubscribe", packetIdentifier, topicFilters, properties };
}

/** The limit on the topic filters of a packet and the reason codes of its answer. */
export function checkCount(reader: Reader, count: number): void {
  if (count < reader.limits.maximumTopicFilters) return;
  reader.fail("ERR_MQTT_CODEC_TOO_MANY_TOPIC_FILTERS", reader.position, "MQTT 3.1.1 §3.8.3", "MQTT 5.0 §4.13.2");
}

function readSubscription(reader: Reader): Subscription {
  const topicFilter = readTopicFilter(reader);
  const at = reader.position;
  const options = reader.uint8();
  const qos = options & 3;
  const reserved = reader.version === 5 ? 0xc0 : 0xfc;
  if ((options & reserved) !== 0) {
    reader.fail("ERR_MQTT_CODEC_SUBSCRIPTION_OPTIONS", at, "MQTT-3-8.3-4", "MQTT-3.8.3-5");
  }
  if (!isQoS(qos)) {
    // MQTT 5.0 §3.8.3.1 calls this a protocol error.
    const reasonCode = reader.version === 5 ? 0x82 : 0x81;
    throw reader.error("ERR_MQTT_CODEC_QOS", at, "MQTT-3-8.3-4", "MQTT 5.0 §3.8.3.1", { reasonCode });
  }
  const noLocal = (options & 4) !== 0;
  const retainHandling = (options >>> 4) & 3;
  if (!isRetainHandling(retainHandling)) {
    return reader.fail("ERR_MQTT_CODEC_RETAIN_HANDLING", at, "MQTT-3-8.3-4", "MQTT 5.0 §3.8.3.1");
  }
  if (noLocal && isSharedTopicFilter(topicFilter)) {
    reader.fail("ERR_MQTT_CODEC_NO_LOCAL_SHARED", at, "MQTT-3.8.3-4");
  }
  return { topicFilter, qos, noLocal, retainAsPublished: (options & 8) !== 0, retainHandling };
}

function readTopicFilter(reader: Reader): string {
  const at = reader.position;
  const topicFilter = reader.string();
  if (topicFilter === "") reader.fail("ERR_MQTT_CODEC_TOPIC_FILTER", at, "MQTT-4.7.3-1");
  const wrong = wrongFilter(topicFilter, reader.version === 5);
  if (wrong !== undefined) reader.fail("ERR_MQTT_CODEC_TOPIC_FILTER", at, clause4Of(wrong.clause), wrong.clause);
  return topicFilter;
}

/** 3.1.1 numbers the two statements on wildcards one higher. */
function clause4Of(clause5: string): string {
  if (clause5 === "MQTT-4.7.1-1") return "MQTT-4.7.1-2";
  return clause5 === "MQTT-4.7.1-2" ? "MQTT-4.7.1-3" : clause5;
}

export function writeSubscribe(writer: Writer, packet: EncodableSubscribe): number {
  const { subscriptions, properties } = packet;
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) writeProperties(writer, 8, properties);
  if (subscriptions.length === 0) writer.fail("ERR_MQTT_CODEC_NO_TOPIC_FILTER", "subscriptions");
  for (const subscription of subscriptions) writeSubscription(writer, subscription);
  return 0x82;
}

function writeSubscription(writer: Writer, subscription: EncodableSubscription): void {
  const { topicFilter, qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0 } = subscription;
  writeTopicFilter(writer, topicFilter, "subscriptions.topicFilter");
  if (!isQoS(qos)) writer.fail("ERR_MQTT_CODEC_QOS", "subscriptions.qos");
  if (!isRetainHandling(retainHandling)) {
    writer.fail("ERR_MQTT_CODEC_RETAIN_HANDLING", "subscriptions.retainHandling");
  }
  const options = qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4);
  if (writer.version === 4 && options > 2) writer.fail("ERR_MQTT_CODEC_VERSION_FIELD", "subscriptions");
  if (noLocal && isSharedTopicFilter(topicFilter)) {
    writer.fail("ERR_MQTT_CODEC_NO_LOCAL_SHARED", "subscriptions.noLocal");
  }
  writer.uint8(options);
}

export function writeUnsubscribe(writer: Writer, packet: EncodableUnsubscribe): number {
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) writeProperties(writer, 10, packet.properties);
  if (packet.topicFilters.length === 0) writer.fail("ERR_MQTT_CODEC_NO_TOPIC_FILTER", "topicFilters");
  for (const topicFilter of packet.topicFilters) writeTopicFilter(writer, topicFilter, "topicFilters");
  return 0xa2;
}

function writeTopicFilter(writer: Writer, topicFilter: string, field: string): void {
  const check = validateTopicFilter(topicFilter, { sharedSubscriptions: writer.version === 5 });
  if (!check.ok) writer.fail("ERR_MQTT_CODEC_TOPIC_FILTER", field);
  writer.string(topicFilter, field);
}
