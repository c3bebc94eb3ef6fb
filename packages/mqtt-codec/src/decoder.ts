/**
 * The streaming decoder: chunks cut anywhere go in, packets come out.
 *
 * A packet that lies in one chunk is read in place. One that spans chunks is gathered in a buffer of its own, which is
 * made when type, flags, direction and length of the fixed header are checked.
 */

import { MqttCodecError } from "./errors.ts";
import type { Packet } from "./packet.ts";
import { PacketType, type ProtocolVersion, reservedFlags } from "./packet-type.ts";
import { readAcknowledgement } from "./packets/acknowledgement.ts";
import { readAuth } from "./packets/auth.ts";
import { readConnack } from "./packets/connack.ts";
import { readConnect } from "./packets/connect.ts";
import { readDisconnect } from "./packets/disconnect.ts";
import { readPublish } from "./packets/publish.ts";
import { readSuback, readUnsuback } from "./packets/suback.ts";
import { readSubscribe, readUnsubscribe } from "./packets/subscribe.ts";
import { Reader } from "./reader.ts";

/** What a decoder reads, and its limits. */
export interface PacketDecoderOptions {
  /** Which side's packets are read: a server receives client packets, a client receives server packets. */
  readonly receives: "client-packets" | "server-packets";
  /**
   * The connection's version where it is known. A decoder of client packets without it waits for CONNECT, refuses every
   * other packet before it and takes the version from it; with it the decoder takes the connection as established. A
   * decoder of server packets needs it (default 4).
   */
  readonly protocolVersion?: ProtocolVersion | undefined;
  /** Largest packet in octets, fixed header included. Default 2,097,152 (mosquitto's is 2,000,000). */
  readonly maximumPacketSize?: number | undefined;
  /** Repeatable properties of one packet. Default 1,024. */
  readonly maximumUserProperties?: number | undefined;
  /** Topic filters, or reason codes, of one packet. Default 1,024. */
  readonly maximumTopicFilters?: number | undefined;
  /** Refuses U+0001 to U+001F, U+007F to U+009F and non-characters in text, as the standard allows. Default false. */
  readonly refuseControlCharacters?: boolean | undefined;
}

/** Largest packet in octets by default. */
export const DEFAULT_MAXIMUM_PACKET_SIZE = 2_097_152;

/** Largest CONNECT in octets: before it nothing is known of the peer (RabbitMQ has the same limit). */
export const MAXIMUM_CONNECT_SIZE = 65_536;

/**
 * A packet that spans chunks gets memory for its whole length at once, but at most this much, or 64 times the octets
 * that have arrived: a peer that only announces a large packet costs little.
 */
const HELD_FLOOR = 65_536;
const HELD_FACTOR = 64;

const EMPTY = new Uint8Array(0);

/** Decodes one direction of one connection. Fields are `private`, not `#private`: reading the latter costs in `next`. */
export class PacketDecoder {
  private readonly reader: Reader;
  private readonly maximumPacketSize: number;
  private awaitsConnect: boolean;
  private rules: HeaderRules;
  private failure: MqttCodecError | undefined = undefined;
  private chunk: Uint8Array = EMPTY;
  private position = 0;
  /** Offset of the chunk in the stream. */
  private chunkOffset = 0;
  private readonly waiting: Uint8Array[] = [];
  /** A packet that began in an earlier chunk: its octets so far, and its size once the fixed header is complete. */
  private held: Uint8Array = EMPTY;
  private heldLength = 0;
  private heldTotal = 0;
  private heldOffset = 0;

  constructor(options: PacketDecoderOptions) {
    const isFromClient = options.receives === "client-packets";
    this.reader = new Reader(
      {
        maximumUserProperties: options.maximumUserProperties ?? 1024,
        maximumTopicFilters: options.maximumTopicFilters ?? 1024,
        refuseControlCharacters: options.refuseControlCharacters ?? false,
      },
      isFromClient,
    );
    this.maximumPacketSize = options.maximumPacketSize ?? DEFAULT_MAXIMUM_PACKET_SIZE;
    this.awaitsConnect = isFromClient && options.protocolVersion === undefined;
    this.reader.version = options.protocolVersion ?? 4;
    if (!this.awaitsConnect) this.reader.protocolLevel = this.reader.version;
    this.rules = (isFromClient ? rulesOfClient : rulesOfServer)[this.reader.version];
  }

  /** The connection's version; undefined before CONNECT. */
  get protocolVersion(): ProtocolVersion | undefined {
    return this.awaitsConnect ? undefined : this.reader.version;
  }

  /**
   * Octets of memory that a packet has which did not come whole; 0 where the stream is between two packets. It holds after `next` has
   * returned undefined.
   */
  get heldOctets(): number {
    return this.held.length;
  }

  /**
   * Takes the next octets of the stream. The decoder reads from the chunk, and packets are views of it, until `next`
   * has returned undefined; after that only the packets refer to it. After an error chunks are ignored.
   */
  push(chunk: Uint8Array): void {
    if (this.failure !== undefined || chunk.length === 0) return;
    if (this.position < this.chunk.length) {
      this.waiting.push(chunk);
    } else {
      this.open(chunk);
    }
  }

  /**
   * The next complete packet, or undefined until more octets are pushed.
   *
   * Throws `MqttCodecError` where the octets are not a packet that the peer may send, and the same error at each later
   * call.
   */
  next(): Packet | undefined {
    if (this.failure !== undefined) throw this.failure;
    try {
      for (;;) {
        if (this.position < this.chunk.length) {
          const packet = this.heldLength === 0 ? this.readFromChunk() : this.readHeld();
          if (packet !== undefined) return packet;
        }
        const chunk = this.waiting.shift();
        if (chunk === undefined) break;
        this.open(chunk);
      }
    } catch (error) {
      if (error instanceof MqttCodecError) this.failure = error;
      this.release();
      this.waiting.length = 0;
      this.held = EMPTY;
      throw error;
    }
    this.release();
    return undefined;
  }

  private open(chunk: Uint8Array): void {
    this.chunkOffset += this.chunk.length;
    this.chunk = chunk;
    this.position = 0;
  }

  /** Drops a chunk that is read to its end. */
  private release(): void {
    this.open(EMPTY);
    this.reader.close();
  }

  /** A packet that begins at the chunk's position; undefined where the chunk ends before it does. */
  private readFromChunk(): Packet | undefined {
    const reader = this.reader;
    const start = this.position;
    if (reader.source !== this.chunk) reader.open(this.chunk);
    reader.packetStart = start;
    reader.packetOffset = this.chunkOffset + start;
    const available = this.chunk.length - start;
    const headerLength = this.readFixedHeader(start, available);
    const total = headerLength + reader.remainingLength;
    if (headerLength === 0 || total > available) return this.readHeld();
    this.position = start + total;
    reader.position = start + headerLength;
    reader.end = start + total;
    return this.readBody();
  }

  /** Adds octets to the packet that began earlier (or begins here), and reads it when it is complete. */
  private readHeld(): Packet | undefined {
    const reader = this.reader;
    if (this.heldLength === 0) {
      this.heldOffset = this.chunkOffset + this.position;
      this.heldTotal = 0;
      this.held = new Uint8Array(5);
    }
    reader.packetStart = 0;
    reader.packetOffset = this.heldOffset;
    if (!this.gather()) return undefined;
    const headerLength = this.heldTotal - reader.remainingLength;
    reader.open(this.held);
    reader.position = headerLength;
    reader.end = this.heldTotal;
    this.held = EMPTY;
    this.heldLength = 0;
    return this.readBody();
  }

  /** Copies octets of the chunk to the packet that began earlier; whether it is complete. */
  private gather(): boolean {
    const chunk = this.chunk;
    const reader = this.reader;
    while (this.heldTotal === 0) {
      if (this.position === chunk.length) return false;
      if (reader.source !== this.held) reader.open(this.held);
      this.held[this.heldLength++] = chunk[this.position++] ?? 0;
      const headerLength = this.readFixedHeader(0, this.heldLength);
      if (headerLength > 0) this.heldTotal = headerLength + reader.remainingLength;
    }
    const end = Math.min(this.position + this.heldTotal - this.heldLength, chunk.length);
    const length = this.heldLength + end - this.position;
    if (this.held.length < length) {
      const size = Math.min(this.heldTotal, Math.max(HELD_FLOOR, HELD_FACTOR * length));
      const held = new Uint8Array(size);
      held.set(this.held.subarray(0, this.heldLength));
      this.held = held;
    }
    const isWhole = this.position === 0 && end === chunk.length;
    this.held.set(isWhole ? chunk : chunk.subarray(this.position, end), this.heldLength);
    this.position = end;
    this.heldLength = length;
    return length === this.heldTotal;
  }

  /** Checks as much of a fixed header as there is; its length, or 0 where octets are missing. */
  private readFixedHeader(start: number, available: number): number {
    const reader = this.reader;
    const first = reader.view.getUint8(start);
    reader.first = first;
    const type = first >>> 4;
    if (((this.rules.types >>> type) & 1) === 0 || this.awaitsConnect) this.judgeType(type);
    if (type !== PacketType.publish && (first & 0x0f) !== reservedFlags(type)) this.failFlags(type, first);
    if (available < 2) return 0;
    let value = reader.view.getUint8(start + 1);
    let headerLength = 2;
    if (value > 0x7f) {
      value &= 0x7f;
      let octet = 0x80;
      for (; octet > 0x7f; headerLength++) {
        if (headerLength === 5) return this.failRemainingLength({});
        if (headerLength === available) return 0;
        octet = reader.view.getUint8(start + headerLength);
        value |= (octet & 0x7f) << (7 * (headerLength - 1));
      }
      reader.isLengthOverlong = octet === 0;
      if (octet === 0 && reader.version === 5) {
        reader.fail("remainingLengthOverlong", reader.packetStart + 1, "remainingLength", { length: value });
      }
    } else {
      reader.isLengthOverlong = false;
    }
    reader.remainingLength = value;
    const limit = this.awaitsConnect ? Math.min(MAXIMUM_CONNECT_SIZE, this.maximumPacketSize) : this.maximumPacketSize;
    if (headerLength + value > limit) {
      const rule = reader.isFromClient ? "clientPacketTooLarge" : "serverPacketTooLarge";
      reader.fail(rule, reader.packetStart + 1, "remainingLength", { length: headerLength + value, limit });
    }
    const exact = this.rules.lengths[type] ?? -1;
    if (exact >= 0 && value !== exact) this.failRemainingLength({ length: value, wantedLength: exact });
    return headerLength;
  }

  /** The type is not among those that the peer may send, or CONNECT is still to come. */
  private judgeType(type: number): void {
    const reader = this.reader;
    const at = reader.packetStart;
    const evidence = { found: type };
    if (this.awaitsConnect) {
      if (type === PacketType.connect) return;
      if (type !== 0) reader.fail("firstPacket", at, "packetType", evidence);
    }
    if (type === 0 || (type === PacketType.auth && reader.version === 4)) {
      reader.fail("packetType", at, "packetType", evidence);
    }
    if (type === PacketType.connect && reader.isFromClient) reader.fail("secondConnect", at, "packetType", evidence);
    reader.fail("direction", at, "packetType", evidence);
  }

  private failFlags(type: number, first: number): never {
    const evidence = { found: first & 0x0f, wanted: reservedFlags(type) };
    return this.reader.fail("flags", this.reader.packetStart, "flags", evidence);
  }

  private failRemainingLength(evidence: { readonly length?: number; readonly wantedLength?: number }): never {
    return this.reader.fail("remainingLength", this.reader.packetStart + 1, "remainingLength", evidence);
  }

  private readBody(): Packet {
    const reader = this.reader;
    switch (reader.first >>> 4) {
      case PacketType.publish:
        return readPublish(reader);
      case PacketType.puback:
        return readAcknowledgement(reader, "puback");
      case PacketType.pubrec:
        return readAcknowledgement(reader, "pubrec");
      case PacketType.pubrel:
        return readAcknowledgement(reader, "pubrel");
      case PacketType.pubcomp:
        return readAcknowledgement(reader, "pubcomp");
      case PacketType.connect:
        return this.readConnect();
      case PacketType.connack:
        return readConnack(reader);
      case PacketType.subscribe:
        return readSubscribe(reader);
      case PacketType.suback:
        return readSuback(reader);
      case PacketType.unsubscribe:
        return readUnsubscribe(reader);
      case PacketType.unsuback:
        return readUnsuback(reader);
      case PacketType.pingreq:
        return { type: "pingreq" };
      case PacketType.pingresp:
        return { type: "pingresp" };
      case PacketType.disconnect:
        return readDisconnect(reader);
      default:
        return readAuth(reader);
    }
  }

  /** CONNECT names the version of all packets behind it. */
  private readConnect(): Packet {
    const packet = readConnect(this.reader);
    this.awaitsConnect = false;
    this.rules = rulesOfClient[packet.protocolVersion];
    return packet;
  }
}

/** What can be checked on the fixed header alone. */
interface HeaderRules {
  /** One bit for each type that the peer may send. */
  readonly types: number;
  /** The remaining length of types that have only one, -1 for the others. */
  readonly lengths: Int8Array;
}

/** Types by bit: PUBLISH to PUBCOMP go both ways; 5.0 adds DISCONNECT from the server, and AUTH. */
const CLIENT_TYPES = 0b0101_0101_1111_1000;
const SERVER_TYPES = 0b0010_1010_1111_1100;
const TYPES_OF_5 = 0b1100_0000_0000_0000;

/** In 3.1.1 the acknowledgements and CONNACK have two octets; pings and the DISCONNECT of 3.1.1 have none. */
const LENGTHS_OF_4 = Int8Array.of(-1, -1, 2, -1, 2, 2, 2, 2, -1, -1, -1, 2, 0, 0, 0, -1);
const LENGTHS_OF_5 = Int8Array.of(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, -1, -1);

const rulesOfClient: { readonly [Version in ProtocolVersion]: HeaderRules } = {
  4: { types: CLIENT_TYPES, lengths: LENGTHS_OF_4 },
  5: { types: CLIENT_TYPES | TYPES_OF_5, lengths: LENGTHS_OF_5 },
};
const rulesOfServer: { readonly [Version in ProtocolVersion]: HeaderRules } = {
  4: { types: SERVER_TYPES, lengths: LENGTHS_OF_4 },
  5: { types: SERVER_TYPES | TYPES_OF_5, lengths: LENGTHS_OF_5 },
};
