import { describe, expect, test } from "vitest";
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

describe("rates of connections that are open", () => {
  const named = {
    authenticate: (peer: string) => ({ ok: true, principal: peer }) as const,
    nameOf: (principal: string) => principal,
  };

  /** Payloads of what a client has published, as far as the broker has read it. */
  function published(test: TestBroker): string[] {
    test.turn();
    return test.published.map(({ topicName }) => topicName);
  }

  describe.each(["maximumPublishesPerSecond", "maximumPublishesPerSecondOfPrincipal"] as const)("%s", (name) => {
    /** One that has sent five messages at one a second: the second makes it wait. */
    async function slowed(): Promise<TestBroker> {
      const test = new TestBroker({ authenticator: named, limits: { [name]: 1 } });
      const button = await test.connect("button");
      for (const topic of ["1", "2", "3", "4", "5"]) button.publish(topic, "x");
      expect(published(test)).toEqual(["1", "2"]);
      return test;
    }

    test("a client that was slowed down goes on at once where there is no rate any more", async () => {
      const test = await slowed();
      test.broker.changeLimits({});
      expect(published(test)).toEqual(["1", "2", "3", "4", "5"]);
    });

    test("at a higher rate it waits less", async () => {
      const test = await slowed();
      test.broker.changeLimits({ [name]: 10 });
      test.tick(99);
      expect(published(test)).toEqual(["1", "2"]);
      test.tick(101);
      expect(published(test)).toEqual(["1", "2", "3"]);
    });

    test("at the same rate it waits as long as it was to", async () => {
      const test = await slowed();
      test.tick(600);
      test.broker.changeLimits({ [name]: 1 });
      test.tick(990);
      expect(published(test)).toEqual(["1", "2"]);
      test.tick(1001);
      expect(published(test)).toEqual(["1", "2", "3"]);
    });

    test("a rate that there was not slows it down from then on", async () => {
      const test = new TestBroker({ authenticator: named });
      const button = await test.connect("button");
      for (let count = 0; count < 10; count++) button.publish("before", "x");
      test.broker.changeLimits({ [name]: 2 });
      for (const topic of ["1", "2", "3", "4", "5"]) button.publish(topic, "x");
      expect(published(test).slice(10)).toEqual(["1", "2", "3"]);
      test.tick(501);
      expect(published(test).slice(10)).toEqual(["1", "2", "3", "4"]);
    });
  });

  test("octets", async () => {
    const test = new TestBroker({ limits: { maximumOctetsPerSecond: 100 } });
    const button = await test.connect("button");
    button.publish("1", "x".repeat(1000));
    button.publish("2", "x");
    expect(published(test)).toEqual([]);
    test.broker.changeLimits({ maximumOctetsPerSecond: 1_000_000 });
    test.tick(2);
    expect(published(test)).toEqual(["1", "2"]);
  });

  test("CONNECT of a client identifier", async () => {
    const test = new TestBroker({ limits: { maximumConnectsPerSecond: 1 } });
    await test.connect("button");
    await test.connect("button");
    expect(test.lastClosed).toContain("maximumConnectsPerSecond 1");
    test.broker.changeLimits({ maximumConnectsPerSecond: 5 });
    test.tick(500);
    const again = await test.connect("button");
    expect(again.take()).toMatchObject([{ type: "connack", reasonCode: 0 }]);
  });
});

test("how long a connection may last", async () => {
  const test = new TestBroker();
  const button = await test.connect("button");
  test.tick(9000);
  test.broker.changeLimits({ maximumConnectionSeconds: 10 });
  test.tick(9999);
  expect(button.isClosed).toBe(false);
  test.broker.changeLimits({ maximumConnectionSeconds: 20 });
  test.tick(19_999);
  expect(button.isClosed).toBe(false);
  test.tick(20_000);
  expect(test.lastClosed).toContain("maximumConnectionSeconds is over");
});
