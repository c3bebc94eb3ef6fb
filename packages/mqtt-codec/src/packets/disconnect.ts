/** DISCONNECT, MQTT 3.1.1 and 5.0 §3.14. */

import { hexadecimal } from "../errors.ts";
import { type Encodable, isUnsigned } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import { type DisconnectProperties, propertyLists } from "../property.ts";
import { isReasonCodeOfOtherSide } from "../reason-code.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { readReasonCode, writeReasonCode } from "./reason.ts";

/** A DISCONNECT. */
export interface DisconnectPacket {
  readonly type: "disconnect";
  /** 0x00 in 3.1.1, which has none. */
  readonly reasonCode: number;
  readonly properties: DisconnectProperties | undefined;
}

/** A DISCONNECT to encode: by default a normal one. */
export type EncodableDisconnect = Omit<Encodable<DisconnectPacket, "type">, "properties"> & {
  readonly properties?: Encodable<DisconnectProperties, never> | undefined;
};

/** Reads the body of a DISCONNECT. */
export function readDisconnect(reader: Reader): DisconnectPacket {
  let reasonCode = 0;
  let properties: DisconnectProperties | undefined;
  // MQTT 5.0 §3.14.2.1 and §3.14.2.2.1: no octets mean 0x00, one means a reason code without properties.
  if (reader.version === 5 && reader.position < reader.end) {
    reasonCode = readReasonCode(reader, "disconnect");
    if (reader.position < reader.end) properties = readProperties(reader, propertyLists.disconnect);
  }
  reader.finish();
  return { type: "disconnect", reasonCode, properties };
}

/** Writes the body of a DISCONNECT. */
export function writeDisconnect(writer: Writer, packet: EncodableDisconnect): void {
  const { reasonCode = 0, properties } = packet;
  if (writer.version === 4) {
    // The DISCONNECT of 3.1.1 is a normal one, which deletes the will: no other reason may become that.
    if (reasonCode !== 0) {
      const wanted = "0x00; to end a 3.1.1 connection otherwise, close it without DISCONNECT";
      if (!isUnsigned(reasonCode, 0xff)) writer.failField("reasonCode", reasonCode, wanted);
      writer.failWith("ERR_MQTT_CODEC_VERSION_FIELD", "reasonCode", hexadecimal(reasonCode), wanted);
    }
    return;
  }
  // MQTT 5.0 §3.14.2.1: a normal one without properties has no body.
  if (reasonCode === 0 && properties === undefined) return;
  writeReasonCode(writer, "disconnect", reasonCode);
  if (properties === undefined) return;
  writeProperties(writer, propertyLists.disconnect, properties);
  checkSides(writer, reasonCode, properties);
}

/** Code and properties have to be a client's, or a server's (MQTT 5.0 table 3-13, MQTT-3.14.2-2, §3.14.2.2.5). */
function checkSides(writer: Writer, reasonCode: number, properties: Encodable<DisconnectProperties, never>): void {
  const isClients = isReasonCodeOfOtherSide("disconnect", reasonCode, false);
  const isServers = isReasonCodeOfOtherSide("disconnect", reasonCode, true);
  const [code, of] = ["ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED", "beside a reason code or property of a"] as const;
  if (properties.sessionExpiryInterval !== undefined && (isServers || properties.serverReference !== undefined)) {
    writer.failWith(code, "properties.sessionExpiryInterval", `${of} server`, "a DISCONNECT that a client may send");
  }
  if (properties.serverReference !== undefined && isClients) {
    writer.failWith(code, "properties.serverReference", `${of} client`, "a DISCONNECT that a server may send");
  }
}
