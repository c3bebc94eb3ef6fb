/** AlgorithmIdentifier (RFC 5280 §4.1.1.2): read, never judged; what an algorithm means is `@latchkey/crypto`'s matter. */

import type { DerReader } from "@latchkey/asn1";

export interface AlgorithmIdentifier {
  /** Content octets of the object identifier, a view. */
  readonly algorithm: Uint8Array;
  /** The parameters with tag and length, a view; undefined where absent. */
  readonly parameters: Uint8Array | undefined;
  /** The whole AlgorithmIdentifier, a view: compare these to compare two. */
  readonly encoding: Uint8Array;
}

export function readAlgorithmIdentifier(reader: DerReader): AlgorithmIdentifier {
  const fields = reader.sequence();
  const algorithm = fields.oid();
  const parameters = fields.isAtEnd ? undefined : fields.any().encoding;
  fields.end();
  return { algorithm, parameters, encoding: fields.encoding };
}
