/**
 * Other nodes: brokers that serve the same clients, in this process, on this machine or anywhere. What carries octets between them is
 * not known here.
 *
 * Each node has its own subscriptions and sessions. A message goes to the nodes that want its topic, a session is taken over from the node that
 * has it, and every node has all retained messages, of which the one with the highest version stays.
 */

import type { KeptSession, StoredMessage } from "./session-store.ts";

/** What a broker is given to be one of several nodes. */
export interface Cluster {
  /** Names this node, and no other one: 0 to 1,023. Versions of retained messages have it, so that no two nodes make the same. */
  readonly node: number;
  readonly interest: Interest;
  readonly sessions: SessionClaims;
  /**
   * Milliseconds that a claim may take before its client is refused with 0x88, server unavailable. It may come again at once. Default 5,000; above
   * `connectTimeoutMs`, the client is cut first. Looked at by `tick`.
   */
  readonly claimTimeoutMs?: number | undefined;
}

/** A node that wants a topic. */
export interface InterestedNode {
  readonly node: number;
  /** Whether it has a subscription that is not shared. */
  readonly hasSubscribers: boolean;
  /** Its shared subscriptions: `$share/NAME/FILTER`. Of all nodes only one is to serve a message. */
  readonly groups: readonly string[];
}

/** Who else wants a topic, and the way there. All calls are synchronous and must not throw. */
export interface Interest {
  /** The other nodes that want a topic. An answer is remembered until `revision` changes. */
  match(topicName: string): readonly InterestedNode[];
  /** Another number whenever an answer of `match` may have changed. */
  readonly revision: number;
  /**
   * This node has its first subscription with a filter: the others are to learn that it wants what matches. A shared subscription is
   * `$share/NAME/FILTER`. Called for kept sessions, too, when the broker is made.
   */
  subscribed(topicFilter: string): void;
  /** It has none any more. */
  unsubscribed(topicFilter: string): void;
  /**
   * Hands messages to another node, or with `node` undefined to all of them, for their `ClusterNode.receive`: once for what one input of
   * this broker has for a node, in the order of publishing. The octets are not changed.
   *
   * The acknowledgement of a message goes out when this has returned, and promises that the server has the message (MQTT-4.3.2-4, MQTT-4.3.3-8 of
   * 5.0). So a way that may lose messages has to keep those of QoS 1 and 2, before it returns, until the other node has taken them.
   */
  forward(node: number | undefined, messages: readonly ForwardedMessage[]): void;
}

/** A message for another node. */
export interface ForwardedMessage {
  readonly message: StoredMessage;
  /** Whether subscriptions that are not shared get it. */
  readonly isForSubscribers: boolean;
  /** The shared subscriptions that the node is to serve: `$share/NAME/FILTER`. */
  readonly groups: readonly string[];
  /** Where it changes what its topic retains; with an empty payload the topic retains nothing. */
  readonly retained: { readonly version: number; readonly storedAtMs: number } | undefined;
}

/** Where sessions come from that another node has. */
export interface SessionClaims {
  /**
   * Called for each CONNECT that is allowed, before it is answered. The node that has a session of the client identifier gives it away
   * (`ClusterNode.release`), which ends its connection there; the answer is what it gave, or undefined where no other node has one. Of two claims
   * at once the cluster decides the order. A rejection refuses the client with 0x88, server unavailable.
   *
   * A session takes its subscriptions along: what is published from the moment on in which it was given away has to come behind it.
   */
  claim(clientIdentifier: string, isCleanStart: boolean): MovedSession | undefined | Promise<MovedSession | undefined>;
}

/** A session on its way from one node to another, with all that is owed to its client. */
export interface MovedSession {
  /** Its deliveries name the messages by their number in `messages`. */
  readonly session: Omit<KeptSession, "session">;
  readonly messages: ReadonlyMap<number, StoredMessage>;
}
