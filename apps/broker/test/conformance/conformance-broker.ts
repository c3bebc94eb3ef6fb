/** The broker that conformance tests speak to: mutual TLS, policies and a store on the disk, as `latchkey start` runs it. */

import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import type { Limits } from "@latchkey/broker-core";
import type { EncodableConnect, EncodableSubscription, ProtocolVersion } from "@latchkey/mqtt-codec";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { makeDevice, type DeviceIdentity } from "../data-plane/device-identity.ts";
import { WireClient } from "./wire-client.ts";

/** What the policy of the one device forbids; all else is allowed. */
const denied = {
  Effect: "Deny",
  Action: ["iot:Connect", "iot:Publish", "iot:Subscribe"],
  Resource: ["client/denied*", "topic/denied/*", "topicfilter/denied/*"].map(
    (name) => `arn:aws:iot:us-east-1:000000000000:${name}`,
  ),
};

/** A running broker and the device whose certificate all clients show. Disposing ends both. */
export class ConformanceBroker implements AsyncDisposable {
  readonly plane: RunningControlPlane;
  readonly #device: DeviceIdentity;
  readonly #clients: WireClient[] = [];
  #names = 0;

  private constructor(plane: RunningControlPlane, device: DeviceIdentity) {
    this.plane = plane;
    this.#device = device;
  }

  static async start(limits: Partial<Limits> = {}): Promise<ConformanceBroker> {
    const plane = await RunningControlPlane.start({ limits: { maximumConnectsPerSecond: 0, ...limits } });
    const device = await makeDevice(plane, [{ Effect: "Allow", Action: "iot:*", Resource: "*" }, denied]);
    return new ConformanceBroker(plane, device);
  }

  /** A name that no other test of this broker has, for a client identifier or a topic. */
  name(): string {
    return `n${++this.#names}`;
  }

  /** A connection on which nothing was sent yet. */
  async open(version: ProtocolVersion): Promise<WireClient> {
    const { cert, key, ca } = this.#device;
    const socket = connectTls({
      host: "127.0.0.1",
      port: this.plane.mqttPort,
      servername: "localhost",
      cert,
      key,
      ca,
    });
    await once(socket, "secureConnect");
    socket.setNoDelay(true);
    const client = new WireClient(socket, version);
    this.#clients.push(client);
    return client;
  }

  /** A client whose CONNECT was accepted, with an identifier of its own. */
  async connect(
    version: ProtocolVersion,
    fields: Partial<EncodableConnect> = {},
    clientIdentifier: string = this.name(),
  ): Promise<WireClient> {
    const client = await this.open(version);
    const { reasonCode } = await client.connect(clientIdentifier, fields);
    if (reasonCode !== 0) throw new Error(`CONNACK 0x${reasonCode.toString(16)}`);
    return client;
  }

  /** Lines of the log until now that match. */
  logged(pattern: RegExp): string[] {
    return this.plane.log.split("\n").filter((line) => pattern.test(line));
  }

  /** A connected client that has subscribed, with QoS 2 where a filter alone is given. */
  async subscriber(
    version: ProtocolVersion,
    filters: readonly (string | EncodableSubscription)[],
    fields: Partial<EncodableConnect> = {},
    clientIdentifier?: string,
  ): Promise<WireClient> {
    const client = await this.connect(version, fields, clientIdentifier);
    await client.subscribe(filters);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.cut()));
    await this.plane[Symbol.asyncDispose]();
  }
}

/** A session that outlives its connection, in either version. */
export function persistent(version: ProtocolVersion): Partial<EncodableConnect> {
  return { cleanStart: false, properties: version === 5 ? { sessionExpiryInterval: 1000 } : undefined };
}
