/** A device as a command: its folder has the certificate, the key and the root, and it speaks MQTT 5.0 over mutual TLS, where a refusal has a reason. */

import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { messageOf, UsageError } from "@latchkey/command-line";
import {
  encode,
  MqttCodecError,
  MqttEncodeError,
  PacketDecoder,
  type EncodablePacket,
  type Packet,
  type PublishPacket,
} from "@latchkey/mqtt-codec";
import { BrokerError } from "../errors.ts";

/** Where a device connects to, and as whom. */
export interface DeviceConnection {
  readonly folder: string;
  /** `mqtts://HOST:PORT`. */
  readonly url: string;
  readonly clientIdentifier: string;
}

const keepAliveSeconds = 30;
const maximumPacketSize = 256 * 1024;

/** A connected device. */
export class DeviceClient implements AsyncDisposable {
  readonly #socket: TLSSocket;
  readonly #decoder = new PacketDecoder({ receives: "server-packets", protocolVersion: 5, maximumPacketSize });
  readonly #packets: Packet[] = [];
  readonly #ping: NodeJS.Timeout;
  /** Why the connection ended. */
  #end: string | undefined;
  #isDisposed = false;
  #wake: () => void = () => {};

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.#ping = setInterval(() => this.#send({ type: "pingreq" }), (keepAliveSeconds * 1000) / 2);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const isClosed = error.code === "EPIPE" || error.code === "ECONNRESET";
      this.#ended(isClosed ? closedByBroker : `${error.message}${unreachable.has(error.code) ? whereToLook : ""}`);
    });
    socket.on("close", () => this.#ended(closedByBroker));
  }

  /** Connects and waits for the broker's answer. Throws `ERR_BROKER_DEVICE`, `UsageError`. */
  static async connect({ folder, url, clientIdentifier }: DeviceConnection): Promise<DeviceClient> {
    const { host, port } = addressOf(url);
    const [cert, key, ca] = await Promise.all(
      ["certificate.pem", "private.key", "root-ca.pem"].map((name) => readDeviceFile(folder, name)),
    );
    const servername = isIP(host) === 0 ? host : undefined;
    let socket: TLSSocket;
    try {
      socket = connect({ host, port, cert, key, ca, ...(servername !== undefined && { servername }) });
    } catch (cause) {
      throw new UsageError(`--device ${folder}: certificate and key cannot be used: ${messageOf(cause)}`, { cause });
    }
    const client = new DeviceClient(socket);
    client.#send({ type: "connect", protocolVersion: 5, clientIdentifier, keepAlive: keepAliveSeconds });
    const connack = await client.#next((packet) => packet.type === "connack");
    if (connack.type === "connack" && connack.reasonCode !== 0) {
      throw deviceError(`the broker refuses the connection: ${reasonOf(connack.reasonCode, connack.properties)}`);
    }
    return client;
  }

  /** Publishes with QoS 1, and waits until the broker has it. */
  async publish(topicName: string, payload: Uint8Array, retain: boolean): Promise<void> {
    this.#send({ type: "publish", topicName, payload, qos: 1, retain, packetIdentifier: 1 });
    const puback = await this.#next((packet) => packet.type === "puback");
    if (puback.type === "puback" && puback.reasonCode >= firstRefusal) {
      throw deviceError(
        `the broker refuses the message on ${topicName}: ${reasonOf(puback.reasonCode, puback.properties)}`,
      );
    }
  }

  /** Subscribes with QoS 1. */
  async subscribe(topicFilter: string): Promise<void> {
    this.#send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter, qos: 1 }] });
    const suback = await this.#next((packet) => packet.type === "suback");
    const refusal = suback.type === "suback" ? suback.reasonCodes.find((code) => code >= firstRefusal) : undefined;
    if (suback.type === "suback" && refusal !== undefined) {
      throw deviceError(
        `the broker refuses the subscription to ${topicFilter}: ${reasonOf(refusal, suback.properties)}`,
      );
    }
  }

  /** Messages as they come, acknowledged, until the client is disposed. Throws where the connection ends by itself. */
  async *messages(): AsyncGenerator<PublishPacket> {
    for (;;) {
      const packet = await this.#next(({ type }) => type === "publish").catch((error: unknown) => {
        if (this.#isDisposed) return undefined;
        throw error;
      });
      if (packet === undefined) return;
      if (packet.type !== "publish") continue;
      yield packet;
      if (packet.packetIdentifier !== undefined && packet.qos === 1) {
        this.#send({ type: "puback", packetIdentifier: packet.packetIdentifier });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    clearInterval(this.#ping);
    if (this.#end !== undefined) return;
    this.#send({ type: "disconnect" });
    await new Promise<void>((resolve) => {
      this.#socket.once("close", () => resolve());
      this.#socket.end();
    });
  }

  /** Throws `UsageError` for a topic, a topic filter, a client identifier or a payload that MQTT does not have. */
  #send(packet: EncodablePacket): void {
    if (this.#end !== undefined) return;
    try {
      this.#socket.write(encode(packet, 5));
    } catch (cause) {
      if (!(cause instanceof MqttEncodeError)) throw cause;
      throw new UsageError(cause.message, { cause });
    }
  }

  #receive(chunk: Buffer): void {
    try {
      this.#decode(chunk);
    } catch (error) {
      if (!(error instanceof MqttCodecError)) throw error;
      this.#ended(`what answers speaks no MQTT 5.0: ${error.message}`);
      this.#socket.destroy();
    }
  }

  #decode(chunk: Buffer): void {
    this.#decoder.push(chunk);
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
      if (packet.type === "disconnect") {
        this.#ended(`the broker ends the connection: ${reasonOf(packet.reasonCode, packet.properties)}`);
      }
      // A view into the chunk: it is kept until somebody asks for it.
      this.#packets.push(packet.type === "publish" ? { ...packet, payload: packet.payload.slice() } : packet);
    }
    this.#wake();
  }

  #ended(reason: string): void {
    this.#end ??= reason;
    clearInterval(this.#ping);
    this.#wake();
  }

  /** The next packet that is wanted; others that came before it are passed over. */
  async #next(isWanted: (packet: Packet) => boolean): Promise<Packet> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet !== undefined && isWanted(packet)) return packet;
      if (packet !== undefined) continue;
      if (this.#end !== undefined) throw deviceError(this.#end);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Reason codes from this one on are refusals (MQTT 5.0 §2.4). */
const firstRefusal = 0x80;
const unreachable: ReadonlySet<string | undefined> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ETIMEDOUT",
]);
const whereToLook = ": where the broker listens elsewhere, give --url mqtts://HOST:PORT";

/** What the broker says of a refusal; its policies are not for clients to see. */
function reasonOf(reasonCode: number, properties: { readonly reasonString?: string | undefined } | undefined): string {
  const reason = properties?.reasonString ?? `code 0x${reasonCode.toString(16)}`;
  return `${reason}. "latchkey decisions" and the broker's log say why`;
}

const closedByBroker = "the broker closed the connection; its log says why";

function deviceError(message: string): BrokerError {
  return new BrokerError("ERR_BROKER_DEVICE", message);
}

function addressOf(url: string): { readonly host: string; readonly port: number } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "mqtts:" || parsed.hostname === "") {
    throw new UsageError(`--url ${JSON.stringify(url)} is not possible: mqtts://HOST:PORT`);
  }
  return { host: parsed.hostname.replaceAll(/^\[|\]$/g, ""), port: Number(parsed.port === "" ? "8883" : parsed.port) };
}

async function readDeviceFile(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), "utf8");
  } catch (cause) {
    throw new UsageError(`--device ${folder} is no folder of a device: ${messageOf(cause)}`, { cause });
  }
}
