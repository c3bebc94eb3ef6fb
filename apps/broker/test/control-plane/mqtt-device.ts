/** A device with a certificate of its own from the control plane, to see what the broker does to it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  type CreateKeysAndCertificateCommandOutput,
} from "@aws-sdk/client-iot";
import type { Packet } from "@latchkey/mqtt-codec";
import { MqttSession } from "../mqtt-session.ts";
import { allowEverything } from "./identities.ts";
import type { RunningControlPlane } from "./running-control-plane.ts";

/** A message as a device gets it. */
export interface DeviceMessage {
  readonly topic: string;
  readonly payload: string;
}

/** A connected device that may do everything. */
export class MqttDevice implements AsyncDisposable {
  readonly certificateId: string;
  readonly certificateArn: string;
  /** Resolves with the time (performance.now) when the connection has ended. */
  readonly closed: Promise<number>;
  readonly #session: MqttSession;
  readonly #packets: Packet[];
  #isClosed = false;
  #lastPacketIdentifier = 0;
  #arrived: () => void = () => {};

  private constructor(session: MqttSession, packets: Packet[], certificateId: string, certificateArn: string) {
    this.#session = session;
    this.#packets = packets;
    this.certificateId = certificateId;
    this.certificateArn = certificateArn;
    this.closed = session.closed.then(() => {
      this.#isClosed = true;
      this.#arrived();
      return performance.now();
    });
  }

  /** `prepare` is awaited before it connects. */
  static async connect(
    plane: RunningControlPlane,
    clientIdentifier: string,
    {
      prepare,
      ...session
    }: {
      readonly cleanStart?: boolean;
      readonly keepAlive?: number;
      readonly prepare?: (made: CreateKeysAndCertificateCommandOutput) => Promise<unknown>;
    } = {},
  ): Promise<MqttDevice> {
    const client = plane.client();
    const made = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    const { certificateId = "", certificateArn = "", certificatePem = "", keyPair } = made;
    await client.send(new CreatePolicyCommand({ policyName: "all", policyDocument: allowEverything })).catch(() => {});
    await client.send(new AttachPolicyCommand({ policyName: "all", target: certificateArn }));
    await prepare?.(made);
    const ca = readFileSync(join(plane.directory, "server-ca.pem"));
    const access = { port: plane.mqttPort, ca, cert: certificatePem, key: keyPair?.PrivateKey ?? "" };
    const packets: Packet[] = [];
    let device: MqttDevice | undefined;
    const onPacket = (packet: Packet): void => {
      // Its payload is a view of a chunk.
      packets.push(packet.type === "publish" ? { ...packet, payload: packet.payload.slice() } : packet);
      if (device !== undefined) device.#arrived();
    };
    const connected = await MqttSession.connect(access, clientIdentifier, onPacket, { cleanStart: true, ...session });
    device = new MqttDevice(connected, packets, certificateId, certificateArn);
    return device;
  }

  get localPort(): number {
    return this.#session.localPort;
  }

  async subscribe(topicFilter: string): Promise<void> {
    this.#session.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter, qos: 0 }] });
    const suback = await this.#packet();
    if (suback.type !== "suback" || suback.reasonCodes[0] !== 0) throw new Error("SUBACK refuses");
  }

  /** Publishes with QoS 1. Resolves when it is acknowledged; rejects where the broker closes the connection. */
  async publish(topicName: string, payload: string): Promise<void> {
    const octets = new TextEncoder().encode(payload);
    this.#session.send({ type: "publish", topicName, payload: octets, qos: 1, packetIdentifier: 1 });
    if ((await this.#packet()).type !== "puback") throw new Error("no PUBACK");
  }

  /** Acknowledges the last message that was asked for. */
  acknowledge(): void {
    this.#session.send({ type: "puback", packetIdentifier: this.#lastPacketIdentifier });
  }

  async nextMessage(): Promise<DeviceMessage> {
    const packet = await this.#packet();
    if (packet.type !== "publish") throw new Error(`${packet.type} in place of a message`);
    this.#lastPacketIdentifier = packet.packetIdentifier;
    return { topic: packet.topicName, payload: new TextDecoder().decode(packet.payload) };
  }

  disconnect(): void {
    this.#session.send({ type: "disconnect" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.cut();
  }

  /** The next packet. Rejects where the connection has ended. */
  async #packet(): Promise<Packet> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet !== undefined) return packet;
      if (this.#isClosed) throw new Error("the broker closed the connection");
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }
}
