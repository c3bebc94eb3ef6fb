/** The one web global in use: every browser, edge runtime and Node.js has it. */
declare const crypto: {
  getRandomValues(octets: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
};
