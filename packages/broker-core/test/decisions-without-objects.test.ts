/** An authorizer that answers at once costs no object for each decision, whether it has a revision or not. */

import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Connection } from "../src/connection/connection.ts";
import { mayReceive } from "../src/handlers/receive.ts";
import { TestBroker } from "./client.ts";

/** An object of 16 octets for each decision would fill the young generation (16 MiB) some times. */
const decisions = 4_000_000;
/** What else of the runtime may need one. */
const maximumCollections = 2;

test.each([
  ["without a revision", { decide: (): true => true }],
  ["with a revision", { decide: (): true => true, revision: () => 1 }],
])("%s", async (_, authorizer) => {
  const test = new TestBroker({ authorizer });
  await test.connect("a");
  const [connection] = test.broker.connections();
  if (!(connection instanceof Connection)) throw new TypeError("not connected");
  let collections = 0;
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
  observer.observe({ entryTypes: ["gc"] });
  const decide = (times: number): void => {
    for (let index = 0; index < times; index++) {
      if (connection.decide("publish", "topic") !== true) throw new Error("denied");
      if (mayReceive(connection, "topic") !== true) throw new Error("denied");
    }
  };
  // Compiled first: what an interpreter makes of numbers does not count.
  decide(1_000_000);
  await nextTurn();
  await nextTurn();
  collections = 0;
  decide(decisions);
  await nextTurn();
  await nextTurn();
  observer.disconnect();
  expect(collections).toBeLessThanOrEqual(maximumCollections);
});
