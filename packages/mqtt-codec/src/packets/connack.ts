/** CONNACK, MQTT 3.1.1 and 5.0 §3.2. */

import type { Encodable } from "../packet-type.ts";
import { checkAuthentication, readProperties, writeProperties } from "../property-list.ts";
import { type ConnackProperties, propertyLists } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { readReasonCode, writeReasonCode } from "./reason.ts";

/** A CONNACK. */
export interface ConnackPacket {
  readonly type: "connack";
  readonly sessionPresent: boolean;
  /** In 3.1.1 the Connect Return Code, 0 to 5; see `ConnectReturnCode` and `ReasonCode`. */
  readonly reasonCode: number;
  readonly properties: ConnackProperties | undefined;
}

/** A CONNACK to encode: by default accepted, without a session. */
export type EncodableConnack = Omit<Encodable<ConnackPacket, "type">, "properties"> & {
  readonly properties?: Encodable<ConnackProperties, never> | undefined;
};

/** Reads the body of a CONNACK. */
export function readConnack(reader: Reader): ConnackPacket {
  const at = reader.position;
  const flags = reader.uint8("connectAcknowledgeFlags");
  if (flags > 1) reader.fail("connackFlags", at, "connectAcknowledgeFlags", { found: flags });
  const reasonCode = readReasonCode(reader, "connack");
  if (flags === 1 && reasonCode !== 0) reader.fail("sessionPresent", at, "sessionPresent", { found: reasonCode });
  const properties = reader.version === 5 ? readProperties(reader, propertyLists.connack) : undefined;
  checkAuthentication(reader, properties, propertyLists.connack);
  reader.finish();
  return { type: "connack", sessionPresent: flags === 1, reasonCode, properties };
}

/** Writes the body of a CONNACK. */
export function writeConnack(writer: Writer, packet: EncodableConnack): void {
  const { sessionPresent = false, reasonCode = 0, properties } = packet;
  writer.uint8(writer.boolean(sessionPresent, "sessionPresent") ? 1 : 0);
  writeReasonCode(writer, "connack", reasonCode);
  if (sessionPresent && reasonCode !== 0) {
    writer.fail("ERR_MQTT_CODEC_SESSION_PRESENT", "sessionPresent", sessionPresent, "false with a refusal");
  }
  if (writer.version === 5) writeProperties(writer, propertyLists.connack, properties);
}
