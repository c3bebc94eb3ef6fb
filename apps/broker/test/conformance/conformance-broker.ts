/** The broker that conformance tests speak to: mutual TLS, policies and a store on the disk, as `latchkey start` runs it. */

import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Limits } from "@latchkey/broker-core";
import type { EncodableConnect, EncodableSubscription, ProtocolVersion } from "@latchkey/mqtt-codec";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { makeDevice, type DeviceIdentity } from "../data-plane/device-identity.ts";
import type { WireClient } from "./wire-client.ts";
import { WireClients } from "./wire-clients.ts";

/** What the policy of the one device forbids; all else is allowed. */
const denied = {
  Effect: "Deny",
  Action: ["iot:Connect", "iot:Publish", "iot:Subscribe"],
  Resource: ["client/denied*", "topic/denied/*", "topicfilter/denied/*"].map(
    (name) => `arn:aws:iot:us-east-1:000000000000:${name}`,
  ),
};

/** A running broker and the device whose certificate all clients show. Disposing ends both. */
export class ConformanceBroker extends WireClients implements AsyncDisposable {
  readonly plane: RunningControlPlane;
  readonly #device: DeviceIdentity;

  private constructor(plane: RunningControlPlane, device: DeviceIdentity) {
    super();
    this.plane = plane;
    this.#device = device;
  }

  static async start(limits: Partial<Limits> = {}): Promise<ConformanceBroker> {
    const plane = await RunningControlPlane.start({ limits: { maximumConnectsPerSecond: 0, ...limits } });
    const device = await makeDevice(plane, [{ Effect: "Allow", Action: "iot:*", Resource: "*" }, denied]);
    return new ConformanceBroker(plane, device);
  }

  protected async openStream(): Promise<Socket> {
    const { cert, key, ca } = this.#device;
    const port = this.plane.mqttPort;
    const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", cert, key, ca });
    await once(socket, "secureConnect");
    socket.setNoDelay(true);
    return socket;
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
    await this.cutAll();
    await this.plane[Symbol.asyncDispose]();
  }
}

/** A session that outlives its connection, in either version. */
export function persistent(version: ProtocolVersion): Partial<EncodableConnect> {
  return { cleanStart: false, properties: version === 5 ? { sessionExpiryInterval: 1000 } : undefined };
}

/** A will on a topic, with QoS 0 by default. */
export function willOf(
  topicName: string,
  fields: { readonly qos?: 0 | 1 | 2; readonly retain?: boolean } = {},
): { readonly will: NonNullable<EncodableConnect["will"]> } {
  return { will: { topicName, payload: Buffer.from("gone"), ...fields } };
}
