/**
 * Writes the fields of packets into a caller's buffer, or only counts their octets. What a packet may not hold ends in
 * an `MqttEncodeError`.
 *
 * A length that stands before what it counts is written afterwards: one octet is kept for it, and where it needs more
 * the counted octets move up. Writing past the buffer is noticed at the end, by `finish`.
 */

import type { EncodedTopic } from "./encoded-topic.ts";
import { type MqttCodecErrorCode, MqttEncodeError } from "./error.ts";
import type { PacketTypeName, ProtocolVersion } from "./packet-type.ts";
import { utf8Length, writeUtf8 } from "./utf8.ts";

/** The largest variable byte integer. */
export const MAXIMUM_VARIABLE_BYTE_INTEGER = 268_435_455;

const NOWHERE = new Uint8Array(0);

export class Writer {
  bytes: Uint8Array = NOWHERE;
  position = 0;
  version: ProtocolVersion = 4;
  packetType: PacketTypeName = "connect";
  /** What an encoder that is kept remembers. */
  topic: EncodedTopic | undefined = undefined;
  /** Only counts; `bytes` is not touched. */
  isMeasuring = false;

  /** Writes into `bytes` from `offset` on. */
  open(bytes: Uint8Array, offset: number, version: ProtocolVersion): void {
    this.bytes = bytes;
    this.position = offset;
    this.version = version;
    this.isMeasuring = false;
  }

  /** Counts from 0 on. */
  measure(version: ProtocolVersion): void {
    this.open(NOWHERE, 0, version);
    this.isMeasuring = true;
  }

  /** Lets go of the buffer; throws where the packet went past its end. */
  finish(): number {
    const fits = this.isMeasuring || this.position <= this.bytes.length;
    this.bytes = NOWHERE;
    if (!fits) this.fail("ERR_MQTT_CODEC_BUFFER_TOO_SMALL", "buffer");
    return this.position;
  }

  fail(code: MqttCodecErrorCode, field: string): never {
    this.bytes = NOWHERE;
    throw new MqttEncodeError(code, this.packetType, field);
  }

  uint8(value: number): void {
    if (!this.isMeasuring) this.bytes[this.position] = value;
    this.position += 1;
  }

  uint16(value: number, field: string): void {
    if (value >>> 0 !== value || value > 0xffff) this.failField(field);
    this.uint8(value >>> 8);
    this.uint8(value);
  }

  uint32(value: number, field: string): void {
    if (value >>> 0 !== value) this.failField(field);
    this.uint8(value >>> 24);
    this.uint8(value >>> 16);
    this.uint8(value >>> 8);
    this.uint8(value);
  }

  variableByteInteger(value: number, field: string): void {
    if (value >>> 0 !== value || value > MAXIMUM_VARIABLE_BYTE_INTEGER) this.failField(field);
    if (!this.isMeasuring) writeVariableByteInteger(value, this.bytes, this.position);
    this.position += variableByteIntegerLength(value);
  }

  /** A packet identifier, which is never 0 (MQTT-2.3.1-1, MQTT-2.2.1-3). */
  packetIdentifier(value: number): void {
    if (!isPacketIdentifier(value)) this.fail("ERR_MQTT_CODEC_PACKET_IDENTIFIER", "packetIdentifier");
    this.uint16(value, "packetIdentifier");
  }

  /** A UTF-8 encoded string. */
  string(text: string, field: string): void {
    let wrong = this.isMeasuring ? -1 : 0;
    if (wrong === 0) {
      const start = this.position + 2;
      // Nearly all text is ASCII: write it as such, and see afterwards whether it was; there is no branch in the loop.
      for (let index = 0; index < text.length; index++) {
        const unit = text.charCodeAt(index);
        this.bytes[start + index] = unit;
        wrong |= specialUnit(unit);
      }
    }
    this.finishString(text, wrong < 0, field);
  }

  /** A topic name: a string without wildcards (MQTT-3.3.2-2). */
  topicName(text: string, field: string): void {
    if (/[#+]/u.test(text)) this.fail("ERR_MQTT_CODEC_TOPIC_NAME", field);
    this.string(text, field);
  }

  /** The topic name of a PUBLISH, which is likely to be the last one's. */
  recurringTopicName(text: string): void {
    const { topic, position } = this;
    if (topic !== undefined && topic.topicName === text) {
      this.octets(topic.octets);
      return;
    }
    this.topicName(text, "topicName");
    if (!this.isMeasuring) topic?.remember(text, this.bytes, position, this.position);
  }

  nonEmptyTopicName(text: string, field: string): void {
    if (text.length === 0) this.fail("ERR_MQTT_CODEC_TOPIC_NAME", field);
    this.topicName(text, field);
  }

  /** Puts the length before a string, and writes it again where it is not plain ASCII. */
  private finishString(text: string, isSpecial: boolean, field: string): void {
    let { length } = text;
    if (isSpecial) {
      length = utf8Length(text);
      if (length < 0) this.fail("ERR_MQTT_CODEC_UTF8", field);
      if (!this.isMeasuring) writeUtf8(text, this.bytes, this.position + 2);
    }
    this.uint16(length, field);
    this.position += length;
  }

  /** Length-prefixed octets. */
  binary(octets: Uint8Array, field: string): void {
    this.uint16(octets.length, field);
    this.octets(octets);
  }

  octets(octets: Uint8Array): void {
    if (!(octets instanceof Uint8Array)) this.failField("payload");
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
    const size = variableByteIntegerLength(length);
    if (size > 1 && !this.isMeasuring) this.bytes.copyWithin(place + size, place + 1, this.position);
    this.position = place;
    this.variableByteInteger(length, field);
    this.position += length;
  }

  private failField(field: string): never {
    this.fail("ERR_MQTT_CODEC_FIELD", field);
  }
}

export function isPacketIdentifier(value: number): boolean {
  return value > 0 && value <= 0xffff && value >>> 0 === value;
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

/** Negative for U+0000 and for what is above U+007F. */
export function specialUnit(unit: number): number {
  return (unit - 1) | (0x7f - unit);
}

/** Negative for `#` and `+`, which differ in bit 3 alone. */
export function wildcardUnit(unit: number): number {
  return ((unit | 0x08) ^ 0x2b) - 1;
}

/** Octets of a variable byte integer (MQTT 5.0 §1.5.5, the Remaining Length of 3.1.1 §2.2.3). */
export function variableByteIntegerLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}
