/** What other nodes want: a table that an `Interest` can be made of. */

import type { InterestedNode } from "../ports/cluster.ts";
import { filterParts } from "./subscription.ts";
import { SubscriptionTree } from "./subscription-tree.ts";

/** Who wants what one filter matches. */
interface Wants {
  readonly filter: string;
  readonly subscribers: Set<number>;
  /** Nodes by the name of a shared subscription. */
  readonly groups: Map<string, Set<number>>;
}

/** The filters of the other nodes. */
export class InterestTable {
  readonly #tree: SubscriptionTree<Wants>;
  readonly #filters = new Map<number, Set<string>>();
  #revision = 0;

  /** `multiLevelMatchesParent`: whether `a/#` matches `a`, which it does not in AWS IoT Core. */
  constructor(multiLevelMatchesParent: boolean = true) {
    this.#tree = new SubscriptionTree(multiLevelMatchesParent);
  }

  /** Another number after each change. */
  get revision(): number {
    return this.#revision;
  }

  /** A node wants what a filter matches; a shared subscription is `$share/NAME/FILTER`. */
  add(node: number, topicFilter: string): void {
    const parts = filterParts(topicFilter);
    if (parts === undefined) return;
    this.#revision += 1;
    const filters = this.#filters.get(node);
    if (filters === undefined) this.#filters.set(node, new Set([topicFilter]));
    else filters.add(topicFilter);
    const wants = this.#tree.at(parts.filter, () => ({
      filter: parts.filter,
      subscribers: new Set(),
      groups: new Map(),
    }));
    if (parts.group === undefined) {
      wants.subscribers.add(node);
      return;
    }
    const members = wants.groups.get(parts.group);
    if (members === undefined) wants.groups.set(parts.group, new Set([node]));
    else members.add(node);
  }

  /** It does not want that any more. */
  remove(node: number, topicFilter: string): void {
    const parts = filterParts(topicFilter);
    const wants = parts === undefined ? undefined : this.#tree.get(parts.filter);
    if (parts === undefined || wants === undefined || this.#filters.get(node)?.delete(topicFilter) !== true) return;
    this.#revision += 1;
    if (parts.group === undefined) wants.subscribers.delete(node);
    else {
      const members = wants.groups.get(parts.group);
      members?.delete(node);
      if (members?.size === 0) wants.groups.delete(parts.group);
    }
    if (wants.subscribers.size === 0 && wants.groups.size === 0) this.#tree.remove(parts.filter);
  }

  /** A node is gone, with all that it wanted. */
  removeNode(node: number): void {
    for (const topicFilter of Array.from(this.#filters.get(node) ?? [])) this.remove(node, topicFilter);
    this.#filters.delete(node);
  }

  /** As `Interest.match`. */
  match(topicName: string): readonly InterestedNode[] {
    const nodes = new Map<number, { hasSubscribers: boolean; readonly groups: string[] }>();
    const at = (node: number): { hasSubscribers: boolean; readonly groups: string[] } => {
      const known = nodes.get(node) ?? { hasSubscribers: false, groups: [] };
      nodes.set(node, known);
      return known;
    };
    for (const { subscribers, groups, filter } of this.#tree.match(topicName)) {
      for (const node of subscribers) at(node).hasSubscribers = true;
      for (const [name, members] of groups)
        for (const node of members) at(node).groups.push(`$share/${name}/${filter}`);
    }
    return Array.from(nodes, ([node, wants]) => ({ node, ...wants }));
  }
}
