/** An authorizer that fails refuses. */

import type { Denial } from "../ports/authorizer.ts";

/** The refusal of one that has thrown or rejected. It may answer the next time. */
export function refusalOf(cause: unknown): Denial {
  return { isAllowed: false, reason: `the authorizer failed: ${String(cause)}`, isTemporary: true };
}
