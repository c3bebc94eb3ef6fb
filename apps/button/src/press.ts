/**
 * One press of an AWS IoT Button: it wakes, resolves the endpoint, connects, shakes hands, verifies the server, sends one message and
 * goes back to sleep. By HTTPS, as the device did, or by MQTT.
 */

import { nodeProvider } from "@latchkey/crypto/node";
import { certificateId, certificatesFromPem, nameText } from "@latchkey/x509";
import type { ClickType } from "./click.ts";
import { ButtonError } from "./errors.ts";
import { publishByHttps, topicPath, type HttpsAnswer } from "./https-publish.ts";
import {
  connectToTrusted,
  type ServerIdentity,
  type ServerStep,
  type TrustedConnectionOptions,
} from "./trusted-connection.ts";
import { MqttClient } from "./mqtt-client.ts";
import { defaultTimeoutMs, type ConnectionStep } from "./secure-stream.ts";

/** What a press did, step by step, in order. */
export type PressStep =
  | { readonly step: "wake"; readonly clickType: ClickType; readonly batteryMillivolts: number }
  | ConnectionStep
  /** The client certificate that the server got. The handshake has proved that this button has its key. */
  | { readonly step: "shown"; readonly subject: string; readonly certificateId: string }
  | ServerStep
  | { readonly step: "request"; readonly line: string; readonly payload: string }
  | { readonly step: "answer"; readonly line: string; readonly isAcknowledged: boolean }
  | { readonly step: "sleep"; readonly awakeMs: number };

/** A press: which button, on which topic, and the connection's settings. */
export interface Press extends Omit<TrustedConnectionOptions, "onStep"> {
  /** How the message goes. */
  readonly protocol: "https" | "mqtt";
  /** The button's serial number (DSN), for instance `G030JF055364XVRB`. With MQTT also its client identifier. */
  readonly serialNumber: string;
  /** `iotbutton/` and the serial number unless somebody has changed the button's program. */
  readonly topicName?: string | undefined;
  readonly clickType?: ClickType;
  readonly batteryMillivolts?: number;
  readonly onStep?: ((step: PressStep) => void) | undefined;
}

/** An acknowledged press. */
export interface Pressed {
  readonly topicName: string;
  readonly server: ServerIdentity;
}

/** The voltage of a nearly new battery. */
const usualMillivolts = 1567;

/** Presses once. Resolves when the message is acknowledged; rejects with `ButtonError`, whose layer says what failed. */
export async function press(options: Press): Promise<Pressed> {
  const { serialNumber, clickType = "SINGLE", batteryMillivolts = usualMillivolts } = options;
  const { topicName = `iotbutton/${serialNumber}`, onStep } = options;
  const startedMs = performance.now();
  onStep?.({ step: "wake", clickType, batteryMillivolts });
  const payload = JSON.stringify({ serialNumber, batteryVoltage: `${batteryMillivolts}mV`, clickType });
  const connection: TrustedConnectionOptions = {
    ...options,
    onStep: (step: ConnectionStep | ServerStep) => {
      onStep?.(step);
      if (step.step === "tls") onStep?.(shownIdentity(options.certificate));
    },
  };
  const publish = options.protocol === "mqtt" ? pressByMqtt : pressByHttps;
  const server = await publish(options, connection, { topicName, payload });
  onStep?.({ step: "sleep", awakeMs: Math.round(performance.now() - startedMs) });
  return { topicName, server };
}

interface Order {
  readonly topicName: string;
  readonly payload: string;
}

async function pressByMqtt(
  { serialNumber: clientIdentifier, onStep }: Press,
  connection: TrustedConnectionOptions,
  { topicName, payload }: Order,
): Promise<ServerIdentity> {
  const { stream, server } = await connectToTrusted(connection);
  const client = await MqttClient.over(stream, { ...connection, clientIdentifier });
  onStep?.({ step: "request", line: `CONNECT as ${clientIdentifier}`, payload: "" });
  onStep?.({ step: "answer", line: "CONNACK 0", isAcknowledged: true });
  onStep?.({ step: "request", line: `PUBLISH ${topicName}, QoS 1`, payload });
  await client.publish(topicName, new TextEncoder().encode(payload));
  onStep?.({ step: "answer", line: "PUBACK", isAcknowledged: true });
  await client.disconnect();
  return server;
}

async function pressByHttps(
  { onStep }: Press,
  connection: TrustedConnectionOptions,
  { topicName, payload }: Order,
): Promise<ServerIdentity> {
  const { host, port, serverName = host, timeoutMs = defaultTimeoutMs } = connection;
  const { stream, server } = await connectToTrusted(connection);
  onStep?.({ step: "request", line: `POST ${topicPath(topicName, 1)}`, payload });
  const authority = `${serverName.includes(":") ? `[${serverName}]` : serverName}:${port}`;
  const answer = await publishByHttps(stream, {
    authority,
    topicName,
    qos: 1,
    payload: new TextEncoder().encode(payload),
    timeoutMs,
  });
  const isAcknowledged = answer.status === 200;
  onStep?.({ step: "answer", line: `HTTP ${answer.status} ${answer.body}`.trim(), isAcknowledged });
  if (!isAcknowledged) throw refusalOf(answer, topicName);
  return server;
}

/** 401 is about the certificate, 403 about the topic. */
function refusalOf({ status, body, errorType }: HttpsAnswer, topicName: string): ButtonError {
  const said = messageIn(body);
  const detail = said === undefined ? "" : `: ${said}`;
  if (status === 401) {
    const why = `HTTP 401, the server does not accept this certificate${detail}`;
    return new ButtonError("ERR_BUTTON_CERTIFICATE_REFUSED", why);
  }
  if (status === 403) {
    const why = `HTTP 403, the server does not let this certificate publish to ${topicName}${detail}`;
    return new ButtonError("ERR_BUTTON_FORBIDDEN", why);
  }
  const name = errorType === undefined ? "" : ` ${errorType}`;
  return new ButtonError("ERR_BUTTON_HTTP_STATUS", `HTTP ${status}${name}${detail}`);
}

/** The `message` of a JSON body. */
function messageIn(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const hasMessage = typeof parsed === "object" && parsed !== null && "message" in parsed;
    return hasMessage && typeof parsed.message === "string" ? parsed.message : undefined;
  } catch {
    return undefined;
  }
}

function shownIdentity(pem: string): PressStep {
  const [certificate] = certificatesFromPem(pem);
  return {
    step: "shown",
    subject: certificate === undefined ? "" : nameText(certificate.subject),
    certificateId: certificate === undefined ? "" : certificateId(certificate, nodeProvider),
  };
}
