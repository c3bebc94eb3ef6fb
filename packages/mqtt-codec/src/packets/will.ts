/** The will of a CONNECT, MQTT 3.1.1 §3.1.3.2 and §3.1.3.3, MQTT 5.0 §3.1.3.2 to §3.1.3.4. */

import type { Encodable, QoS } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import { propertyLists, type WillProperties } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";

/** The message that the server publishes when the connection ends without a normal DISCONNECT. */
export interface Will {
  readonly topicName: string;
  /** Called Will Message in 3.1.1; a view. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: WillProperties | undefined;
}

/** A will to encode: by default QoS 0, not retained. */
export type EncodableWill = Omit<Encodable<Will, "topicName" | "payload">, "properties"> & {
  readonly properties?: Encodable<WillProperties, never> | undefined;
};

/** Reads the will of a CONNECT, whose QoS and RETAIN stand in the connect flags. */
export function readWill(reader: Reader, qos: QoS, retain: boolean): Will {
  const properties = reader.version === 5 ? readProperties(reader, propertyLists.will) : undefined;
  const topicName = reader.topicName("will.topicName", "will");
  const payload = reader.binary("will.payload");
  return { topicName, payload, qos, retain, properties };
}

/** Writes the will into the payload of a CONNECT. */
export function writeWill(writer: Writer, will: EncodableWill): void {
  if (writer.version === 5) writeProperties(writer, propertyLists.will, will.properties);
  writer.topicName(will.topicName, "will.topicName");
  writer.binary(will.payload, "will.payload");
}
