/**
 * One MQTT client of the generator: a raw socket, our codec, one write a turn of the event loop.
 *
 * It is built to be cheap: no queue of its own, no reconnecting, no object for a message. What it receives goes to
 * call-backs; payloads are views that are valid during the call.
 */

import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, TLSSocket } from "node:tls";
import {
  encode,
  PacketDecoder,
  type EncodablePacket,
  type Packet,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
} from "@latchkey/mqtt-codec";

/** Where to connect, and how. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Undefined for TCP without TLS. */
  readonly tls: EndpointTls | undefined;
}

/** The TLS side of an endpoint. */
interface EndpointTls {
  readonly serverName: string;
  readonly version: "1.2" | "1.3" | undefined;
  /** False only where the user said `--insecure`. */
  readonly isVerified: boolean;
}

/** A failure with the short name under which it is counted. */
export class ClientFailure extends Error {
  override readonly name = "ClientFailure";
  /** For instance `ECONNREFUSED`, `CONNACK 5`, `closed by the target`. */
  readonly kind: string;

  constructor(kind: string, options?: { readonly cause: unknown }) {
    super(kind, options);
    this.kind = kind;
  }
}

/** The name under which a failure is counted. */
export function failureKind(error: unknown): string {
  if (error instanceof ClientFailure) return error.kind;
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.message.slice(0, 80);
}

/** Opens a socket, with its TLS handshake where the endpoint has one. Rejects with `ClientFailure`. */
export function openSocket(
  endpoint: Endpoint,
  secureContext: SecureContext | undefined,
  timeoutMs: number,
  session?: Buffer,
): Promise<Socket> {
  const { host, port, tls } = endpoint;
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? connectTcp({ host, port, noDelay: true })
        : connectTls({
            host,
            port,
            ...(secureContext !== undefined && { secureContext }),
            servername: tls.serverName,
            rejectUnauthorized: tls.isVerified,
            ...(session !== undefined && { session }),
          });
    const timer = setTimeout(() => fail(new ClientFailure("timeout of the handshake")), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      socket.on("error", () => {});
      reject(error instanceof ClientFailure ? error : new ClientFailure(failureKind(error), { cause: error }));
    };
    const closed = (): void => fail(new ClientFailure("closed by the target in the handshake"));
    socket.once("error", fail);
    socket.once("close", closed);
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      socket.off("close", closed);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Writes once a turn for all clients of a worker: what was queued in a turn goes out in one write a socket. */
export class WriteTurn {
  readonly #waiting: MqttClient[] = [];
  #isScheduled = false;

  /** Writes `client`'s packets at the end of the turn, or when `flush` is called. */
  add(client: MqttClient): void {
    this.#waiting.push(client);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  /** Writes now. */
  flush(): void {
    this.#isScheduled = false;
    for (const client of this.#waiting.splice(0)) client.flush();
  }
}

/** How a client says hello. */
export interface ClientOptions {
  readonly clientIdentifier: string;
  readonly protocolVersion: ProtocolVersion;
  /** Default true. False keeps the session for an hour after the connection in 5.0, for good in 3.1.1. */
  readonly cleanStart?: boolean;
  readonly timeoutMs: number;
  /** Called with each PUBLISH, after its acknowledgement was queued. */
  readonly onPublish?: (packet: PublishPacket) => void;
  /** Called when a PUBLISH of this client is done: PUBACK for QoS 1, PUBCOMP for QoS 2. */
  readonly onAcknowledged?: () => void;
  /** Called once when the connection ends by itself, unless a call that waits for an answer rejects with it. */
  readonly onLost?: (kind: string) => void;
}

/** Octets that may wait in a socket before its publisher holds back; the messages stay due meanwhile. */
const maximumWaitingOctets = 256 * 1024;
const keepAliveSeconds = 60;
/** PINGREQ is sent this often on a quiet connection. */
const pingIntervalMs = 45_000;

/** A connection after CONNACK. */
export class MqttClient {
  readonly socket: Socket;
  readonly #options: ClientOptions;
  readonly #turn: WriteTurn;
  readonly #decoder: PacketDecoder;
  readonly #queued: Uint8Array[] = [];
  readonly #waiting = new Map<string, { resolve: (packet: Packet) => void; reject: (error: Error) => void }>();
  readonly #ping: NodeJS.Timeout;
  #packetIdentifier = 0;
  #inFlight = 0;
  /** MQTT 5.0 Receive Maximum of the target; the identifiers are the limit where it names none. */
  #receiveMaximum = 65_535;
  #failure: ClientFailure | undefined;
  #isLeaving = false;
  #isEstablished = false;

  constructor(socket: Socket, turn: WriteTurn, options: ClientOptions) {
    this.socket = socket;
    this.#turn = turn;
    this.#options = options;
    this.#decoder = new PacketDecoder({ receives: "server-packets", protocolVersion: options.protocolVersion });
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#fail(new ClientFailure(failureKind(error), { cause: error })));
    socket.on("close", () => this.#fail(new ClientFailure("closed by the target")));
    this.#ping = setInterval(() => this.send({ type: "pingreq" }), pingIntervalMs);
    this.#ping.unref();
  }

  /** Sends CONNECT on an open socket and waits for CONNACK. Rejects with `ClientFailure`. */
  static async connect(socket: Socket, turn: WriteTurn, options: ClientOptions): Promise<MqttClient> {
    const client = new MqttClient(socket, turn, options);
    const { clientIdentifier, protocolVersion, cleanStart = true } = options;
    const connack = await client.exchange("connack", {
      type: "connect",
      protocolVersion,
      clientIdentifier,
      cleanStart,
      keepAlive: keepAliveSeconds,
      ...(protocolVersion === 5 && !cleanStart && { properties: { sessionExpiryInterval: 3600 } }),
    });
    if (connack.type !== "connack") throw new ClientFailure("no CONNACK");
    if (connack.reasonCode !== 0) {
      const failure = new ClientFailure(`CONNACK ${connack.reasonCode}`);
      client.#fail(failure);
      throw failure;
    }
    client.#isEstablished = true;
    client.#receiveMaximum = connack.properties?.receiveMaximum ?? 65_535;
    return client;
  }

  /** Whether a PUBLISH may be queued now: the socket takes more and the window is open. */
  get isReady(): boolean {
    return (
      this.#failure === undefined &&
      this.#inFlight < this.#receiveMaximum &&
      this.socket.writableLength < maximumWaitingOctets
    );
  }

  /** Whether the connection is there. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** The MQTT version of the connection. */
  get version(): ProtocolVersion {
    return this.#options.protocolVersion;
  }

  /** PUBLISH packets with QoS 1 or 2 that are not acknowledged. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The identifier for the next PUBLISH with QoS 1 or 2, which is then in flight. Brokers acknowledge in order, so none is in use. */
  takePacketIdentifier(): number {
    this.#inFlight++;
    this.#packetIdentifier = (this.#packetIdentifier % 65_535) + 1;
    return this.#packetIdentifier;
  }

  /** Queues encoded octets, which the caller must not change any more. They go out with the turn. */
  queue(octets: Uint8Array): void {
    if (this.#failure !== undefined) return;
    this.#queued.push(octets);
    if (this.#queued.length === 1) this.#turn.add(this);
  }

  /** Queues a packet. */
  send(packet: EncodablePacket): void {
    this.queue(encode(packet, this.#options.protocolVersion));
  }

  /** Writes what is queued. */
  flush(): void {
    const [first] = this.#queued;
    if (first === undefined || this.#failure !== undefined) return;
    this.socket.write(this.#queued.length === 1 ? first : Buffer.concat(this.#queued));
    this.#queued.length = 0;
  }

  /** Subscribes and waits for SUBACK. Rejects with `ClientFailure`. */
  async subscribe(topicFilter: string, qos: QoS): Promise<void> {
    this.#packetIdentifier = (this.#packetIdentifier % 65_535) + 1;
    const packetIdentifier = this.#packetIdentifier;
    const suback = await this.exchange(`suback ${packetIdentifier}`, {
      type: "subscribe",
      packetIdentifier,
      subscriptions: [{ topicFilter, qos }],
    });
    const code = suback.type === "suback" ? suback.reasonCodes[0] : undefined;
    if (code === undefined || code >= 0x80) {
      throw new ClientFailure(`SUBACK 0x${(code ?? 0x80).toString(16)} for ${topicFilter}`);
    }
    if (code < qos) throw new ClientFailure(`SUBACK grants QoS ${code} of ${qos}`);
  }

  /** Sends a packet and waits for its answer, named as `connack` or `suback 7`. */
  exchange(answer: string, packet: EncodablePacket): Promise<Packet> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new ClientFailure(`timeout of ${answer.split(" ", 1)[0]}`));
      }, this.#options.timeoutMs);
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(answer);
      };
      this.#waiting.set(answer, {
        resolve: (received) => {
          end();
          resolve(received);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      });
      this.send(packet);
    });
  }

  /** Says goodbye and waits until the connection is closed, for at most `timeoutMs`. */
  disconnect(): Promise<void> {
    this.#isLeaving = true;
    if (this.socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.socket.destroy(), this.#options.timeoutMs);
      this.socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.send({ type: "disconnect" });
      this.flush();
      this.socket.end();
    });
  }

  /** Cuts the connection without DISCONNECT, as a lost network does. */
  cut(): void {
    this.#isLeaving = true;
    this.socket.destroy();
    this.#fail(new ClientFailure("cut"));
  }

  #receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
      for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) this.#handle(packet);
    } catch (error) {
      this.#fail(new ClientFailure("malformed packet from the target", { cause: error }));
    }
  }

  #handle(packet: Packet): void {
    switch (packet.type) {
      case "publish":
        if (packet.qos === 1) this.send({ type: "puback", packetIdentifier: packet.packetIdentifier });
        else if (packet.qos === 2) this.send({ type: "pubrec", packetIdentifier: packet.packetIdentifier });
        this.#options.onPublish?.(packet);
        break;
      case "puback":
      case "pubcomp":
        this.#acknowledged(packet.reasonCode);
        break;
      case "pubrec":
        if ((packet.reasonCode ?? 0) >= 0x80) this.#acknowledged(packet.reasonCode);
        else this.send({ type: "pubrel", packetIdentifier: packet.packetIdentifier });
        break;
      case "pubrel":
        this.send({ type: "pubcomp", packetIdentifier: packet.packetIdentifier });
        break;
      case "connack":
        this.#waiting.get("connack")?.resolve(packet);
        break;
      case "disconnect":
        this.#fail(new ClientFailure(`DISCONNECT 0x${packet.reasonCode.toString(16)}`));
        break;
      default:
        if ("packetIdentifier" in packet) {
          this.#waiting.get(`${packet.type} ${packet.packetIdentifier}`)?.resolve(packet);
        }
    }
  }

  #acknowledged(reasonCode: number | undefined): void {
    this.#inFlight--;
    if ((reasonCode ?? 0) >= 0x80) this.#options.onLost?.(`reason 0x${(reasonCode ?? 0).toString(16)} for a PUBLISH`);
    else this.#options.onAcknowledged?.();
  }

  #fail(failure: ClientFailure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    clearInterval(this.#ping);
    this.#queued.length = 0;
    this.socket.destroy();
    const waiting = [...this.#waiting.values()];
    for (const { reject } of waiting) reject(failure);
    if (this.#isEstablished && !this.#isLeaving && waiting.length === 0) this.#options.onLost?.(failure.kind);
  }
}

/** The TLS part of a socket. */
export function tlsOf(socket: Socket): TLSSocket {
  if (!(socket instanceof TLSSocket)) throw new TypeError("the connection has no TLS");
  return socket;
}
