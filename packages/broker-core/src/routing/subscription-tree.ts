/**
 * Who subscribed to what: a tree over topic levels.
 *
 * A match walks at most three children a level (the level itself, `+`, `#`), so its cost depends on the topic's depth
 * and on what matches, not on how many subscriptions there are. Filters are taken as valid (MQTT 3.1.1 §4.7).
 */

import { type LevelNode, LevelTree } from "./level-tree.ts";

/** One value a filter. */
export class SubscriptionTree<Value> {
  readonly #tree = new LevelTree<Value>();
  readonly #multiLevelMatchesParent: boolean;

  /** `multiLevelMatchesParent`: whether `a/#` matches `a`, which it does not in AWS IoT Core. */
  constructor(multiLevelMatchesParent: boolean = true) {
    this.#multiLevelMatchesParent = multiLevelMatchesParent;
  }

  /** The value of a filter, made where there is none. */
  at(topicFilter: string, make: () => Value): Value {
    const node = this.#tree.make(topicFilter);
    node.value ??= make();
    return node.value;
  }

  /** The value of a filter. */
  get(topicFilter: string): Value | undefined {
    return this.#tree.get(topicFilter);
  }

  /** Removes a filter and the levels that no other one needs; false where there was none. */
  remove(topicFilter: string): boolean {
    return this.#tree.remove(topicFilter) !== undefined;
  }

  /**
   * The values of all filters that match a topic name. Filters that begin with a wildcard do not match topics that begin
   * with `$` (MQTT-4.7.2-1).
   */
  match(topicName: string): Value[] {
    const matched: Value[] = [];
    this.#collect(this.#tree.root, topicName.split("/"), 0, topicName.startsWith("$"), matched);
    return matched;
  }

  #collect(
    node: LevelNode<Value>,
    levels: readonly string[],
    depth: number,
    isReserved: boolean,
    matched: Value[],
  ): void {
    const level = levels[depth];
    const mayUseWildcard = depth > 0 || !isReserved;
    if (node.hasChildren && mayUseWildcard && (level !== undefined || this.#multiLevelMatchesParent)) {
      const rest = node.child("#");
      if (rest?.value !== undefined) matched.push(rest.value);
    }
    if (level === undefined) {
      if (node.value !== undefined) matched.push(node.value);
      return;
    }
    if (!node.hasChildren) return;
    const exact = node.child(level);
    if (exact !== undefined) this.#collect(exact, levels, depth + 1, isReserved, matched);
    if (!mayUseWildcard) return;
    const single = node.child("+");
    if (single !== undefined) this.#collect(single, levels, depth + 1, isReserved, matched);
  }

  /** Whether there is no filter at all. */
  get isEmpty(): boolean {
    return !this.#tree.root.hasChildren;
  }
}
