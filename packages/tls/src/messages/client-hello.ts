/** ClientHello (RFC 8446 §4.1.2). */

import { type ExtensionList, noExtensions, readExtensions } from "../extension-list.ts";
import { Reader } from "../reader.ts";
import { written, type Writer } from "../writer.ts";

/** A ClientHello as it came. The octets are views. */
export interface ClientHello {
  /** legacy_version, which only counts where supported_versions is not there. */
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  /** legacy_session_id. */
  readonly sessionId: Uint8Array;
  /** Suites and signalling values by number, in the client's order. */
  readonly cipherSuites: Uint16Array;
  readonly compressionMethods: Uint8Array;
  readonly extensions: ExtensionList;
}

/** Reads the body of a ClientHello. Throws `ERR_TLS_DECODE` and `ERR_TLS_ILLEGAL_PARAMETER`. */
export function readClientHello(body: Uint8Array): ClientHello {
  const reader = new Reader(body, "ClientHello");
  const legacyVersion = reader.uint16();
  const random = reader.octets(32);
  const sessionId = reader.vector8(0, 32);
  const cipherSuites = reader.uint16List();
  const compressionMethods = reader.vector8(1);
  // RFC 5246 §7.4.1.2: a hello may end without extensions.
  const extensions = reader.remaining === 0 ? noExtensions : readExtensions(reader, "ClientHello");
  reader.end();
  return { legacyVersion, random, sessionId, cipherSuites, compressionMethods, extensions };
}

/** What a ClientHello is written from. */
export interface ClientHelloInput {
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuites: readonly number[];
  /** Writes all extensions; pre_shared_key last. */
  readonly writeExtensions: (writer: Writer) => void;
}

/** The body of a ClientHello: legacy_version 0x0303, the null compression. */
export function writeClientHello(input: ClientHelloInput): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    writer.uint16(0x0303).octets(input.random).vector8(input.sessionId);
    writer.vector16((suites) => {
      for (const suite of input.cipherSuites) suites.uint16(suite);
    });
    writer.vector8(Uint8Array.of(0));
    writer.vector16(input.writeExtensions);
  });
}
