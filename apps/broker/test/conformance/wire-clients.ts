/** The clients of one broker under test, with names that no other test has. */

import type { Socket } from "node:net";
import type { EncodableConnect, ProtocolVersion } from "@latchkey/mqtt-codec";
import { WireClient } from "./wire-client.ts";

/** Opens clients, and ends them. */
export abstract class WireClients {
  readonly #clients: WireClient[] = [];
  #names = 0;

  /** A stream to the broker on which nothing was sent yet. */
  protected abstract openStream(): Promise<Socket>;

  /** A name that no other test of this broker has, for a client identifier or a topic. */
  name(): string {
    return `n${++this.#names}`;
  }

  /** A connection on which nothing was sent yet. */
  async open(version: ProtocolVersion): Promise<WireClient> {
    const client = new WireClient(await this.openStream(), version);
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

  protected async cutAll(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.cut()));
  }
}
