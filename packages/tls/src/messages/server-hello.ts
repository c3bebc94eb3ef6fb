/** ServerHello and HelloRetryRequest (RFC 8446 §4.1.3 and §4.1.4), which differ by their random only. */

import { equalBytes } from "@latchkey/asn1";
import { type ExtensionList, noExtensions, readExtensions } from "../extension-list.ts";
import { Reader } from "../reader.ts";
import { written, type Writer } from "../writer.ts";

/** A ServerHello as it came. The octets are views. */
export interface ServerHello {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuite: number;
  readonly compressionMethod: number;
  readonly extensions: ExtensionList;
}

/** SHA-256 of "HelloRetryRequest": the random that makes a ServerHello one (RFC 8446 §4.1.3). */
export const helloRetryRandom: Uint8Array = Uint8Array.of(
  0xcf,
  0x21,
  0xad,
  0x74,
  0xe5,
  0x9a,
  0x61,
  0x11,
  0xbe,
  0x1d,
  0x8c,
  0x02,
  0x1e,
  0x65,
  0xb8,
  0x91,
  0xc2,
  0xa2,
  0x11,
  0x16,
  0x7a,
  0xbb,
  0x8c,
  0x5e,
  0x07,
  0x9e,
  0x09,
  0xe2,
  0xc8,
  0xa8,
  0x33,
  0x9c,
);

/** The last octets of a random by which a server that knows TLS 1.3 says that it chose 1.2, or less: "DOWNGRD" and a digit. */
export const downgradeMark: Uint8Array = Uint8Array.of(0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01);

/** Whether the random ends with the mark of RFC 8446 §4.1.3, for 1.2 or for what is older. */
export function hasDowngradeMark(random: Uint8Array): boolean {
  const last = random.at(-1);
  return equalBytes(random.subarray(24, 31), downgradeMark.subarray(0, 7)) && (last === 1 || last === 0);
}

/** Whether a ServerHello is a HelloRetryRequest. */
export function isHelloRetryRequest({ random }: ServerHello): boolean {
  return equalBytes(random, helloRetryRandom);
}

/** Reads the body of a ServerHello. Throws `ERR_TLS_DECODE` and `ERR_TLS_ILLEGAL_PARAMETER`. */
export function readServerHello(body: Uint8Array): ServerHello {
  const reader = new Reader(body, "ServerHello");
  const legacyVersion = reader.uint16();
  const random = reader.octets(32);
  const sessionId = reader.vector8(0, 32);
  const cipherSuite = reader.uint16();
  const compressionMethod = reader.uint8();
  const extensions = reader.remaining === 0 ? noExtensions : readExtensions(reader, "ServerHello");
  reader.end();
  return { legacyVersion, random, sessionId, cipherSuite, compressionMethod, extensions };
}

/** What a ServerHello is written from. */
export interface ServerHelloInput {
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuite: number;
  readonly writeExtensions: (writer: Writer) => void;
}

/** The body of a ServerHello: legacy_version 0x0303, the null compression. */
export function writeServerHello(input: ServerHelloInput): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    writer.uint16(0x0303).octets(input.random).vector8(input.sessionId);
    writer.uint16(input.cipherSuite).uint8(0).vector16(input.writeExtensions);
  });
}
