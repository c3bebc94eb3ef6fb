/** What a store kept becomes sessions and retained messages of a broker that starts. */

import type { BrokerContext } from "../connection/connection.ts";
import { expireRetained } from "../handlers/publication.ts";
import type { KeptSession, KeptState } from "../ports/session-store.ts";
import type { Message } from "../routing/message.ts";
import { putSession } from "./put-session.ts";
import type { SessionPersistence } from "./session-persistence.ts";
import { messageOf } from "./stored-message.ts";

/** Puts everything back that has not expired meanwhile. Called once, before the first connection. */
export function restore<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  persistence: SessionPersistence,
  kept: KeptState,
): void {
  const { nowMs, epochMs, retained, sessions } = context;
  const epochNow = epochMs();
  const epoch = { nowMs: () => nowMs, epochMs: () => epochNow };
  const messages = new Map<number, Message>();
  for (const [number, stored] of kept.messages) {
    const message = messageOf(epoch, stored);
    persistence.isKept(message, number);
    messages.set(number, message);
  }
  for (const { message: number, version, storedAtMs } of kept.retained) {
    const message = messages.get(number);
    if (message === undefined) continue;
    if (retained.set(message, storedAtMs, version) !== undefined) expireRetained(context, message, version);
  }
  const awaySince = ({ awayAtMs }: KeptSession): number => awayAtMs ?? kept.lastAppendAtMs ?? epochNow;
  for (const session of kept.sessions.toSorted((one, other) => awaySince(one) - awaySince(other))) {
    const restored = putSession(context, session, messages, epoch);
    restored.journal = persistence.journalOf(restored, session.session);
    const atMs = awaySince(session);
    restored.lastEnd = { atMs, reason: session.awayReason, detail: session.awayDetail ?? "" };
    // Where the last process was killed, the client has been away since.
    if (session.awayAtMs === undefined) restored.journal?.detached(restored.expirySeconds);
    sessions.detach(restored, Math.max(0, epochNow - atMs));
  }
}
