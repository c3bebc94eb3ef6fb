/**
 * Writes the fields of packets into a caller's buffer, or only counts their octets. What a packet may not hold ends in
 * an `MqttEncodeError`.
 *
 * A length that stands before what it counts is written afterwards: one octet is kept for it, and where it needs more
 * the counted octets move up. Writing past the buffer is noticed at the end, by `finish`.
 */

import { type MqttEncodeErrorCode, MqttEncodeError, quoted } from "./errors.ts";
import { isPacketIdentifier, isUnsigned, type PacketTypeName, type ProtocolVersion } from "./packet-type.ts";
import { writePlain } from "./plain-text.ts";
import { topicFaults, topicNameFault } from "./topic.ts";
import { utf8Length, writeUtf8 } from "./utf8.ts";

/** The largest variable byte integer. */
export const MAXIMUM_VARIABLE_BYTE_INTEGER = 268_435_455;

const NOWHERE = new Uint8Array(0);

/** Writes one packet. A field's name is given for errors. */
export class Writer {
  bytes: Uint8Array = NOWHERE;
  position = 0;
  version: ProtocolVersion = 4;
  packetType: PacketTypeName | undefined = undefined;
  /** Only counts; `bytes` is not touched. */
  isMeasuring = false;

  /** Writes into `bytes` from `offset` on. */
  open(bytes: Uint8Array, offset: number, version: ProtocolVersion): void {
    if (!(bytes instanceof Uint8Array)) this.failField("buffer", bytes, "a Uint8Array");
    if (!isUnsigned(offset, 0xffff_ffff)) this.failField("offset", offset, "an offset into the buffer");
    this.bytes = bytes;
    this.position = offset;
    this.setVersion(version);
    this.isMeasuring = false;
  }

  /** Counts from 0 on. */
  measure(version: ProtocolVersion): void {
    this.open(NOWHERE, 0, version);
    this.isMeasuring = true;
  }

  private setVersion(version: ProtocolVersion): void {
    if (version !== 4 && version !== 5) this.failField("protocolVersion", version, "4 or 5");
    this.version = version;
  }

  /** Drops the buffer; throws where the packet went past its end. */
  finish(): number {
    const { length } = this.bytes;
    this.bytes = NOWHERE;
    if (!this.isMeasuring && this.position > length) {
      const wanted = `room up to offset ${this.position}`;
      this.failWith("ERR_MQTT_CODEC_BUFFER_TOO_SMALL", "buffer", `${length} octets long`, wanted);
    }
    return this.position;
  }

  /** Throws. The value is named by its kind, numbers and truth values as they are: text may be a secret. */
  fail(code: MqttEncodeErrorCode, field: string, found: unknown, wanted: string): never {
    return this.failWith(code, field, inWords(found), wanted);
  }

  /** Throws for a value of another type than its field, out of its range, or missing. */
  failField(field: string, found: unknown, wanted: string): never {
    return this.fail("ERR_MQTT_CODEC_FIELD", field, found, wanted);
  }

  /** Throws with the value found in words. */
  failWith(code: MqttEncodeErrorCode, field: string, found: string, wanted: string): never {
    this.bytes = NOWHERE;
    throw new MqttEncodeError(code, this.packetType, field, found, wanted);
  }

  uint8(value: number): void {
    if (!this.isMeasuring) this.bytes[this.position] = value;
    this.position += 1;
  }

  uint16(value: number, field: string): void {
    if (!isUnsigned(value, 0xffff)) this.failField(field, value, "0 to 65,535");
    this.uint8(value >>> 8);
    this.uint8(value);
  }

  uint32(value: number, field: string): void {
    if (!isUnsigned(value, 0xffff_ffff)) this.failField(field, value, "0 to 4,294,967,295");
    this.uint8(value >>> 24);
    this.uint8(value >>> 16);
    this.uint8(value >>> 8);
    this.uint8(value);
  }

  variableByteInteger(value: number, field: string): void {
    if (!isUnsigned(value, MAXIMUM_VARIABLE_BYTE_INTEGER)) {
      this.failField(field, value, "0 to 268,435,455");
    }
    if (!this.isMeasuring) writeVariableByteInteger(value, this.bytes, this.position);
    this.position += variableByteIntegerLength(value);
  }

  /** A packet identifier, which is never 0 (MQTT-2.3.1-1, MQTT-2.2.1-3). */
  packetIdentifier(value: number): void {
    if (!isPacketIdentifier(value)) {
      this.fail("ERR_MQTT_CODEC_PACKET_IDENTIFIER", "packetIdentifier", value, "1 to 65,535");
    }
    this.uint16(value, "packetIdentifier");
  }

  /** A truth value; nothing is written. */
  boolean(value: unknown, field: string): boolean {
    return typeof value === "boolean" ? value : this.failField(field, value, "true or false");
  }

  /** An object; nothing is written. */
  object<Value extends object>(value: Value, field: string): Value {
    return typeof value === "object" && value !== null ? value : this.failField(field, value, "an object");
  }

  /** A list; nothing is written. */
  list<Member>(value: readonly Member[], field: string): readonly Member[] {
    return Array.isArray(value) ? value : this.failField(field, value, "a list");
  }

  /** A UTF-8 encoded string. */
  string(text: unknown, field: string): void {
    if (typeof text !== "string") return this.failField(field, text, "text");
    if (!this.plainString(text, false)) this.specialString(text, field);
  }

  /** A topic name that is not empty (MQTT-4.7.3-1, MQTT-3.3.2-2). */
  topicName(text: unknown, field: string): void {
    if (typeof text !== "string") return this.failField(field, text, "a topic name");
    if (text.length > 0 && this.plainString(text, true)) return;
    const wrong = topicNameFault(text);
    if (wrong !== undefined) {
      const isTopic = wrong.fault === "empty" || wrong.fault === "wildcard-in-name";
      const code = wrong.fault === "too-long" ? "ERR_MQTT_CODEC_FIELD" : "ERR_MQTT_CODEC_UTF8";
      const wanted = topicFaults[wrong.fault][2];
      this.failWith(isTopic ? "ERR_MQTT_CODEC_TOPIC_NAME" : code, field, quoted(text), wanted);
    }
    this.specialString(text, field);
  }

  /** Writes a plain text with its length; false where it is not plain. */
  private plainString(text: string, isTopicName: boolean): boolean {
    const { length } = text;
    if (this.isMeasuring || length > 0xffff) return false;
    const start = this.position;
    if (!writePlain(text, this.bytes, start + 2, isTopicName)) return false;
    this.bytes[start] = length >>> 8;
    this.bytes[start + 1] = length;
    this.position = start + 2 + length;
    return true;
  }

  /** Writes, or counts, any text. */
  private specialString(text: string, field: string): void {
    const length = utf8Length(text);
    if (length < 0) {
      const found = "text with U+0000 or half of a surrogate pair";
      this.failWith("ERR_MQTT_CODEC_UTF8", field, found, "text that UTF-8 can carry, without U+0000");
    }
    if (length > 0xffff) this.failWith("ERR_MQTT_CODEC_FIELD", field, `${length} octets`, "at most 65,535 octets");
    if (!this.isMeasuring) writeUtf8(text, this.bytes, this.position + 2);
    this.uint16(length, field);
    this.position += length;
  }

  /** Length-prefixed octets. */
  binary(octets: unknown, field: string): void {
    if (!(octets instanceof Uint8Array)) return this.failField(field, octets, "a Uint8Array");
    if (octets.length > 0xffff) {
      this.failWith("ERR_MQTT_CODEC_FIELD", field, `${octets.length} octets`, "at most 65,535 octets");
    }
    this.uint16(octets.length, field);
    this.octets(octets, field);
  }

  octets(octets: unknown, field: string): void {
    if (!(octets instanceof Uint8Array)) return this.failField(field, octets, "a Uint8Array");
    const end = this.position + octets.length;
    if (!this.isMeasuring && end <= this.bytes.length) this.bytes.set(octets, this.position);
    this.position = end;
  }

  /** Keeps an octet for the length of what follows; gives its place for `endLength`. */
  beginLength(): number {
    return this.position++;
  }

  endLength(place: number, field: string): void {
    const length = this.position - place - 1;
    if (length > MAXIMUM_VARIABLE_BYTE_INTEGER) {
      this.failWith("ERR_MQTT_CODEC_PACKET_TOO_LARGE", field, `${length} octets`, "at most 268,435,455 octets");
    }
    const size = variableByteIntegerLength(length);
    if (size > 1 && !this.isMeasuring) this.bytes.copyWithin(place + size, place + 1, this.position);
    this.position = place;
    this.variableByteInteger(length, field);
    this.position += length;
  }
}

/** A value for an error: numbers and truth values as they are, of everything else only the kind. */
function inWords(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (value === undefined) return "missing";
  if (typeof value === "string") return `text of ${value.length} characters`;
  if (value instanceof Uint8Array) return `${value.length} octets`;
  return Array.isArray(value) ? `a list of ${value.length}` : `of type ${typeof value}`;
}

/** Writes a value of at most 268,435,455 and returns the offset behind it. */
export function writeVariableByteInteger(value: number, bytes: Uint8Array, offset: number): number {
  let at = offset;
  let left = value;
  while (left > 0x7f) {
    bytes[at++] = left | 0x80;
    left >>>= 7;
  }
  bytes[at++] = left;
  return at;
}

/** Octets of a variable byte integer (MQTT 5.0 §1.5.5, the Remaining Length of 3.1.1 §2.2.3). */
export function variableByteIntegerLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}
