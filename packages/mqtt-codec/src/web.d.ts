/** The web globals that this package uses; every browser and Node has them, except where `undefined` is in the type. */

interface TextDecoderOptions {
  readonly fatal?: boolean;
  readonly ignoreBOM?: boolean;
}

declare class TextDecoder {
  constructor(label?: string, options?: TextDecoderOptions);
  decode(bytes: Uint8Array): string;
}

declare class TextEncoder {
  encodeInto(text: string, bytes: Uint8Array): unknown;
}

/** Node's Buffer, looked up at run time: its `latin1Slice` makes ASCII text faster than TextDecoder does. */
// oxlint-disable-next-line no-var -- only `var` declares a property of globalThis
declare var Buffer:
  | { readonly prototype: { readonly latin1Slice?: (this: Uint8Array, start: number, end: number) => string } }
  | undefined;
