/** Several brokers that serve the same clients. */

import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { at, Bridge, type Node } from "./bridge.ts";
import { persistent, text } from "./client.ts";

let bridge: Bridge;
let [one, two]: Node[] = [];
beforeEach(() => {
  bridge = new Bridge();
  [one, two] = [bridge.add(), bridge.add()];
});

describe("messages", () => {
  test("go to the nodes that want their topic, once for what an input has for each, and to no others", async () => {
    const three = bridge.add();
    const kitchen = await at(two).subscriber("kitchen", ["orders/+"]);
    await at(three).subscriber("lamp", ["lamps/#"]);
    bridge.letThrough();
    const button = await at(one).connect("button");
    const orders = ["1", "2", "3"].map(
      (payload) => ({ type: "publish", topicName: "orders/a", payload: text(payload) }) as const,
    );
    button.send(...orders, { type: "publish", topicName: "nobody", payload: text("4") });
    bridge.letThrough();
    expect(kitchen.messages()).toEqual(["orders/a 1", "orders/a 2", "orders/a 3"]);
    expect(one?.forwarded).toEqual([{ node: 2, topics: ["orders/a", "orders/a", "orders/a"] }]);
    expect(two?.forwarded).toEqual([]);
  });

  test("are wanted where somebody has subscribed, connected or away, here or on another node, or a program listens", async () => {
    const { broker } = at(one);
    broker.reportPublished(undefined);
    expect(broker.isWanted("orders")).toBe(false);
    const kitchen = await at(two).subscriber("kitchen", ["orders"]);
    bridge.letThrough();
    (await at(one).subscriber("hall", ["lamps/+"], persistent(5))).lose();
    expect(["orders", "lamps/a", "lamps"].map((topicName) => broker.isWanted(topicName))).toEqual([true, true, false]);
    kitchen.lose();
    bridge.letThrough();
    expect(broker.isWanted("orders")).toBe(false);
    broker.reportPublished(() => {});
    expect(broker.isWanted("orders")).toBe(true);
  });

  test("are handed over before their acknowledgement goes out, also where the client leaves at once", async () => {
    await at(two).subscriber("kitchen", ["orders"], persistent(5));
    bridge.letThrough();
    const order = { type: "publish", topicName: "orders", payload: text("1"), qos: 1, packetIdentifier: 7 } as const;
    for (const packets of [[order], [{ ...order, qos: 2 } as const], [order, { type: "disconnect" } as const]]) {
      const button = await at(one).connect5("button");
      let seen: string[] | undefined;
      bridge.onForward = () => (seen = button.take().map(({ type }) => type));
      button.send(...packets);
      expect(seen).toEqual([]);
      bridge.onForward = undefined;
      expect(button.take()).toMatchObject([{ packetIdentifier: 7 }]);
      button.lose();
    }
  });

  test("stop when the last subscription with a filter ends, also by the end of a session", async () => {
    const first = await at(two).subscriber("first", ["a"]);
    const second = await at(two).subscriber("second", ["a"]);
    bridge.letThrough();
    const button = await at(one).connect("button");
    const count = (): number => {
      button.publish("a", "x");
      bridge.letThrough();
      return one?.forwarded.length ?? 0;
    };
    expect(count()).toBe(1);
    first.send({ type: "unsubscribe", packetIdentifier: 1, topicFilters: ["a"] });
    expect(count()).toBe(2);
    second.lose();
    bridge.letThrough();
    expect(count()).toBe(2);
    await at(two).subscriber("third", ["a"]);
    bridge.letThrough();
    expect(count()).toBe(3);
  });

  test("keep QoS, properties, what is left of their expiry, and for whom they are not (No Local)", async () => {
    const kitchen = await at(two).subscriber("kitchen", ["a"], { protocolVersion: 5 });
    const own = { topicFilter: "a", qos: 1, noLocal: true } as const;
    const same = await at(two).subscriber("button", [own], { protocolVersion: 5 });
    bridge.letThrough();
    const button = await at(one).connect5("button-there");
    at(one).nowMs = 1000;
    button.publish("a", "x", { qos: 2, properties: { messageExpiryInterval: 10, contentType: "text/plain" } });
    at(two).nowMs = 4000;
    bridge.letThrough();
    expect(kitchen.takePublishes()).toMatchObject([
      { qos: 2, payload: text("x"), properties: { messageExpiryInterval: 7, contentType: "text/plain" } },
    ]);
    expect(same.takePublishes()).toHaveLength(1);
    button.publish("a", "too old", { qos: 1, packetIdentifier: 8, properties: { messageExpiryInterval: 3 } });
    at(two).nowMs = 9000;
    bridge.letThrough();
    expect(kitchen.takePublishes()).toEqual([]);
  });

  test("count as received by somebody: no reason code 0x10", async () => {
    await at(two).subscriber("kitchen", ["a"]);
    bridge.letThrough();
    const button = await at(one).connect5("button");
    button.publish("a", "x", { qos: 1 });
    button.publish("b", "x", { qos: 1, packetIdentifier: 8 });
    expect(button.take()).toMatchObject([
      { type: "puback", reasonCode: 0 },
      { type: "puback", reasonCode: 0x10 },
    ]);
  });

  test("the rights of the receiver are asked where it is", async () => {
    const kitchen = await at(two).subscriber("kitchen", ["a"]);
    bridge.letThrough();
    at(two).denied.add("kitchen receive a");
    (await at(one).connect("button")).publish("a", "x");
    bridge.letThrough();
    expect(kitchen.messages()).toEqual([]);
    expect(at(two).eventsOf("denied")).toHaveLength(1);
  });

  test("of a program reach other nodes, too, and wait there for clients that are away", async () => {
    const fridge = await at(two).subscriber("fridge", ["a"], persistent(4));
    bridge.letThrough();
    fridge.lose();
    await at(one).broker.publish({ topicName: "a", payload: text("x"), qos: 1 }, 0);
    bridge.letThrough();
    expect((await at(two).connect("fridge", persistent(4))).messages()).toEqual(["a x"]);
  });
});

describe("shared subscriptions", () => {
  const shared = "$share/cooks/orders";

  test("one member of all nodes gets a message: one that is connected here, else another node in turn, else one that is away", async () => {
    const three = bridge.add();
    const members = [
      await at(one).subscriber("m1", [shared], persistent(5)),
      await at(two).subscriber("m2", [shared]),
      await at(three).subscriber("m3", [shared]),
    ];
    bridge.letThrough();
    const button = await at(one).connect("button");
    const publish = (payload: string): string[] => {
      button.publish("orders", payload, { qos: 1 });
      bridge.letThrough();
      return members.map((member) => member.messages().length.toString());
    };
    expect(publish("1")).toEqual(["1", "0", "0"]);
    members[0]?.send({ type: "puback", packetIdentifier: 1 });
    members[0]?.lose();
    const served = [publish("2").join(" "), publish("3").join(" ")];
    expect(new Set(served)).toEqual(new Set(["0 0 1", "0 1 0"]));
    members[1]?.lose();
    members[2]?.lose();
    bridge.letThrough();
    expect(publish("4")).toEqual(["0", "0", "0"]);
    expect((await at(one).connect("m1", persistent(5))).messages()).toEqual(["orders 4"]);
  });

  test("beside subscriptions that are not shared, a message crosses once", async () => {
    const member = await at(two).subscriber("member", [shared]);
    const plain = await at(two).subscriber("plain", ["orders"]);
    bridge.letThrough();
    (await at(one).connect("button")).publish("orders", "x");
    bridge.letThrough();
    expect([member.messages(), plain.messages()]).toEqual([["orders x"], ["orders x"]]);
    expect(one?.forwarded).toEqual([{ node: 2, topics: ["orders"] }]);
  });

  test("a retained message reaches one member, and every node keeps it", async () => {
    const member = await at(two).subscriber("member", [shared]);
    bridge.letThrough();
    (await at(one).connect("button")).publish("orders", "x", { retain: true });
    bridge.letThrough();
    expect(member.messages()).toEqual(["orders x"]);
    expect(at(two).broker.retained("orders")?.payload).toEqual(text("x"));
  });
});

describe("retained messages", () => {
  test("are everywhere, wanted or not, and reach those who want them live", async () => {
    const kitchen = await at(two).subscriber("kitchen", ["state"]);
    bridge.letThrough();
    (await at(one).connect("button")).publish("state", "on", { retain: true });
    bridge.letThrough();
    expect(kitchen.takePublishes()).toMatchObject([{ retain: false, payload: text("on") }]);
    const late = await at(two).connect("late");
    late.take();
    late.subscribe(["state"]);
    expect(late.takePublishes()).toMatchObject([{ retain: true, payload: text("on") }]);
    expect(at(two).broker.deleteRetained("state", 0)).toBe(true);
    bridge.letThrough();
    expect(at(one).broker.retained("state")).toBeUndefined();
  });

  test("a node that is new is given all of them, and what it has of a higher version stays", async () => {
    const button = await at(one).connect("button");
    at(one).nowMs = 1000;
    button.publish("a", "old", { retain: true });
    button.publish("b", "only here", { retain: true });
    bridge.letThrough();
    const three = bridge.add();
    at(three).nowMs = 2000;
    (await at(three).connect("other")).publish("a", "new", { retain: true });
    bridge.passing = [];
    at(three).broker.cluster.receive(Array.from(at(one).broker.cluster.retained()), 2000);
    expect(at(three).broker.retained("a")?.payload).toEqual(text("new"));
    expect(at(three).broker.retained("b")).toMatchObject({ payload: text("only here"), storedAtMs: 1000 });
  });

  test("all nodes come to the same, in whatever order their changes arrive", async () => {
    const change = fc.record({
      node: fc.constantFrom(0, 1, 2),
      topicName: fc.constantFrom("a", "b"),
      payload: fc.constantFrom("", "x", "y"),
      passes: fc.array(fc.nat(20), { maxLength: 3 }),
      passedMs: fc.constantFrom(0, 0, 1, 1000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 20 }), fc.array(fc.nat(100)), async (changes, order) => {
        const joined = new Bridge();
        const nodes = [joined.add(), joined.add(), joined.add()];
        const letOneThrough = (place: number): void => {
          const [next] = joined.passing.splice(place % Math.max(1, joined.passing.length), 1);
          if (next?.type === "messages") next.to.test.broker.cluster.receive(next.messages, next.to.test.nowMs);
        };
        for (const { node, topicName, payload, passes, passedMs } of changes) {
          const test = at(nodes[node]);
          test.nowMs += passedMs;
          await test.broker.publish({ topicName, payload: text(payload), retain: true }, test.nowMs);
          for (const place of passes) letOneThrough(place);
        }
        for (const place of order) letOneThrough(place);
        while (joined.passing.length > 0) letOneThrough(0);
        const states = nodes.map(({ test }) =>
          Array.from(
            test.broker.retainedMessages(),
            ({ topicName, payload }) => `${topicName} ${payload.length} ${payload[0]}`,
          ).sort(),
        );
        expect(states[1]).toEqual(states[0]);
        expect(states[2]).toEqual(states[0]);
      }),
    );
  });

  test.each([Number.NaN, Infinity, -1, 0.5, 2 ** 53, Number.MAX_SAFE_INTEGER])(
    "a version that no node can have made, %s, is refused with all that came with it, and nothing is spoilt",
    async (version) => {
      (await at(one).connect("button")).publish("a", "old", { retain: true });
      const [sent] = Array.from(at(one).broker.cluster.retained());
      if (sent?.retained === undefined) throw new Error("nothing is retained");
      const { storedAtMs } = sent.retained;
      const { cluster } = at(two).broker;
      expect(() => cluster.receive([sent, { ...sent, retained: { version, storedAtMs } }], 0)).toThrow(RangeError);
      const ill = { version: 1024, storedAtMs: Number.NaN };
      expect(() => cluster.receive([sent, { ...sent, retained: ill }], 0)).toThrow(RangeError);
      expect(at(two).broker.retained("a")).toBeUndefined();
      const kitchen = await at(two).connect("kitchen");
      kitchen.publish("a", "first", { retain: true });
      kitchen.publish("a", "second", { retain: true });
      expect(at(two).broker.retained("a")?.payload).toEqual(text("second"));
    },
  );

  test("one that expires on its way takes the place of an older one all the same", async () => {
    const client = await at(one).connect5("client");
    client.publish("t", "old", { retain: true });
    bridge.letThrough();
    client.publish("t", "new", { retain: true, properties: { messageExpiryInterval: 1 } });
    for (const node of [one, two]) at(node).tick(2000);
    bridge.letThrough();
    for (const node of [one, two]) expect(at(node).broker.retained("t")).toBeUndefined();
  });

  test("one that is above a node's limit is left out there, and counted", async () => {
    const small = bridge.add({ limits: { maximumRetainedMessages: 1 } });
    const button = await at(one).connect("button");
    button.publish("a", "x", { retain: true });
    button.publish("b", "x", { retain: true });
    bridge.letThrough();
    expect(Array.from(at(small).broker.retainedMessages())).toHaveLength(1);
    expect(at(small).broker.counters.messagesDropped.maximumRetainedMessages).toBe(1);
  });
});
