/** The list of extensions that hellos and other messages carry (RFC 8446 §4.2). */

import { illegalParameter, TlsError } from "./errors.ts";
import { type ExtensionName, extensionNumber, extensionText } from "./extension-type.ts";
import { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Extensions by number, in the order of the wire; none twice. The values are views. */
export class ExtensionList {
  readonly #values: ReadonlyMap<number, Uint8Array>;

  constructor(values: ReadonlyMap<number, Uint8Array>) {
    this.#values = values;
  }

  /** The numbers, in order. */
  get numbers(): readonly number[] {
    return [...this.#values.keys()];
  }

  has(name: ExtensionName): boolean {
    return this.#values.has(extensionNumber(name));
  }

  /** The value of an extension, or undefined where it is not there. */
  value(name: ExtensionName): Uint8Array | undefined {
    return this.#values.get(extensionNumber(name));
  }

  /** A reader of an extension's value, or undefined where it is not there. */
  reader(name: ExtensionName): Reader | undefined {
    const value = this.value(name);
    return value && new Reader(value, `The extension ${name}`);
  }

  /** The value by number, whatever it means. */
  byNumber(number: number): Uint8Array | undefined {
    return this.#values.get(number);
  }

  /** The extension must be there and empty, or not be there; whether it is. */
  isSet(name: ExtensionName): boolean {
    const reader = this.reader(name);
    reader?.end();
    return reader !== undefined;
  }

  /**
   * RFC 8446 §4.2: an extension that was not offered MUST NOT be answered.
   *
   * Throws `ERR_TLS_UNSUPPORTED_EXTENSION` for one that `offered` does not hold, and `ERR_TLS_ILLEGAL_PARAMETER` for one that
   * was offered and does not belong in this message.
   */
  expectOnly(allowed: readonly ExtensionName[], offered: (number: number) => boolean, where: string): void {
    const numbers = new Set(allowed.map(extensionNumber));
    for (const number of this.#values.keys()) {
      if (!offered(number)) {
        throw new TlsError("ERR_TLS_UNSUPPORTED_EXTENSION", `${where} has an extension that was not offered`, {
          alert: "unsupported_extension",
          found: extensionText(number),
          clause: "RFC 8446 §4.2",
        });
      }
      if (!numbers.has(number)) {
        throw illegalParameter(`${where} has an extension that does not belong there`, "RFC 8446 §4.2", {
          found: extensionText(number),
          allowed: allowed.join(", "),
        });
      }
    }
  }
}

/** Reads `Extension extensions<0..2^16-1>`. Throws `ERR_TLS_DECODE`, and `ERR_TLS_ILLEGAL_PARAMETER` for one that is there twice. */
export function readExtensions(reader: Reader, what: string): ExtensionList {
  const body = new Reader(reader.vector16(), `The extensions of ${what}`);
  const values = new Map<number, Uint8Array>();
  while (body.remaining > 0) {
    const number = body.uint16();
    const value = body.vector16();
    // RFC 8446 §4.2: there MUST NOT be more than one extension of the same type.
    if (values.has(number)) {
      throw illegalParameter(`${what} has an extension twice`, "RFC 8446 §4.2", { found: extensionText(number) });
    }
    values.set(number, value);
  }
  return new ExtensionList(values);
}

/** No extensions: what a ServerHello of TLS 1.2 may end without. */
export const noExtensions: ExtensionList = /* @__PURE__ */ new ExtensionList(new Map());

/** Writes one extension. */
export function writeExtension(writer: Writer, name: ExtensionName, value: (value: Writer) => void): void {
  writer.uint16(extensionNumber(name)).vector16(value);
}
