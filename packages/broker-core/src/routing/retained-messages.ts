/**
 * Retained messages: a tree over topic levels, so that a filter visits what it matches and not all there are.
 *
 * Each has a version: of two for one topic the higher one stays, whatever the order in which they arrive.
 */

import type { Message } from "./message.ts";

/** A retained message. */
export interface RetainedMessage {
  readonly message: Message;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly storedAtMs: number;
}

interface Node {
  children: Map<string, Node> | undefined;
  retained: RetainedMessage | undefined;
}

/** What is told of each change, where a store keeps them. */
export interface RetainedJournal {
  retained(retained: RetainedMessage): void;
  retainedDeleted(topicName: string): void;
}

/** All retained messages of a broker. */
export class RetainedMessages {
  readonly #root: Node = { children: undefined, retained: undefined };
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
    return this.#find(topicName.split("/"))?.retained;
  }

  /** Replaces what the topic retains (MQTT-3.3.1-5). `version` is given where the message comes from a store or another node. */
  set(message: Message, storedAtMs: number, version: number = this.#lastVersion + 1): RetainedMessage {
    this.#lastVersion = Math.max(this.#lastVersion, version);
    let node = this.#root;
    for (const level of message.topicName.split("/")) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) node.children.set(level, (child = { children: undefined, retained: undefined }));
      node = child;
    }
    if (node.retained !== undefined && node.retained.version > version) return node.retained;
    if (node.retained === undefined) this.#size += 1;
    this.#octets += message.octets - (node.retained?.message.octets ?? 0);
    node.retained = { message, version, storedAtMs };
    this.journal?.retained(node.retained);
    return node.retained;
  }

  /** Removes what the topic retains, and the levels that nothing else needs. */
  delete(topicName: string): boolean {
    const levels = topicName.split("/");
    const path = [this.#root];
    for (const level of levels) {
      const child = path.at(-1)?.children?.get(level);
      if (child === undefined) return false;
      path.push(child);
    }
    const last = path.at(-1);
    if (last?.retained === undefined) return false;
    this.#size -= 1;
    this.#octets -= last.retained.message.octets;
    last.retained = undefined;
    this.journal?.retainedDeleted(topicName);
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth];
      if (node === undefined || (node.children?.size ?? 0) > 0 || node.retained !== undefined) break;
      path[depth - 1]?.children?.delete(levels[depth - 1] ?? "");
    }
    return true;
  }

  /** All that match a filter, one after another; `undefined` between them counts a step without a message. */
  matching(topicFilter: string): Iterator<RetainedMessage | undefined> {
    return this.#walk(this.#root, topicFilter.split("/"), 0);
  }

  /** All of them. */
  *all(): Iterable<RetainedMessage> {
    const nodes = [this.#root];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (node.retained !== undefined) yield node.retained;
      if (node.children !== undefined) nodes.push(...node.children.values());
    }
  }

  #find(levels: readonly string[]): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const level of levels) {
      node = node.children?.get(level);
      if (node === undefined) return undefined;
    }
    return node;
  }

  *#walk(node: Node, levels: readonly string[], depth: number): Generator<RetainedMessage | undefined, undefined> {
    yield undefined;
    const level = levels[depth];
    if (level === undefined) {
      if (node.retained !== undefined) yield node.retained;
      return;
    }
    if (level === "#") {
      if (node.retained !== undefined && depth > 0 && this.#multiLevelMatchesParent) yield node.retained;
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
  *#below(node: Node, isRoot: boolean): Generator<RetainedMessage | undefined, undefined> {
    const open: Iterator<[string, Node]>[] = [(node.children ?? new Map<string, Node>()).entries()];
    for (let entries = open.at(-1); entries !== undefined; entries = open.at(-1)) {
      const next = entries.next();
      if (next.done === true) {
        open.pop();
        continue;
      }
      const [name, child] = next.value;
      if (isRoot && open.length === 1 && name.startsWith("$")) continue;
      yield child.retained;
      if (child.children !== undefined) open.push(child.children.entries());
    }
  }
}
