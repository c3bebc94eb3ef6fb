/** Messages for other nodes: to which they go, and gathered until the broker has done with an input. */

import type { ForwardedMessage, Interest, InterestedNode } from "../ports/cluster.ts";
import type { StoredMessage } from "../ports/session-store.ts";
import type { Message } from "./message.ts";

/** Topics whose match is remembered. */
const maximumMatches = 4096;

/** Messages for one node, or for all where it is undefined. */
interface Batch {
  readonly node: number | undefined;
  readonly messages: ForwardedMessage[];
}

/** The other nodes, as the router sees them. */
export class OtherNodes {
  readonly #interest: Interest;
  readonly #stored: (message: Message) => StoredMessage;
  readonly #matches = new Map<string, readonly InterestedNode[]>();
  #revision: number | undefined;
  /** In the order in which they have to be handed over. */
  #batches: Batch[] = [];
  /** The last one of each node behind the last one for all. */
  readonly #open = new Map<number, Batch>();
  /** The message that was forwarded last, as others get it: it often goes to several nodes. */
  #last: { readonly message: Message; readonly stored: StoredMessage } | undefined;
  #turn = 0;

  constructor(interest: Interest, stored: (message: Message) => StoredMessage) {
    this.#interest = interest;
    this.#stored = stored;
  }

  /** A filter got its first subscription here. */
  subscribed(topicFilter: string): void {
    this.#interest.subscribed(topicFilter);
  }

  /** It lost its last one. */
  unsubscribed(topicFilter: string): void {
    this.#interest.unsubscribed(topicFilter);
  }

  /** Who wants a topic. */
  match(topicName: string): readonly InterestedNode[] {
    const { revision } = this.#interest;
    if (revision !== this.#revision) {
      this.#revision = revision;
      this.#matches.clear();
    }
    const known = this.#matches.get(topicName);
    if (known !== undefined) return known;
    const match = this.#interest.match(topicName);
    if (this.#matches.size >= maximumMatches) this.#matches.clear();
    this.#matches.set(topicName, match);
    return match;
  }

  /** Chooses a node for each shared subscription that nobody has served, in turn: by node, the groups that it is to serve. */
  chooseForGroups(nodes: readonly InterestedNode[], served: ReadonlySet<string>): ReadonlyMap<number, string[]> {
    const members = new Map<string, number[]>();
    for (const { node, groups } of nodes) {
      for (const group of groups) {
        if (served.has(group)) continue;
        const known = members.get(group);
        if (known === undefined) members.set(group, [node]);
        else known.push(node);
      }
    }
    const chosen = new Map<number, string[]>();
    this.#turn += 1;
    for (const [group, candidates] of members) {
      const node = candidates[this.#turn % candidates.length];
      if (node === undefined) continue;
      const groups = chosen.get(node);
      if (groups === undefined) chosen.set(node, [group]);
      else groups.push(group);
    }
    return chosen;
  }

  /** Has a message handed to a node, or to all where it is undefined. */
  forward(node: number | undefined, message: Message, how: Omit<ForwardedMessage, "message">): void {
    if (this.#last?.message !== message) this.#last = { message, stored: this.#stored(message) };
    this.#batchFor(node).messages.push({ message: this.#last.stored, ...how });
  }

  /** Hands over what was gathered. */
  flush(): void {
    if (this.#batches.length === 0) return;
    const batches = this.#batches;
    this.#batches = [];
    this.#open.clear();
    this.#last = undefined;
    for (const { node, messages } of batches) this.#interest.forward(node, messages);
  }

  #batchFor(node: number | undefined): Batch {
    const last = node === undefined ? this.#batches.at(-1) : this.#open.get(node);
    if (last !== undefined && last.node === node) return last;
    const batch = { node, messages: [] };
    this.#batches.push(batch);
    if (node === undefined) this.#open.clear();
    else this.#open.set(node, batch);
    return batch;
  }
}
