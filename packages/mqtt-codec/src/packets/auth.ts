/** AUTH, MQTT 5.0 §3.15. */

import type { Encodable } from "../packet-type.ts";
import { checkAuthentication, readProperties, writeProperties } from "../property-list.ts";
import type { UserProperty } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { readReasonCode, writeReasonCode } from "./reason.ts";

export interface AuthPacket {
  readonly type: "auth";
  /** 0x00 success (from a server), 0x18 continue authentication, 0x19 re-authenticate (from a client). */
  readonly reasonCode: number;
  /** Undefined only for a success that leaves everything out. */
  readonly properties: AuthProperties | undefined;
}

export interface AuthProperties {
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
  readonly reasonString: string | undefined;
  readonly userProperties: readonly UserProperty[];
}

export type EncodableAuth = Omit<Encodable<AuthPacket, "type" | "reasonCode">, "properties"> & {
  readonly properties?: Encodable<AuthProperties, never> | undefined;
};

export function readAuth(reader: Reader): AuthPacket {
  const at = reader.position;
  // MQTT 5.0 §3.15.2.1: no octets mean 0x00, which is the server's to send.
  if (at === reader.end) {
    if (reader.isFromClient) reader.fail("ERR_MQTT_CODEC_REASON_CODE", at, "", "MQTT-3.15.2-1");
    return { type: "auth", reasonCode: 0, properties: undefined };
  }
  const reasonCode = readReasonCode(reader, "auth");
  const properties = readProperties<AuthProperties>(reader, 15);
  checkAuthentication(reader, properties, true);
  reader.finish();
  return { type: "auth", reasonCode, properties };
}

export function writeAuth(writer: Writer, packet: EncodableAuth): number {
  const { reasonCode, properties } = packet;
  if (writer.version === 4) writer.fail("ERR_MQTT_CODEC_VERSION_FIELD", "type");
  if (reasonCode === 0 && properties === undefined) return 0xf0;
  if (properties?.authenticationMethod === undefined) {
    return writer.fail("ERR_MQTT_CODEC_PROPERTY_MISSING", "properties.authenticationMethod");
  }
  writeReasonCode(writer, "auth", reasonCode);
  writeProperties(writer, 15, properties);
  return 0xf0;
}
