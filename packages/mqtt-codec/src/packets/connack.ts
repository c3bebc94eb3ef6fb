/** CONNACK, MQTT 3.1.1 and 5.0 §3.2. */

import type { Encodable } from "../packet-type.ts";
import { checkAuthentication, readProperties, writeProperties } from "../property-list.ts";
import type { UserProperty } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { readReasonCode, writeReasonCode } from "./reason.ts";

export interface ConnackPacket {
  readonly type: "connack";
  readonly sessionPresent: boolean;
  /** In 3.1.1 the Connect Return Code, 0 to 5; see `ConnectReturnCode` and `ReasonCode`. */
  readonly reasonCode: number;
  readonly properties: ConnackProperties | undefined;
}

export interface ConnackProperties {
  readonly sessionExpiryInterval: number | undefined;
  readonly receiveMaximum: number | undefined;
  readonly maximumQoS: 0 | 1 | undefined;
  readonly retainAvailable: boolean | undefined;
  readonly maximumPacketSize: number | undefined;
  readonly assignedClientIdentifier: string | undefined;
  readonly topicAliasMaximum: number | undefined;
  readonly reasonString: string | undefined;
  readonly wildcardSubscriptionAvailable: boolean | undefined;
  readonly subscriptionIdentifierAvailable: boolean | undefined;
  readonly sharedSubscriptionAvailable: boolean | undefined;
  readonly serverKeepAlive: number | undefined;
  readonly responseInformation: string | undefined;
  readonly serverReference: string | undefined;
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** A CONNACK to encode: accepted, without a session, unless it says otherwise. */
export type EncodableConnack = Omit<Encodable<ConnackPacket, "type">, "properties"> & {
  readonly properties?: EncodableConnackProperties | undefined;
};

type EncodableConnackProperties = Encodable<ConnackProperties, never>;

export function readConnack(reader: Reader): ConnackPacket {
  const at = reader.position;
  const flags = reader.uint8();
  if (flags > 1) reader.fail("ERR_MQTT_CODEC_CONNACK_FLAGS", at, "MQTT 3.1.1 §3.2.2.1", "MQTT-3.2.2-1");
  const reasonCode = readReasonCode(reader, "connack");
  if (flags === 1 && reasonCode !== 0) {
    reader.fail("ERR_MQTT_CODEC_SESSION_PRESENT", at, "MQTT-3.2.2-4", "MQTT-3.2.2-6");
  }
  const properties = reader.version === 5 ? readProperties<ConnackProperties>(reader, 2) : undefined;
  checkAuthentication(reader, properties, false);
  reader.finish();
  return { type: "connack", sessionPresent: flags === 1, reasonCode, properties };
}

export function writeConnack(writer: Writer, packet: EncodableConnack): number {
  const { sessionPresent = false, reasonCode = 0, properties } = packet;
  if (sessionPresent && reasonCode !== 0) writer.fail("ERR_MQTT_CODEC_SESSION_PRESENT", "sessionPresent");
  writer.uint8(sessionPresent ? 1 : 0);
  writeReasonCode(writer, "connack", reasonCode);
  if (writer.version === 5) writeProperties(writer, 2, properties);
  return 0x20;
}
