/** A message on its way: what was published, with what every copy of it has in common encoded once. */

import {
  encode,
  type EncodablePublish,
  preparePublish,
  utf8Length,
  type PreparedPublish,
  type ProtocolVersion,
  type PublishReceiver,
  type QoS,
  type UserProperty,
} from "@latchkey/mqtt-codec";
import type { OutputSpace } from "../connection/output-space.ts";

/** The properties that go on with a message, unaltered (MQTT-3.3.2-4, -15 to -20). */
export interface MessageProperties {
  readonly payloadFormatIndicator?: 0 | 1 | undefined;
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Uint8Array | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/** What a message is made from. */
export interface MessageFields {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: MessageProperties | undefined;
  /** Seconds; undefined for a message that does not expire. */
  readonly expirySeconds: number | undefined;
  /** The client that published it, for No Local. */
  readonly publisher: string | undefined;
}

/** What a message costs beside its payload and topic: its objects, measured with a heap snapshot and rounded up. */
const overheadOctets = 256;

/** First octet, remaining length, length of the topic name, packet identifier, and the length of no properties. */
const maximumHeadOctets = 1 + 4 + 2 + 2 + 1;

const noBytes: readonly (Uint8Array | undefined)[] = [];

/** One message. Its payload is a view of the publisher's chunk until `keep` is called. */
export class Message {
  readonly topicName: string;
  payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  properties: MessageProperties | undefined;
  readonly expirySeconds: number | undefined;
  readonly publisher: string | undefined;
  readonly publishedMs: number;
  /** What it counts for in the budgets of queues. */
  readonly octets: number;
  /** The packet as it came, for receivers of the same version; undefined where it cannot go on as it is. */
  readonly #asItCame: Uint8Array | undefined;
  readonly #cameVersion: ProtocolVersion;
  #isKept: boolean;
  #encoded: (Uint8Array | undefined)[] | undefined = undefined;
  #prepared: PreparedPublish | undefined = undefined;
  /** Whether a receiver of QoS 1 or 2 had it. */
  #hasReceiver = false;

  constructor(fields: MessageFields, nowMs: number, isKept: boolean, cameVersion: ProtocolVersion | undefined) {
    this.topicName = fields.topicName;
    this.payload = fields.payload;
    this.qos = fields.qos;
    this.retain = fields.retain;
    this.properties = fields.properties;
    this.expirySeconds = fields.expirySeconds;
    this.publisher = fields.publisher;
    this.publishedMs = nowMs;
    this.octets = fields.payload.length + fields.topicName.length + overheadOctets;
    this.#isKept = isKept;
    this.#cameVersion = cameVersion ?? 4;
    this.#asItCame = cameVersion === undefined ? undefined : packetAround(fields, cameVersion);
  }

  /** Copies what is a view of a chunk, so that the message can be kept longer than the chunk. */
  keep(): void {
    if (this.#isKept) return;
    this.#isKept = true;
    this.payload = this.payload.slice();
    const correlationData = this.properties?.correlationData;
    if (correlationData !== undefined)
      this.properties = { ...this.properties, correlationData: correlationData.slice() };
  }

  /** Whether it is older than its Message Expiry Interval (MQTT-3.3.2-5). */
  isExpired(nowMs: number): boolean {
    return this.expirySeconds !== undefined && nowMs - this.publishedMs >= this.expirySeconds * 1000;
  }

  /** The QoS 0 PUBLISH for all receivers without alias and identifiers: always the same octets, never written to. */
  qos0(version: ProtocolVersion, retain: boolean, nowMs: number): Uint8Array {
    if (!retain && version === this.#cameVersion && this.#asItCame !== undefined && !this.#isKept)
      return this.#asItCame;
    if (version === 5 && this.expirySeconds !== undefined) {
      const { topicName, payload } = this;
      return encode({ type: "publish", topicName, payload, retain, properties: this.propertiesFor(nowMs) }, 5);
    }
    const slot = (version - 4) * 2 + (retain ? 1 : 0);
    const encoded = (this.#encoded ?? noBytes)[slot];
    if (encoded !== undefined) return encoded;
    const { topicName, payload, properties } = this;
    const made = encode({ type: "publish", topicName, payload, retain, properties: filled(properties) }, version);
    this.#encoded ??= [undefined, undefined, undefined, undefined];
    this.#encoded[slot] = made;
    return made;
  }

  /**
   * The PUBLISH for one receiver without alias and identifiers, in `space`. From the second receiver on, all but identifier and flags is
   * encoded once.
   */
  encodedFor(version: ProtocolVersion, receiver: PublishReceiver, nowMs: number, space: OutputSpace): Uint8Array {
    const { topicName, payload } = this;
    if (version === 5 && this.expirySeconds !== undefined) {
      return encode({ type: "publish", topicName, payload, ...receiver, properties: this.propertiesFor(nowMs) }, 5);
    }
    if (!this.#hasReceiver && (version === 4 || this.properties === undefined)) {
      this.#hasReceiver = true;
      const { qos, retain, dup, packetIdentifier } = receiver;
      const packet = { type: "publish", topicName, payload, qos, retain, dup, packetIdentifier } as const;
      return space.encode(packet, version, payload.length + 3 * topicName.length + maximumHeadOctets);
    }
    this.#prepared ??= preparePublish({ topicName, payload, properties: filled(this.properties) });
    const bytes = space.take(this.#prepared.encodedLength(version, receiver.qos));
    this.#prepared.encodeInto(version, receiver, bytes, 0);
    return bytes;
  }

  /** The properties of a copy, with what is left of its expiry (MQTT-3.3.2-6) and what its receiver needs. */
  propertiesFor(
    nowMs: number,
    topicAlias?: number,
    subscriptionIdentifiers?: readonly number[],
  ): EncodablePublish["properties"] {
    const messageExpiryInterval =
      this.expirySeconds === undefined
        ? undefined
        : Math.max(0, this.expirySeconds - Math.floor((nowMs - this.publishedMs) / 1000));
    return filled({ ...this.properties, messageExpiryInterval, topicAlias, subscriptionIdentifiers });
  }
}

/** Leaves out what is undefined; undefined where nothing is left. */
function filled(properties: EncodablePublish["properties"]): EncodablePublish["properties"] {
  if (properties === undefined) return undefined;
  for (const value of Object.values(properties)) {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) return properties;
  }
  return undefined;
}

/**
 * The QoS 0 packet whose payload this is, with RETAIN clear, as the octets that came. The payload is a view, and in front of it stand
 * topic name, length and first octet; where these are not what an encoder would write, there is no answer.
 */
function packetAround(fields: MessageFields, version: ProtocolVersion): Uint8Array | undefined {
  const { topicName, payload } = fields;
  if (fields.qos !== 0 || fields.retain || fields.properties !== undefined || fields.expirySeconds !== undefined) {
    return undefined;
  }
  const remaining = 2 + utf8Length(topicName) + (version === 5 ? 1 : 0) + payload.length;
  const lengthOctets = remaining < 0x80 ? 1 : remaining < 0x4000 ? 2 : remaining < 0x20_0000 ? 3 : 4;
  const end = payload.byteOffset + payload.length;
  const start = end - remaining - lengthOctets - 1;
  if (start < 0) return undefined;
  const packet = new Uint8Array(payload.buffer, start, end - start);
  if (packet[0] !== 0x30) return undefined;
  let rest = remaining;
  for (let at = 1; at <= lengthOctets; at++) {
    const octet = at < lengthOctets ? (rest & 0x7f) | 0x80 : rest;
    if (packet[at] !== octet) return undefined;
    rest >>>= 7;
  }
  return packet;
}
