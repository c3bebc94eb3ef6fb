/** Reason codes as a field: one octet that has to be a code of its packet (MQTT-3.4.2-1 and its like). */

import type { PacketTypeName } from "../packet-type.ts";
import { isReasonCodeOfOtherSide, reasonCodesOf } from "../reason-code.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";

/** For 5.0; of the packets that have a code in 3.1.1, SUBACK's statement has the same number there. */
const clauses: Partial<Record<PacketTypeName, string>> = {
  connack: "MQTT-3.2.2-8",
  puback: "MQTT-3.4.2-1",
  pubrec: "MQTT-3.5.2-1",
  pubrel: "MQTT-3.6.2-1",
  pubcomp: "MQTT-3.7.2-1",
  suback: "MQTT-3.9.3-2",
  unsuback: "MQTT-3.11.3-2",
  disconnect: "MQTT-3.14.2-1",
  auth: "MQTT-3.15.2-1",
};

export function readReasonCode(reader: Reader, type: PacketTypeName): number {
  const at = reader.position;
  const code = reader.uint8();
  if (code === 0 && type !== "auth") return code;
  if (!reasonCodesOf(type, reader.version).has(code) || isReasonCodeOfOtherSide(type, code, reader.isFromClient)) {
    const clause = clauses[type] ?? "";
    reader.fail("ERR_MQTT_CODEC_REASON_CODE", at, type === "connack" ? "MQTT 3.1.1 §3.2.2.3" : clause, clause);
  }
  return code;
}

export function writeReasonCode(writer: Writer, type: PacketTypeName, code: number): void {
  if (!reasonCodesOf(type, writer.version).has(code)) writer.fail("ERR_MQTT_CODEC_REASON_CODE", "reasonCode");
  writer.uint8(code);
}
