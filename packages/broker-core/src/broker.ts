/**
 * The broker's core: it is given connections that a listener accepted, speaks MQTT 3.1.1 with them and routes what they
 * publish. No sockets, clocks or randomness of its own: bytes and the time come in, bytes and events go out.
 *
 * QoS 2 is refused, as AWS IoT Core refuses it, and so is MQTT 5.0 for now.
 */

import { ClientConnection, type ConnectionContext } from "./client-connection.ts";
import type { BrokerEvent } from "./events.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { Authenticator, Authorizer, Transport } from "./ports.ts";
import { Router } from "./router.ts";

/** What a broker is made of. */
export interface BrokerOptions<Peer, Principal> {
  readonly authenticator: Authenticator<Peer, Principal>;
  readonly authorizer: Authorizer<Principal>;
  /** Names a client that gave no identifier. It must not repeat and not be guessable. */
  readonly assignClientIdentifier: () => string;
  /** Called synchronously with everything that happens. It must not throw. */
  readonly onEvent?: (event: BrokerEvent<Peer, Principal>) => void;
  readonly limits?: Partial<Limits>;
  /**
   * The answer to a refused client. `explain` (default): CONNACK 5, SUBACK 0x80. `parity`: nothing, the connection closes,
   * as AWS IoT Core does with MQTT 3.1.1 clients. A refused PUBLISH closes the connection either way (MQTT-3.3.5-2).
   */
  readonly denial?: "explain" | "parity";
}

/** A broker. */
export class Broker<Peer, Principal> {
  readonly #context: ConnectionContext<Peer, Principal>;
  readonly #open = new Set<ClientConnection<Peer, Principal>>();
  /** Connections that have something to send when the current input is done. */
  readonly #unflushed = new Set<ClientConnection<Peer, Principal>>();

  constructor(options: BrokerOptions<Peer, Principal>) {
    const limits = { ...defaultLimits, ...options.limits };
    const emit = options.onEvent ?? ((): void => {});
    this.#context = {
      limits,
      emit,
      authenticator: options.authenticator,
      authorizer: options.authorizer,
      denial: options.denial ?? "explain",
      assignClientIdentifier: options.assignClientIdentifier,
      router: new Router(limits, ({ clientIdentifier }, { topicName }) => {
        const source = { peer: undefined, clientIdentifier, isAssignedIdentifier: false, principal: undefined };
        emit({ type: "dropped", ...source, topicName, limit: "maximumQueuedMessages" });
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

  /** Closes all connections. Wills are published as MQTT demands, to those who are still connected. */
  shutdown(): void {
    for (const connection of this.#open) connection.end("server-shutdown", "the broker stops");
    this.#flush();
  }

  /** One write for each connection that the input concerned. */
  #flush(): void {
    for (const connection of this.#unflushed) connection.flush();
    this.#unflushed.clear();
  }
}
