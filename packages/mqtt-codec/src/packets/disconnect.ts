/** DISCONNECT, MQTT 3.1.1 and 5.0 §3.14. */

import type { Encodable } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import type { UserProperty } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { readReasonCode, writeReasonCode } from "./reason.ts";

export interface DisconnectPacket {
  readonly type: "disconnect";
  /** 0x00 in 3.1.1, which has none. */
  readonly reasonCode: number;
  readonly properties: DisconnectProperties | undefined;
}

export interface DisconnectProperties {
  /** Seconds; only from a client (MQTT-3.14.2-2). */
  readonly sessionExpiryInterval: number | undefined;
  readonly reasonString: string | undefined;
  /** Only from a server. */
  readonly serverReference: string | undefined;
  readonly userProperties: readonly UserProperty[];
}

export type EncodableDisconnect = Omit<Encodable<DisconnectPacket, "type">, "properties"> & {
  readonly properties?: Encodable<DisconnectProperties, never> | undefined;
};

export function readDisconnect(reader: Reader): DisconnectPacket {
  let reasonCode = 0;
  let properties: DisconnectProperties | undefined;
  // MQTT 5.0 §3.14.2.1 and §3.14.2.2.1: no octets mean 0x00, one means a reason code without properties.
  if (reader.version === 5 && reader.position < reader.end) {
    reasonCode = readReasonCode(reader, "disconnect");
    if (reader.position < reader.end) properties = readProperties(reader, 14);
  }
  reader.finish();
  return { type: "disconnect", reasonCode, properties };
}

export function writeDisconnect(writer: Writer, packet: EncodableDisconnect): number {
  const { reasonCode = 0, properties } = packet;
  if (writer.version === 5) {
    const start = writer.position;
    writeReasonCode(writer, "disconnect", reasonCode);
    if (properties !== undefined) {
      writeProperties(writer, 14, properties);
    } else if (reasonCode === 0) {
      writer.position = start;
    }
  }
  return 0xe0;
}
