/** Protection: bounded work, bounded memory, slow clients. Each kind of fault that brokers were seen to have. */

import { encode } from "@latchkey/mqtt-codec";
import { describe, expect, test } from "vitest";
import { TestBroker, text, type TestClient } from "./client.ts";

const persistent = { cleanStart: false } as const;

/** Makes the transport keep what the broker writes. The client reads it when the test calls `read`. */
function unread(client: TestClient): { read: (octets: number) => void } {
  const { write } = client.transport;
  client.transport.write = (chunks) => {
    write(chunks);
    for (const chunk of chunks) client.transport.bufferedOctets += chunk.length;
  };
  return {
    read: (octets) => {
      const { transport } = client;
      transport.bufferedOctets = Math.max(0, transport.bufferedOctets - octets);
      client.connection.drained(client.test.nowMs);
    },
  };
}

describe("fairness", () => {
  test("a flood of SUBSCRIBEs, each for all retained messages, is handled in turns, and others are served between them", async () => {
    const test = new TestBroker();
    const button = await test.connect("button");
    for (let index = 0; index < 200; index++) button.publish(`t/${index}`, "x", { retain: true });
    test.turn();
    const greedy = await test.connect("greedy");
    greedy.take();
    const other = await test.connect("other", { keepAlive: 1 });
    other.take();
    const one = encode({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "+/#", qos: 0 }] }, 4);
    const count = Math.ceil((32 * 1024) / one.length);
    greedy.transport.write = (): void => {};
    greedy.sendBytes(Buffer.concat(Array.from({ length: count }, () => one)));
    let turns = 0;
    while (test.oneTurn()) {
      turns += 1;
      // Another client that sends in between is answered in its own turn of the loop.
      if (turns % 50 === 0) {
        other.send({ type: "pingreq" });
        expect(other.writes).toBeGreaterThan(turns / 50);
      }
      if (turns > 200_000) throw new Error("no end");
    }
    expect(turns).toBeGreaterThan(50);
    test.tick(1000);
    expect(other.isClosed).toBe(false);
  });

  test("a PUBLISH to many receivers ends the publisher's turn", async () => {
    const test = new TestBroker({ limits: { maximumWorkPerTurn: 100 } });
    for (let index = 0; index < 50; index++) await test.subscriber(`k${index}`, ["a"]);
    const button = await test.connect("button");
    const before = test.published.length;
    button.send(...Array.from({ length: 10 }, () => ({ type: "publish", topicName: "a" }) as const));
    expect(test.published.length - before).toBeLessThanOrEqual(2);
    test.turn();
    expect(test.published.length - before).toBe(10);
  });
});

describe("memory", () => {
  test("queues of clients that are away are bounded by octets, each and all together, and shared fairly", async () => {
    const limits = { maximumQueuedOctets: 1_000_000, maximumQueuedOctetsOfAll: 3_000_000 };
    const test = new TestBroker({ limits });
    for (let index = 0; index < 6; index++) (await test.subscriber(`away-${index}`, ["a"], persistent)).lose();
    const button = await test.connect("button");
    for (let index = 0; index < 100; index++) {
      button.send({ type: "publish", topicName: "a", qos: 1, packetIdentifier: 1, payload: new Uint8Array(50_000) });
    }
    const held = [...test.broker.sessions()].filter(({ isConnected }) => !isConnected);
    expect(test.broker.counters.queuedOctets).toBeLessThanOrEqual(3_000_000);
    for (const { queuedOctets } of held) {
      expect(queuedOctets).toBeGreaterThan(300_000);
      expect(queuedOctets).toBeLessThanOrEqual(1_000_000);
    }
    test.tick(1000);
    // Counted, with one event for each client and limit.
    const dropped = test.eventsOf("dropped");
    expect(dropped.length).toBeLessThanOrEqual(12);
    const messages = dropped.reduce((sum, event) => sum + event.messages, 0);
    const queued = held.reduce((sum, { queuedMessages }) => sum + queuedMessages, 0);
    expect(messages + queued).toBe(600);
  });

  test("one long queue leaves room for others", async () => {
    const test = new TestBroker({ limits: { maximumQueuedOctets: 10_000_000, maximumQueuedOctetsOfAll: 1_000_000 } });
    (await test.subscriber("hog", ["hog"], persistent)).lose();
    (await test.subscriber("other", ["other"], persistent)).lose();
    const button = await test.connect("button");
    const payload = new Uint8Array(10_000);
    for (let index = 0; index < 200; index++) {
      button.send({ type: "publish", topicName: "hog", qos: 1, packetIdentifier: 1, payload });
    }
    button.send({ type: "publish", topicName: "other", qos: 1, packetIdentifier: 1, payload });
    const [, other] = [...test.broker.sessions()];
    expect(other).toMatchObject({ clientIdentifier: "other", queuedMessages: 1 });
  });

  test("a client that reconnects again and again without reading costs no more each time", async () => {
    const test = new TestBroker({ limits: { maximumBufferedOctets: 200_000 } });
    (await test.subscriber("fridge", ["a"], persistent)).lose();
    const button = await test.connect("button");
    const payload = new Uint8Array(50_000);
    for (let index = 0; index < 90; index++) {
      button.send({ type: "publish", topicName: "a", qos: 1, packetIdentifier: 1, payload });
    }
    for (let round = 0; round < 60; round++) {
      const client = test.open("fridge");
      unread(client);
      await client.connect("fridge", persistent);
      client.take();
      expect(client.octets).toBeLessThan(300_000);
    }
  });

  test("what is queued is an own copy: no chunk of a publisher is held", async () => {
    const test = new TestBroker();
    (await test.subscriber("fridge", ["a"], persistent)).lose();
    const button = await test.connect("button");
    const chunk = Buffer.from(
      encode({ type: "publish", topicName: "a", qos: 1, packetIdentifier: 1, payload: text("x") }, 4),
    );
    button.sendBytes(chunk);
    chunk.fill(0);
    const fridge = await test.connect("fridge", persistent);
    expect(fridge.messages()).toEqual(["a x"]);
  });
});

describe("slow clients", () => {
  test("a transport that takes everything gets everything, whatever waits in the same input", async () => {
    const test = new TestBroker({ limits: { maximumBufferedOctets: 100_000 } });
    const kitchen = await test.subscriber("kitchen", ["a"]);
    const button = await test.connect("button");
    const payload = new Uint8Array(60_000);
    const packets = Array.from({ length: 40 }, (_, index) => {
      return {
        type: "publish",
        topicName: "a",
        qos: index % 2 === 0 ? 0 : 1,
        packetIdentifier: index % 2,
        payload,
      } as const;
    });
    button.send(...packets);
    expect(kitchen.takePublishes()).toHaveLength(40);
  });

  test("a transport that takes everything at once, and so never says that it has room, gets everything without a tick", async () => {
    const test = new TestBroker();
    for (let number = 0; number < 100; number++) {
      await test.broker.publish({ topicName: `r/${number}`, payload: new Uint8Array(20_000), retain: true }, 0);
    }
    const kitchen = await test.connect("kitchen");
    kitchen.subscribe(["r/#"]);
    expect(kitchen.takePublishes()).toHaveLength(100);
  });

  test("a receiver that is full slows its publishers: nothing is lost to one that reads", async () => {
    const test = new TestBroker({ limits: { maximumBufferedOctets: 200_000, maximumQueuedOctets: 400_000 } });
    const kitchen = await test.subscriber("kitchen", ["a"]);
    const { read } = unread(kitchen);
    const buttons = await Promise.all(["b1", "b2", "b3", "b4"].map((name) => test.connect(name)));
    const payload = new Uint8Array(60_000);
    let received = 0;
    for (const button of buttons) {
      button.send(...Array.from({ length: 100 }, () => ({ type: "publish", topicName: "a", payload }) as const));
    }
    expect(buttons.some(({ transport }) => transport.isPaused)).toBe(true);
    for (let round = 0; round < 2000 && received < 400; round++) {
      read(100_000);
      received += kitchen.takePublishes().length;
    }
    expect(received).toBe(400);
    expect(test.broker.counters.brakes).toBeGreaterThan(0);
    expect(buttons.map(({ transport }) => transport.isPaused)).toEqual([false, false, false, false]);
  });

  test("one that does not read slows its publishers for a moment only, then loses messages, counted", async () => {
    const limits = { maximumBufferedOctets: 100_000, maximumQueuedOctets: 200_000, maximumUnreadMs: 10_000 };
    const test = new TestBroker({ limits });
    const stuck = await test.subscriber("stuck", ["a"]);
    unread(stuck);
    const other = await test.subscriber("other", ["a"]);
    const button = await test.connect("button");
    button.send(
      ...Array.from(
        { length: 100 },
        () => ({ type: "publish", topicName: "a", payload: new Uint8Array(10_000) }) as const,
      ),
    );
    test.turn();
    expect(button.transport.isPaused).toBe(true);
    test.tick(1000);
    expect(button.transport.isPaused).toBe(false);
    expect(other.takePublishes()).toHaveLength(100);
    test.tick(2000);
    expect(test.eventsOf("dropped")).toMatchObject([{ clientIdentifier: "stuck", limit: "maximumQueuedOctets" }]);
    test.tick(12_000);
    expect(stuck.isClosed).toBe(true);
    expect(test.lastClosed).toContain("maximumUnreadMs 10000");
  });

  test("a client that reads nothing is closed whatever it sends, also without keep alive; one at 50 KB/s is not", async () => {
    const test = new TestBroker();
    const stuck = await test.subscriber("stuck", ["a"]);
    unread(stuck);
    const slow = await test.subscriber("slow", ["a"]);
    const { read } = unread(slow);
    const button = await test.connect("button");
    for (let second = 1; second <= 120; second++) {
      test.nowMs = second * 1000;
      button.send({ type: "publish", topicName: "a", payload: new Uint8Array(200_000) });
      if (!stuck.isClosed) stuck.send({ type: "pingreq" });
      read(50_000);
      test.tick(second * 1000);
    }
    expect([stuck.isClosed, slow.isClosed]).toEqual([true, false]);
  });

  test("what waits for a slow client is counted, and its transport gets no more than it can take soon", async () => {
    const test = new TestBroker();
    const slow = await test.subscriber("slow", ["a"]);
    unread(slow);
    const button = await test.connect("button");
    for (let index = 0; index < 20; index++) {
      button.send({ type: "publish", topicName: "a", payload: new Uint8Array(20_000) });
    }
    expect(slow.transport.bufferedOctets).toBeLessThanOrEqual(128 * 1024);
  });
});
