/** A broker core behind a socket of its own, for what `latchkey start` does not offer: AUTH, other limits and profiles, authorizers that fail. */

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { Broker, type BrokerOptions } from "@latchkey/broker-core";
import type { EncodableConnect, ProtocolVersion } from "@latchkey/mqtt-codec";
import { serveMqtt } from "../../src/listeners/serve-mqtt.ts";
import { WireClient } from "./wire-client.ts";

/** A core that listens on the loopback interface. The peer of each connection is "peer", and all is allowed by default. */
export class CoreListener implements AsyncDisposable {
  readonly broker: Broker<string, string>;
  readonly #server: Server;
  readonly #clients: WireClient[] = [];
  #names = 0;

  private constructor(options: Partial<BrokerOptions<string, string>>) {
    this.broker = new Broker<string, string>({
      authenticator: { authenticate: (peer) => ({ ok: true, principal: peer }) },
      authorizer: { decide: () => true },
      assignClientIdentifier: () => `assigned-${this.name()}`,
      nextTurn: (work) => setImmediate(() => work(performance.now())),
      ...options,
    });
    this.#server = createServer((socket) => void serveMqtt(this.broker, "peer", socket));
  }

  static async start(options: Partial<BrokerOptions<string, string>> = {}): Promise<CoreListener> {
    const listener = new CoreListener(options);
    await once(listener.#server.listen(0, "127.0.0.1"), "listening");
    return listener;
  }

  name(): string {
    return `n${++this.#names}`;
  }

  /** A connection on which nothing was sent yet. */
  async open(version: ProtocolVersion): Promise<WireClient> {
    const { port } = this.#server.address() as AddressInfo;
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    const client = new WireClient(socket, version);
    this.#clients.push(client);
    return client;
  }

  /** A client whose CONNECT was accepted, with an identifier of its own. */
  async connect(
    version: ProtocolVersion,
    fields: Partial<EncodableConnect> = {},
    clientIdentifier: string = this.name(),
  ): Promise<WireClient> {
    const client = await this.open(version);
    const { reasonCode } = await client.connect(clientIdentifier, fields);
    if (reasonCode !== 0) throw new Error(`CONNACK 0x${reasonCode.toString(16)}`);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.cut()));
    this.#server.close();
    await once(this.#server, "close");
    this.broker.shutdown(performance.now());
  }
}
