/** Brokers of one process, joined: what one has for another waits here until the test lets it through. */

import {
  InterestTable,
  type BrokerOptions,
  type Cluster,
  type ForwardedMessage,
  type MovedSession,
} from "../src/index.ts";
import { settled, TestBroker } from "./client.ts";

/** What is on its way. */
type Passing = { readonly to: Node } & (
  | { readonly type: "messages"; readonly messages: readonly ForwardedMessage[] }
  | { readonly type: "interest"; readonly from: number; readonly topicFilter: string; readonly isWanted: boolean }
);

/** One broker with what it knows of the others. */
export class Node {
  readonly number: number;
  readonly table = new InterestTable();
  readonly test: TestBroker;
  /** Each call of `forward`: for which node, and topics. */
  readonly forwarded: { readonly node: number | undefined; readonly topics: readonly string[] }[] = [];

  constructor(
    bridge: Bridge,
    number: number,
    options: Partial<BrokerOptions<string, string>>,
    claimTimeoutMs: number | undefined,
  ) {
    this.number = number;
    const table = this.table;
    const cluster: Cluster = {
      node: number,
      interest: {
        match: (topicName) => table.match(topicName),
        get revision() {
          return table.revision;
        },
        subscribed: (topicFilter) => bridge.announce(this, topicFilter, true),
        unsubscribed: (topicFilter) => bridge.announce(this, topicFilter, false),
        forward: (node, messages) => {
          bridge.onForward?.();
          this.forwarded.push({ node, topics: messages.map(({ message }) => message.topicName) });
          for (const other of bridge.others(this)) {
            if (node === undefined || node === other.number) bridge.pass({ type: "messages", to: other, messages });
          }
        },
      },
      claimTimeoutMs,
      sessions: { claim: (clientIdentifier, isCleanStart) => bridge.claim(this, clientIdentifier, isCleanStart) },
    };
    this.test = new TestBroker({ ...options, cluster });
  }
}

/** Joins the nodes. */
export class Bridge {
  readonly nodes: Node[] = [];
  /** Has claims fail. */
  isCut = false;
  /** Has claims wait for `letClaimsGo`. */
  areClaimsHeld = false;
  passing: Passing[] = [];
  /** Called as a node hands over messages. */
  onForward: (() => void) | undefined;
  #held: (() => void)[] = [];

  add(options: Partial<BrokerOptions<string, string>> = {}, claimTimeoutMs?: number): Node {
    const node = new Node(this, this.nodes.length + 1, options, claimTimeoutMs);
    this.nodes.push(node);
    return node;
  }

  others(node: Node): Node[] {
    return this.nodes.filter((other) => other !== node);
  }

  pass(passing: Passing): void {
    this.passing.push(passing);
  }

  announce(node: Node, topicFilter: string, isWanted: boolean): void {
    for (const to of this.others(node)) this.pass({ type: "interest", to, from: node.number, topicFilter, isWanted });
  }

  /** Lets everything through, and what comes of it. */
  letThrough(): void {
    for (let next = this.passing.shift(); next !== undefined; next = this.passing.shift()) {
      const { to } = next;
      if (next.type === "messages") to.test.broker.cluster.receive(next.messages, to.test.nowMs);
      else if (next.isWanted) to.table.add(next.from, next.topicFilter);
      else to.table.remove(next.from, next.topicFilter);
      to.test.turn();
    }
  }

  letClaimsGo(): Promise<void> {
    this.areClaimsHeld = false;
    for (const go of this.#held.splice(0)) go();
    return settled();
  }

  async claim(node: Node, clientIdentifier: string, isCleanStart: boolean): Promise<MovedSession | undefined> {
    if (this.areClaimsHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
    if (this.isCut) throw new Error("the other nodes do not answer");
    let moved: MovedSession | undefined;
    for (const { test } of this.others(node)) {
      moved = test.broker.cluster.release(clientIdentifier, isCleanStart, test.nowMs) ?? moved;
    }
    return moved;
  }
}

/** The broker of a node that is there. */
export function at(node: Node | undefined): TestBroker {
  if (node === undefined) throw new Error("there is no such node");
  return node.test;
}
