/** One press of an AWS IoT Button, by MQTT. */

import type { ServerIdentity } from "./judge-server.ts";
import { MqttClient, type MqttClientOptions } from "./mqtt-client.ts";

/** How a button can be pressed. */
export const clickTypes = ["SINGLE", "DOUBLE", "LONG"] as const;

type ClickType = (typeof clickTypes)[number];

/** A press: which button, on which topic, and the connection's settings. */
export interface Press extends Omit<MqttClientOptions, "clientIdentifier"> {
  /** The button's serial number (DSN), for instance `G030JF055364XVRB`. Also its client identifier. */
  readonly serialNumber: string;
  /** `iotbutton/` and the serial number unless somebody has changed the button's program. */
  readonly topicName?: string;
  readonly clickType?: ClickType;
}

/** Wakes, shakes hands, publishes once with QoS 1, and goes back to sleep. Resolves when the order is acknowledged. */
export async function press(options: Press): Promise<{ readonly topicName: string; readonly server: ServerIdentity }> {
  const { serialNumber, clickType = "SINGLE", topicName = `iotbutton/${serialNumber}` } = options;
  const client = await MqttClient.connect({ ...options, clientIdentifier: serialNumber });
  const order = { serialNumber, batteryVoltage: "1567mV", clickType };
  await client.publish(topicName, new TextEncoder().encode(JSON.stringify(order)));
  await client.disconnect();
  return { topicName, server: client.server };
}
