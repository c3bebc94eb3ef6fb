/** Messages as stores keep them and nodes hand them on, with times that mean the same everywhere; and back. */

import { Message } from "../routing/message.ts";
import type { StoredMessage } from "../ports/session-store.ts";

/** Times of a broker's clock and of 1970. */
export interface Epoch {
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
  /** The latest time that the broker was given. */
  readonly nowMs: () => number;
}

/** Milliseconds since 1970 at a time of the broker's clock. */
export function epochOf({ epochMs, nowMs }: Epoch, ms: number): number {
  return Math.round(epochMs() - (nowMs() - ms));
}

/** The time of the broker's clock. A clock that was set back must not make a message younger than it is. */
export function clockTimeOf({ epochMs, nowMs }: Epoch, atMs: number): number {
  return nowMs() - Math.max(0, epochMs() - atMs);
}

/** Makes the message keep its octets, which the result shares. */
export function storedMessage(epoch: Epoch, message: Message): StoredMessage {
  message.keep();
  const { topicName, payload, qos, retain, expirySeconds, publisher, publishedMs, properties } = message;
  return {
    topicName,
    payload,
    qos,
    retain,
    publishedAtMs: epochOf(epoch, publishedMs),
    expirySeconds,
    publisher,
    payloadFormatIndicator: properties?.payloadFormatIndicator,
    contentType: properties?.contentType,
    responseTopic: properties?.responseTopic,
    correlationData: properties?.correlationData,
    userProperties: properties?.userProperties,
  };
}

/** The message of it, on the broker's clock. */
export function messageOf(epoch: Epoch, stored: StoredMessage): Message {
  const { topicName, payload, qos, retain, expirySeconds, publisher } = stored;
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = stored;
  const properties = { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties };
  const fields = { topicName, payload, qos, retain, properties, expirySeconds, publisher };
  return new Message(fields, clockTimeOf(epoch, stored.publishedAtMs), true, undefined);
}
