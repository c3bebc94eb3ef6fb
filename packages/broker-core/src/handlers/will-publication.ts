/** How a will that is due is published: what its owner may do is asked now, and again for a while where nobody can decide. */

import type { BrokerContext } from "../connection/connection.ts";
import type { Deadline } from "../deadlines.ts";
import type { EventSource } from "../events.ts";
import type { Action, Denial } from "../ports/authorizer.ts";
import { Message } from "../routing/message.ts";
import type { StoredWill, UndecidedWill } from "../session/will.ts";
import { decisionFor } from "./decision.ts";
import { publishMessage } from "./publication.ts";

/** Whose will it is. */
export interface WillOwner<Peer, Principal> {
  /** Whose rights are asked; undefined where it is not known any more. Does not throw; a rejection says that it cannot be told now. */
  principal(): Principal | undefined | Promise<Principal | undefined>;
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

/**
 * Milliseconds between the attempts to have it decided whether a will may be published, a minute in all: a registry that is locked or cannot be
 * reached is back by then, or it takes a person.
 */
const willRetriesMs: readonly number[] = [1000, 2000, 4000, 8000, 15_000, 30_000];

/** Wills that are asked about again in one turn. */
const willsPerTurn = 200;

/** Has the store forget a will: it is published, or never will be. */
export function forgetWill<Peer, Principal>({ persistence }: BrokerContext<Peer, Principal>, number: number): void {
  if (number > 0) persistence?.append({ kind: "will-gone", will: number });
}

/** The will was allowed at CONNECT. A policy may have changed since, so it is asked again for all that the will needs. */
export function publishWill<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  ended: EndedWill<Peer, Principal>,
): void {
  new WillPublication(context, ended, false).ask();
}

/** The same for a will that was due while nothing ran: at the next turn, unless its client is there first. */
export function publishLateWill<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  ended: EndedWill<Peer, Principal>,
): void {
  const publication = new WillPublication(context, ended, true);
  publication.register();
  context.undecidedWills.due.add(publication);
}

/** Asks about wills whose next attempt is due, as many as one turn has time for. True where some are left. */
export function askAboutWills<Peer, Principal>({ undecidedWills }: BrokerContext<Peer, Principal>): boolean {
  let left = willsPerTurn;
  for (const will of undecidedWills.due) {
    if (left === 0) return true;
    left -= 1;
    undecidedWills.due.delete(will);
    will.ask();
  }
  return false;
}

/** The client of this identifier is connected again, here or at another node: a will of its that is not decided yet comes too late. */
export function dropLateWill<Peer, Principal>(
  { undecidedWills }: BrokerContext<Peer, Principal>,
  clientIdentifier: string,
): void {
  undecidedWills.byClient.get(clientIdentifier)?.giveUp("its client was back before anybody could decide");
}

/** No will is asked about again. What the store has stays there for the next start. */
export function stopUndecidedWills<Peer, Principal>({ undecidedWills }: BrokerContext<Peer, Principal>): void {
  for (const will of Array.from(undecidedWills.byClient.values())) will.giveUp("the broker stops", true);
}

/** One will on its way. `isLate` where the client may be back already at the first attempt. */
class WillPublication<Peer, Principal> implements UndecidedWill {
  readonly #context: BrokerContext<Peer, Principal>;
  readonly #ended: EndedWill<Peer, Principal>;
  readonly #clientIdentifier: string;
  readonly #actions: readonly Action[];
  /** Whether it is dropped when its client comes back: an attempt that began when the connection ended is brought to its end. */
  #isLate: boolean;
  #retries = 0;
  #retry: Deadline | undefined;
  #isAsking = false;
  #isOver = false;
  /** What becomes of it if the attempt that runs is not decided, in place of another one. */
  #last: { readonly reason: string; readonly isStopping: boolean } | undefined;

  constructor(context: BrokerContext<Peer, Principal>, ended: EndedWill<Peer, Principal>, isLate: boolean) {
    this.#context = context;
    this.#ended = ended;
    this.#clientIdentifier = ended.owner.source().clientIdentifier ?? "";
    this.#actions = ended.will.fields.retain ? ["publish", "retain-publish"] : ["publish"];
    this.#isLate = isLate;
  }

  /** One that is not decided yet can be found by its client identifier. There is one at most: the order of a client's wills is kept. */
  register(): void {
    const { byClient } = this.#context.undecidedWills;
    const other = byClient.get(this.#clientIdentifier);
    if (other === this) return;
    other?.giveUp("a newer will of its client takes its place");
    byClient.set(this.#clientIdentifier, this);
  }

  ask(): void {
    this.#isAsking = true;
    this.#use(this.#ended.owner.principal(), (principal) => {
      if (principal !== undefined) {
        this.#askFor(principal, 0);
        return;
      }
      this.#isAsking = false;
      this.#drop("its client is not known any more");
    });
  }

  cancel(): void {
    forgetWill(this.#context, this.#ended.number);
    this.#end();
  }

  giveUp(reason: string, isStopping: boolean = false): void {
    if (this.#isAsking && !this.#isLate) {
      this.#last = { reason, isStopping };
      this.#unregister();
    } else if (isStopping && this.#ended.number > 0) this.#end();
    else this.#drop(reason);
  }

  #askFor(principal: Principal, index: number): void {
    const { topicName } = this.#ended.will.fields;
    const action = this.#actions[index];
    if (action === undefined) {
      this.#publish();
      return;
    }
    this.#use(decisionFor(this.#context, principal, action, topicName), (decision) => {
      if (decision === true) this.#askFor(principal, index + 1);
      else if (decision.isTemporary === true) this.#undecided(decision.reason);
      else this.#refused(principal, index, decision);
    });
  }

  /** Goes on with what is there, or will be. A rejection leaves it undecided. */
  #use<Value>(value: Value | Promise<Value>, use: (value: Value) => void): void {
    if (!(value instanceof Promise)) {
      use(value);
      return;
    }
    if (this.#last === undefined) this.register();
    const settled = (act: () => void): void => {
      // Given up meanwhile: what was asked for is there only now.
      if (this.#isOver) {
        this.#ended.owner.release();
        return;
      }
      this.#context.readClock();
      act();
      this.#context.inputDone();
    };
    void value.then(
      (result) => settled(() => use(result)),
      (cause: unknown) => settled(() => this.#undecided(String(cause))),
    );
  }

  #publish(): void {
    const { owner, will } = this.#ended;
    // A listener finds it no more.
    this.#unregister();
    this.#countAllowed(this.#actions.length);
    publishMessage(this.#context, new Message(will.fields, this.#context.nowMs, true, undefined), owner.source());
    this.#isAsking = false;
    this.cancel();
  }

  #refused(principal: Principal, index: number, denial: Denial): void {
    const { owner, will } = this.#ended;
    const action = this.#actions[index] ?? "publish";
    this.#unregister();
    this.#countAllowed(index);
    this.#context.counters.decisions[action].denied += 1;
    this.#context.emit({ type: "denied", ...owner.source(), principal, action, name: will.fields.topicName, denial });
    this.#isAsking = false;
    this.cancel();
  }

  #countAllowed(count: number): void {
    for (const action of this.#actions.slice(0, count)) this.#context.counters.decisions[action].allowed += 1;
  }

  /** An attempt without a decision is no refusal: neither reported nor counted. */
  #undecided(reason: string): void {
    const { deadlines, nowMs, undecidedWills } = this.#context;
    this.#isAsking = false;
    this.#isLate = true;
    const waitMs = willRetriesMs[this.#retries];
    if (this.#last !== undefined) this.giveUp(this.#last.reason, this.#last.isStopping);
    else if (waitMs === undefined) this.#drop(reason);
    else {
      this.#retries += 1;
      this.register();
      this.#retry = deadlines.add(nowMs + waitMs, () => undecidedWills.due.add(this));
    }
  }

  #drop(reason: string): void {
    const { counters, emit } = this.#context;
    const { topicName } = this.#ended.will.fields;
    this.cancel();
    counters.willsDropped += 1;
    emit({ type: "will-dropped", clientIdentifier: this.#clientIdentifier, topicName, reason });
  }

  #end(): void {
    const { deadlines, undecidedWills } = this.#context;
    this.#isOver = true;
    deadlines.cancel(this.#retry);
    undecidedWills.due.delete(this);
    this.#unregister();
    // Where somebody is asked at this moment, it is released with the answer.
    if (!this.#isAsking) this.#ended.owner.release();
  }

  #unregister(): void {
    const { byClient } = this.#context.undecidedWills;
    if (byClient.get(this.#clientIdentifier) === this) byClient.delete(this.#clientIdentifier);
  }
}
