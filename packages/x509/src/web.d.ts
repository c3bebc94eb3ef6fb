/** The one web global that this package uses; every browser, Node.js and edge runtime has it. */

declare class TextEncoder {
  encode(input: string): Uint8Array<ArrayBuffer>;
}
