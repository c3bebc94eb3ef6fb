/** The will of a CONNECT, MQTT 3.1.1 §3.1.3.2 and §3.1.3.3, MQTT 5.0 §3.1.3.2 to §3.1.3.4. */

import type { Encodable, QoS } from "../packet-type.ts";
import { readProperties } from "../property-list.ts";
import type { UserProperty } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";

/** What the server publishes when the connection ends otherwise than by DISCONNECT. */
export interface Will {
  readonly topicName: string;
  /** Called Will Message in 3.1.1; a view. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: WillProperties | undefined;
}

export interface WillProperties {
  /** Seconds. */
  readonly willDelayInterval: number | undefined;
  readonly payloadFormatIndicator: 0 | 1 | undefined;
  /** Seconds. */
  readonly messageExpiryInterval: number | undefined;
  readonly contentType: string | undefined;
  readonly responseTopic: string | undefined;
  readonly correlationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
}

export type EncodableWill = Omit<Encodable<Will, "topicName" | "payload">, "properties"> & {
  readonly properties?: Encodable<WillProperties, never> | undefined;
};

/** `flags` are the connect flags, checked. */
export function readWill(reader: Reader, flags: number): Will {
  const properties = reader.version === 5 ? readProperties<WillProperties>(reader, 0) : undefined;
  const topicName = reader.nonEmptyTopicName();
  const payload = reader.binary();
  const qos = (flags & 0x10) !== 0 ? 2 : (flags & 0x08) !== 0 ? 1 : 0;
  return { topicName, payload, qos, retain: (flags & 0x20) !== 0, properties };
}

export function writeWill(writer: Writer, will: EncodableWill): void {
  writer.nonEmptyTopicName(will.topicName, "will.topicName");
  writer.binary(will.payload, "will.payload");
}
