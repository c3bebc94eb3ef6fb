/** Wills that are due, and about which nobody can decide at that moment: MQTT 5.0 §3.1.2.5, §3.1.3.2.2. */

import type { EncodableConnect } from "@latchkey/mqtt-codec";
import { beforeEach, describe, expect, test } from "vitest";
import type { BrokerOptions, Decision } from "../src/index.ts";
import { Bridge } from "./bridge.ts";
import { persistent, settled, type TestClient, TestBroker, text } from "./client.ts";

const willOf = (payload: string, delaySeconds?: number) => ({
  topicName: "status",
  payload: text(payload),
  retain: true,
  properties: delaySeconds === undefined ? undefined : { willDelayInterval: delaySeconds },
});
const clean = { will: willOf("offline") };
const kept = { ...persistent(5), will: willOf("offline") };
const noAnswer = "the authorizer failed: Error: no answer";
const backReason = "its client was back before anybody could decide";

/** What the authorizer says of the topic of the wills; a client may always publish to it while it is connected. */
let answer: () => Decision | Promise<Decision>;
let asked: number;
let released: string[];
const fails = (): Decision => {
  throw new Error("no answer");
};
const allows = (): Decision => true;

const options: Partial<BrokerOptions<string, string>> = {
  authenticator: {
    authenticate: (peer) => ({ ok: true, principal: peer }),
    release: (principal) => released.push(principal),
  },
  authorizer: {
    decide: (_, action, name) => {
      if (action !== "publish" || name !== "status") return true;
      asked += 1;
      return answer();
    },
  },
};

let broker: TestBroker;
let kitchen: TestClient;
beforeEach(async () => {
  [answer, asked, released] = [allows, 0, []];
  broker = new TestBroker(options);
  kitchen = await broker.subscriber("kitchen", ["status"]);
});

/** A client that is lost while nobody can decide. */
async function lost(fields: Partial<EncodableConnect> = clean, identifier = "button"): Promise<void> {
  answer = allows;
  const client = await broker.connect(identifier, fields);
  answer = fails;
  client.lose();
}
async function seconds(count: number): Promise<void> {
  for (let second = 0; second < count; second++) {
    broker.tick(broker.nowMs + 1000);
    await settled();
  }
}
const drops = (): unknown[] =>
  broker
    .eventsOf("will-dropped")
    .map(({ clientIdentifier, topicName, reason }) => [clientIdentifier, topicName, reason]);
const retained = (): string => new TextDecoder().decode(broker.broker.retained("status")?.payload);

describe.each([
  ["a clean session", clean],
  ["a session that waits", kept],
])("the client of %s that is back before", (_, fields) => {
  test.each([
    ["with its session", false],
    ["with a new one", true],
  ])("%s has no will published over what it says itself", async (__, cleanStart) => {
    await lost(fields);
    answer = allows;
    const back = await broker.connect("button", { ...fields, cleanStart });
    back.publish("status", "online", { retain: true });
    await seconds(70);
    expect(back.isClosed).toBe(false);
    expect([kitchen.messages(), retained()]).toEqual([["status online"], "online"]);
    expect(drops()).toEqual([["button", "status", backReason]]);
    expect(broker.broker.counters.willsDropped).toBe(1);
    expect(released).toEqual(["button"]);
  });

  test("the will of its next connection comes alone", async () => {
    await lost(fields);
    answer = allows;
    (await broker.connect("button", { ...fields, will: willOf("second") })).lose();
    await seconds(70);
    expect([kitchen.messages(), retained()]).toEqual([["status second"], "second"]);
  });

  test("it is dropped also while it is asked about once more", async () => {
    await lost(fields);
    const { promise, resolve } = Promise.withResolvers<Decision>();
    answer = () => promise;
    await seconds(1);
    expect(asked).toBe(3);
    answer = allows;
    await broker.connect("button", fields);
    expect(released).toEqual([]);
    resolve(true);
    await settled();
    expect(released).toEqual(["button"]);
    await seconds(70);
    expect([kitchen.messages(), broker.broker.counters.willsDropped]).toEqual([[], 1]);
  });
});

test("a client that takes up its session after the will delay has passed has no will published", async () => {
  await lost({ ...persistent(5), will: willOf("offline", 2) });
  await seconds(2);
  expect(drops()).toEqual([]);
  answer = allows;
  await broker.connect("button", persistent(5));
  await seconds(70);
  expect(kitchen.messages()).toEqual([]);
  expect(drops()).toEqual([["button", "status", backReason]]);
});

test("a client whose CONNECT is refused is not back", async () => {
  await lost();
  expect((await broker.connect("button", clean)).isClosed).toBe(true);
  answer = allows;
  await seconds(2);
  expect(kitchen.messages()).toEqual(["status offline"]);
});

describe("a take-over", () => {
  const takeOver = async (decided: () => Promise<Decision>): Promise<void> => {
    await broker.connect("button", clean);
    const late = Promise.withResolvers<Decision>();
    answer = () => late.promise;
    await broker.connect("button");
    answer = allows;
    late.resolve(decided());
    await settled();
  };

  test("publishes the will (MQTT-3.1.2-8), if the answer takes its time, too", async () => {
    await takeOver(() => Promise.resolve(true));
    expect(kitchen.messages()).toEqual(["status offline"]);
  });

  test("drops one that is not decided at the first attempt: the client is there", async () => {
    await takeOver(() => Promise.reject(new Error("no answer")));
    await seconds(70);
    expect([kitchen.messages(), drops()]).toEqual([[], [["button", "status", backReason]]]);
    expect(released).toEqual(["button"]);
  });
});

test("a client that is back at another node has its will dropped here", async () => {
  const bridge = new Bridge();
  const [one, two] = [bridge.add(options), bridge.add(options)];
  for (const cleanStart of [false, true]) {
    broker = one.test;
    await lost(kept, `button ${cleanStart}`);
    answer = allows;
    await two.test.connect(`button ${cleanStart}`, { ...persistent(5), cleanStart });
    await seconds(70);
    expect(one.test.published).toEqual([]);
    expect(drops().at(-1)).toEqual([`button ${cleanStart}`, "status", backReason]);
  }
});

test.each([
  ["the session waits", kept, true],
  ["the session has ended", clean, false],
])("the program suppresses it where %s", async (_, fields, hasSession) => {
  await lost(fields);
  const suppressed = { isWillSuppressed: true, isSessionKept: true };
  expect(broker.broker.endSession("button", broker.nowMs, suppressed)).toBe(hasSession);
  expect(released).toEqual(["button"]);
  answer = allows;
  await seconds(70);
  expect(kitchen.messages()).toEqual([]);
  expect(drops()).toEqual([]);
});

test("at shutdown it is dropped, reported and counted, and nobody is asked any more", async () => {
  await lost();
  const lamp = await broker.connect("lamp", { will: { ...willOf("lamp"), topicName: "other" } });
  broker.broker.shutdown(broker.nowMs);
  expect(lamp.isClosed).toBe(true);
  expect(drops()).toEqual([["button", "status", "the broker stops"]]);
  expect(broker.broker.counters.willsDropped).toBe(1);
  expect(released).toContain("button");
  const before = asked;
  await seconds(70);
  expect(asked).toBe(before);
  expect(broker.published.map(({ topicName }) => topicName)).toEqual(["other"]);
});

describe("what is reported and counted is the outcome", () => {
  const decisions = () => broker.broker.counters.decisions;
  const refuses = (): Decision => ({ isAllowed: false, reason: "withdrawn" });

  test.each([
    ["nothing but the drop, where nobody could decide", fails, [1, 0], [[], 1]],
    ["one decision, where it is allowed at last", allows, [2, 0], [[], 0]],
    ["one denial, where it is refused at last", refuses, [1, 1], [["withdrawn"], 0]],
  ])("%s", async (_, last, counts, [denials, dropped] = []) => {
    await lost();
    await seconds(2);
    answer = last;
    await seconds(70);
    expect(decisions().publish).toEqual({ allowed: counts[0], denied: counts[1] });
    expect(decisions()["retain-publish"]).toEqual({ allowed: counts[0], denied: 0 });
    expect(broker.eventsOf("denied").map(({ denial }) => denial.reason)).toEqual(denials);
    expect(broker.broker.counters.willsDropped).toBe(dropped);
    expect(drops()).toEqual(dropped === 1 ? [["button", "status", noAnswer]] : []);
    expect(released).toEqual(["button"]);
  });
});

test("a promise that never settles is waited for, and not asked again", async () => {
  const client = await broker.connect("button", clean);
  const { promise, resolve } = Promise.withResolvers<Decision>();
  answer = () => promise;
  client.lose();
  await seconds(200);
  expect([asked, drops()]).toEqual([2, []]);
  resolve(true);
  await settled();
  expect(kitchen.messages()).toEqual(["status offline"]);
});

test("thousands that are due at once are asked about over several turns", async () => {
  const count = 1000;
  for (let number = 0; number < count; number++) await lost(clean, `button ${number}`);
  asked = 0;
  broker.nowMs += 1000;
  broker.broker.tick(broker.nowMs);
  const inTurns = [asked];
  do inTurns.push(asked);
  while (broker.oneTurn());
  expect(asked).toBe(count);
  const most = Math.max(...inTurns.map((total, index) => total - (inTurns[index - 1] ?? 0)));
  expect(most).toBeLessThanOrEqual(200);
  answer = allows;
  broker.nowMs += 2000;
  broker.broker.tick(broker.nowMs);
  // One whose attempt is due, and that no turn has come to.
  await broker.connect(`button ${count - 1}`);
  await seconds(70);
  expect(broker.published).toHaveLength(count - 1);
  expect(drops()).toEqual([[`button ${count - 1}`, "status", backReason]]);
  expect(released).toHaveLength(count);
});
