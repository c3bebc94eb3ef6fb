/**
 * Reads the fields of one packet. Every octet of input passes through here; a read that would leave the packet, and
 * every other fault, ends in an `MqttCodecError`.
 */

import { CodecError, type MqttCodecEvidence } from "./errors.ts";
import { packetTypeName, type ProtocolVersion } from "./packet-type.ts";
import { isPlain } from "./plain-text.ts";
import { type RuleName, rules } from "./rule.ts";
import { TextMemory } from "./text-memory.ts";
import { topicClause, topicNameFault, type TopicNameUse } from "./topic.ts";
import { asciiText, invalidUtf8, refusableCharacter, utf8Length, utf8Text } from "./utf8.ts";

/** The limits of a decoder, with every default filled in. */
export interface ReaderLimits {
  readonly maximumUserProperties: number;
  readonly maximumTopicFilters: number;
  readonly refuseControlCharacters: boolean;
}

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

/** Reads one packet after another out of `bytes`. */
export class Reader {
  readonly limits: ReaderLimits;
  /** Whether the packets come from a client; some fields belong to one side. */
  readonly isFromClient: boolean;
  /** The version of the connection; 4 until CONNECT names it. */
  version: ProtocolVersion = 4;
  /** The protocol level of the connection, for errors; undefined until it is known. */
  protocolLevel: number | undefined = undefined;
  bytes: Uint8Array = EMPTY;
  /** The octets of `bytes`. */
  view: DataView = EMPTY_VIEW;
  /** The array that `bytes` was made from. */
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

  /** Topic names and property texts that came before on this connection; made with the first one. */
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

  /** Drops the bytes. */
  close(): void {
    this.source = EMPTY;
    this.bytes = EMPTY;
    this.view = EMPTY_VIEW;
    this.position = 0;
    this.end = 0;
  }

  /**
   * Throws the error of a rule. The clause is the rule's for the connection's version, unless the field has a statement
   * of its own.
   */
  fail<Name extends RuleName>(
    name: Name,
    at: number,
    field: string,
    evidence: MqttCodecEvidence[(typeof rules)[Name][0]],
    clause?: string,
    connackReturnCode?: number,
  ): never {
    const [code, clause4, clause5, reasonCode, requirement] = rules[name];
    throw new CodecError<(typeof rules)[Name][0]>({
      code,
      evidence,
      clause: clause ?? (this.version === 5 ? clause5 : clause4),
      requirement,
      reasonCode,
      connackReturnCode,
      field,
      offset: this.packetOffset + at - this.packetStart,
      packetOffset: this.packetOffset,
      packetType: packetTypeName(this.first >>> 4),
      protocolVersion: this.protocolLevel,
    });
  }

  /** One octet. Like all reads of a field it takes the field's name, for errors. */
  uint8(field: string): number {
    if (this.position >= this.end) this.failTruncated(field, 1);
    return this.view.getUint8(this.position++);
  }

  uint16(field: string): number {
    const at = this.position;
    if (at + 2 > this.end) this.failTruncated(field, 2);
    this.position = at + 2;
    return this.view.getUint16(at);
  }

  uint32(field: string): number {
    const at = this.position;
    if (at + 4 > this.end) this.failTruncated(field, 4);
    this.position = at + 4;
    return this.view.getUint32(at);
  }

  /** A variable byte integer inside a packet, in as few octets as hold it (MQTT-1.5.5-1). */
  variableByteInteger(field: string): number {
    const start = this.position;
    if (start < this.end && this.view.getUint8(start) < 0x80) return this.view.getUint8(this.position++);
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const octet = this.uint8(field);
      value |= (octet & 0x7f) << shift;
      if (octet < 0x80) {
        if (octet !== 0 || shift === 0) return value;
        return this.fail("variableByteIntegerOverlong", start, field, { octets: this.position - start });
      }
    }
    return this.fail("variableByteInteger", start, field, { octets: this.position - start + 1 });
  }

  /** Two octets that are not 0; `rule` is that of the packet (MQTT-2.3.1-1, MQTT-2.2.1-3 and their neighbours). */
  packetIdentifier(
    rule: "packetIdentifier" | "serverPacketIdentifier" | "publishAcknowledged" | "requestAcknowledged",
  ): number {
    const at = this.position;
    const identifier = this.uint16("packetIdentifier");
    if (identifier === 0) this.fail(rule, at, "packetIdentifier", { found: identifier });
    return identifier;
  }

  /** Length-prefixed octets, as a view. */
  binary(field: string): Uint8Array {
    const length = this.uint16(field);
    return this.take(this.advance(length, field), length);
  }

  /** The octets of the packet behind the last field that was read, as a view; nothing is read after them. */
  rest(): Uint8Array {
    return this.take(this.position, this.end - this.position);
  }

  private take(start: number, length: number): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + start, length);
  }

  /** Skips so many octets, which have to be there; returns the position where they begin. */
  private advance(length: number, field: string): number {
    const start = this.position;
    if (start + length > this.end) this.failTruncated(field, length);
    this.position = start + length;
    return start;
  }

  /** A UTF-8 encoded string. */
  string(field: string): string {
    const length = this.uint16(field);
    const start = this.advance(length, field);
    const end = start + length;
    if (isPlain(this.view, start, end, false)) return asciiText(this.bytes, start, end);
    this.checkText(start, end, field);
    return utf8Text(this.bytes, start, end);
  }

  /** A UTF-8 encoded string that is likely to come again. */
  recurringString(field: string): string {
    const length = this.uint16(field);
    return this.recall(length, field) ?? this.newText(length, field, undefined);
  }

  /** A topic name that is not empty (MQTT-4.7.3-1). */
  topicName(field: string, use: TopicNameUse): string {
    const length = this.uint16(field);
    if (length === 0) this.failTopicName("", this.position, field, use);
    return this.recall(length, field) ?? this.newText(length, field, use);
  }

  /** The topic name of a PUBLISH, whose length is read; it is likely to come again, and may be empty here. */
  publishTopicName(length: number): string {
    return this.recall(length, "topicName") ?? this.newText(length, "topicName", "publish");
  }

  /** The text of the next octets if it came before; skips them then. Without one `newText` follows. */
  private recall(length: number, field: string): string | undefined {
    const start = this.position;
    if (start + length > this.end) this.failTruncated(field, length);
    this.texts ??= new TextMemory();
    const text = this.texts.recall(this.view, start, length);
    if (text !== undefined) this.position = start + length;
    return text;
  }

  /** Checks and makes a text, a topic name where `use` is given, and keeps it for the next time. */
  private newText(length: number, field: string, use: TopicNameUse | undefined): string {
    const start = this.advance(length, field);
    const end = start + length;
    if (isPlain(this.view, start, end, true)) {
      const text = asciiText(this.bytes, start, end);
      this.texts?.remember(this.view, start, text);
      return text;
    }
    if (use === undefined && isPlain(this.view, start, end, false)) return asciiText(this.bytes, start, end);
    this.checkText(start, end, field);
    const text = utf8Text(this.bytes, start, end);
    if (use !== undefined && length > 0) this.failTopicName(text, start, field, use);
    return text;
  }

  /** Throws where the text, whose octets begin at `start`, is not a topic name. */
  private failTopicName(text: string, start: number, field: string, use: TopicNameUse): void {
    const wrong = topicNameFault(text);
    if (wrong === undefined) return;
    const at = start + utf8Length(text.slice(0, wrong.index));
    const evidence = { text, fault: wrong.fault };
    this.fail("topicName", at, field, evidence, topicClause(wrong.fault, this.version, use));
  }

  /** The string rules, exactly (MQTT 3.1.1 §1.5.3, MQTT 5.0 §1.5.4). */
  private checkText(start: number, end: number, field: string): void {
    const { view } = this;
    for (let at = start; at < end; at++) {
      if (view.getUint8(at) === 0) this.fail("nullCharacter", at, field, { found: 0 });
    }
    const invalid = invalidUtf8(view, start, end);
    if (invalid >= 0) this.fail("utf8", invalid, field, { found: view.getUint8(invalid) });
    if (!this.limits.refuseControlCharacters) return;
    const refusable = refusableCharacter(utf8Text(this.bytes, start, end));
    if (refusable < 0) return;
    this.fail("controlCharacter", start + refusable, field, { found: view.getUint8(start + refusable) });
  }

  /** The packet has to end here. */
  finish(): void {
    const octets = this.end - this.position;
    if (octets !== 0) this.fail("trailingBytes", this.position, "end", { octets });
  }

  failTruncated(field: string, needed: number): never {
    return this.fail("truncated", this.position, field, { needed, available: this.end - this.position });
  }
}
