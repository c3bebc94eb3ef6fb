/**
 * Records out of a byte stream that comes in chunks of any size (RFC 8446 §5.1).
 *
 * A record that lies whole in a chunk is handed out as a view of it. One that does not is collected in a buffer of its own
 * length, so an octet is copied once however small the chunks are. Lengths are checked by the header, before the rest of
 * the record is there.
 */

import { headerOctets } from "./content-type.ts";

/** Judges a record by its header, before the rest of it is there. May throw. */
export interface HeaderCheck {
  checkHeader(type: number, major: number, length: number): void;
}

/** One record as it came. The fragment is a view that is valid until the next `append`. */
export interface RawRecord {
  readonly type: number;
  /** Valid until the next record of any connection. */
  readonly header: Uint8Array;
  readonly fragment: Uint8Array;
}

export class RecordInput {
  /** Chunks that were not looked at yet; the first one from `#offset` on. */
  readonly #chunks: Uint8Array[] = [];
  #offset = 0;
  #waiting = 0;
  /** A record that began in an earlier chunk. */
  #partial: Uint8Array = none;
  #filled = 0;

  /** Octets that wait: those of whole records that were not asked for, and of the last one that is incomplete. */
  get waitingOctets(): number {
    return this.#waiting + this.#filled;
  }

  /** Takes a chunk, as a view: call `keep` before the caller gets it back. */
  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(plainArray(chunk));
    this.#waiting += chunk.length;
  }

  /** Copies what was not consumed, so that the caller's chunk is free. */
  keep(): void {
    const last = this.#chunks.length - 1;
    const chunk = this.#chunks[last];
    if (chunk === undefined) return;
    this.#chunks[last] = last === 0 ? chunk.slice(this.#offset) : chunk.slice();
    if (last === 0) this.#offset = 0;
  }

  /** The next record, if all of it is there. A header is checked as soon as it is there. Throws what the check throws. */
  next(check: HeaderCheck): RawRecord | undefined {
    const chunk = this.#chunks[0];
    if (this.#filled === 0 && chunk !== undefined) {
      const whole = this.#wholeRecord(chunk, check);
      if (whole !== undefined) return whole;
    }
    return this.#collect(check);
  }

  /** Forgets everything. */
  clear(): void {
    this.#chunks.length = 0;
    this.#offset = 0;
    this.#waiting = 0;
    this.#partial = none;
    this.#filled = 0;
  }

  #wholeRecord(chunk: Uint8Array, check: HeaderCheck): RawRecord | undefined {
    const start = this.#offset;
    if (chunk.length - start < headerOctets) return undefined;
    const type = chunk[start] ?? 0;
    const length = ((chunk[start + 3] ?? 0) << 8) | (chunk[start + 4] ?? 0);
    check.checkHeader(type, chunk[start + 1] ?? 0, length);
    const body = start + headerOctets;
    if (chunk.length - body < length) return undefined;
    this.#consume(headerOctets + length);
    for (let index = 0; index < headerOctets; index++) sharedHeader[index] = chunk[start + index] ?? 0;
    return { type, header: sharedHeader, fragment: chunk.subarray(body, body + length) };
  }

  #collect(check: HeaderCheck): RawRecord | undefined {
    if (this.#filled < headerOctets) {
      if (this.#waiting === 0) return undefined;
      if (this.#partial.length < headerOctets) this.#partial = new Uint8Array(headerOctets);
      this.#fill(headerOctets);
      if (this.#filled < headerOctets) return undefined;
    }
    const partial = this.#partial;
    const type = partial[0] ?? 0;
    const length = ((partial[3] ?? 0) << 8) | (partial[4] ?? 0);
    const total = headerOctets + length;
    if (partial.length < total || this.#filled === headerOctets) {
      check.checkHeader(type, partial[1] ?? 0, length);
      this.#partial = new Uint8Array(total);
      this.#partial.set(partial.subarray(0, headerOctets));
    }
    this.#fill(total);
    if (this.#filled < total) return undefined;
    const record = this.#partial;
    this.#partial = none;
    this.#filled = 0;
    return { type, header: record.subarray(0, headerOctets), fragment: record.subarray(headerOctets) };
  }

  /** Moves octets from the chunks until the partial record has `target` of them. */
  #fill(target: number): void {
    for (let chunk = this.#chunks[0]; chunk !== undefined && this.#filled < target; chunk = this.#chunks[0]) {
      const count = Math.min(target - this.#filled, chunk.length - this.#offset);
      this.#partial.set(chunk.subarray(this.#offset, this.#offset + count), this.#filled);
      this.#filled += count;
      this.#consume(count);
    }
  }

  #consume(count: number): void {
    this.#offset += count;
    this.#waiting -= count;
    if (this.#offset < (this.#chunks[0]?.length ?? 0)) return;
    this.#chunks.shift();
    this.#offset = 0;
  }
}

const none = new Uint8Array(0);
/** The header of the record that was read last: to copy it costs less than a view. */
const sharedHeader = new Uint8Array(headerOctets);

/** The octets as a Uint8Array proper: the `slice` of a Node.js Buffer would not copy. */
function plainArray(octets: Uint8Array): Uint8Array {
  if (octets.constructor === Uint8Array) return octets;
  return new Uint8Array(octets.buffer, octets.byteOffset, octets.length);
}
