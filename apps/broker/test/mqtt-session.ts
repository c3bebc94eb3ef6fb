/** A client over mutual TLS that speaks MQTT 3.1.1 with the codec, packet by packet. */

import { connect as connectTls, type TLSSocket } from "node:tls";
import { encode, PacketDecoder, type EncodablePacket, type Packet } from "@latchkey/mqtt-codec";

/** What a client needs to reach a broker. */
export interface Access {
  readonly port: number;
  readonly ca: Buffer | string;
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}

/** One connection. */
export class MqttSession {
  readonly isSessionPresent: boolean;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #socket: TLSSocket;

  private constructor(socket: TLSSocket, isSessionPresent: boolean, closed: Promise<void>) {
    this.#socket = socket;
    this.isSessionPresent = isSessionPresent;
    this.closed = closed;
  }

  /** Connects and resolves with CONNACK; `onPacket` gets what comes after it, from the first octet on. */
  static connect(
    { port, ca, cert, key }: Access,
    clientIdentifier: string,
    onPacket: (packet: Packet, session: MqttSession) => void,
    { cleanStart, keepAlive = 0 }: { readonly cleanStart: boolean; readonly keepAlive?: number } = {
      cleanStart: false,
    },
  ): Promise<MqttSession> {
    const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", ca, cert, key });
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const decoder = new PacketDecoder({ receives: "server-packets", protocolVersion: 4 });
    socket.once("secureConnect", () => {
      const connect = {
        type: "connect",
        protocolVersion: 4,
        clientIdentifier,
        cleanStart,
        keepAlive,
      } as const;
      socket.write(encode(connect, 4));
    });
    return new Promise((resolve, reject) => {
      let session: MqttSession | undefined;
      socket.on("error", reject);
      void closed.then(() => reject(new Error("closed before CONNACK")));
      socket.on("data", (chunk) => {
        decoder.push(chunk);
        for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
          if (packet.type === "connack" && packet.reasonCode !== 0) {
            reject(new Error(`CONNACK ${packet.reasonCode}`));
          } else if (packet.type === "connack") {
            session = new MqttSession(socket, packet.sessionPresent, closed);
            resolve(session);
          } else if (session !== undefined) {
            onPacket(packet, session);
          }
        }
      });
    });
  }

  /** The client's own port. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  send(packet: EncodablePacket): void {
    if (!this.#socket.destroyed) this.#socket.write(encode(packet, 4));
  }

  cut(): Promise<void> {
    this.#socket.destroy();
    return this.closed;
  }
}
