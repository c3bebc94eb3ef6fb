/** AlgorithmIdentifier (RFC 5280 §4.1.1.2), read as octets: `@latchkey/crypto` knows what an algorithm means. */

import type { DerReader } from "@latchkey/asn1";

/** An algorithm and its parameters, as octets. */
export interface AlgorithmIdentifier {
  /** Content octets of the object identifier, a view. */
  readonly algorithm: Uint8Array;
  /** The parameters with tag and length, a view; undefined where absent. */
  readonly parameters: Uint8Array | undefined;
  /** The whole AlgorithmIdentifier, a view: compare these to compare two. */
  readonly encoding: Uint8Array;
}

/** Reads an AlgorithmIdentifier. Fields are views. */
export function readAlgorithmIdentifier(reader: DerReader): AlgorithmIdentifier {
  const { offset } = reader;
  const outerEnd = reader.enter();
  const algorithm = reader.oid();
  const parameters = reader.isAtEnd ? undefined : reader.any().encoding;
  reader.leave(outerEnd);
  return { algorithm, parameters, encoding: reader.since(offset) };
}
