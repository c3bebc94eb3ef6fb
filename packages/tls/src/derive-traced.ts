/** Telling a trace what is derived from what: names, never values. */

import type { Connection } from "./connection.ts";
import { hexOf } from "./key-log.ts";

/** One derivation of the key schedule or the PRF. */
export function traceDerived(
  connection: Connection,
  name: string,
  from: string,
  how: string,
  transcriptHash?: Uint8Array,
): void {
  if (!connection.isTraced) return;
  connection.trace({
    step: "derived",
    name,
    from,
    how,
    transcriptHash: transcriptHash && hexOf(transcriptHash),
  });
}
