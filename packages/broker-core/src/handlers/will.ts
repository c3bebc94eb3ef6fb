/**
 * Wills (MQTT 3.1.1 §3.1.2.5; 5.0 §3.1.2.5, §3.1.3.2.2): published when the connection has ended without a normal DISCONNECT and the delay
 * has passed, also where the broker was killed or stopped meanwhile.
 */

import type { BrokerContext, Connection } from "../connection/connection.ts";
import type { EventSource } from "../events.ts";
import { messageOf, storedMessage } from "../persistence/stored-message.ts";
import type { Action, Decision } from "../ports/authorizer.ts";
import type { KeptState, KeptWill } from "../ports/session-store.ts";
import { Message } from "../routing/message.ts";
import type { Session } from "../session/session.ts";
import type { StoredWill } from "../session/will.ts";
import { decisionFor } from "./decision.ts";
import { publishMessage } from "./publication.ts";

/** Whose will it is. */
export interface WillOwner<Peer, Principal> {
  /** Asks the authorizer, and reports a refusal. Neither throws nor rejects. */
  decide(action: Action, name: string): Decision | Promise<Decision>;
  source(): EventSource<Peer, Principal>;
  /** Nothing is decided for it any more. */
  release(): void;
}

/** A will whose connection has ended. */
export interface EndedWill<Peer, Principal> {
  readonly owner: WillOwner<Peer, Principal>;
  readonly will: StoredWill;
  /** Its number in the store; 0 for none. */
  readonly number: number;
}

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

/** A will that is not published: a normal DISCONNECT, or its client came back in time. */
export function forgetWill<Peer, Principal>({ persistence }: BrokerContext<Peer, Principal>, number: number): void {
  if (number > 0) persistence?.append({ kind: "will-gone", will: number });
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
 * Milliseconds between the attempts to have it decided whether a will may be published, a minute in all: a registry that is locked or does not
 * answer is back by then, or it takes a person.
 */
const willRetriesMs: readonly number[] = [1000, 2000, 4000, 8000, 15_000, 30_000];

/** The will was allowed at CONNECT. A policy may have changed since, so it is asked again for all that the will needs. */
export function publishWill<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  ended: EndedWill<Peer, Principal>,
  attempt: number = 0,
): void {
  const { owner, will, number } = ended;
  const { topicName, retain } = will.fields;
  const actions: readonly Action[] = retain ? ["publish", "retain-publish"] : ["publish"];
  const done = (): void => {
    forgetWill(context, number);
    owner.release();
  };
  const ask = (index: number): void => {
    const action = actions[index];
    if (action === undefined) {
      publishMessage(context, new Message(will.fields, context.nowMs, true, undefined), owner.source());
      done();
      return;
    }
    const decision = owner.decide(action, topicName);
    if (!(decision instanceof Promise)) {
      decided(index, decision);
      return;
    }
    void decision.then((answer) => {
      context.readClock();
      decided(index, answer);
      context.inputDone();
    });
  };
  const decided = (index: number, decision: Decision): void => {
    if (decision === true) {
      ask(index + 1);
      return;
    }
    const waitMs = decision.isTemporary === true ? willRetriesMs[attempt] : undefined;
    if (waitMs !== undefined) {
      context.deadlines.add(context.nowMs + waitMs, () => publishWill(context, ended, attempt + 1));
      return;
    }
    if (decision.isTemporary === true)
      willDropped(context, owner.source().clientIdentifier, topicName, decision.reason);
    done();
  };
  ask(0);
}

function willDropped<Peer, Principal>(
  { counters, emit }: BrokerContext<Peer, Principal>,
  clientIdentifier: string | undefined,
  topicName: string,
  reason: string,
): void {
  counters.willsDropped += 1;
  emit({ type: "will-dropped", clientIdentifier: clientIdentifier ?? "", topicName, reason });
}

/**
 * Takes up the wills that the last process has left. A connection that was open when it ended has ended with it: without DISCONNECT,
 * so its will is published, after its delay or with its session, and at the next tick where there is nothing to wait for.
 */
export function restoreWills<Peer, Principal>(context: BrokerContext<Peer, Principal>, kept: KeptState): void {
  const { persistence, sessions, deadlines, epochMs, nowMs } = context;
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
    else deadlines.add(nowMs, () => publishWill(context, ended));
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

  async decide(action: Action, name: string): Promise<Decision> {
    const { counters, emit } = this.#context;
    try {
      this.#principal ??= await this.#restored();
    } catch (cause) {
      return { isAllowed: false, reason: String(cause), isTemporary: true };
    }
    const principal = this.#principal;
    if (principal === undefined) {
      const { clientIdentifier, topicName } = this.#kept;
      const reason = "its client is not known any more";
      willDropped(this.#context, clientIdentifier, topicName, reason);
      return { isAllowed: false, reason };
    }
    const decision = await decisionFor(this.#context, principal, action, name);
    counters.decisions[action][decision === true ? "allowed" : "denied"] += 1;
    if (decision !== true) emit({ type: "denied", ...this.source(), principal, action, name, denial: decision });
    return decision;
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

  async #restored(): Promise<Principal | undefined> {
    const { authenticator } = this.#context;
    return authenticator.restorePrincipal?.(this.#kept.principal, this.#kept.clientIdentifier);
  }
}
