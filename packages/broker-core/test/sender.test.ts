/** What a client gets where the authorizer answers later. */

import { expect, test } from "vitest";
import { persistent, settled, TestBroker, text, type TestClient } from "./client.ts";

/** A broker whose authorizer answers in a later turn, and whom it was asked about. */
function laterBroker(): { test: TestBroker; asked: string[] } {
  const asked: string[] = [];
  const test: TestBroker = new TestBroker({
    authorizer: {
      decide: async (principal, action) => {
        if (action === "receive") asked.push(principal);
        return !test.denied.has(`${principal} ${action}`) || { isAllowed: false, reason: "listed as denied" };
      },
    },
  });
  return { test, asked };
}

async function connectAs(test: TestBroker, principal: string): Promise<TestClient> {
  const client = test.open(principal);
  await client.connect("device", persistent(4));
  await later(test);
  return client;
}

async function later(test: TestBroker): Promise<void> {
  await settled();
  test.turn();
  await settled();
  test.turn();
}

test("each message is asked about once", async () => {
  const { test: broker, asked } = laterBroker();
  const client = await connectAs(broker, "first");
  client.subscribe(["t"]);
  await later(broker);
  for (const qos of [0, 1] as const) {
    await broker.broker.publish({ topicName: "t", payload: text(`${qos}`), qos }, 0);
    await later(broker);
  }
  expect(client.messages()).toEqual(["t 0", "t 1"]);
  expect(asked).toEqual(["first", "first"]);
  expect(broker.broker.counters.decisions.receive).toEqual({ allowed: 2, denied: 0 });
});

test.each([
  ["is in flight", true],
  ["waits", false],
])("who comes back as somebody else is asked about again, for a message that %s, too", async (_, isSent) => {
  const { test: broker, asked } = laterBroker();
  broker.denied.add("second receive");
  const first = await connectAs(broker, "first");
  first.subscribe(["t"]);
  await later(broker);
  await broker.broker.publish({ topicName: "t", payload: text("secret"), qos: 1 }, 0);
  if (isSent) {
    await later(broker);
    expect(first.messages()).toEqual(["t secret"]);
  }
  first.lose();
  await later(broker);
  const second = await connectAs(broker, "second");
  expect(second.messages()).toEqual([]);
  expect(asked).toEqual(["first", "second"]);
});
