/**
 * A connection's octets on their way out.
 *
 * What is to be sent is collected and handed to the transport once for each input. The transport is given no more than it can take
 * soon: so the broker sees whether the client reads, and what waits here is an own copy that holds no chunk of a publisher.
 */

import type { Counters } from "../counters.ts";
import type { Limits } from "../limits.ts";
import type { Transport } from "../ports/transport.ts";

/** Octets in the transport from which on it gets no more. A Node stream reports that it has drained if it held this much. */
const handOverOctets = 64 * 1024;

/** The way out of one connection. */
export class Link {
  readonly #transport: Transport;
  readonly #limits: Limits;
  readonly #counters: Counters;
  #chunks: Uint8Array[] = [];
  #octets = 0;
  /** How many of the first chunks are own copies. */
  #owned = 0;
  #handedOver = 0;
  /** Octets that the client had taken when it was looked at last, and when it had taken more. */
  #taken = 0;
  #progressMs: number;
  #isPaused = false;
  #isClosed = false;

  constructor(transport: Transport, limits: Limits, counters: Counters, nowMs: number) {
    this.#transport = transport;
    this.#limits = limits;
    this.#counters = counters;
    this.#progressMs = nowMs;
  }

  /** Octets that the client has not taken. */
  get waitingOctets(): number {
    return this.#isClosed ? 0 : this.#octets + this.#transport.bufferedOctets;
  }

  /** Whether no more should be put in. What is written after `close` is thrown away. */
  get isFull(): boolean {
    return !this.#isClosed && this.#octets + this.#transport.bufferedOctets > this.#limits.maximumBufferedOctets;
  }

  get hasOutput(): boolean {
    return this.#octets > 0;
  }

  write(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const { length } = this.#chunks;
    const last = length > this.#owned ? this.#chunks[length - 1] : undefined;
    this.#octets += bytes.length;
    // Packets that follow each other in the publisher's chunk go on as one piece.
    if (last !== undefined && last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
      this.#chunks[length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + bytes.length);
    } else {
      this.#chunks.push(bytes);
    }
  }

  /** Gives the transport what it can take: again while it takes all of it at once, since it says nothing then when it has room. */
  handOver(): void {
    while (this.#octets > 0) {
      const buffered = this.#transport.bufferedOctets;
      const room = 2 * handOverOctets - buffered;
      if (this.#octets <= room) {
        const chunks = this.#chunks;
        const octets = this.#octets;
        // Before they go: a transport in memory may bring the client's answer within its `write`, and this is called again.
        this.#chunks = [];
        this.#octets = 0;
        this.#owned = 0;
        this.#send(chunks, octets);
        return;
      }
      if (buffered >= handOverOctets) break;
      this.#sendPart(room);
    }
    if (this.#octets > 0) this.#own();
  }

  /** Milliseconds for which the client has taken nothing although octets wait. */
  unreadMs(nowMs: number): number {
    const taken = this.#handedOver - this.#transport.bufferedOctets;
    if (taken !== this.#taken || this.waitingOctets === 0) {
      this.#taken = taken;
      this.#progressMs = nowMs;
    }
    return nowMs - this.#progressMs;
  }

  /** Stops or goes on reading. */
  setPaused(isPaused: boolean): void {
    if (isPaused === this.#isPaused || this.#isClosed) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#transport.pause();
    else this.#transport.resume();
  }

  /** Sends what is there, however much, and closes. */
  close(): void {
    if (this.#isClosed) return;
    if (this.#octets > 0 && !this.isFull) this.#send(this.#chunks, this.#octets);
    this.#isClosed = true;
    this.#chunks = [];
    this.#octets = 0;
    this.#transport.close();
  }

  #send(chunks: Uint8Array[], octets: number): void {
    this.#handedOver += octets;
    this.#counters.octetsSent += octets;
    this.#transport.write(chunks);
  }

  #sendPart(room: number): void {
    const part: Uint8Array[] = [];
    let octets = 0;
    let count = 0;
    for (const chunk of this.#chunks) {
      const piece = chunk.length > room - octets ? chunk.subarray(0, room - octets) : chunk;
      part.push(piece);
      octets += piece.length;
      if (piece !== chunk) {
        this.#chunks[count] = chunk.subarray(piece.length);
        break;
      }
      count += 1;
      if (octets === room) break;
    }
    this.#chunks.splice(0, count);
    this.#owned = Math.max(0, this.#owned - count);
    this.#octets -= octets;
    this.#send(part, octets);
  }

  /** Copies what stays, so that it does not hold the chunks it is a view of. */
  #own(): void {
    const views = this.#chunks.splice(this.#owned);
    let octets = 0;
    for (const { length } of views) octets += length;
    if (octets === 0) return;
    const copy = new Uint8Array(octets);
    let at = 0;
    for (const view of views) {
      copy.set(view, at);
      at += view.length;
    }
    this.#chunks.push(copy);
    this.#owned = this.#chunks.length;
  }
}
