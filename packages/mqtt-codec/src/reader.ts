/**
 * Reads the fields of one packet. Every octet of input passes through here; a read that would leave the packet, and
 * every other fault, ends in an `MqttCodecError`.
 */

import { type MqttCodecErrorCode, MqttCodecError } from "./error.ts";
import { packetTypeName, type ProtocolVersion } from "./packet-type.ts";
import { TextMemory } from "./text-memory.ts";
import { asciiText, invalidUtf8, refusableCharacter, utf8Text } from "./utf8.ts";

/** What a decoder may be told about what it accepts, with every default filled in. */
export interface ReaderLimits {
  readonly maximumUserProperties: number;
  readonly maximumTopicFilters: number;
  readonly refuseControlCharacters: boolean;
}

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

export class Reader {
  readonly limits: ReaderLimits;
  /** Whether the packets come from a client; some fields belong to one side. */
  readonly isFromClient: boolean;
  /** The version of the connection; 4 until CONNECT has told. */
  version: ProtocolVersion = 4;
  /** What the connection speaks, for errors; undefined until it is known. */
  protocolLevel: number | undefined = undefined;
  bytes: Uint8Array = EMPTY;
  /** The octets of `bytes`. */
  view: DataView = EMPTY_VIEW;
  /** What `bytes` was made of. */
  source: Uint8Array = EMPTY;
  /** Where the next field begins, and where the packet ends, in `bytes`. */
  position = 0;
  end = 0;
  /** Where the packet begins in `bytes`, and where in the stream that is. */
  packetStart = 0;
  packetOffset = 0;
  /** The packet's first octet: type and flags. */
  first = 0;
  /** Whether the packet's remaining length took more octets than it needs. */
  isLengthOverlong = false;
  remainingLength = 0;

  /** Topic names of this connection whose text was asked for. */
  topics: TextMemory | undefined = undefined;
  /** Texts of its properties. */
  private texts: TextMemory | undefined = undefined;

  constructor(limits: ReaderLimits, isFromClient: boolean) {
    this.limits = limits;
    this.isFromClient = isFromClient;
  }

  /** Takes the bytes to read from. */
  open(source: Uint8Array): void {
    this.source = source;
    // Always a plain Uint8Array: subclasses (Buffer) would make every access polymorphic.
    this.bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    this.view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  /** Lets go of the bytes. */
  close(): void {
    this.source = EMPTY;
    this.bytes = EMPTY;
    this.view = EMPTY_VIEW;
    this.position = 0;
    this.end = 0;
  }

  /** Throws; the clause is that of the connection's version, 3.1.1 or 5.0. */
  fail(code: MqttCodecErrorCode, at: number, clause4: string, clause5: string = clause4): never {
    throw this.error(code, at, clause4, clause5);
  }

  error(
    code: MqttCodecErrorCode,
    at: number,
    clause4: string,
    clause5: string,
    answer: { reasonCode?: number; connackReturnCode?: number } = {},
  ): MqttCodecError {
    return new MqttCodecError({
      code,
      clause: this.version === 5 ? clause5 : clause4,
      offset: this.packetOffset + at - this.packetStart,
      packetOffset: this.packetOffset,
      packetType: packetTypeName(this.first >>> 4),
      protocolVersion: this.protocolLevel,
      ...answer,
    });
  }

  uint8(): number {
    if (this.position >= this.end) this.failTruncated();
    return this.view.getUint8(this.position++);
  }

  uint16(): number {
    const at = this.position;
    if (at + 2 > this.end) this.failTruncated();
    this.position = at + 2;
    return this.view.getUint16(at);
  }

  uint32(): number {
    const at = this.position;
    if (at + 4 > this.end) this.failTruncated();
    this.position = at + 4;
    return this.view.getUint32(at);
  }

  /** A variable byte integer inside a packet, in as few octets as hold it (MQTT-1.5.5-1). */
  variableByteInteger(): number {
    const start = this.position;
    if (start < this.end && this.view.getUint8(start) < 0x80) return this.view.getUint8(this.position++);
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const octet = this.uint8();
      value |= (octet & 0x7f) << shift;
      if (octet < 0x80) {
        if (octet === 0 && shift > 0) break;
        return value;
      }
    }
    return this.fail("ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER", start, "MQTT 3.1.1 §2.2.3", "MQTT-1.5.5-1");
  }

  /** Two octets that are not 0 (MQTT-2.3.1-1, MQTT-2.2.1-3). */
  packetIdentifier(): number {
    const at = this.position;
    const identifier = this.uint16();
    if (identifier === 0) this.fail("ERR_MQTT_CODEC_PACKET_IDENTIFIER", at, "MQTT-2.3.1-1", "MQTT-2.2.1-3");
    return identifier;
  }

  /** Length-prefixed octets, as a view. */
  binary(): Uint8Array {
    const length = this.uint16();
    return this.take(length);
  }

  /** All that is left of the packet, as a view. */
  rest(): Uint8Array {
    return this.take(this.end - this.position);
  }

  private take(length: number): Uint8Array {
    const start = this.advance(length);
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + start, length);
  }

  /** Goes past so many octets, which have to be there; where they begin. */
  private advance(length: number): number {
    const start = this.position;
    if (start + length > this.end) this.failTruncated();
    this.position = start + length;
    return start;
  }

  /** A UTF-8 encoded string. */
  string(): string {
    const length = this.uint16();
    return this.text(this.advance(length), length, false);
  }

  /** A UTF-8 encoded string that is likely to come again. */
  recurringString(): string {
    const length = this.uint16();
    const start = this.advance(length);
    const known = this.texts?.recall(this.view, start, length);
    if (known !== undefined) return known;
    const text = this.text(start, length, false);
    this.texts ??= new TextMemory();
    // As many characters as octets: ASCII.
    if (text.length === length) this.texts.remember(this.bytes, start, text);
    return text;
  }

  /** The topic of a will or of a response: a topic name that is not empty (MQTT-4.7.3-1). */
  nonEmptyTopicName(): string {
    const length = this.uint16();
    if (length === 0) this.fail("ERR_MQTT_CODEC_TOPIC_NAME", this.position, "MQTT-4.7.3-1");
    return this.text(this.advance(length), length, true);
  }

  /** Goes past a topic name that is remembered and gives its text. */
  recallTopic(length: number): string | undefined {
    const start = this.position;
    if (start + length > this.end) this.failTruncated();
    const text = this.topics?.recall(this.view, start, length);
    if (text !== undefined) this.position = start + length;
    return text;
  }

  /** Checks a topic name that begins here and goes past it; true where it is printable ASCII. */
  topicName(length: number): boolean {
    const start = this.advance(length);
    return this.checkOctets(start, start + length, true);
  }

  private text(start: number, length: number, isTopicName: boolean): string {
    const end = start + length;
    return (this.checkOctets(start, end, isTopicName) ? asciiText : utf8Text)(this.bytes, start, end);
  }

  /** The string rules, and no wildcards in a topic name; true where all is printable ASCII. Four octets at a time. */
  private checkOctets(start: number, end: number, isTopicName: boolean): boolean {
    const { view } = this;
    let special = 0;
    let wildcards = 0;
    let at = start;
    for (; at < end - 3; at += 4) {
      const word = view.getInt32(at, true);
      special |= specialOctets(word);
      wildcards |= wildcardOctets(word);
    }
    for (; at < end; at++) {
      const octet = view.getUint8(at) | PADDING;
      special |= specialOctets(octet);
      wildcards |= wildcardOctets(octet);
    }
    if (isTopicName && (wildcards & HIGH_BITS) !== 0) {
      at = start;
      while (at < end - 1 && (view.getUint8(at) | 0x08) !== 0x2b) at++;
      this.fail("ERR_MQTT_CODEC_TOPIC_NAME", at, "MQTT-3.3.2-2");
    }
    if ((special & HIGH_BITS) === 0) return true;
    this.checkText(start, end);
    return false;
  }

  /** The string rules on octets that are not all printable ASCII. */
  private checkText(start: number, end: number): void {
    const { view } = this;
    for (let at = start; at < end; at++) {
      if (view.getUint8(at) === 0) this.fail("ERR_MQTT_CODEC_NULL_CHARACTER", at, "MQTT-1.5.3-2", "MQTT-1.5.4-2");
    }
    const invalid = invalidUtf8(view, start, end);
    if (invalid >= 0) this.fail("ERR_MQTT_CODEC_UTF8", invalid, "MQTT-1.5.3-1", "MQTT-1.5.4-1");
    if (!this.limits.refuseControlCharacters) return;
    const refusable = refusableCharacter(utf8Text(this.bytes, start, end));
    if (refusable < 0) return;
    this.fail("ERR_MQTT_CODEC_CONTROL_CHARACTER", start + refusable, "MQTT 3.1.1 §1.5.3", "MQTT 5.0 §1.5.4");
  }

  /** The packet has to end here. */
  finish(): void {
    if (this.position !== this.end) {
      this.fail("ERR_MQTT_CODEC_TRAILING_BYTES", this.position, "MQTT 3.1.1 §2.2.3", "MQTT 5.0 §2.1.4");
    }
  }

  /** Too long, overlong where 5.0 wants the fewest octets (3.1.1 lets that pass), or not the packet's. */
  failRemainingLength(clause5: string): never {
    this.fail("ERR_MQTT_CODEC_REMAINING_LENGTH", this.packetStart + 1, "MQTT 3.1.1 §2.2.3", clause5);
  }

  failTruncated(): never {
    this.fail("ERR_MQTT_CODEC_TRUNCATED", this.position, "MQTT 3.1.1 §2.2.3", "MQTT 5.0 §2.1.4");
  }
}

/** The high bit of each of the four octets of a word. */
const HIGH_BITS = 0x8080_8080;
/** Fills a word behind its lowest octet with letters. */
const PADDING = 0x6161_6100;

/** High bit set where the word may hold an octet below 0x20 or above 0x7E, and clear everywhere where it holds none. */
function specialOctets(word: number): number {
  return (word - 0x2020_2020) | word | (word + 0x0101_0101);
}

/**
 * High bit set somewhere exactly where the word holds `#` or `+`. They differ in bit 3 alone, so setting that bit and
 * an exclusive or make both 0; what is 0 then borrows from its high bit.
 */
function wildcardOctets(word: number): number {
  const difference = (word | 0x0808_0808) ^ 0x2b2b_2b2b;
  return (difference - 0x0101_0101) & ~difference;
}
