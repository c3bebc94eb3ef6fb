/** A broker core behind a socket of its own, for what `latchkey start` does not offer: AUTH, other limits and profiles, authorizers that fail. */

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Broker, type BrokerOptions } from "@latchkey/broker-core";
import { serveMqtt } from "../../src/listeners/serve-mqtt.ts";
import { StreamConnection } from "../../src/listeners/stream-connection.ts";
import { WireClients } from "./wire-clients.ts";

/** A core that listens on the loopback interface. The peer of each connection is "peer", and all is allowed by default. */
export class CoreListener extends WireClients implements AsyncDisposable {
  readonly broker: Broker<string, string>;
  readonly #server: Server;

  private constructor(options: Partial<BrokerOptions<string, string>>) {
    super();
    this.broker = new Broker<string, string>({
      authenticator: { authenticate: (peer) => ({ ok: true, principal: peer }) },
      authorizer: { decide: () => true },
      assignClientIdentifier: () => `assigned-${this.name()}`,
      nextTurn: (work) => setImmediate(() => work(performance.now())),
      ...options,
    });
    this.#server = createServer((socket) => void serveMqtt(this.broker, "peer", new StreamConnection(socket)));
  }

  static async start(options: Partial<BrokerOptions<string, string>> = {}): Promise<CoreListener> {
    const listener = new CoreListener(options);
    await once(listener.#server.listen(0, "127.0.0.1"), "listening");
    return listener;
  }

  protected async openStream(): Promise<Socket> {
    const { port } = this.#server.address() as AddressInfo;
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutAll();
    this.#server.close();
    await once(this.#server, "close");
    this.broker.shutdown(performance.now());
  }
}
