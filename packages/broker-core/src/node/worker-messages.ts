/** What the store and its thread say to each other. */

import type { KeptState, SessionRecord, SessionStoreErrorCode } from "../ports/session-store.ts";

/** To the thread: one at a time, each answered once. */
export type StoreRequest =
  | { readonly type: "load" }
  | { readonly type: "append"; readonly records: readonly SessionRecord[]; readonly atMs: number }
  | { readonly type: "close" };

/** From the thread. An error crosses as fields. */
export type StoreAnswer =
  | { readonly ok: true; readonly state?: KeptState }
  | { readonly ok: false; readonly code: SessionStoreErrorCode; readonly message: string; readonly isFull: boolean };
