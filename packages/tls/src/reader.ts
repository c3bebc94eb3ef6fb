/**
 * The presentation language of TLS (RFC 8446 §3), read: numbers in network order and vectors behind their length.
 *
 * Everything it hands out is a view. A read that is short, and octets behind the end, are `ERR_TLS_DECODE`.
 */

import { decodeError } from "./errors.ts";

export class Reader {
  readonly #octets: Uint8Array;
  /** What is read, for messages: `ClientHello`. */
  readonly #what: string;
  #offset = 0;

  constructor(octets: Uint8Array, what: string) {
    this.#octets = octets;
    this.#what = what;
  }

  get remaining(): number {
    return this.#octets.length - this.#offset;
  }

  /** How many octets were read. */
  get offset(): number {
    return this.#offset;
  }

  uint8(): number {
    return this.#number(1);
  }

  uint16(): number {
    return this.#number(2);
  }

  uint24(): number {
    return this.#number(3);
  }

  uint32(): number {
    return this.#number(4);
  }

  octets(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#octets.subarray(start, this.#offset);
  }

  /** `opaque field<minimum..maximum>` behind a length of one octet. */
  vector8(minimum: number = 0, maximum: number = 0xff): Uint8Array {
    return this.#vector(this.uint8(), minimum, maximum);
  }

  /** `opaque field<minimum..maximum>` behind a length of two octets. */
  vector16(minimum: number = 0, maximum: number = 0xffff): Uint8Array {
    return this.#vector(this.uint16(), minimum, maximum);
  }

  /** `opaque field<minimum..maximum>` behind a length of three octets. */
  vector24(minimum: number = 0, maximum: number = 0xff_ffff): Uint8Array {
    return this.#vector(this.uint24(), minimum, maximum);
  }

  /** `uint16 field<2..2^16-2>`: a list of numbers behind its length in octets. */
  uint16List(): Uint16Array {
    const octets = this.vector16(2, 0xfffe);
    if (octets.length % 2 !== 0)
      throw decodeError(`${this.#what} has a list of ${octets.length} octets, an odd number`);
    return uint16s(octets);
  }

  /** The rest, perhaps empty. */
  rest(): Uint8Array {
    return this.octets(this.remaining);
  }

  /** Nothing may be left. */
  end(): void {
    if (this.remaining > 0) throw decodeError(`${this.#what} has ${this.remaining} octets behind its end`);
  }

  /** Without a view: one costs many times what the octets of a number do. */
  #number(length: number): number {
    const start = this.#advance(length);
    let value = 0;
    for (let index = start; index < this.#offset; index++) value = value * 256 + (this.#octets[index] ?? 0);
    return value;
  }

  /** Steps over octets that must be there, and returns where they begin. */
  #advance(length: number): number {
    const start = this.#offset;
    if (this.remaining < length) {
      throw decodeError(`${this.#what} is cut off: ${length} octets are needed and ${this.remaining} are left`);
    }
    this.#offset += length;
    return start;
  }

  #vector(length: number, minimum: number, maximum: number): Uint8Array {
    if (length < minimum || length > maximum) {
      throw decodeError(`${this.#what} has a vector of ${length} octets, where ${minimum} to ${maximum} are allowed`);
    }
    return this.octets(length);
  }
}

function uint16s(octets: Uint8Array): Uint16Array {
  const numbers = new Uint16Array(octets.length / 2);
  for (let index = 0; index < numbers.length; index++) {
    numbers[index] = ((octets[2 * index] ?? 0) << 8) | (octets[2 * index + 1] ?? 0);
  }
  return numbers;
}
