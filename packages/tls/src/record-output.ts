/** Records on their way out: one buffer that grows, handed over whole. */

import { ContentType, headerOctets, maximumPlaintext } from "./content-type.ts";
import { type RecordProtection, writeHeader } from "./record-protection.ts";

export class RecordOutput {
  readonly #allocate: (octets: number) => Uint8Array;
  #buffer: Uint8Array = none;
  #length = 0;

  constructor(allocate: (octets: number) => Uint8Array) {
    this.#allocate = allocate;
  }

  get length(): number {
    return this.#length;
  }

  /** Everything written since the last call, as an array that belongs to the caller; undefined for nothing. */
  take(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const buffer = this.#buffer;
    const taken = buffer.length === this.#length ? buffer : buffer.subarray(0, this.#length);
    this.#buffer = none;
    this.#length = 0;
    return taken;
  }

  /**
   * Writes `content` as records of at most `recordOctets` each, protected where there is a protection. Empty content makes
   * one empty record. `paddingTo` fills each record's content up to a multiple of it (TLS 1.3, RFC 8446 §5.4).
   */
  write(
    type: number,
    content: Uint8Array,
    protection: RecordProtection | undefined,
    recordOctets: number = maximumPlaintext,
    paddingTo: number = 1,
  ): void {
    const count = Math.max(1, Math.ceil(content.length / recordOctets));
    const overhead = headerOctets + (protection?.overheadOctets ?? 0);
    this.#reserve(content.length + count * (overhead + (paddingTo > 1 ? paddingTo : 0)));
    for (let index = 0; index < count; index++) {
      const piece = count === 1 ? content : content.subarray(index * recordOctets, (index + 1) * recordOctets);
      if (protection === undefined) {
        writeHeader(this.#buffer, this.#length, type, piece.length);
        this.#buffer.set(piece, this.#length + headerOctets);
        this.#length += headerOctets + piece.length;
      } else {
        const padding = protection.version === "TLSv1.3" ? paddingOf(piece.length, paddingTo) : 0;
        this.#length += protection.seal(type, piece, this.#buffer, this.#length, padding);
      }
    }
  }

  /** The very first record of a client says TLS 1.0, which old middleboxes want (RFC 8446 §5.1). */
  writeFirstHello(content: Uint8Array): void {
    const at = this.#length;
    this.write(ContentType.handshake, content, undefined);
    this.#buffer[at + 2] = 1;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const grown = this.#allocate(this.#length === 0 ? needed : Math.max(needed, 2 * this.#buffer.length));
    if (this.#length > 0) grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

const none = new Uint8Array(0);

/** Zeros that fill `length` up to a multiple of `multiple`, as far as a record has room. */
function paddingOf(length: number, multiple: number): number {
  if (multiple <= 1) return 0;
  const wanted = Math.ceil(Math.max(length, 1) / multiple) * multiple;
  return Math.min(wanted, maximumPlaintext) - length;
}
