/**
 * Handshake messages out of records: one may span many records, and many may lie in one (RFC 8446 §5.1).
 *
 * A message's length is held to the limit from its header, before its body is collected.
 */

import { decodeError, TlsError } from "./errors.ts";
import { handshakeByNumber, handshakeNumber } from "./handshake-type.ts";
import type { TlsLimits } from "./limits.ts";

/** One handshake message. The views belong to the receiver and stay valid. */
export interface HandshakeMessage {
  readonly type: number;
  /** Without the four octets of header. */
  readonly body: Uint8Array;
  /** As it goes into the transcript. */
  readonly encoding: Uint8Array;
}

const headerOctets = 4;

export class HandshakeInput {
  readonly #limits: TlsLimits;
  #octets: Uint8Array = none;
  #start = 0;
  #end = 0;

  constructor(limits: TlsLimits) {
    this.#limits = limits;
  }

  /** Whether nothing waits: a key change demands it. */
  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  /** Takes a record's content, which must not change later. */
  append(content: Uint8Array): void {
    if (this.isEmpty) {
      this.#octets = content;
      this.#start = 0;
      this.#end = content.length;
      return;
    }
    const length = this.#end - this.#start;
    const needed = length + content.length;
    if (this.#start > 0 || needed > this.#octets.length || !this.#isOwn) {
      // Doubling keeps the work per octet constant, and the memory at twice what came.
      const grown = new Uint8Array(2 * needed);
      grown.set(this.#octets.subarray(this.#start, this.#end));
      this.#octets = grown;
      this.#isOwn = true;
      this.#start = 0;
    }
    this.#octets.set(content, length);
    this.#end = needed;
  }

  /** Whether the octets are a buffer of our own with room behind `#end`, not a record's content. */
  #isOwn = false;

  /**
   * The next message, if all of it is there.
   *
   * Throws `ERR_TLS_LIMIT` for one that is announced longer than its limit, and `ERR_TLS_DECODE` for a type that is unknown.
   */
  next(): HandshakeMessage | undefined {
    const available = this.#end - this.#start;
    if (available < headerOctets) return undefined;
    const at = this.#start;
    const type = this.#octets[at] ?? 0;
    const length =
      ((this.#octets[at + 1] ?? 0) << 16) | ((this.#octets[at + 2] ?? 0) << 8) | (this.#octets[at + 3] ?? 0);
    this.#checkLength(type, length);
    if (available < headerOctets + length) return undefined;
    this.#start += headerOctets + length;
    const encoding = this.#octets.subarray(at, this.#start);
    if (this.isEmpty) {
      this.#octets = none;
      this.#isOwn = false;
      this.#start = 0;
      this.#end = 0;
    }
    return { type, body: encoding.subarray(headerOctets), encoding };
  }

  #checkLength(type: number, length: number): void {
    const name = handshakeByNumber(type);
    if (name === undefined) {
      throw new TlsError("ERR_TLS_UNEXPECTED_MESSAGE", "A handshake message of unknown type", {
        alert: "unexpected_message",
        found: `type ${type}`,
        clause: "RFC 8446 §4",
      });
    }
    const limit = name === "certificate" ? "certificateMessageOctets" : "handshakeMessageOctets";
    if (headerOctets + length <= this.#limits[limit]) return;
    throw new TlsError("ERR_TLS_LIMIT", `The ${name} is too long`, {
      alert: name === "certificate" ? "bad_certificate" : "illegal_parameter",
      found: `${headerOctets + length} octets`,
      allowed: `${this.#limits[limit]}`,
      limit,
    });
  }
}

const none = new Uint8Array(0);

/** A handshake message with its header. */
export function encodeHandshake(
  type: Parameters<typeof handshakeNumber>[0],
  body: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const encoding = new Uint8Array(headerOctets + body.length);
  encoding[0] = handshakeNumber(type);
  encoding[1] = body.length >>> 16;
  encoding[2] = body.length >>> 8;
  encoding[3] = body.length;
  encoding.set(body, headerOctets);
  return encoding;
}

/** The message that an encoding holds. */
export function messageOf(encoding: Uint8Array): HandshakeMessage {
  const type = encoding[0];
  if (type === undefined || encoding.length < headerOctets) throw decodeError("A handshake message is cut off");
  return { type, body: encoding.subarray(headerOctets), encoding };
}
