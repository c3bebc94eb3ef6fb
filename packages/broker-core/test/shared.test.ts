/** Shared subscriptions: MQTT 5.0 §4.8.2, served in 3.1.1, too. */

import { expect, test } from "vitest";
import { TestBroker, type TestClient } from "./client.ts";

const persistent = { protocolVersion: 5, cleanStart: false, properties: { sessionExpiryInterval: 1000 } } as const;
const group = "$share/workers/jobs/+";

async function publishJobs(test: TestBroker, count: number, qos: 0 | 1 | 2): Promise<void> {
  const button = await test.connect("button");
  for (let index = 1; index <= count; index++) {
    button.publish(`jobs/${index}`, `${index}`, { qos, packetIdentifier: qos === 0 ? 0 : index });
  }
}

const topics = (client: TestClient): string[] => client.takePublishes().map(({ topicName }) => topicName);

test("each message goes to one member of each group, and to every other subscriber", async () => {
  const test = new TestBroker();
  const members = [
    await test.subscriber("one", [group], { protocolVersion: 5 }),
    await test.subscriber("two", [group]),
    await test.subscriber("three", [group], { protocolVersion: 5 }),
  ];
  const others = await test.subscriber("others", ["$share/others/jobs/#"]);
  const kitchen = await test.subscriber("kitchen", ["jobs/#"]);
  await publishJobs(test, 30, 1);
  const received = members.map(topics);
  expect(received.map(({ length }) => length)).toEqual([10, 10, 10]);
  expect(new Set(received.flat()).size).toBe(30);
  expect(topics(others)).toHaveLength(30);
  expect(topics(kitchen)).toHaveLength(30);
});

test("MQTT-4.8.2-3: the granted QoS of the chosen member holds", async () => {
  const test = new TestBroker();
  const client = await test.subscriber("one", [{ topicFilter: group, qos: 0 }], { protocolVersion: 5 });
  await publishJobs(test, 1, 2);
  expect(client.takePublishes()).toMatchObject([{ qos: 0 }]);
});

test("members that are connected come first; where none is, messages wait for one that comes back", async () => {
  const test = new TestBroker();
  const away = await test.subscriber("away", [group], persistent);
  away.lose();
  const online = await test.subscriber("online", [group], { protocolVersion: 5 });
  await publishJobs(test, 4, 1);
  const received = online.takePublishes();
  expect(received).toHaveLength(4);
  for (const { packetIdentifier } of received) online.send({ type: "puback", packetIdentifier });
  online.lose();
  await publishJobs(test, 3, 1);
  expect(topics(await test.connect("away", persistent))).toHaveLength(3);
});

test("what a member had queued and in flight goes to another when its session ends, but not QoS 2 that was begun (MQTT-4.8.2-5)", async () => {
  for (const [qos, expected] of [
    [1, 5],
    [2, 4],
  ] as const) {
    const test = new TestBroker();
    const properties = { receiveMaximum: 1 };
    const leaving = await test.subscriber("leaving", [group], { protocolVersion: 5, properties });
    await publishJobs(test, 5, qos);
    expect(topics(leaving)).toHaveLength(1);
    const staying = await test.subscriber("staying", [group], { protocolVersion: 5 });
    leaving.lose();
    expect(topics(staying)).toHaveLength(expected);
  }
});

test("what waits for a member that went away goes to one that is there; what it had begun stays its own (MQTT-4.8.2-4)", async () => {
  const test = new TestBroker();
  const properties = { ...persistent.properties, receiveMaximum: 1 };
  const leaving = await test.subscriber("leaving", [group], { ...persistent, properties });
  await publishJobs(test, 5, 2);
  expect(topics(leaving)).toEqual(["jobs/1"]);
  const staying = await test.subscriber("staying", [group], { protocolVersion: 5 });
  leaving.lose();
  expect(topics(staying)).toEqual(["jobs/2", "jobs/3", "jobs/4", "jobs/5"]);
  expect(topics(await test.connect("leaving", persistent))).toEqual(["jobs/1"]);
});

test("UNSUBSCRIBE hands over what waits", async () => {
  const test = new TestBroker();
  const properties = { receiveMaximum: 1 };
  const leaving = await test.subscriber("leaving", [group], { protocolVersion: 5, properties });
  await publishJobs(test, 3, 1);
  const staying = await test.subscriber("staying", [group], { protocolVersion: 5 });
  leaving.send({ type: "unsubscribe", packetIdentifier: 1, topicFilters: [group] });
  expect(topics(staying)).toEqual(["jobs/2", "jobs/3"]);
});

test("MQTT-4.8.2-6: a member that refuses a message has had it; no other gets it", async () => {
  const test = new TestBroker();
  const one = await test.subscriber("one", [group], { protocolVersion: 5 });
  await publishJobs(test, 1, 1);
  const two = await test.subscriber("two", [group], { protocolVersion: 5 });
  one.send({ type: "puback", packetIdentifier: 1, reasonCode: 0x80 });
  one.lose();
  expect(topics(two)).toEqual([]);
});

test("a member that may not receive a topic is passed over", async () => {
  const test = new TestBroker();
  for (let index = 1; index <= 4; index++) test.denied.add(`one receive jobs/${index}`);
  const one = await test.subscriber("one", [group], { protocolVersion: 5 });
  const two = await test.subscriber("two", [group], { protocolVersion: 5 });
  await publishJobs(test, 4, 0);
  expect([topics(one), topics(two)]).toEqual([[], ["jobs/1", "jobs/2", "jobs/3", "jobs/4"]]);
});

test("no retained messages for a shared subscription; a wrong group is refused (MQTT-4.8.2-1, -2)", async () => {
  const test = new TestBroker();
  const button = await test.connect("button");
  button.publish("jobs/1", "kept", { retain: true });
  const client = await test.connect("one");
  client.take();
  client.subscribe([group, "$share//x", "$share/a"]);
  expect(client.take()).toMatchObject([{ type: "suback", reasonCodes: [2, 0x80, 0x80] }]);
});
