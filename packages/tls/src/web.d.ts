/** The web globals in use: every browser, edge runtime and Node.js has them. */
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label: "utf-8", options?: { fatal?: boolean });
  decode(octets: Uint8Array): string;
}
