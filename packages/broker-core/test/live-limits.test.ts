import { expect, test } from "vitest";
import { standardLimits } from "../src/index.ts";
import { TestBroker } from "./client.ts";

test("limits change for connections that are open, and those left out are the profile's again", async () => {
  const test = new TestBroker({ limits: { maximumTopicLevels: 3 } });
  const button = await test.connect5("button");
  test.broker.changeLimits({ maximumPayloadOctets: 3 });
  expect(test.broker.limits).toEqual({ ...standardLimits, maximumPayloadOctets: 3 });
  button.publish("a/b/c/d", "one", { qos: 1 });
  expect(button.take()).toMatchObject([{ type: "puback", reasonCode: 0x10 }]);
  button.publish("a", "four", { qos: 1 });
  button.take();
  expect(button.isClosed).toBe(true);
  expect(test.lastClosed).toContain("maximumPayloadOctets 3");
});

test("the broker's own limits are not those of its options or of its profile", () => {
  const limits = { maximumTopicLevels: 3 };
  const test = new TestBroker({ limits });
  test.broker.changeLimits({ maximumTopicLevels: 5 });
  expect(limits.maximumTopicLevels).toBe(3);
  expect(standardLimits.maximumTopicLevels).toBe(128);
});

test("another listener for published messages, or none", async () => {
  const test = new TestBroker();
  const button = await test.connect("button");
  const topics: string[] = [];
  test.broker.reportPublished(({ topicName }) => topics.push(topicName));
  button.publish("a", "x");
  test.broker.reportPublished(undefined);
  button.publish("b", "x");
  expect(topics).toEqual(["a"]);
  expect(test.published).toEqual([]);
});
