/** AUTH, MQTT 5.0 §3.15. */

import type { Encodable } from "../packet-type.ts";
import { checkAuthentication, readProperties, writeProperties } from "../property-list.ts";
import { type AuthProperties, propertyLists } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { failReasonCode, readReasonCode, writeReasonCode } from "./reason.ts";

/** An AUTH. */
export interface AuthPacket {
  readonly type: "auth";
  /** 0x00 success (from a server), 0x18 continue authentication, 0x19 re-authenticate (from a client). */
  readonly reasonCode: number;
  /** Undefined only for a success that leaves everything out. */
  readonly properties: AuthProperties | undefined;
}

/** An AUTH to encode. */
export type EncodableAuth = Omit<Encodable<AuthPacket, "type" | "reasonCode">, "properties"> & {
  readonly properties?: Encodable<AuthProperties, never> | undefined;
};

/** Reads the body of an AUTH. */
export function readAuth(reader: Reader): AuthPacket {
  const at = reader.position;
  // MQTT 5.0 §3.15.2.1: no octets mean 0x00, which only a server sends.
  if (at === reader.end) {
    if (reader.isFromClient) failReasonCode(reader, "auth", at, 0);
    return { type: "auth", reasonCode: 0, properties: undefined };
  }
  const reasonCode = readReasonCode(reader, "auth");
  const properties = readProperties(reader, propertyLists.auth);
  checkAuthentication(reader, properties, propertyLists.auth);
  reader.finish();
  return { type: "auth", reasonCode, properties };
}

/** Writes the body of an AUTH. */
export function writeAuth(writer: Writer, packet: EncodableAuth): void {
  const { reasonCode, properties } = packet;
  if (writer.version === 4) {
    writer.failWith("ERR_MQTT_CODEC_VERSION_FIELD", "type", "auth", "a packet that MQTT 3.1.1 has");
  }
  if (reasonCode === 0 && properties === undefined) return;
  writeReasonCode(writer, "auth", reasonCode);
  writeProperties(writer, propertyLists.auth, properties);
  if (properties?.authenticationMethod === undefined) {
    const [code, field] = ["ERR_MQTT_CODEC_PROPERTY_MISSING", "properties.authenticationMethod"] as const;
    writer.fail(code, field, undefined, "an authentication method in AUTH");
  }
}
