/** An MQTT client that sends what a test says, packet by packet or octet by octet, and holds what it is sent. */

import { once } from "node:events";
import type { Socket } from "node:net";
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
  type SubackPacket,
} from "@latchkey/mqtt-codec";

/** A broker that says nothing for so long will say nothing. */
const patienceMs = 20_000;

type PacketOf<Type extends Packet["type"]> = Extract<Packet, { readonly type: Type }>;

/** One connection. */
export class WireClient {
  readonly version: ProtocolVersion;
  /** The client's own port. */
  readonly localPort: number;
  clientIdentifier = "";
  /** How the broker accepted it, once `connect` has resolved. */
  connack: PacketOf<"connack"> | undefined;
  /** Octets of the last packet that was taken, where it came in a small chunk. */
  lastLength = 0;
  readonly #stream: Socket;
  readonly #decoder: PacketDecoder;
  readonly #received: { readonly packet: Packet; readonly length: number }[] = [];
  readonly #waiting = new Set<() => void>();
  #isEnded = false;
  #fault: Error | undefined;
  #lastPacketIdentifier = 0;
  /** Octets of the packet that has not come whole. */
  #octets = 0;

  /** The stream must be open, and nothing may have been read from it. */
  constructor(stream: Socket, version: ProtocolVersion) {
    this.version = version;
    this.#stream = stream;
    this.localPort = stream.localPort ?? 0;
    this.#decoder = new PacketDecoder({
      receives: "server-packets",
      protocolVersion: version,
      maximumPacketSize: 1 << 24,
    });
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    // How a connection ends is of the transport; that it ends is what tests look at.
    stream.on("error", () => {});
    stream.on("close", () => {
      this.#isEnded = true;
      this.#look();
    });
  }

  send(...packets: readonly EncodablePacket[]): void {
    this.sendOctets(...packets.map((packet) => encode(packet, this.version)));
  }

  sendOctets(...chunks: readonly Uint8Array[]): void {
    if (!this.#stream.destroyed) this.#stream.write(Buffer.concat(chunks));
  }

  /** The next packet of the broker. Throws where it closes instead. */
  async next(): Promise<Packet> {
    await this.#until(() => this.#received.length > 0 || this.#isEnded, "a packet");
    const first = this.#received.shift();
    if (first === undefined) throw this.#fault ?? new Error("the broker closed the connection");
    this.lastLength = first.length;
    return first.packet;
  }

  /** The next packet, which has to be of this type. */
  async take<Type extends Packet["type"]>(type: Type): Promise<PacketOf<Type>> {
    const packet = await this.next();
    if (!isOfType(packet, type)) throw new Error(`expected ${type}: ${JSON.stringify(packet)}`);
    return packet;
  }

  /** All that the broker had sent until it answered a PINGREQ. */
  async drain(): Promise<Packet[]> {
    this.send({ type: "pingreq" });
    const packets: Packet[] = [];
    for (;;) {
      const packet = await this.next();
      if (packet.type === "pingresp") return packets;
      packets.push(packet);
    }
  }

  /** The messages of `drain`, as `topic payload`. QoS 1 and 2 are not acknowledged. */
  async messages(): Promise<string[]> {
    return (await this.drain()).filter((packet) => packet.type === "publish").map(messageText);
  }

  /** Waits until the broker has closed the connection; all that it sent before. */
  async ended(): Promise<Packet[]> {
    await this.#until(() => this.#isEnded, "the end of the connection");
    if (this.#fault !== undefined) throw this.#fault;
    return this.#received.splice(0).map(({ packet }) => packet);
  }

  /** Sends CONNECT and takes the answer. By default a clean start without keep alive. */
  async connect(clientIdentifier: string, fields: Partial<EncodableConnect> = {}): Promise<PacketOf<"connack">> {
    this.clientIdentifier = clientIdentifier;
    this.send({ type: "connect", clientIdentifier, cleanStart: true, keepAlive: 0, ...fields });
    this.connack = await this.take("connack");
    return this.connack;
  }

  /** Subscribes, with QoS 2 where a filter alone is given. Messages may come before SUBACK: they are taken later. */
  async subscribe(
    filters: readonly (string | EncodableSubscription)[],
    subscriptionIdentifier?: number,
  ): Promise<SubackPacket> {
    const packetIdentifier = this.packetIdentifier();
    this.send({
      type: "subscribe",
      packetIdentifier,
      subscriptions: filters.map((one) => (typeof one === "string" ? { topicFilter: one, qos: 2 } : one)),
      properties: subscriptionIdentifier === undefined ? undefined : { subscriptionIdentifier },
    });
    const early: { readonly packet: Packet; readonly length: number }[] = [];
    let packet = await this.next();
    for (; packet.type === "publish"; packet = await this.next()) early.push({ packet, length: this.lastLength });
    this.#received.unshift(...early);
    if (!isOfType(packet, "suback")) throw new Error(`expected suback: ${JSON.stringify(packet)}`);
    const suback = packet;
    if (suback.packetIdentifier !== packetIdentifier) throw new Error(`SUBACK of ${suback.packetIdentifier}`);
    return suback;
  }

  /** Publishes, and waits until the broker has taken it over. QoS 2 is completed. Gives the reason code. */
  async publish(topicName: string, payload: string, fields: Partial<EncodablePublish> = {}): Promise<number> {
    const { qos = 0 } = fields;
    const packetIdentifier = qos === 0 ? 0 : this.packetIdentifier();
    this.send({ type: "publish", topicName, payload: Buffer.from(payload), packetIdentifier, ...fields });
    if (qos === 0) {
      const others = await this.drain();
      if (others.length > 0) throw new Error(`expected PINGRESP alone: ${JSON.stringify(others)}`);
      return 0;
    }
    const { reasonCode } = await this.take(qos === 1 ? "puback" : "pubrec");
    if (qos === 2 && reasonCode < 0x80) {
      this.send({ type: "pubrel", packetIdentifier });
      await this.take("pubcomp");
    }
    return reasonCode;
  }

  /** Takes a PUBLISH and acknowledges it as its QoS wants. */
  async message(): Promise<PublishPacket> {
    const publish = await this.take("publish");
    const { qos, packetIdentifier } = publish;
    if (qos === 1) this.send({ type: "puback", packetIdentifier });
    if (qos === 2) {
      this.send({ type: "pubrec", packetIdentifier });
      await this.take("pubrel");
      this.send({ type: "pubcomp", packetIdentifier });
    }
    return publish;
  }

  /** DISCONNECT, and the broker's end of it. */
  async disconnect(reasonCode = 0, sessionExpiryInterval?: number): Promise<void> {
    const properties = sessionExpiryInterval === undefined ? undefined : { sessionExpiryInterval };
    this.send({ type: "disconnect", reasonCode, properties });
    await this.ended();
  }

  /** Reads nothing from now on. */
  pause(): void {
    this.#stream.pause();
  }

  /** Says that it will send nothing more, and goes on reading. */
  halfClose(): void {
    this.#stream.end();
  }

  /** Sends octet by octet, each in a write of its own. */
  async trickle(bytes: Uint8Array): Promise<void> {
    for (const octet of bytes) {
      await new Promise<void>((resolve) => this.#stream.write(Uint8Array.of(octet), () => resolve()));
    }
  }

  /** The network is gone, without DISCONNECT. */
  async cut(): Promise<void> {
    const closed = this.#isEnded ? undefined : once(this.#stream, "close");
    this.#stream.destroy();
    await closed;
  }

  /** One that this client has not used yet. */
  packetIdentifier(): number {
    return ++this.#lastPacketIdentifier;
  }

  #take(chunk: Buffer): void {
    // Octet by octet: then each packet's length is known.
    const parts = chunk.length > 4096 ? [chunk] : Array.from(chunk, (octet) => Uint8Array.of(octet));
    try {
      for (const part of parts) {
        this.#octets += part.length;
        this.#decoder.push(part);
        for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
          const kept = packet.type === "publish" ? { ...packet, payload: Buffer.from(packet.payload) } : packet;
          this.#received.push({ packet: kept, length: this.#octets });
          this.#octets = 0;
        }
      }
    } catch (error) {
      this.#fault = error instanceof Error ? error : new Error(String(error));
      this.#stream.destroy();
    }
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  #until(isThere: () => boolean, what: string): Promise<void> {
    if (isThere()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const failed = new Error(`the broker let ${this.clientIdentifier} wait for ${what}`);
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(failed);
      }, patienceMs);
      const look = (): void => {
        if (!isThere()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }
}

function isOfType<Type extends Packet["type"]>(packet: Packet, type: Type): packet is PacketOf<Type> {
  return packet.type === type;
}

/** A message as `topic payload`. */
export function messageText({ topicName, payload }: PublishPacket): string {
  return `${topicName} ${Buffer.from(payload).toString()}`;
}
