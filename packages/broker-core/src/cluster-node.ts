/** One node of several: what other nodes have for this one, and what they take from it. */

import type { BrokerContext } from "./connection/connection.ts";
import { keepRetained } from "./handlers/publication.ts";
import { dropLateWill } from "./handlers/will-publication.ts";
import { movedSession } from "./persistence/moved-session.ts";
import { messageOf, storedMessage, type Epoch } from "./persistence/stored-message.ts";
import type { ForwardedMessage, MovedSession } from "./ports/cluster.ts";
import { checkVersion } from "./routing/retained-messages.ts";

/** A node as those see it that carry messages and sessions to it. Calls take the time of the broker's clock. */
export class ClusterNode<Peer, Principal> {
  readonly #context: BrokerContext<Peer, Principal>;
  readonly #epoch: Epoch;

  constructor(context: BrokerContext<Peer, Principal>) {
    this.#context = context;
    this.#epoch = { epochMs: context.epochMs, nowMs: () => context.nowMs };
  }

  /**
   * Takes messages that another node has forwarded, in their order. They are never forwarded again. Throws `RangeError`, and takes none of
   * them, where a retained version or its time is no number that a node can have made.
   */
  receive(messages: readonly ForwardedMessage[], nowMs: number): void {
    const context = this.#context;
    context.nowMs = nowMs;
    for (const { message, retained } of messages) {
      if (retained === undefined) continue;
      checkVersion(message.topicName, retained.version);
      if (!Number.isFinite(retained.storedAtMs)) throw new RangeError(`storedAtMs is ${retained.storedAtMs}`);
    }
    for (const { message: stored, isForSubscribers, groups, retained } of messages) {
      const message = messageOf(this.#epoch, stored);
      const { topicName, payload } = message;
      const isExpired = message.isExpired(nowMs);
      if (retained !== undefined) {
        const { version, storedAtMs } = retained;
        // What has expired on its way takes the place of the older message all the same.
        if (isExpired || payload.length === 0) context.retained.delete(topicName, version);
        else keepRetained(context, message, version, storedAtMs);
      }
      if (isExpired) continue;
      context.router.routeForwarded(message, isForSubscribers, groups, nowMs);
    }
    context.router.congested.length = 0;
    context.inputDone();
  }

  /**
   * Gives a session to the node that claims it: its connection here ends with 0x8E, session taken over (MQTT-3.1.4-3), and so does the session.
   * Undefined where there is none, or where nothing of it is to be kept (`isCleanStart`).
   */
  release(clientIdentifier: string, isCleanStart: boolean, nowMs: number): MovedSession | undefined {
    const context = this.#context;
    context.nowMs = nowMs;
    const { sessions, takeOver } = context;
    takeOver(clientIdentifier);
    const session = sessions.get(clientIdentifier);
    let moved: MovedSession | undefined;
    if (session !== undefined && !isCleanStart) {
      // The client has come back in time (MQTT-3.1.3-9).
      session.will?.cancel();
      moved = movedSession(context, session);
      sessions.remove(session);
    } else if (session !== undefined) sessions.end(session, "clean-start");
    dropLateWill(context, clientIdentifier);
    context.inputDone();
    return moved;
  }

  /** All retained messages, for a node that is new: they change what it retains, and go to no subscriber. */
  *retained(): Iterable<ForwardedMessage> {
    for (const { message, version, storedAtMs } of this.#context.retained.all()) {
      const retained = { version, storedAtMs };
      yield { message: storedMessage(this.#epoch, message), isForSubscribers: false, groups: [], retained };
    }
  }
}
