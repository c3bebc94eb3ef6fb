/**
 * Wills (MQTT 3.1.1 §3.1.2.5; 5.0 §3.1.2.5, §3.1.3.2.2): published when the connection has ended without a normal DISCONNECT and the delay
 * has passed, also where the broker was killed or stopped meanwhile.
 */

import type { BrokerContext, Connection } from "../connection/connection.ts";
import type { EventSource } from "../events.ts";
import { messageOf, storedMessage } from "../persistence/stored-message.ts";
import type { KeptState, KeptWill } from "../ports/session-store.ts";
import { Message } from "../routing/message.ts";
import type { Session } from "../session/session.ts";
import type { StoredWill } from "../session/will.ts";
import { forgetWill, publishLateWill, publishWill, type EndedWill, type WillOwner } from "./will-publication.ts";

/** Has the store keep the will of an accepted CONNECT. Gives its number; 0 where it is not kept. */
export function keepWill<Peer, Principal>(connection: Connection<Peer, Principal>, will: StoredWill): number {
  const { context, client } = connection;
  const { persistence, authenticator, nowMs, epochMs } = context;
  if (persistence === undefined || client === undefined || authenticator.keepPrincipal === undefined) return 0;
  const epoch = { epochMs, nowMs: () => nowMs };
  const number = persistence.nextNumber();
  persistence.append({
    kind: "will",
    will: number,
    clientIdentifier: client.clientIdentifier,
    principal: authenticator.keepPrincipal(client.principal),
    delaySeconds: will.delaySeconds,
    dueAtMs: undefined,
    ...storedMessage(epoch, new Message(will.fields, nowMs, true, undefined)),
  });
  return number;
}

/** Has a will wait for its delay: its client may come back (MQTT-3.1.3-9), and it is published with the session's end at the latest. */
export function waitWithWill<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  session: Session,
  ended: EndedWill<Peer, Principal>,
  forMs: number,
): void {
  const { deadlines } = context;
  const publish = (): void => {
    session.will = undefined;
    deadlines.cancel(deadline);
    publishWill(context, ended);
  };
  const deadline = deadlines.add(context.nowMs + forMs, publish);
  const cancel = (): void => {
    session.will = undefined;
    deadlines.cancel(deadline);
    forgetWill(context, ended.number);
    ended.owner.release();
  };
  session.will = { publish, cancel };
}

/**
 * Takes up the wills that the last process has left. A connection that was open when it ended has ended with it: without DISCONNECT,
 * so its will is published, after its delay or with its session, and at the next tick where there is nothing to wait for. A client that is back
 * by then has none published.
 */
export function restoreWills<Peer, Principal>(context: BrokerContext<Peer, Principal>, kept: KeptState): void {
  const { persistence, sessions, epochMs } = context;
  if (persistence === undefined) return;
  for (const one of kept.wills) {
    const session = sessions.get(one.clientIdentifier);
    const delayMs = Math.min(one.delaySeconds, session?.expirySeconds ?? 0) * 1000;
    const dueAtMs = one.dueAtMs ?? (kept.lastAppendAtMs ?? epochMs()) + delayMs;
    if (one.dueAtMs === undefined) persistence.append({ kind: "will-waits", will: one.will, dueAtMs });
    const ended = { owner: new KeptOwner(context, one), will: willOf(one), number: one.will };
    // A clock that was set back does not make the delay longer.
    const leftMs = Math.min(Math.max(0, dueAtMs - epochMs()), delayMs);
    if (session !== undefined) waitWithWill(context, session, ended, leftMs);
    else publishLateWill(context, ended);
  }
}

function willOf(kept: KeptWill): StoredWill {
  const { topicName, payload, qos, retain, properties, expirySeconds, publisher } = messageOf(
    { epochMs: () => 0, nowMs: () => 0 },
    kept,
  );
  const fields = { topicName, payload, qos, retain, properties, expirySeconds, publisher };
  return { fields, delaySeconds: kept.delaySeconds };
}

/** Somebody who was connected to an earlier process. */
class KeptOwner<Peer, Principal> implements WillOwner<Peer, Principal> {
  readonly #context: BrokerContext<Peer, Principal>;
  readonly #kept: KeptWill;
  #principal: Principal | undefined;

  constructor(context: BrokerContext<Peer, Principal>, kept: KeptWill) {
    this.#context = context;
    this.#kept = kept;
  }

  async principal(): Promise<Principal | undefined> {
    const { authenticator } = this.#context;
    const { principal, clientIdentifier } = this.#kept;
    this.#principal ??= await authenticator.restorePrincipal?.(principal, clientIdentifier);
    return this.#principal;
  }

  source(): EventSource<Peer, Principal> {
    const { clientIdentifier } = this.#kept;
    return { peer: undefined, clientIdentifier, isAssignedIdentifier: false, principal: this.#principal };
  }

  release(): void {
    const principal = this.#principal;
    this.#principal = undefined;
    if (principal !== undefined) this.#context.authenticator.release?.(principal);
  }
}
