/**
 * Retained messages: a tree over topic levels, so that a filter visits what it matches and not all there are.
 *
 * Each has a version: of two for one topic the higher one stays, whatever the order in which they arrive.
 */

import { type LevelNode, LevelTree } from "./level-tree.ts";
import type { Message } from "./message.ts";

/** A retained message. */
export interface RetainedMessage {
  readonly message: Message;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly storedAtMs: number;
}

/** Gets each change, where a store keeps retained messages. */
export interface RetainedJournal {
  retained(retained: RetainedMessage): void;
  retainedDeleted(topicName: string): void;
}

type RetainedNode = LevelNode<RetainedMessage>;

/** All retained messages of a broker. */
export class RetainedMessages {
  readonly #tree = new LevelTree<RetainedMessage>();
  readonly #multiLevelMatchesParent: boolean;
  #size = 0;
  #octets = 0;
  #lastVersion = 0;
  journal: RetainedJournal | undefined;

  constructor(multiLevelMatchesParent: boolean) {
    this.#multiLevelMatchesParent = multiLevelMatchesParent;
  }

  get size(): number {
    return this.#size;
  }

  get octets(): number {
    return this.#octets;
  }

  /** The version of the message that was stored last. */
  get lastVersion(): number {
    return this.#lastVersion;
  }

  get(topicName: string): RetainedMessage | undefined {
    return this.#tree.get(topicName);
  }

  /** Replaces what the topic retains (MQTT-3.3.1-5). `version` is given where the message comes from a store or another node. */
  set(message: Message, storedAtMs: number, version: number = this.#lastVersion + 1): RetainedMessage {
    this.#lastVersion = Math.max(this.#lastVersion, version);
    const node = this.#tree.make(message.topicName);
    if (node.value !== undefined && node.value.version > version) return node.value;
    if (node.value === undefined) this.#size += 1;
    this.#octets += message.octets - (node.value?.message.octets ?? 0);
    node.value = { message, version, storedAtMs };
    this.journal?.retained(node.value);
    return node.value;
  }

  /** Removes what the topic retains, and the levels that nothing else needs. */
  delete(topicName: string): boolean {
    const removed = this.#tree.remove(topicName);
    if (removed === undefined) return false;
    this.#size -= 1;
    this.#octets -= removed.message.octets;
    this.journal?.retainedDeleted(topicName);
    return true;
  }

  /** All that match a filter, one after another; `undefined` between them counts a step without a message. */
  matching(topicFilter: string): Iterator<RetainedMessage | undefined> {
    return this.#walk(this.#tree.root, topicFilter.split("/"), 0);
  }

  /** All of them. */
  *all(): Iterable<RetainedMessage> {
    const nodes = [this.#tree.root];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (node.value !== undefined) yield node.value;
      if (node.children !== undefined) nodes.push(...node.children.values());
    }
  }

  *#walk(
    node: RetainedNode,
    levels: readonly string[],
    depth: number,
  ): Generator<RetainedMessage | undefined, undefined> {
    yield undefined;
    const level = levels[depth];
    if (level === undefined) {
      if (node.value !== undefined) yield node.value;
      return;
    }
    if (level === "#") {
      if (node.value !== undefined && depth > 0 && this.#multiLevelMatchesParent) yield node.value;
      yield* this.#below(node, depth === 0);
      return;
    }
    if (level !== "+") {
      const child = node.children?.get(level);
      if (child !== undefined) yield* this.#walk(child, levels, depth + 1);
      return;
    }
    for (const [name, child] of node.children ?? []) {
      // MQTT-4.7.2-1
      if (depth > 0 || !name.startsWith("$")) yield* this.#walk(child, levels, depth + 1);
    }
  }

  /** Everything under a node, without recursion: a topic may have thousands of levels. */
  *#below(node: RetainedNode, isRoot: boolean): Generator<RetainedMessage | undefined, undefined> {
    const open: Iterator<[string, RetainedNode]>[] = [(node.children ?? new Map<string, RetainedNode>()).entries()];
    for (let entries = open.at(-1); entries !== undefined; entries = open.at(-1)) {
      const next = entries.next();
      if (next.done === true) {
        open.pop();
        continue;
      }
      const [name, child] = next.value;
      if (isRoot && open.length === 1 && name.startsWith("$")) continue;
      yield child.value;
      if (child.children !== undefined) open.push(child.children.entries());
    }
  }
}
