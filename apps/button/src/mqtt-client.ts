/**
 * A small MQTT 3.1.1 client over mutual TLS, as an embedded device has one: one connection, QoS 0 and 1, no queue, no
 * reconnecting. Whether the server is trusted is decided by `@latchkey/chain` and the given roots alone.
 */

import type { Duplex } from "node:stream";
import { messageOf } from "@latchkey/command-line";
import { encode, PacketDecoder, type Packet, type PublishPacket } from "@latchkey/mqtt-codec";
import { ButtonError, closedBeforeAnswer, connectionFailure, isPlainEnd } from "./errors.ts";
import { connectToTrusted, type TrustedConnectionOptions } from "./trusted-connection.ts";
import { defaultTimeoutMs } from "./secure-stream.ts";

export { ButtonError, type ButtonErrorCode } from "./errors.ts";

/** The identity of the client, and who gets its messages. */
export interface MqttSessionOptions {
  readonly clientIdentifier: string;
  /** Called with every message that arrives; the payload is the receiver's own. */
  readonly onMessage?: (topicName: string, payload: Uint8Array) => void;
  /** Bounds every exchange. */
  readonly timeoutMs?: number;
}

/** Where to connect, with which certificate, and which roots to trust. */
export interface MqttClientOptions extends TrustedConnectionOptions, Omit<MqttSessionOptions, "timeoutMs"> {}

/** An open connection whose CONNECT was accepted. */
export class MqttClient {
  readonly #socket: Duplex;
  readonly #decoder = new PacketDecoder({ receives: "server-packets", protocolVersion: 4 });
  readonly #timeoutMs: number;
  readonly #onMessage: ((topicName: string, payload: Uint8Array) => void) | undefined;
  readonly #waiting = new Map<string, { resolve: (packet: Packet) => void; reject: (error: ButtonError) => void }>();
  #failure: ButtonError | undefined;
  #isAccepted = false;
  #lastPacketIdentifier = 0;

  private constructor(socket: Duplex, options: MqttSessionOptions) {
    this.#socket = socket;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#onMessage = options.onMessage;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (cause) => this.#fail(isPlainEnd(cause) ? this.#closed(cause) : connectionFailure(cause)));
    socket.on("close", () => this.#fail(this.#closed()));
    if (socket.destroyed) this.#failure = this.#closed();
  }

  /** Connects, verifies the server before a byte of MQTT is sent, and waits for CONNACK. */
  static async connect(options: MqttClientOptions): Promise<MqttClient> {
    const { stream } = await connectToTrusted(options);
    return MqttClient.over(stream, options);
  }

  /** The same over a connection that is open already, and whose server was verified. It ends with the client. */
  static async over(socket: Duplex, options: MqttSessionOptions): Promise<MqttClient> {
    const client = new MqttClient(socket, options);
    try {
      const connack = await client.#exchange("connack", {
        type: "connect",
        protocolVersion: 4,
        clientIdentifier: options.clientIdentifier,
        cleanStart: true,
        keepAlive: 60,
      });
      if (connack.type === "connack" && connack.reasonCode !== 0) {
        throw new ButtonError(
          "ERR_BUTTON_REFUSED",
          `CONNACK ${connack.reasonCode}: the broker does not take this certificate, or not as the client "${options.clientIdentifier}"`,
        );
      }
      client.#isAccepted = true;
      return client;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** Publishes with QoS 1 and waits for the acknowledgement. */
  async publish(topicName: string, payload: Uint8Array): Promise<void> {
    const packetIdentifier = this.#nextPacketIdentifier();
    await this.#exchange(`puback ${packetIdentifier}`, {
      type: "publish",
      topicName,
      payload,
      qos: 1,
      packetIdentifier,
    });
  }

  /** Subscribes with QoS 1. Throws `ERR_BUTTON_SUBSCRIPTION_REFUSED` where the broker grants nothing. */
  async subscribe(topicFilter: string): Promise<void> {
    const packetIdentifier = this.#nextPacketIdentifier();
    const suback = await this.#exchange(`suback ${packetIdentifier}`, {
      type: "subscribe",
      packetIdentifier,
      subscriptions: [{ topicFilter, qos: 1 }],
    });
    if (suback.type === "suback" && (suback.reasonCodes[0] ?? 0x80) >= 0x80) {
      throw new ButtonError("ERR_BUTTON_SUBSCRIPTION_REFUSED", `the broker refused the subscription to ${topicFilter}`);
    }
  }

  /** Says goodbye and waits until everything is sent. */
  async disconnect(): Promise<void> {
    this.#failure ??= new ButtonError("ERR_BUTTON_CLOSED", "the client disconnected");
    if (this.#socket.closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), this.#timeoutMs);
      this.#socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end(encode({ type: "disconnect" }, 4));
    });
  }

  /** Sends a packet and waits for the one that answers it. */
  async #exchange(answer: string, packet: Parameters<typeof encode>[0]): Promise<Packet> {
    if (this.#failure !== undefined) throw this.#failure;
    const { promise, resolve, reject } = Promise.withResolvers<Packet>();
    const timer = setTimeout(() => {
      this.#fail(new ButtonError("ERR_BUTTON_TIMEOUT", `no ${answer} within ${this.#timeoutMs} ms`));
    }, this.#timeoutMs);
    this.#waiting.set(answer, { resolve, reject });
    this.#socket.write(encode(packet, 4));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(answer);
    }
  }

  #receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
      for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) this.#handle(packet);
    } catch (cause) {
      this.#fail(
        new ButtonError("ERR_BUTTON_PROTOCOL", `the server does not speak MQTT: ${messageOf(cause)}`, { cause }),
      );
    }
  }

  #handle(packet: Packet): void {
    if (packet.type === "publish") this.#message(packet);
    else if (packet.type === "connack") this.#waiting.get("connack")?.resolve(packet);
    else if ("packetIdentifier" in packet)
      this.#waiting.get(`${packet.type} ${packet.packetIdentifier}`)?.resolve(packet);
  }

  #message({ topicName, payload, qos, packetIdentifier }: PublishPacket): void {
    this.#onMessage?.(topicName, payload.slice());
    if (qos === 0) return;
    this.#socket.write(encode({ type: "puback", packetIdentifier }, 4));
    // While the server does not read the acknowledgements, nothing is read from it.
    if (this.#socket.writableNeedDrain) this.#socket.pause().once("drain", () => this.#socket.resume());
  }

  /** Why the connection ended: before CONNACK because of the certificate, after it because of the last request. */
  #closed(cause?: unknown): ButtonError {
    if (!this.#isAccepted) return closedBeforeAnswer(cause);
    const why =
      "the server closed the connection before it acknowledged: that is how brokers of MQTT 3.1.1 refuse a topic";
    return new ButtonError("ERR_BUTTON_CLOSED", why, { cause });
  }

  #fail(error: ButtonError): void {
    this.#failure ??= error;
    this.#socket.destroy();
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
  }

  #nextPacketIdentifier(): number {
    this.#lastPacketIdentifier = (this.#lastPacketIdentifier % 0xffff) + 1;
    return this.#lastPacketIdentifier;
  }
}
