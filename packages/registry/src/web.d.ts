/** The web globals that this package uses; every JavaScript runtime has them. */

interface TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}

declare const TextEncoder: { new (): TextEncoder };

interface TextDecoder {
  decode(octets: Uint8Array): string;
}

declare const TextDecoder: {
  new (label: string, options: { readonly fatal: boolean; readonly ignoreBOM?: boolean }): TextDecoder;
};
