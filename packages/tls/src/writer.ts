/** The presentation language of TLS (RFC 8446 §3), written. Grows as needed; lengths are filled in behind. */

/** Writes into one buffer. `written` makes it. */
export class Writer {
  #octets: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** `octets` is written over. */
  constructor(octets: Uint8Array<ArrayBuffer>) {
    this.#octets = octets;
  }

  /** The buffer, which may be a larger one by now. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#octets;
  }

  get length(): number {
    return this.#length;
  }

  uint8(value: number): this {
    this.#reserve(1);
    this.#octets[this.#length++] = value;
    return this;
  }

  uint16(value: number): this {
    return this.uint8(value >>> 8).uint8(value);
  }

  uint24(value: number): this {
    return this.uint8(value >>> 16).uint16(value);
  }

  uint32(value: number): this {
    return this.uint16(value >>> 16).uint16(value);
  }

  octets(octets: Uint8Array): this {
    this.#reserve(octets.length);
    this.#octets.set(octets, this.#length);
    this.#length += octets.length;
    return this;
  }

  /** Octets below 0x80 only: labels and names that were checked. */
  ascii(text: string): this {
    for (let index = 0; index < text.length; index++) this.uint8(text.charCodeAt(index));
    return this;
  }

  vector8(body: Uint8Array | ((writer: Writer) => void)): this {
    return this.#vector(1, body);
  }

  vector16(body: Uint8Array | ((writer: Writer) => void)): this {
    return this.#vector(2, body);
  }

  vector24(body: Uint8Array | ((writer: Writer) => void)): this {
    return this.#vector(3, body);
  }

  #vector(lengthOctets: 1 | 2 | 3, body: Uint8Array | ((writer: Writer) => void)): this {
    const at = this.#length;
    this.#reserve(lengthOctets);
    this.#length += lengthOctets;
    if (body instanceof Uint8Array) this.octets(body);
    else body(this);
    const length = this.#length - at - lengthOctets;
    if (length >= 2 ** (8 * lengthOctets)) throw new RangeError(`${length} octets in a vector that cannot hold them`);
    for (let index = 0; index < lengthOctets; index++) {
      this.#octets[at + index] = length >>> (8 * (lengthOctets - 1 - index));
    }
    return this;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#octets.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#octets.length));
    grown.set(this.#octets.subarray(0, this.#length));
    this.#octets.fill(0);
    this.#octets = grown;
  }
}

/** Most messages are shorter than this. */
const spareOctets = 2048;
/** The buffer of the next message: to make one costs more than most messages. Undefined while it is in use. */
let spare: Uint8Array<ArrayBuffer> | undefined;

/** The octets that `body` writes, as an array of their own. */
export function written(body: (writer: Writer) => void): Uint8Array<ArrayBuffer> {
  const buffer = spare ?? new Uint8Array(spareOctets);
  spare = undefined;
  const writer = new Writer(buffer);
  body(writer);
  const octets = writer.buffer.slice(0, writer.length);
  // A session has a secret.
  writer.buffer.fill(0, 0, writer.length);
  spare = buffer;
  return octets;
}
