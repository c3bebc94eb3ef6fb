/** Reason codes as a field: one octet that has to be a code of its packet (MQTT-3.4.2-1 and its like). */

import { hexadecimal } from "../errors.ts";
import { isUnsigned, type PacketTypeName } from "../packet-type.ts";
import { isReasonCodeOfOtherSide, reasonCodesOf } from "../reason-code.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";

/** The statements of 5.0; that on SUBACK has the same number in 3.1.1, and that on CONNACK has none there. */
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

/** Reads a reason code of this packet and side. */
export function readReasonCode(reader: Reader, type: PacketTypeName): number {
  const at = reader.position;
  const code = reader.uint8("reasonCode");
  // Nearly every code is 0x00, which all packets have; AUTH has it only from a server.
  if (code === 0 && type !== "auth") return code;
  if (!reasonCodesOf(type, reader.version).has(code) || isReasonCodeOfOtherSide(type, code, reader.isFromClient)) {
    failReasonCode(reader, type, at, code);
  }
  return code;
}

/** Throws for a reason code that this packet may not carry from this side. */
export function failReasonCode(reader: Reader, type: PacketTypeName, at: number, found: number): never {
  const all = [...reasonCodesOf(type, reader.version)];
  const allowed = all.filter((code) => !isReasonCodeOfOtherSide(type, code, reader.isFromClient));
  const clause = reader.version === 4 && type === "connack" ? undefined : clauses[type];
  return reader.fail("reasonCode", at, "reasonCode", { found, allowed }, clause);
}

/** Writes a reason code of this packet. */
export function writeReasonCode(
  writer: Writer,
  type: PacketTypeName,
  code: number | undefined,
  field = "reasonCode",
): void {
  if (!isUnsigned(code, 0xff)) return writer.failField(field, code, "a reason code, 0x00 to 0xFF");
  const codes = reasonCodesOf(type, writer.version);
  if (!codes.has(code)) {
    writer.failWith("ERR_MQTT_CODEC_REASON_CODE", field, hexadecimal(code), [...codes].map(hexadecimal).join(" "));
  }
  writer.uint8(code);
}

/** A reason code that 3.1.1 has no place for: leaving out a refusal would turn it into a success. */
export function checkOmittedCode(writer: Writer, code: number, field = "reasonCode"): void {
  if (!isUnsigned(code, 0xff)) return writer.failField(field, code, "a reason code, 0x00 to 0xFF");
  if (code < 0x80) return;
  writer.failWith(
    "ERR_MQTT_CODEC_VERSION_FIELD",
    field,
    hexadecimal(code),
    "no refusal, which MQTT 3.1.1 cannot say here",
  );
}
