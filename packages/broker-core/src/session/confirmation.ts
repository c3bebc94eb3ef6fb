/** A message that somebody waits for. */

import type { DirectResult } from "../server-publish.ts";
import type { Session } from "./session.ts";

/** Tells what became of it. */
export interface Confirmation {
  /** Whom it was sent to. */
  readonly session: Session;
  /** The first result counts. */
  readonly settle: (result: DirectResult) => void;
}
