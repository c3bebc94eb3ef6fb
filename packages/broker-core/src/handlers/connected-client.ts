/** What the sender of a connected client needs of the connection, its session and the broker. */

import type { ConnectPacket, ProtocolVersion } from "@latchkey/mqtt-codec";
import type { BrokerContext, Connection } from "../connection/connection.ts";
import type { Link } from "../connection/link.ts";
import type { OutputSpace } from "../connection/output-space.ts";
import { refusalOf } from "../connection/refusal.ts";
import type { SenderContext } from "../connection/sender.ts";
import type { Counters, SentDeliveries } from "../counters.ts";
import type { DropLimit } from "../events.ts";
import type { Limits } from "../limits.ts";
import type { Decision } from "../ports/authorizer.ts";
import type { Message } from "../routing/message.ts";
import type { Session } from "../session/session.ts";
import { mayReceive } from "./receive.ts";

/** A client whose CONNECT is accepted, with what it asked for there. */
export class ConnectedClient<Peer, Principal> implements SenderContext {
  readonly session: Session;
  readonly version: ProtocolVersion;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly topicAliasMaximum: number;
  readonly #connection: Connection<Peer, Principal>;
  readonly #context: BrokerContext<Peer, Principal>;

  constructor(
    connection: Connection<Peer, Principal>,
    session: Session,
    properties: ConnectPacket["properties"] | undefined,
  ) {
    this.#connection = connection;
    this.#context = connection.context;
    this.session = session;
    this.version = connection.version;
    // MQTT 5.0 §3.1.2.11.3: without a Receive Maximum it is 65,535.
    this.receiveMaximum = properties?.receiveMaximum ?? 65_535;
    this.maximumPacketSize = connection.answers.maximumPacketSize;
    this.topicAliasMaximum = properties?.topicAliasMaximum ?? 0;
  }

  get link(): Link {
    return this.#connection.link;
  }

  get limits(): Limits {
    return this.#context.limits;
  }

  get counters(): Counters {
    return this.#context.counters;
  }

  get sent(): SentDeliveries {
    return this.#context.sent;
  }

  get space(): OutputSpace {
    return this.#context.space;
  }

  get nowMs(): number {
    return this.#context.nowMs;
  }

  get committed(): number {
    return this.#context.committed;
  }

  mayReceive(topicName: string): Decision | Promise<Decision> {
    try {
      return mayReceive(this.#connection, topicName);
    } catch (cause) {
      return this.#connection.refuse("receive", topicName, refusalOf(cause));
    }
  }

  dropped(message: Message, limit: DropLimit): void {
    this.#context.dropped(this.session, message, limit);
  }

  hasOutput(): void {
    this.#context.hasOutput(this.#connection);
  }

  later(): void {
    this.#context.later(this.#connection);
  }

  waitForStore(): void {
    this.#context.waitsForStore.add(this.#connection);
  }
}
