/** The data plane over signed HTTP, by the AWS SDK's client, and what a device sees of it. */

import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreatePolicyCommand,
  CreateThingCommand,
} from "@aws-sdk/client-iot";
import {
  DeleteConnectionCommand,
  GetConnectionCommand,
  GetRetainedMessageCommand,
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ListRetainedMessagesCommand,
  paginateListRetainedMessages,
  PublishCommand,
  SendDirectMessageCommand,
  type SendDirectMessageCommandInput,
} from "@aws-sdk/client-iot-data-plane";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MqttDevice } from "./mqtt-device.ts";
import { expectException, RunningControlPlane } from "./running-control-plane.ts";
import { send, signed } from "./signed-request.ts";

let plane: RunningControlPlane;
let client: IoTDataPlaneClient;
const clientOf = (
  key: { readonly accessKeyId: string; readonly secretAccessKey: string },
  endpoint: string = plane.url,
): IoTDataPlaneClient => new IoTDataPlaneClient({ endpoint, region: "us-east-1", credentials: key, maxAttempts: 1 });
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  client = clientOf(plane.administrator);
});
afterAll(() => {
  client.destroy();
  return plane[Symbol.asyncDispose]();
});
/** Retained messages would come to the subscribers of later tests. */
afterEach(async () => {
  for await (const { retainedTopics = [] } of paginateListRetainedMessages({ client }, {})) {
    for (const { topic = "" } of retainedTopics) await retain(topic, "");
  }
});

const textOf = (octets: Uint8Array | undefined): string => Buffer.from(octets ?? []).toString("utf8");
const retain = (topic: string, payload: string): Promise<unknown> =>
  client.send(new PublishCommand({ topic, payload: Buffer.from(payload), retain: true, qos: 1 }));

describe("Publish", () => {
  test("reaches a device that subscribes, whatever the topic is made of", async () => {
    await using device = await MqttDevice.connect(plane, "listener");
    await device.subscribe("#");
    for (const topic of ["orders", "a/b c/größe/鍵", "a%2Fb", "a+b?c=d&e"]) {
      const isFilter = topic.includes("+");
      const call = client.send(new PublishCommand({ topic, payload: Buffer.from(`to ${topic}`), qos: 1 }));
      if (isFilter) {
        await expectException(call, "InvalidRequestException", 400);
        continue;
      }
      await call;
      expect(await device.nextMessage()).toEqual({ topic, payload: `to ${topic}` });
    }
  });

  test("with slashes in the path as they are is the same", async () => {
    await using device = await MqttDevice.connect(plane, "plain");
    await device.subscribe("x/y");
    const request = { url: `${plane.url}/topics/x/y`, method: "POST", body: "hello" };
    const answer = await send(await signed(request, { key: plane.administrator, service: "iotdata" }));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ message: "OK" });
    expect(await device.nextMessage()).toEqual({ topic: "x/y", payload: "hello" });
  });

  test.each([
    [{ topic: "a/#" }, "InvalidRequestException", 400],
    [{ topic: "$aws/things/t/shadow/update" }, "InvalidRequestException", 400],
    [{ topic: "a", qos: 2 }, "InvalidRequestException", 400],
    [{ topic: "a", payload: Buffer.alloc(128 * 1024 + 1) }, "RequestEntityTooLargeException", 413],
    [{ topic: "a", userProperties: "[1]" }, "InvalidRequestException", 400],
  ] as const)("of %j is refused", async (input, name, status) => {
    await expectException(client.send(new PublishCommand(input)), name, status);
  });

  test("by a reader is ForbiddenException, and by nobody it is refused", async () => {
    const reader = clientOf(await plane.createKey("reader"));
    await expectException(reader.send(new PublishCommand({ topic: "a" })), "ForbiddenException", 403);
    await reader.send(new ListRetainedMessagesCommand({}));
    reader.destroy();
    expect(await send(`${plane.url}/retainedMessage`)).toMatchObject({ status: 403 });
  });
});

describe("retained messages", () => {
  test("are read, listed to the end and deleted by an empty one", async () => {
    for (let index = 0; index < 5; index++) await retain(`kept/${index}`, `m${index}`);
    const message = await client.send(new GetRetainedMessageCommand({ topic: "kept/3" }));
    expect(message).toMatchObject({ topic: "kept/3", qos: 1 });
    expect(textOf(message.payload)).toBe("m3");
    const topics: (string | undefined)[] = [];
    for await (const page of paginateListRetainedMessages({ client, pageSize: 2 }, {})) {
      topics.push(...(page.retainedTopics ?? []).map((one) => one.topic));
    }
    expect(topics).toEqual(["kept/0", "kept/1", "kept/2", "kept/3", "kept/4"]);
    const { retainedTopics } = await client.send(new ListRetainedMessagesCommand({ maxResults: 1 }));
    expect(retainedTopics?.[0]).toMatchObject({ topic: "kept/0", payloadSize: 2, qos: 1 });
    await retain("kept/3", "");
    await expectException(
      client.send(new GetRetainedMessageCommand({ topic: "kept/3" })),
      "ResourceNotFoundException",
      404,
    );
  });

  test.each([0, 201])("%i at once are refused", async (maxResults) => {
    await expectException(client.send(new ListRetainedMessagesCommand({ maxResults })), "InvalidRequestException", 400);
  });
});

test("DeleteConnection ends a connection; where there is none it is ResourceNotFoundException", async () => {
  await using device = await MqttDevice.connect(plane, "to be ended");
  await client.send(new DeleteConnectionCommand({ clientId: "to be ended", cleanSession: true }));
  await device.closed;
  const again = client.send(new DeleteConnectionCommand({ clientId: "to be ended" }));
  await expectException(again, "ResourceNotFoundException", 404);
});

describe("GetConnection", () => {
  const get = (clientId: string, includeSocketInformation?: boolean) =>
    client.send(new GetConnectionCommand({ clientId, includeSocketInformation }));

  test("says since when a client is connected, as which thing and from where", async () => {
    const before = Date.now();
    await using device = await MqttDevice.connect(plane, "lamp / größe", { keepAlive: 40 });
    const connected = await get("lamp / größe");
    expect(connected).toMatchObject({
      clientId: "lamp / größe",
      connected: true,
      cleanSession: true,
      sessionExpiry: 0,
      keepAliveDuration: 40,
    });
    expect(connected.connectedSince).toBeGreaterThanOrEqual(before);
    expect(connected.connectedSince).toBeLessThanOrEqual(Date.now());
    for (const left of ["disconnectedSince", "disconnectReason", "sourceIp", "sourcePort", "targetIp", "thingName"]) {
      expect(connected).not.toHaveProperty(left);
    }
    expect(await get("lamp / größe", true)).toMatchObject({
      sourceIp: "127.0.0.1",
      sourcePort: device.localPort,
      targetIp: "127.0.0.1",
      targetPort: plane.mqttPort,
    });
  });

  test("names the thing that a certificate belongs to alone", async () => {
    const control = plane.client();
    await control.send(new CreateThingCommand({ thingName: "fan" }));
    await using _ = await MqttDevice.connect(plane, "fan", {
      prepare: ({ certificateArn: principal }) =>
        control.send(
          new AttachThingPrincipalCommand({ thingName: "fan", principal, thingPrincipalType: "EXCLUSIVE_THING" }),
        ),
    });
    expect(await get("fan")).toMatchObject({ connected: true, thingName: "fan" });
  });

  test("says how the connection of a session that stays has ended", async () => {
    await using device = await MqttDevice.connect(plane, "away", { cleanStart: false });
    await client.send(new DeleteConnectionCommand({ clientId: "away" }));
    await device.closed;
    const away = await get("away", true);
    expect(away).toMatchObject({
      connected: false,
      cleanSession: false,
      disconnectReason: "API_INITIATED_DISCONNECT",
    });
    expect(away.disconnectedSince).toBeLessThanOrEqual(Date.now());
    expect(away.sessionExpiry).toBeGreaterThan(0);
    expect(away).not.toHaveProperty("connectedSince");
    expect(away).not.toHaveProperty("sourceIp");
  });

  test("knows it after a restart of the broker, too", async () => {
    await using own = await RunningControlPlane.start();
    const getOwn = async (clientId: string) => {
      const ownClient = clientOf(own.administrator, own.url);
      const { $metadata: _, ...found } = await ownClient.send(new GetConnectionCommand({ clientId }));
      ownClient.destroy();
      return found;
    };
    await using gone = await MqttDevice.connect(own, "gone", { cleanStart: false });
    gone.disconnect();
    await gone.closed;
    await expect.poll(async () => (await getOwn("gone")).connected).toBe(false);
    const before = await getOwn("gone");
    expect(before).toMatchObject({ disconnectReason: "CLIENT_INITIATED_DISCONNECT", cleanSession: false });
    await using there = await MqttDevice.connect(own, "there", { cleanStart: false });
    const stoppedAfterMs = Date.now();
    await own.restart();
    await there.closed;
    expect(await getOwn("gone")).toEqual(before);
    const cutOff = await getOwn("there");
    expect(cutOff).toMatchObject({ connected: false, disconnectReason: "SERVER_INITIATED_DISCONNECT" });
    expect(cutOff.disconnectedSince).toBeGreaterThanOrEqual(stoppedAfterMs);
    expect(cutOff.disconnectedSince).toBeLessThanOrEqual(Date.now());
  });

  test("of nobody is ResourceNotFoundException", async () => {
    await expectException(get("nobody"), "ResourceNotFoundException", 404);
  });
});

describe("SendDirectMessage", () => {
  const sendDirect = (input: Partial<SendDirectMessageCommandInput>) =>
    client.send(
      new SendDirectMessageCommand({
        clientId: "robot",
        topic: "commands/reboot",
        payload: Buffer.from("now"),
        ...input,
      }),
    );

  test("reaches a client that has subscribed to nothing, and no other", async () => {
    await using other = await MqttDevice.connect(plane, "other");
    await other.subscribe("commands/#");
    await using robot = await MqttDevice.connect(plane, "robot / größe");
    const sent = await sendDirect({ clientId: "robot / größe", topic: "commands/größe" });
    expect(sent).toMatchObject({ message: "OK", traceId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(await robot.nextMessage()).toEqual({ topic: "commands/größe", payload: "now" });
    await client.send(new PublishCommand({ topic: "commands/last", payload: Buffer.from("x") }));
    expect(await other.nextMessage()).toEqual({ topic: "commands/last", payload: "x" });
  });

  test("with confirmation is answered when the client has acknowledged", async () => {
    await using robot = await MqttDevice.connect(plane, "robot");
    let isAnswered = false;
    const sent = sendDirect({ confirmation: true, timeout: 15 }).finally(() => (isAnswered = true));
    expect(await robot.nextMessage()).toEqual({ topic: "commands/reboot", payload: "now" });
    await client.send(new ListRetainedMessagesCommand({}));
    expect(isAnswered).toBe(false);
    robot.acknowledge();
    expect(await sent).toMatchObject({ message: "OK" });
  });

  test("that is not acknowledged in time is GatewayTimeoutException", async () => {
    await using _ = await MqttDevice.connect(plane, "robot");
    await expectException(sendDirect({ confirmation: true, timeout: 1 }), "GatewayTimeoutException", 504);
  });

  test("to a client that may not receive it is ForbiddenException, which names the client", async () => {
    const control = plane.client();
    const Statement = [
      { Effect: "Allow", Action: "iot:*", Resource: "*" },
      { Effect: "Deny", Action: "iot:Receive", Resource: "arn:aws:iot:*:*:topic/commands/*" },
    ];
    const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await control.send(new CreatePolicyCommand({ policyName: "no-commands", policyDocument }));
    await using _ = await MqttDevice.connect(plane, "deaf", {
      prepare: ({ certificateArn: target }) =>
        control.send(new AttachPolicyCommand({ policyName: "no-commands", target })),
    });
    const refused = await expectException(sendDirect({ clientId: "deaf" }), "ForbiddenException", 403);
    expect(refused.message).toContain('"deaf"');
    await sendDirect({ clientId: "deaf", topic: "news" });
  });

  test("to nobody is ResourceNotFoundException, and so it is while a session is away", async () => {
    await using away = await MqttDevice.connect(plane, "sleeper", { cleanStart: false });
    await client.send(new DeleteConnectionCommand({ clientId: "sleeper" }));
    await away.closed;
    for (const clientId of ["nobody", "sleeper"]) {
      await expectException(sendDirect({ clientId }), "ResourceNotFoundException", 404);
    }
  });

  test.each([
    [{ topic: "a/#" }, "InvalidRequestException", 400],
    [{ topic: "$aws/things/t/shadow/update" }, "InvalidRequestException", 400],
    [{ timeout: 16 }, "InvalidRequestException", 400],
    [{ timeout: 0 }, "InvalidRequestException", 400],
    [{ payload: Buffer.alloc(128 * 1024 + 1) }, "RequestEntityTooLargeException", 413],
  ] as const)("of %j is refused", async (input, name, status) => {
    await using _ = await MqttDevice.connect(plane, "robot");
    await expectException(sendDirect(input), name, status);
  });

  test("by a reader is ForbiddenException", async () => {
    const reader = clientOf(await plane.createKey("reader"));
    const call = reader.send(new SendDirectMessageCommand({ clientId: "robot", topic: "a" }));
    await expectException(call, "ForbiddenException", 403);
    reader.destroy();
  });
});

test("shadows are not there, and are never a success", async () => {
  const call = client.send(new GetThingShadowCommand({ thingName: "t" }));
  await expectException(call, "UnknownOperationException", 404);
});
