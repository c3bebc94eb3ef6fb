/**
 * MQTT over a connection: what comes goes to the broker, and what the broker says goes out. `createBroker` has the like for any
 * stream of a caller's; the connections here need less care and are kept small.
 */

import type { Broker } from "@latchkey/broker-core";
import type { ConnectionReader, SecureConnection } from "./tls-layer.ts";

type ClientConnection<Peer, Principal> = ReturnType<Broker<Peer, Principal>["accept"]>;

/** Hands a connection to the broker, and gives the broker's end of it. Nothing may have been read from it. */
export function serveMqtt<Peer, Principal>(
  broker: Broker<Peer, Principal>,
  peer: Peer,
  connection: SecureConnection,
): ClientConnection<Peer, Principal> {
  const client = broker.accept(peer, connection, performance.now());
  connection.read(new ClientReader(client));
  return client;
}

class ClientReader implements ConnectionReader {
  readonly #client: ClientConnection<unknown, unknown>;

  constructor(client: ClientConnection<unknown, unknown>) {
    this.#client = client;
  }

  received(data: Uint8Array): void {
    this.#client.receive(data, performance.now());
  }

  drained(): void {
    this.#client.drained(performance.now());
  }

  closed(error: Error | undefined): void {
    this.#client.lost(error?.message ?? "the client closed the connection", performance.now());
  }
}
