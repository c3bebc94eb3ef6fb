/** PSK binders (RFC 8446 §4.2.11.2). */

import type { Connection } from "./connection.ts";
import { finishedData, KeySchedule } from "./key-schedule.ts";
import type { SessionFields } from "./session.ts";

/** The binder of a session over a ClientHello without its binders (RFC 8446 §4.2.11.2). */
export function presharedKeyBinder(
  connection: Connection,
  session: SessionFields,
  truncatedHello: Uint8Array,
): Uint8Array {
  const { hash } = session.suite;
  const schedule = new KeySchedule(connection.provider, hash, session.secret);
  const binderKey = schedule.deriveBinderKey();
  schedule.erase();
  const binder = finishedData(
    connection.provider,
    hash,
    binderKey,
    connection.transcript.hashWith(truncatedHello, hash),
  );
  binderKey.fill(0);
  return binder;
}
