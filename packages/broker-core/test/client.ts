/** A broker under test and clients that talk to it in memory, packet by packet. */

import {
  encode,
  PacketDecoder,
  type EncodableConnect,
  type EncodablePacket,
  type EncodablePublish,
  type EncodableSubscription,
  type Packet,
  type ProtocolVersion,
  type PublishPacket,
} from "@latchkey/mqtt-codec";
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
  #turns: ((nowMs: number) => void)[] = [];

  constructor(options: Partial<BrokerOptions<string, string>> = {}) {
    let assigned = 0;
    this.broker = new Broker<string, string>({
      authenticator: {
        authenticate: async (peer) =>
          peer === "stranger" ? { ok: false, reason: "unknown certificate" } : { ok: true, principal: peer },
      },
      authorizer: {
        decide: (principal, action, name) =>
          !this.denied.has(`${principal} ${action} ${name}`) || { isAllowed: false, reason: "listed as denied" },
      },
      assignClientIdentifier: () => `assigned-${++assigned}`,
      onEvent: (event) => this.events.push(event),
      onPublished: (event) => this.published.push(event),
      nextTurn: (work) => this.#turns.push(work),
      epochMs: () => this.nowMs,
      ...options,
      limits: { maximumConnectsPerSecond: 0, ...options.limits },
    });
  }

  open(peer: string, protocolVersion: ProtocolVersion = 4): TestClient {
    return new TestClient(this, peer, protocolVersion);
  }

  /** A client whose CONNECT was accepted. */
  async connect(clientIdentifier: string, fields: Partial<EncodableConnect> = {}): Promise<TestClient> {
    const client = this.open(clientIdentifier, fields.protocolVersion ?? 4);
    await client.connect(clientIdentifier, fields);
    return client;
  }

  /** The same with MQTT 5.0, and what has arrived is taken. */
  async connect5(clientIdentifier: string, fields: Partial<EncodableConnect> = {}): Promise<TestClient> {
    const client = await this.connect(clientIdentifier, { protocolVersion: 5, ...fields });
    client.take();
    return client;
  }

  /** A client of 3.1.1 or 5.0 that subscribes to filters with QoS 2, and has taken its answers. */
  async subscriber(
    clientIdentifier: string,
    subscriptions: readonly (string | EncodableSubscription)[],
    fields: Partial<EncodableConnect> = {},
    subscriptionIdentifier?: number,
  ): Promise<TestClient> {
    const client = await this.connect(clientIdentifier, fields);
    client.subscribe(subscriptions, subscriptionIdentifier);
    client.take();
    return client;
  }

  /** The time goes on to this moment. */
  tick(nowMs: number): void {
    this.nowMs = nowMs;
    this.broker.tick(nowMs);
    this.turn();
  }

  /** Runs one turn; false where none is asked for. */
  oneTurn(): boolean {
    const turns = this.#turns;
    this.#turns = [];
    for (const turn of turns) turn(this.nowMs);
    return turns.length > 0;
  }

  /** Runs turns until none is asked for. */
  turn(): void {
    let count = 0;
    while (this.oneTurn()) if (++count > 100_000) throw new Error("the broker asks for turns without end");
  }

  eventsOf<T extends BrokerEvent<string, string>["type"]>(
    type: T,
  ): Extract<BrokerEvent<string, string>, { type: T }>[] {
    return this.events.filter(
      (event): event is Extract<BrokerEvent<string, string>, { type: T }> => event.type === type,
    );
  }

  /** The detail of the last connection that ended. */
  get lastClosed(): string {
    const event = this.eventsOf("closed").at(-1);
    return event === undefined ? "" : `${event.reason}: ${event.detail}`;
  }
}

export class TestClient {
  readonly connection: ClientConnection<string, string>;
  readonly version: ProtocolVersion;
  isClosed = false;
  writes = 0;
  /** Octets that arrived. */
  octets = 0;
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
      for (const chunk of chunks) {
        this.octets += chunk.length;
        this.#decoder.push(chunk);
      }
      for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
        this.#received.push(packet.type === "publish" ? { ...packet, payload: packet.payload.slice() } : packet);
      }
    },
    close: (): void => {
      this.isClosed = true;
    },
  };
  readonly test: TestBroker;
  readonly #decoder: PacketDecoder;
  #received: Packet[] = [];

  constructor(test: TestBroker, peer: string, protocolVersion: ProtocolVersion) {
    this.test = test;
    this.version = protocolVersion;
    this.#decoder = new PacketDecoder({ receives: "server-packets", protocolVersion, maximumPacketSize: 1 << 28 });
    this.connection = test.broker.accept(peer, this.transport, test.nowMs);
  }

  send(...packets: EncodablePacket[]): void {
    this.sendBytes(Buffer.concat(packets.map((packet) => encode(packet, this.version))));
  }

  sendBytes(bytes: Uint8Array): void {
    this.connection.receive(bytes, this.test.nowMs);
  }

  async connect(clientIdentifier: string, fields: Partial<EncodableConnect> = {}): Promise<void> {
    this.send({
      type: "connect",
      clientIdentifier,
      cleanStart: true,
      keepAlive: 0,
      ...fields,
      protocolVersion: this.version,
    });
    await settled();
  }

  subscribe(subscriptions: readonly (string | EncodableSubscription)[], subscriptionIdentifier?: number): void {
    this.send({
      type: "subscribe",
      packetIdentifier: 10,
      subscriptions: subscriptions.map((one) => (typeof one === "string" ? { topicFilter: one, qos: 2 } : one)),
      properties: subscriptionIdentifier === undefined ? undefined : { subscriptionIdentifier },
    });
  }

  /** Publishes; the packet identifier is 7 where the QoS needs one and none is given. */
  publish(topicName: string, payload: string, fields: Partial<EncodablePublish> = {}): void {
    const packetIdentifier = (fields.qos ?? 0) === 0 ? 0 : 7;
    this.send({ type: "publish", topicName, payload: text(payload), packetIdentifier, ...fields });
  }

  /** The network connection is gone. */
  lose(): void {
    this.connection.lost("reset", this.test.nowMs);
  }

  /** What has arrived since the last call. */
  take(): Packet[] {
    this.test.turn();
    const received = this.#received;
    this.#received = [];
    return received;
  }

  /** The PUBLISH packets among what has arrived. */
  takePublishes(): PublishPacket[] {
    return this.take().filter((packet): packet is PublishPacket => packet.type === "publish");
  }

  /** The messages among what has arrived, as `topic payload`. */
  messages(): string[] {
    return this.takePublishes().map(({ topicName, payload }) => `${topicName} ${Buffer.from(payload).toString()}`);
  }
}

/** A session that outlives its connection, in either version. */
export function persistent(protocolVersion: ProtocolVersion): Partial<EncodableConnect> {
  const properties = protocolVersion === 5 ? { sessionExpiryInterval: 1000 } : undefined;
  return { protocolVersion, cleanStart: false, properties };
}

/** Lets pending promises finish. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

export function text(payload: string): Uint8Array {
  return new TextEncoder().encode(payload);
}

/** SUBSCRIBE to one filter. */
export const subscribe = (topicFilter: string, qos: 0 | 1 | 2 = 1): EncodablePacket => ({
  type: "subscribe",
  packetIdentifier: 10,
  subscriptions: [{ topicFilter, qos }],
});
/** PUBLISH, with packet identifier 7 above QoS 0. */
export const publish = (topicName: string, payload: string, qos: 0 | 1 | 2 = 0, retain = false): EncodablePacket => ({
  type: "publish",
  topicName,
  payload: text(payload),
  qos,
  retain,
  packetIdentifier: qos === 0 ? 0 : 7,
});
