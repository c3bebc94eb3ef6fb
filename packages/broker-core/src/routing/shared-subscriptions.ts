/** Shared subscriptions, MQTT 5.0 §4.8.2: each message goes to one member of a group. */

import type { Message } from "./message.ts";
import type { Subscriber } from "./subscriber.ts";
import type { SessionSubscription } from "./subscription.ts";

/** One group on one filter. */
export class SharedGroup {
  readonly name: string;
  readonly filter: string;
  readonly members: Map<Subscriber, SessionSubscription> = new Map();
  #order: Subscriber[] | undefined;
  #next = 0;

  constructor(name: string, filter: string) {
    this.name = name;
    this.filter = filter;
  }

  /** As clients write it. */
  get topicFilter(): string {
    return `$share/${this.name}/${this.filter}`;
  }

  add(session: Subscriber, subscription: SessionSubscription): void {
    this.members.set(session, subscription);
    this.#order = undefined;
  }

  remove(session: Subscriber): boolean {
    this.#order = undefined;
    return this.members.delete(session);
  }

  /**
   * Members in the order in which a message should be offered to them: in turn those that are connected and read, then those
   * that are connected, then those for whom it can wait. At most as many as there are.
   */
  *candidates(message: Message): Iterable<readonly [Subscriber, SessionSubscription]> {
    this.#order ??= Array.from(this.members.keys());
    const order = this.#order;
    const first = this.#next++ % Math.max(1, order.length);
    for (const wanted of [2, 1, 0]) {
      for (let offset = 0; offset < order.length; offset++) {
        const session = order[(first + offset) % order.length];
        const subscription = session === undefined ? undefined : this.members.get(session);
        if (session === undefined || subscription === undefined || readiness(session) !== wanted) continue;
        if (wanted === 0 && (message.qos === 0 || subscription.qos === 0)) continue;
        yield [session, subscription];
      }
    }
  }
}

function readiness({ receiver }: Subscriber): 0 | 1 | 2 {
  if (receiver === undefined) return 0;
  return receiver.isCongested ? 1 : 2;
}
