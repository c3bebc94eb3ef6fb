/** The AWS IoT Device SDK v2 for JavaScript against the broker: by another endpoint, and nothing else. */

import { once } from "node:events";
import { auth, iot, mqtt, mqtt5 } from "aws-iot-device-sdk-v2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice, type DeviceIdentity } from "../data-plane/device-identity.ts";

let plane: RunningControlPlane;
let device: DeviceIdentity;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  device = await makeDevice(plane, [
    allow("iot:Connect", "client/sdk-*"),
    allow("iot:Publish", "topic/sdk/*"),
    allow("iot:Receive", "topic/sdk/*"),
    allow("iot:Subscribe", "topicfilter/sdk/*"),
  ]);
});
afterAll(() => plane[Symbol.asyncDispose]());

/** Subscribes, publishes and gives what comes back. */
async function roundTrip(client: mqtt5.Mqtt5Client): Promise<string> {
  const connected = once(client, "connectionSuccess");
  client.start();
  await connected;
  const received = once(client, "messageReceived") as Promise<[mqtt5.MessageReceivedEvent]>;
  const { AtLeastOnce } = mqtt5.QoS;
  await client.subscribe({ subscriptions: [{ topicFilter: "sdk/+", qos: AtLeastOnce }] });
  const acknowledged = await client.publish({ topicName: "sdk/1", qos: AtLeastOnce, payload: "order" });
  expect(acknowledged).toMatchObject({ reasonCode: mqtt5.PubackReasonCode.Success });
  const [{ message }] = await received;
  const stopped = once(client, "stopped");
  client.stop();
  await stopped;
  client.close();
  return Buffer.from(message.payload as ArrayBuffer).toString();
}

function started(
  builder: iot.AwsIotMqtt5ClientConfigBuilder,
  service: "mqtts" | "https" | "alpn",
  clientId: string,
): mqtt5.Mqtt5Client {
  builder.withPort(plane.portOf(service));
  builder.withCertificateAuthority(device.ca);
  builder.withConnectProperties({ clientId, keepAliveIntervalSeconds: 30 });
  return new mqtt5.Mqtt5Client(builder.build());
}

describe("MQTT 5", () => {
  test.each(["mqtts", "alpn"] as const)("mutual TLS on the port of %s", async (service) => {
    const { cert, key } = device;
    const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory("localhost", cert, key);
    expect(await roundTrip(started(builder, service, `sdk-${service}`))).toBe("order");
  });

  test("WebSocket signed with an access key", async () => {
    const { accessKeyId, secretAccessKey } = plane.administrator;
    const builder = iot.AwsIotMqtt5ClientConfigBuilder.newWebsocketMqttBuilderWithSigv4Auth("localhost", {
      region: "us-east-1",
      credentialsProvider: auth.AwsCredentialsProvider.newStatic(accessKeyId, secretAccessKey),
    });
    expect(await roundTrip(started(builder, "https", "sdk-console"))).toBe("order");
  });

  test("what the policy does not allow is told by its reason code", async () => {
    const { cert, key } = device;
    const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory("localhost", cert, key);
    const client = started(builder, "mqtts", "stranger");
    const failed = once(client, "connectionFailure") as Promise<[mqtt5.ConnectionFailureEvent]>;
    client.start();
    const [{ connack }] = await failed;
    expect(connack).toMatchObject({ reasonCode: mqtt5.ConnectReasonCode.NotAuthorized });
    client.stop();
    client.close();
  });
});

test("MQTT 3.1.1 with mutual TLS", async () => {
  const { cert, key, ca } = device;
  const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(cert, key)
    .with_certificate_authority(ca)
    .with_endpoint("localhost")
    .with_port(plane.mqttPort)
    .with_client_id("sdk-311")
    .with_clean_session(true)
    .build();
  const connection = new mqtt.MqttClient().new_connection(config);
  await connection.connect();
  const received = Promise.withResolvers<string>();
  await connection.subscribe("sdk/+", mqtt.QoS.AtLeastOnce, (topic, payload) =>
    received.resolve(`${topic} ${Buffer.from(payload).toString()}`),
  );
  await connection.publish("sdk/2", "order", mqtt.QoS.AtLeastOnce);
  expect(await received.promise).toBe("sdk/2 order");
  await connection.disconnect();
});
