/** Wills whose broker was killed or stopped: MQTT 5.0 §3.1.2.5, §3.1.3.2.2. */

import { beforeEach, describe, expect, test } from "vitest";
import { MemorySessionStore, type BrokerOptions } from "../src/index.ts";
import { persistent, TestBroker, type TestClient, text } from "./client.ts";

const start1970 = 1_000_000;

let store: MemorySessionStore;
let broker: TestBroker;
/** Principals that are made again, and those that are released. */
let restored: string[];
let released: string[];

/** A broker on what the store has, at this time. The one before is gone as if it was killed. */
async function start(nowMs: number, options: Partial<BrokerOptions<string, string>> = {}): Promise<TestBroker> {
  let made: TestBroker | undefined;
  made = new TestBroker({
    epochMs: () => start1970 + (made?.nowMs ?? nowMs),
    persistence: { store, kept: await store.load(), nowMs },
    authenticator: {
      authenticate: (peer) => ({ ok: true, principal: peer }),
      keepPrincipal: (principal) => `kept ${principal}`,
      restorePrincipal: async (kept, clientIdentifier) => {
        restored.push(`${kept} for ${clientIdentifier}`);
        return kept.startsWith("kept gone") ? undefined : kept.slice("kept ".length);
      },
      release: (principal) => released.push(principal),
    },
    ...options,
  });
  made.nowMs = nowMs;
  return (broker = made);
}

beforeEach(async () => {
  store = new MemorySessionStore();
  [restored, released] = [[], []];
  await start(0);
});

const retained = (): string | undefined => {
  const found = broker.broker.retained("wills");
  return found === undefined ? undefined : new TextDecoder().decode(found.payload);
};

/** A client with a will that its topic retains, so that it can be seen later. */
async function connect(
  clientIdentifier: string,
  delaySeconds: number,
  fields: object = persistent(5),
): Promise<TestClient> {
  const properties = { willDelayInterval: delaySeconds };
  const will = { topicName: "wills", payload: text(clientIdentifier), retain: true, qos: 1, properties } as const;
  const client = await broker.connect(clientIdentifier, { protocolVersion: 5, ...fields, will });
  await broker.broker.settled();
  return client;
}

/** The time goes on, and what is asked meanwhile is answered. */
async function tick(nowMs: number): Promise<void> {
  broker.tick(nowMs);
  await broker.broker.settled();
  await new Promise((resolve) => setImmediate(resolve));
  await broker.broker.settled();
}

describe("killed while the client was connected", () => {
  test("the will is published when the broker runs again, once, also to a session that waits", async () => {
    (await broker.subscriber("watcher", [{ topicFilter: "wills", qos: 1 }], persistent(5))).lose();
    await connect("button", 0);
    await start(5000);
    expect(retained()).toBeUndefined();
    await tick(5000);
    expect(retained()).toBe("button");
    expect(restored).toEqual(["kept button for button"]);
    expect(released).toContain("button");
    expect((await broker.connect("watcher", persistent(5))).messages()).toEqual(["wills button"]);
    expect((await store.load()).wills).toEqual([]);
    broker.broker.deleteRetained("wills", 6000);
    await start(7000);
    await tick(8000);
    expect(retained()).toBeUndefined();
  });

  test("that of a clean session, too, whatever its delay: the session has ended with its connection", async () => {
    await connect("button", 3600, { cleanStart: true });
    await start(5000);
    await tick(6000);
    expect(retained()).toBe("button");
  });

  test("that of a clean session whose client is back before the first tick is not published over what it says", async () => {
    await connect("button", 0, { cleanStart: true });
    await start(5000);
    (await broker.connect("button")).publish("wills", "online", { retain: true });
    await tick(6000);
    expect([retained(), broker.broker.counters.willsDropped]).toEqual(["online", 1]);
    expect((await store.load()).wills).toEqual([]);
  });

  test("of two, because the first was being decided about, the newer one is published alone", async () => {
    const isDecided = Promise.withResolvers<true>();
    let isHeld = false;
    const decide = (): true | Promise<true> => (isHeld ? isDecided.promise : true);
    await start(0, { authorizer: { decide } });
    const old = await connect("button", 0, { cleanStart: true });
    isHeld = true;
    old.lose();
    isHeld = false;
    const will = { topicName: "wills", payload: text("newer"), retain: true };
    await broker.connect("button", { will });
    await broker.broker.settled();
    expect((await store.load()).wills).toHaveLength(2);
    await start(1000);
    await tick(1000);
    expect([broker.published.length, retained()]).toEqual([1, "newer"]);
    expect(broker.eventsOf("will-dropped")).toMatchObject([{ reason: "a newer will of its client takes its place" }]);
    expect((await store.load()).wills).toEqual([]);
  });

  test("with a delay it counts from then on, and the client that returns in time has none published", async () => {
    await connect("button", 30);
    await tick(10_000);
    await start(20_000);
    await tick(39_000);
    expect(retained()).toBeUndefined();
    (await broker.connect("button", persistent(5))).send({ type: "disconnect" });
    await tick(60_000);
    expect(retained()).toBeUndefined();
    expect((await store.load()).wills).toEqual([]);
  });

  test("with a delay it is published when it has passed, however often the broker is killed meanwhile", async () => {
    await connect("button", 30);
    await start(10_000);
    await tick(10_000);
    await start(20_000);
    await tick(29_000);
    expect(retained()).toBeUndefined();
    await tick(30_001);
    expect(retained()).toBe("button");
  });

  test("with the session's end where that is earlier, also while nothing ran", async () => {
    await connect("button", 3600);
    await start(2_000_000);
    await tick(2_000_000);
    expect(broker.broker.connection("button")).toBeUndefined();
    expect(retained()).toBe("button");
  });

  test("with a clean start of its client (MQTT-3.1.3-9 does not hold for another session)", async () => {
    await connect("button", 3600);
    await start(1000);
    await broker.connect("button", { ...persistent(5), cleanStart: true });
    await tick(2000);
    expect(retained()).toBe("button");
  });

  test("a right that was withdrawn meanwhile holds it back", async () => {
    await connect("button", 0);
    await start(1000);
    broker.denied.add("button retain-publish wills");
    await tick(1000);
    expect(retained()).toBeUndefined();
    expect(broker.eventsOf("denied")).toMatchObject([{ principal: "button", action: "retain-publish", name: "wills" }]);
    expect((await store.load()).wills).toEqual([]);
  });

  test("a principal that cannot be had again has no rights", async () => {
    await connect("gone", 0);
    await start(1000);
    await tick(1000);
    expect(retained()).toBeUndefined();
    expect(broker.eventsOf("will-dropped")).toEqual([
      {
        type: "will-dropped",
        clientIdentifier: "gone",
        topicName: "wills",
        reason: "its client is not known any more",
      },
    ]);
    expect(broker.broker.counters.willsDropped).toBe(1);
    expect((await store.load()).wills).toEqual([]);
  });

  describe("where whom it takes to have the principal again is not there", () => {
    let isThere: boolean;
    let asked: number;
    const restoring = {
      authenticate: (peer: string) => ({ ok: true, principal: peer }) as const,
      keepPrincipal: (principal: string) => principal,
      restorePrincipal: (kept: string) => {
        asked += 1;
        if (!isThere) throw new Error("no registry");
        return kept;
      },
    };
    beforeEach(async () => {
      [isThere, asked] = [false, 0];
      await connect("button", 0);
      await start(1000, { authenticator: restoring });
      await tick(1000);
      expect([asked, retained()]).toEqual([1, undefined]);
    });

    test("the will is published when it is back, once", async () => {
      await tick(3000);
      isThere = true;
      for (const seconds of [4, 5, 6, 7, 30, 90]) await tick(seconds * 1000);
      expect([asked, retained()]).toEqual([3, "button"]);
      expect(broker.published.filter(({ topicName }) => topicName === "wills")).toHaveLength(1);
      expect(broker.eventsOf("will-dropped")).toEqual([]);
      expect((await store.load()).wills).toEqual([]);
    });

    test("it is dropped after a minute, which is reported and counted", async () => {
      for (let seconds = 2; seconds < 60; seconds++) await tick(seconds * 1000);
      expect((await store.load()).wills).toHaveLength(1);
      for (let seconds = 60; seconds < 120; seconds++) await tick(seconds * 1000);
      expect(asked).toBe(7);
      expect(broker.eventsOf("will-dropped")).toEqual([
        { type: "will-dropped", clientIdentifier: "button", topicName: "wills", reason: "Error: no registry" },
      ]);
      expect(broker.broker.counters.willsDropped).toBe(1);
      expect((await store.load()).wills).toEqual([]);
    });

    test.each(["stopped", "killed"])("a broker that is %s meanwhile tries again when it runs", async (how) => {
      await tick(3000);
      if (how === "stopped") broker.broker.shutdown(4000);
      await broker.broker.settled();
      expect(broker.broker.counters.willsDropped).toBe(0);
      expect((await store.load()).wills).toHaveLength(1);
      isThere = true;
      await tick(9000);
      const stopped = broker;
      await start(10_000, { authenticator: restoring });
      await tick(10_000);
      expect(retained()).toBe("button");
      if (how === "stopped") expect(stopped.published).toEqual([]);
    });

    test.each([
      ["with its session", false],
      ["with a new one", true],
    ])("its client that is back %s has none published over what it says", async (_, cleanStart) => {
      isThere = true;
      const back = await broker.connect("button", { ...persistent(5), cleanStart });
      back.publish("wills", "online", { retain: true });
      for (let seconds = 2; seconds < 90; seconds++) await tick(seconds * 1000);
      expect([back.isClosed, retained()]).toEqual([false, "online"]);
      expect(broker.broker.counters.willsDropped).toBe(1);
      expect((await store.load()).wills).toEqual([]);
    });

    test("the principal that comes when its client is back is released", async () => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const authenticator = {
        ...restoring,
        restorePrincipal: (kept: string) => (kept === "clean" ? promise : Promise.reject(new Error("no registry"))),
        release: (principal: string) => released.push(principal),
      };
      await connect("clean", 0, { cleanStart: true });
      await start(2000, { authenticator });
      await tick(2000);
      await broker.connect("clean");
      resolve("clean of the last run");
      await tick(3000);
      expect(retained()).toBeUndefined();
      expect(released).toContain("clean of the last run");
    });
  });

  test("a clock that was set back does not make the delay longer", async () => {
    await connect("button", 30);
    (await connect("other", 30)).lose();
    await broker.broker.settled();
    await start(10_000, { epochMs: () => start1970 - 500_000 });
    await tick(40_001);
    expect(retained()).toBeDefined();
    expect((await store.load()).wills).toEqual([]);
  });
});

describe("a clock that is set while the broker runs, and the broker is killed afterwards", () => {
  /** Starts a broker whose clock is off by so much. */
  const startOff = (nowMs: number, byMs: () => number): Promise<TestBroker> =>
    start(nowMs, { epochMs: () => start1970 + broker.nowMs + byMs() });

  test.each([
    ["back, and stays so", -500_000, -500_000],
    ["forth by a day, and is right again afterwards", 86_400_000, 0],
  ])("%s: no will waits longer than its delay, and none is lost", async (_, thenMs, afterwardsMs) => {
    let byMs = 0;
    await startOff(0, () => byMs);
    (await connect("away", 30)).lose();
    await connect("connected", 30);
    await tick(1000);
    byMs = thenMs;
    const late = await connect("late", 30);
    await tick(2000);
    late.lose();
    await broker.broker.settled();
    broker.broker.deleteRetained("wills", 2000);
    await startOff(3000, () => afterwardsMs);
    const watcher = await broker.subscriber("watcher", ["wills"]);
    for (let nowMs = 4000; nowMs <= 33_500; nowMs += 500) await tick(nowMs);
    expect(watcher.messages().toSorted()).toEqual(["wills away", "wills connected", "wills late"]);
    expect((await store.load()).wills).toEqual([]);
  });
});

describe("stopped", () => {
  test("a will without delay is published as the broker stops, and not again", async () => {
    await connect("button", 0);
    broker.broker.shutdown(1000);
    await broker.broker.settled();
    expect(retained()).toBe("button");
    broker.broker.deleteRetained("wills", 1000);
    await broker.broker.settled();
    await start(2000);
    await tick(3000);
    expect(retained()).toBeUndefined();
  });

  test("a delay goes on counting, and one that had begun before does, too", async () => {
    (await connect("first", 30)).lose();
    await tick(10_000);
    await connect("second", 30);
    broker.broker.shutdown(20_000);
    await broker.broker.settled();
    await start(25_000);
    await tick(29_000);
    expect(retained()).toBeUndefined();
    await tick(30_001);
    expect(retained()).toBe("first");
    await tick(50_001);
    expect(retained()).toBe("second");
  });
});

describe("not kept", () => {
  test("after a normal DISCONNECT (MQTT-3.14.4-3)", async () => {
    (await connect("button", 0)).send({ type: "disconnect" });
    await broker.broker.settled();
    await start(1000);
    await tick(2000);
    expect(retained()).toBeUndefined();
  });

  test("where the program suppresses it", async () => {
    await connect("button", 0);
    broker.broker.endSession("button", 0, { isWillSuppressed: true });
    await broker.broker.settled();
    expect((await store.load()).wills).toEqual([]);
  });

  test("without an authenticator that keeps principals", async () => {
    await start(0, { authenticator: { authenticate: (peer) => ({ ok: true, principal: peer }) } });
    await connect("button", 0);
    expect((await store.load()).wills).toEqual([]);
  });
});

test("all of a will comes back: properties, expiry and payload", async () => {
  const properties = {
    contentType: "text/plain",
    responseTopic: "answer",
    correlationData: Uint8Array.of(1, 2),
    payloadFormatIndicator: 1,
    messageExpiryInterval: 60,
    userProperties: [["a", "b"]],
  } as const;
  await broker.connect("button", {
    protocolVersion: 5,
    will: { topicName: "wills", payload: text("bye"), qos: 2, properties },
  });
  await broker.broker.settled();
  await start(100_000);
  const watcher = await broker.subscriber("watcher", ["wills"], { protocolVersion: 5 });
  await tick(100_000);
  expect(watcher.takePublishes()).toMatchObject([{ qos: 2, retain: false, payload: text("bye"), properties }]);
});
