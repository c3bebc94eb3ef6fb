/**
 * Retained messages: a tree over topic levels, so that a filter visits what it matches and not all there are.
 *
 * Each has a version: of two for one topic the higher one stays, whatever the order in which they arrive. A version is a time with the number of
 * its node, so that it rises over restarts too, and no two nodes make the same.
 */

import { type LevelNode, LevelTree } from "./level-tree.ts";
import type { Message } from "./message.ts";

/** A retained message. */
export interface RetainedMessage {
  readonly message: Message;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly storedAtMs: number;
  /** Rises in the order in which messages were stored here. */
  readonly place: number;
}

/** Gets each change, where a store keeps retained messages. */
export interface RetainedJournal {
  retained(retained: RetainedMessage): void;
  retainedDeleted(topicName: string): void;
}

type RetainedNode = LevelNode<RetainedMessage>;

/** What versions are made of. */
export interface RetainedVersions {
  /** 0 to 1,023. */
  readonly node: number;
  /** Whether there are others, so that an older message may come after a topic's message was removed. */
  readonly hasOthers: boolean;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
}

const nodes = 1024;
/** Of the year 2109, so that versions above it can be counted up for ever. No clock is there yet. */
const maximumVersion = 2 ** 52;
/** Removals that are remembered, for older messages that arrive later. */
const maximumRemovals = 10_000;

/** Throws `RangeError` for what no node can have made: with it in the table, nothing would be newer any more. */
export function checkVersion(topicName: string, version: number): void {
  if (Number.isSafeInteger(version) && version >= 0 && version <= maximumVersion) return;
  throw new RangeError(
    `the retained version of ${JSON.stringify(topicName)} is ${version}, wanted a whole number to 2^52`,
  );
}

/** All retained messages of a broker. */
export class RetainedMessages {
  readonly #tree = new LevelTree<RetainedMessage>();
  readonly #multiLevelMatchesParent: boolean;
  readonly #versions: RetainedVersions;
  /** Versions of removals, the longest ago first. */
  readonly #removals = new Map<string, number>();
  #size = 0;
  #octets = 0;
  #lastVersion = 0;
  #lastPlace = 0;
  journal: RetainedJournal | undefined;

  constructor(
    multiLevelMatchesParent: boolean,
    versions: RetainedVersions = { node: 0, hasOthers: false, epochMs: () => 0 },
  ) {
    this.#multiLevelMatchesParent = multiLevelMatchesParent;
    this.#versions = versions;
  }

  get size(): number {
    return this.#size;
  }

  get octets(): number {
    return this.#octets;
  }

  /** The place of the message that was stored last. */
  get lastPlace(): number {
    return this.#lastPlace;
  }

  get(topicName: string): RetainedMessage | undefined {
    return this.#tree.get(topicName);
  }

  /** A version above all that were seen here. Rises with time, so that a node that forgot them in a restart does not fall behind. */
  nextVersion(): number {
    const { node, epochMs } = this.#versions;
    return Math.max(Math.floor(this.#lastVersion / nodes) + 1, Math.floor(epochMs())) * nodes + node;
  }

  /**
   * Replaces what the topic retains (MQTT-3.3.1-5); undefined where it retains something newer, or nothing by something newer. `version` is given
   * where the message comes from a store or another node. Throws as `checkVersion`.
   */
  set(message: Message, storedAtMs: number, version: number = this.nextVersion()): RetainedMessage | undefined {
    const { topicName } = message;
    checkVersion(topicName, version);
    this.#lastVersion = Math.max(this.#lastVersion, version);
    if (this.isOutdated(topicName, version)) return undefined;
    this.#removals.delete(topicName);
    const node = this.#tree.make(topicName);
    if (node.value === undefined) this.#size += 1;
    this.#octets += message.octets - (node.value?.message.octets ?? 0);
    this.#lastPlace += 1;
    node.value = { message, version, storedAtMs, place: this.#lastPlace };
    this.journal?.retained(node.value);
    return node.value;
  }

  /** Whether what the topic has, or its removal, is newer than this version. */
  isOutdated(topicName: string, version: number): boolean {
    return Math.max(this.get(topicName)?.version ?? 0, this.#removals.get(topicName) ?? 0) > version;
  }

  /** Removes what the topic retains, and the levels that nothing else needs; false where there was nothing, or something newer. Throws as `checkVersion`. */
  delete(topicName: string, version: number = this.nextVersion()): boolean {
    checkVersion(topicName, version);
    this.#lastVersion = Math.max(this.#lastVersion, version);
    if (this.isOutdated(topicName, version)) return false;
    if (this.#versions.hasOthers) this.#rememberRemoval(topicName, version);
    const removed = this.#tree.remove(topicName);
    if (removed === undefined) return false;
    this.#size -= 1;
    this.#octets -= removed.message.octets;
    this.journal?.retainedDeleted(topicName);
    return true;
  }

  #rememberRemoval(topicName: string, version: number): void {
    this.#removals.delete(topicName);
    this.#removals.set(topicName, version);
    const [oldest] = this.#removals.keys();
    if (this.#removals.size > maximumRemovals && oldest !== undefined) this.#removals.delete(oldest);
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
      for (const [, child] of node.children()) nodes.push(child);
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
      const child = node.child(level);
      if (child !== undefined) yield* this.#walk(child, levels, depth + 1);
      return;
    }
    for (const [name, child] of node.children()) {
      // MQTT-4.7.2-1
      if (depth > 0 || !name.startsWith("$")) yield* this.#walk(child, levels, depth + 1);
    }
  }

  /** Everything under a node, without recursion: a topic may have thousands of levels. */
  *#below(node: RetainedNode, isRoot: boolean): Generator<RetainedMessage | undefined, undefined> {
    const open: Iterator<[string, RetainedNode]>[] = [node.children()];
    for (let entries = open.at(-1); entries !== undefined; entries = open.at(-1)) {
      const next = entries.next();
      if (next.done === true) {
        open.pop();
        continue;
      }
      const [name, child] = next.value;
      if (isRoot && open.length === 1 && name.startsWith("$")) continue;
      yield child.value;
      if (child.hasChildren) open.push(child.children());
    }
  }
}
