/** A broker under test and clients that talk to it in memory, packet by packet. */

import { encode, PacketDecoder, type EncodableConnect, type EncodablePacket, type Packet } from "@latchkey/mqtt-codec";
import {
  Broker,
  type BrokerEvent,
  type BrokerOptions,
  type ClientConnection,
  type PublishedEvent,
} from "../src/index.ts";

/** The peer is the principal's name; the authorizer refuses what `denied` lists as `principal action name`. */
export class TestBroker {
  nowMs = 0;
  readonly events: BrokerEvent<string, string>[] = [];
  readonly published: PublishedEvent<string, string>[] = [];
  readonly denied = new Set<string>();
  readonly broker: Broker<string, string>;

  constructor(options: Partial<BrokerOptions<string, string>> = {}) {
    this.broker = new Broker<string, string>({
      authenticator: {
        authenticate: async (peer) =>
          peer === "stranger" ? { ok: false, reason: "unknown certificate" } : { ok: true, principal: peer },
      },
      authorizer: {
        decide: (principal, action, name) =>
          !this.denied.has(`${principal} ${action} ${name}`) || { isAllowed: false, reason: "listed as denied" },
      },
      assignClientIdentifier: () => "assigned-1",
      onEvent: (event) => this.events.push(event),
      onPublished: (event) => this.published.push(event),
      profile: "aws",
      ...options,
    });
  }

  open(peer: string, protocolVersion: 4 | 5 = 4): TestClient {
    return new TestClient(this, peer, protocolVersion);
  }

  /** A client whose CONNECT was accepted. */
  async connect(clientIdentifier: string, fields: Partial<EncodableConnect> = {}): Promise<TestClient> {
    const client = this.open(clientIdentifier);
    await client.connect(clientIdentifier, fields);
    return client;
  }

  eventsOf<T extends BrokerEvent<string, string>["type"]>(
    type: T,
  ): Extract<BrokerEvent<string, string>, { type: T }>[] {
    return this.events.filter(
      (event): event is Extract<BrokerEvent<string, string>, { type: T }> => event.type === type,
    );
  }
}

export class TestClient {
  readonly connection: ClientConnection<string, string>;
  isClosed = false;
  writes = 0;
  readonly transport = {
    bufferedOctets: 0,
    isPaused: false,
    pause: (): void => {
      this.transport.isPaused = true;
    },
    resume: (): void => {
      this.transport.isPaused = false;
    },
    write: (chunks: readonly Uint8Array[]): void => {
      this.writes++;
      for (const chunk of chunks) this.#decoder.push(chunk);
      for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
        this.#received.push(packet);
      }
    },
    close: (): void => {
      this.isClosed = true;
    },
  };
  readonly #test: TestBroker;
  readonly #decoder: PacketDecoder;
  #received: Packet[] = [];

  constructor(test: TestBroker, peer: string, protocolVersion: 4 | 5) {
    this.#test = test;
    this.#decoder = new PacketDecoder({ receives: "server-packets", protocolVersion });
    this.connection = test.broker.accept(peer, this.transport, test.nowMs);
  }

  send(...packets: EncodablePacket[]): void {
    this.sendBytes(Buffer.concat(packets.map((packet) => encode(packet, 4))));
  }

  sendBytes(bytes: Uint8Array): void {
    this.connection.receive(bytes, this.#test.nowMs);
  }

  async connect(clientIdentifier: string, fields: Partial<EncodableConnect> = {}): Promise<void> {
    this.send({
      type: "connect",
      protocolVersion: 4,
      clientIdentifier,
      cleanStart: true,
      keepAlive: 0,
      ...fields,
    });
    await settled();
  }

  /** What has arrived since the last call. */
  take(): Packet[] {
    const received = this.#received;
    this.#received = [];
    return received;
  }

  /** The messages among what has arrived, as `topic payload`. */
  messages(): string[] {
    return this.take().flatMap((packet) =>
      packet.type === "publish" ? [`${packet.topicName} ${Buffer.from(packet.payload).toString()}`] : [],
    );
  }
}

/** Lets pending authentications finish. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

export function text(payload: string): Uint8Array {
  return new TextEncoder().encode(payload);
}
