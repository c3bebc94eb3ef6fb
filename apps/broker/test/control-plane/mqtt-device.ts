/** A device with just enough MQTT 3.1.1 to see what the broker does to it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { AttachPolicyCommand, CreateKeysAndCertificateCommand, CreatePolicyCommand } from "@aws-sdk/client-iot";
import { allowEverything } from "./identities.ts";
import type { RunningControlPlane } from "./running-control-plane.ts";

/** A message as a device gets it. */
export interface DeviceMessage {
  readonly topic: string;
  readonly payload: string;
}

/** A connected device with a certificate of its own that may do everything. */
export class MqttDevice implements AsyncDisposable {
  readonly certificateId: string;
  readonly certificateArn: string;
  /** Resolves with the time (performance.now) when the connection has ended. */
  readonly closed: Promise<number>;
  readonly #socket: TLSSocket;
  readonly #packets: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #arrived: () => void = () => {};

  private constructor(socket: TLSSocket, certificateId: string, certificateArn: string) {
    this.#socket = socket;
    this.certificateId = certificateId;
    this.certificateArn = certificateArn;
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        resolve(performance.now());
        this.#arrived();
      });
    });
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  static async connect(plane: RunningControlPlane, clientIdentifier: string): Promise<MqttDevice> {
    const client = plane.client();
    const made = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    const { certificateId = "", certificateArn = "" } = made;
    await client.send(new CreatePolicyCommand({ policyName: "all", policyDocument: allowEverything })).catch(() => {});
    await client.send(new AttachPolicyCommand({ policyName: "all", target: certificateArn }));
    const socket = connect({
      host: "127.0.0.1",
      port: plane.broker.port,
      servername: "localhost",
      ca: readFileSync(join(plane.directory, "server-ca.pem")),
      cert: made.certificatePem,
      key: made.keyPair?.PrivateKey,
    });
    const device = new MqttDevice(socket, certificateId, certificateArn);
    const name = text(clientIdentifier);
    // CONNECT with a clean session and no keep-alive.
    device.write(0x10, Buffer.concat([Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0]), name]));
    const connack = await device.packet();
    if (connack[3] !== 0) throw new Error(`CONNACK ${connack[3]}`);
    return device;
  }

  async subscribe(topicFilter: string): Promise<void> {
    this.write(0x82, Buffer.concat([Buffer.from([0, 1]), text(topicFilter), Buffer.from([0])]));
    const suback = await this.packet();
    if (suback[0] !== 0x90 || suback.at(-1) === 0x80) throw new Error("SUBACK refuses");
  }

  /** Publishes with QoS 1. Resolves when it is acknowledged; rejects where the broker closes the connection. */
  async publish(topic: string, payload: string): Promise<void> {
    this.write(0x32, Buffer.concat([text(topic), Buffer.from([0, 1]), Buffer.from(payload)]));
    const puback = await this.packet();
    if (puback[0] !== 0x40) throw new Error("no PUBACK");
  }

  async nextMessage(): Promise<DeviceMessage> {
    const packet = await this.packet();
    let at = 1;
    while (((packet[at] ?? 0) & 0x80) !== 0) at++;
    at++;
    const length = packet.readUInt16BE(at);
    const topic = packet.subarray(at + 2, at + 2 + length).toString("utf8");
    return { topic, payload: packet.subarray(at + 2 + length).toString("utf8") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }

  private write(type: number, body: Buffer): void {
    this.#socket.write(Buffer.concat([Buffer.from([type, body.length]), body]));
  }

  /** The next packet. Rejects where the connection has ended. */
  private async packet(): Promise<Buffer> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet !== undefined) return packet;
      if (this.#socket.destroyed) throw new Error("the broker closed the connection");
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }

  #receive(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      let length = 0;
      let at = 1;
      for (; ; at++) {
        const octet = this.#rest[at];
        if (octet === undefined) return;
        length += (octet & 0x7f) << (7 * (at - 1));
        if ((octet & 0x80) === 0) break;
      }
      if (this.#rest.length < at + 1 + length) return;
      this.#packets.push(this.#rest.subarray(0, at + 1 + length));
      this.#rest = this.#rest.subarray(at + 1 + length);
      this.#arrived();
    }
  }
}

function text(value: string): Buffer {
  const octets = Buffer.from(value, "utf8");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(octets.length);
  return Buffer.concat([length, octets]);
}
