/** The web globals that this package uses; every browser, Node.js and edge runtime has them. */

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array): string;
}

declare class TextEncoder {
  encode(input: string): Uint8Array<ArrayBuffer>;
}

declare function atob(base64: string): string;
declare function btoa(binary: string): string;
