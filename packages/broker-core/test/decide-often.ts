/** Has an authorizer decide millions of times, and writes how often the garbage was collected meanwhile. Argument: `revision`, or none. */

import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Connection } from "../src/connection/connection.ts";
import { mayReceive } from "../src/handlers/receive.ts";
import { TestBroker } from "./client.ts";

/** An object of 16 octets for each decision would fill the young generation (16 MiB) some times. */
const decisions = 4_000_000;

const decide = (): true => true;
const test = new TestBroker({
  authorizer: process.argv[2] === "revision" ? { decide, revision: () => 1 } : { decide },
});
await test.connect("a");
const [connection] = test.broker.connections();
if (!(connection instanceof Connection)) throw new TypeError("not connected");
let collections = 0;
const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
observer.observe({ entryTypes: ["gc"] });
const decideTimes = (times: number): void => {
  for (let index = 0; index < times; index++) {
    if (connection.decide("publish", "topic") !== true) throw new Error("denied");
    if (mayReceive(connection, "topic") !== true) throw new Error("denied");
  }
};
// Compiled first: what an interpreter makes of numbers does not count.
decideTimes(1_000_000);
await nextTurn();
await nextTurn();
collections = 0;
decideTimes(decisions);
await nextTurn();
await nextTurn();
observer.disconnect();
process.stdout.write(`${collections}\n`);
