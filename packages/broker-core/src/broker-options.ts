/** What a broker is made of, and a connection as a listener uses it. */

import type { BrokerEvent, CloseReason, PublishedEvent } from "./events.ts";
import type { Limits, Profile } from "./limits.ts";
import type { Authenticator } from "./ports/authenticator.ts";
import type { Authorizer } from "./ports/authorizer.ts";
import type { Cluster } from "./ports/cluster.ts";
import type { ReservedTopics } from "./ports/reserved-topics.ts";
import type { KeptState, SessionStore } from "./ports/session-store.ts";

/** What a broker is made of. */
export interface BrokerOptions<Peer, Principal> {
  readonly authenticator: Authenticator<Peer, Principal>;
  readonly authorizer: Authorizer<Principal>;
  /**
   * Names where a connection comes from: limits of an address are counted by it. Addresses that one client may choose among have the same name, for
   * instance those of an IPv6 network (/64). Called once for each connection; it must not throw. Without it, or for undefined, there are no such limits.
   */
  readonly addressOf?: ((peer: Peer) => string | undefined) | undefined;
  /** Names a client that gave no identifier. It must not repeat and not be guessable. */
  readonly assignClientIdentifier: () => string;
  /** Called synchronously with everything that happens. It must not throw. */
  readonly onEvent?: ((event: BrokerEvent<Peer, Principal>) => void) | undefined;
  /** Called synchronously with every message that is published. Where it is left out, the event is never made. */
  readonly onPublished?: ((event: PublishedEvent<Peer, Principal>) => void) | undefined;
  /** Default `standard`. */
  readonly profile?: Profile | undefined;
  /** In place of the profile's. */
  readonly limits?: Partial<Limits> | undefined;
  /**
   * How refusals are answered. `explain` (default): with a code, and in MQTT 5.0 with a Reason String. `parity`: as AWS IoT Core
   * does, an MQTT 3.1.1 client whose CONNECT or SUBSCRIBE is refused is closed without a word, and no Reason String is sent. A
   * refused PUBLISH closes a 3.1.1 connection either way (MQTT-3.3.5-2).
   */
  readonly denial?: "explain" | "parity" | undefined;
  /** What clients publish to topics that begin with `$`. */
  readonly reservedTopics?: ReservedTopics<Peer, Principal> | undefined;
  /**
   * Calls `work` in a later turn of the event loop, after what came from the network meanwhile was received: `(work) =>
   * setImmediate(() => work(performance.now()))`. Without it a timer of 0 ms is used and the time is the latest that was given.
   */
  readonly nextTurn?: ((work: (nowMs: number) => void) => void) | undefined;
  /**
   * The clock that the times of all calls are of, for what happens between calls (a store has committed, an authorizer answers later) and for how long
   * deliveries take. Without it the latest time that was given is used.
   */
  readonly monotonicMs?: (() => number) | undefined;
  /** Milliseconds since 1970, for times that people read and for what a store keeps. Default `Date.now`. */
  readonly epochMs?: (() => number) | undefined;
  /** The other nodes, where this broker is one of several. */
  readonly cluster?: Cluster | undefined;
  /** Where sessions and retained messages outlive the process. Without it they end with the broker. */
  readonly persistence?: PersistenceOptions | undefined;
}

/** A store, and what it kept. */
export interface PersistenceOptions {
  readonly store: SessionStore;
  /** What `store.load()` gave. */
  readonly kept: KeptState;
  /** The time of the broker's clock. */
  readonly nowMs: number;
  /** The store refused records. They stay and are tried again each second; until then nothing is acknowledged that has to be kept. */
  readonly onFailed?: ((error: unknown) => void) | undefined;
}

/** One client's connection, as a listener uses it. */
export interface ClientConnection<Peer, Principal> {
  readonly peer: Peer;
  /** Undefined until CONNECT was accepted. */
  readonly principal: Principal | undefined;
  /** Undefined until CONNECT was accepted. */
  readonly clientIdentifier: string | undefined;
  /** Takes what the network brought. The chunk must not be written to afterwards. */
  receive(chunk: Uint8Array, nowMs: number): void;
  /**
   * The transport holds so many octets of something that it cannot hand over before it has come whole, for instance a frame. They count as
   * octets before CONNACK and as those of a packet that has come in part. To be called where the number has changed.
   */
  held(octets: number, nowMs: number): void;
  /** The transport has room again. */
  drained(nowMs: number): void;
  /** The network connection ended; `detail` says how, for the log. */
  lost(detail: string, nowMs: number): void;
  /** Ends the connection. The will is published (MQTT-3.1.2-8). */
  end(reason: CloseReason, detail: string, nowMs: number): void;
}
