/**
 * The broker's core: it is given connections that a listener accepted, speaks MQTT with them and routes what they publish. No
 * sockets, clocks or randomness of its own: bytes and the time come in, bytes and events go out.
 */

import { ReasonCode, validateTopicName } from "@latchkey/mqtt-codec";
import { ClientConnection, type ConnectionContext } from "./client-connection.ts";
import type { BrokerEvent, PublishedEvent } from "./events.ts";
import { limitsOf, type Limits, type Profile } from "./limits.ts";
import type { Authenticator } from "./ports/authenticator.ts";
import type { Authorizer } from "./ports/authorizer.ts";
import type { ReservedTopics } from "./ports/reserved-topics.ts";
import type { Transport } from "./ports/transport.ts";
import { Router } from "./router.ts";
import type {
  EndSessionOptions,
  RetainedMessageView,
  ServerPublish,
  ServerPublishResult,
  SessionView,
} from "./server-publish.ts";
import { createMessage } from "./session.ts";

/** What a broker is made of. */
export interface BrokerOptions<Peer, Principal> {
  readonly authenticator: Authenticator<Peer, Principal>;
  readonly authorizer: Authorizer<Principal>;
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
   * The answer to a refused client. `explain` (default): CONNACK 5, SUBACK 0x80. `parity`: nothing, the connection closes,
   * as AWS IoT Core does with MQTT 3.1.1 clients. A refused PUBLISH closes the connection either way (MQTT-3.3.5-2).
   */
  readonly denial?: "explain" | "parity" | undefined;
  /** What clients publish to topics that begin with `$`. */
  readonly reservedTopics?: ReservedTopics<Peer, Principal> | undefined;
}

/** A broker. */
export class Broker<Peer, Principal> {
  readonly #context: ConnectionContext<Peer, Principal>;
  readonly #open = new Set<ClientConnection<Peer, Principal>>();
  /** Connections that have something to send when the current input is done. */
  readonly #unflushed = new Set<ClientConnection<Peer, Principal>>();

  constructor(options: BrokerOptions<Peer, Principal>) {
    const limits = { ...limitsOf(options.profile ?? "standard"), ...options.limits };
    const emit = options.onEvent ?? ((): void => {});
    this.#context = {
      limits,
      emit,
      onPublished: options.onPublished,
      authenticator: options.authenticator,
      authorizer: options.authorizer,
      denial: options.denial ?? "explain",
      assignClientIdentifier: options.assignClientIdentifier,
      router: new Router(limits, ({ clientIdentifier }, { topicName, payloadOctets }) => {
        const source = { peer: undefined, clientIdentifier, isAssignedIdentifier: false, principal: undefined };
        const counts = { messages: 1, octets: payloadOctets };
        emit({ type: "dropped", ...source, topicName, limit: "maximumQueuedMessages", ...counts });
      }),
      hasOutput: (connection) => this.#unflushed.add(connection),
      inputDone: () => this.#flush(),
      closed: (connection) => this.#open.delete(connection),
    };
  }

  /** Takes over an accepted connection. `nowMs` is any clock that only goes forward, the same in all calls. */
  accept(peer: Peer, transport: Transport, nowMs: number): ClientConnection<Peer, Principal> {
    const connection = new ClientConnection(this.#context, peer, transport, nowMs);
    this.#open.add(connection);
    return connection;
  }

  /** Closes connections that are silent for too long. To be called about once a second. */
  tick(nowMs: number): void {
    for (const connection of this.#open) connection.checkTime(nowMs);
    this.#flush();
  }

  /** Every connection whose CONNECT was accepted. To end one, call its `end`. */
  connections(): Iterable<ClientConnection<Peer, Principal>> {
    return this.#context.router.receivers();
  }

  /** Publishes a message that did not come over a connection. Resolves when it is kept as its QoS promises. */
  async publish(message: ServerPublish<Principal>, nowMs: number): Promise<ServerPublishResult> {
    const { principal, topicName, payload, qos = 0, retain = false } = message;
    const valid = validateTopicName(topicName);
    if (!valid.ok) return { ok: false, reasonCode: ReasonCode.topicNameInvalid, reason: valid.fault };
    if (principal !== undefined) {
      for (const action of retain ? (["publish", "retain-publish"] as const) : (["publish"] as const)) {
        const denial = await this.#context.authorizer.decide(principal, action, topicName, nowMs);
        if (denial === true) continue;
        const source = { peer: undefined, clientIdentifier: message.clientIdentifier, isAssignedIdentifier: false };
        this.#context.emit({ type: "denied", ...source, principal, action, name: topicName, denial });
        return { ok: false, reasonCode: ReasonCode.notAuthorized, reason: denial.reason };
      }
    }
    const { router } = this.#context;
    const made = createMessage(topicName, payload);
    if (retain && !router.retain(made, qos === 0 ? 0 : 1)) {
      return { ok: false, reasonCode: ReasonCode.quotaExceeded, reason: "maximumRetainedMessages" };
    }
    const receivers = router.route(made, qos === 0 ? 0 : 1);
    this.#flush();
    return { ok: true, receivers };
  }

  /** The retained message of a topic. */
  retained(topicName: string): RetainedMessageView | undefined {
    for (const message of this.retainedMessages()) if (message.topicName === topicName) return message;
    return undefined;
  }

  /** All retained messages. */
  *retainedMessages(): Iterable<RetainedMessageView> {
    for (const [topicName, { message, qos }] of this.#context.router.retainedMessages()) {
      yield { topicName, payload: message.payload, qos, properties: undefined, storedAtMs: 0 };
    }
  }

  /** Removes a retained message; false where there was none. */
  deleteRetained(topicName: string, _nowMs: number): boolean {
    return this.#context.router.removeRetained(topicName);
  }

  /** Every session, connected or not. */
  *sessions(): Iterable<SessionView<Principal>> {
    const { router } = this.#context;
    for (const session of router.sessions()) {
      const receiver = router.receiverOf(session);
      yield {
        clientIdentifier: session.clientIdentifier,
        isConnected: receiver !== undefined,
        principal: receiver?.principal,
        subscriptions: Array.from(session.subscriptions, ([topicFilter, qos]) => {
          return { topicFilter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
        }),
        queuedMessages: session.queued,
        queuedOctets: 0,
        inFlight: Array.from(session.inFlight()).length,
      };
    }
  }

  /** Ends a session and its connection; false where there is none. The will is published. */
  endSession(clientIdentifier: string, nowMs: number, options: EndSessionOptions = {}): boolean {
    const { router } = this.#context;
    const session = router.session(clientIdentifier);
    if (session === undefined) return false;
    router.receiverOf(session)?.end("administrative", options.detail ?? "ended by the program", nowMs);
    if (options.isSessionKept !== true && router.session(clientIdentifier) === session) router.discard(session);
    return true;
  }

  /** Closes all connections. Wills are published as MQTT demands, to those who are still connected. */
  shutdown(nowMs: number): void {
    for (const connection of this.#open) connection.end("server-shutdown", "the broker stops", nowMs);
    this.#flush();
  }

  /** One write for each connection that the input concerned. */
  #flush(): void {
    for (const connection of this.#unflushed) connection.flush();
    this.#unflushed.clear();
  }
}
