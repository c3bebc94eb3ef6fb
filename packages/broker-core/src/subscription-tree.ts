/**
 * Who subscribed to what: a tree over topic levels.
 *
 * A match walks at most three children a level (the level itself, `+`, `#`), so its cost depends on the topic's depth
 * and on what matches, not on how many subscriptions there are. Filters are taken as valid (MQTT 3.1.1 §4.7).
 */

/** One level. `subscribers` are those whose filter ends here, with the granted QoS. */
interface Node<Subscriber> {
  readonly children: Map<string, Node<Subscriber>>;
  readonly subscribers: Map<Subscriber, 0 | 1>;
}

/** Subscriptions of any kind of subscriber, compared by identity. */
export class SubscriptionTree<Subscriber> {
  readonly #root: Node<Subscriber> = emptyNode();

  /** Adds a subscription, or changes the QoS of the one that is there (MQTT-3.8.4-3). */
  add(topicFilter: string, subscriber: Subscriber, qos: 0 | 1): void {
    let node = this.#root;
    for (const level of topicFilter.split("/")) {
      let child = node.children.get(level);
      if (child === undefined) node.children.set(level, (child = emptyNode()));
      node = child;
    }
    node.subscribers.set(subscriber, qos);
  }

  /** Removes a subscription and the levels that no other one needs; false where there was none. */
  remove(topicFilter: string, subscriber: Subscriber): boolean {
    const levels = topicFilter.split("/");
    const path = [this.#root];
    for (const level of levels) {
      const child = path.at(-1)?.children.get(level);
      if (child === undefined) return false;
      path.push(child);
    }
    const wasThere = path.at(-1)?.subscribers.delete(subscriber) ?? false;
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth];
      if (node === undefined || node.children.size > 0 || node.subscribers.size > 0) break;
      path[depth - 1]?.children.delete(levels[depth - 1] ?? "");
    }
    return wasThere;
  }

  /**
   * All subscribers of a topic name, each once, with the highest QoS of the filters that match (MQTT 3.1.1
   * §3.3.5). Filters that begin with a wildcard do not match topics that begin with `$` (MQTT-4.7.2-1).
   */
  match(topicName: string): Map<Subscriber, 0 | 1> {
    const matched = new Map<Subscriber, 0 | 1>();
    collect(this.#root, topicName.split("/"), 0, topicName.startsWith("$"), matched);
    return matched;
  }

  /** Whether there is no subscription at all. */
  get isEmpty(): boolean {
    return this.#root.children.size === 0;
  }
}

function emptyNode<Subscriber>(): Node<Subscriber> {
  return { children: new Map(), subscribers: new Map() };
}

function collect<Subscriber>(
  node: Node<Subscriber>,
  levels: readonly string[],
  depth: number,
  isReserved: boolean,
  matched: Map<Subscriber, 0 | 1>,
): void {
  const mayUseWildcard = depth > 0 || !isReserved;
  const rest = mayUseWildcard ? node.children.get("#") : undefined;
  if (rest !== undefined) addAll(rest, matched);
  const level = levels[depth];
  if (level === undefined) {
    addAll(node, matched);
    return;
  }
  const exact = node.children.get(level);
  if (exact !== undefined) collect(exact, levels, depth + 1, isReserved, matched);
  const single = mayUseWildcard ? node.children.get("+") : undefined;
  if (single !== undefined) collect(single, levels, depth + 1, isReserved, matched);
}

function addAll<Subscriber>(node: Node<Subscriber>, matched: Map<Subscriber, 0 | 1>): void {
  for (const [subscriber, qos] of node.subscribers) {
    if (qos === 1 || !matched.has(subscriber)) matched.set(subscriber, qos);
  }
}
