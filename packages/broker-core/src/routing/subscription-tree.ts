/**
 * Who subscribed to what: a tree over topic levels.
 *
 * A match walks at most three children a level (the level itself, `+`, `#`), so its cost depends on the topic's depth
 * and on what matches, not on how many subscriptions there are. Filters are taken as valid (MQTT 3.1.1 §4.7).
 */

/** One level. `values` belong to the filter that ends here. */
interface Node<Value> {
  children: Map<string, Node<Value>> | undefined;
  value: Value | undefined;
}

/** One value a filter. */
export class SubscriptionTree<Value> {
  readonly #root: Node<Value> = { children: undefined, value: undefined };
  readonly #multiLevelMatchesParent: boolean;

  /** `multiLevelMatchesParent`: whether `a/#` matches `a`, which it does not in AWS IoT Core. */
  constructor(multiLevelMatchesParent: boolean = true) {
    this.#multiLevelMatchesParent = multiLevelMatchesParent;
  }

  /** The value of a filter, made where there is none. */
  at(topicFilter: string, make: () => Value): Value {
    let node = this.#root;
    for (const level of topicFilter.split("/")) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) node.children.set(level, (child = { children: undefined, value: undefined }));
      node = child;
    }
    node.value ??= make();
    return node.value;
  }

  /** The value of a filter. */
  get(topicFilter: string): Value | undefined {
    let node: Node<Value> | undefined = this.#root;
    for (const level of topicFilter.split("/")) {
      node = node.children?.get(level);
      if (node === undefined) return undefined;
    }
    return node.value;
  }

  /** Removes a filter and the levels that no other one needs; false where there was none. */
  remove(topicFilter: string): boolean {
    const levels = topicFilter.split("/");
    const path = [this.#root];
    for (const level of levels) {
      const child = path.at(-1)?.children?.get(level);
      if (child === undefined) return false;
      path.push(child);
    }
    const last = path.at(-1);
    const wasThere = last?.value !== undefined;
    if (last !== undefined) last.value = undefined;
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth];
      if (node === undefined || (node.children?.size ?? 0) > 0 || node.value !== undefined) break;
      path[depth - 1]?.children?.delete(levels[depth - 1] ?? "");
    }
    return wasThere;
  }

  /**
   * The values of all filters that match a topic name. Filters that begin with a wildcard do not match topics that begin
   * with `$` (MQTT-4.7.2-1).
   */
  match(topicName: string): Value[] {
    const matched: Value[] = [];
    this.#collect(this.#root, topicName.split("/"), 0, topicName.startsWith("$"), matched);
    return matched;
  }

  #collect(node: Node<Value>, levels: readonly string[], depth: number, isReserved: boolean, matched: Value[]): void {
    const { children } = node;
    const level = levels[depth];
    const mayUseWildcard = depth > 0 || !isReserved;
    if (children !== undefined && mayUseWildcard && (level !== undefined || this.#multiLevelMatchesParent)) {
      const rest = children.get("#");
      if (rest?.value !== undefined) matched.push(rest.value);
    }
    if (level === undefined) {
      if (node.value !== undefined) matched.push(node.value);
      return;
    }
    if (children === undefined) return;
    const exact = children.get(level);
    if (exact !== undefined) this.#collect(exact, levels, depth + 1, isReserved, matched);
    if (!mayUseWildcard) return;
    const single = children.get("+");
    if (single !== undefined) this.#collect(single, levels, depth + 1, isReserved, matched);
  }

  /** Whether there is no filter at all. */
  get isEmpty(): boolean {
    return (this.#root.children?.size ?? 0) === 0;
  }
}
