/** The clock of the system is set forth and back while the broker runs: who is connected is served on, nothing that waits is lost, and the log says it. */

import { afterEach, expect, test, vi } from "vitest";
import { ConformanceBroker, persistent } from "../conformance/conformance-broker.ts";

afterEach(() => {
  vi.useRealTimers();
});

const patience = { timeout: 20_000 };
const day = 24 * 3600 * 1000;

/** Sets the clock that `Date` reads; timers and `performance.now` go on as they are. */
function setClock(byMs: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + byMs });
}

test.each([
  ["forth by a day", day],
  ["back by a day", -day],
])("the clock is set %s", async (_, byMs) => {
  await using broker = await ConformanceBroker.start();
  const topic = broker.name();
  const expiring = { qos: 1, properties: { messageExpiryInterval: 3600 } } as const;
  const connected = await broker.subscriber(5, [topic], { keepAlive: 1000 });
  const away = await broker.subscriber(5, [topic], persistent(5));
  await away.disconnect();
  const publisher = await broker.connect(5);
  await publisher.publish(topic, "before", expiring);
  await connected.message();
  setClock(byMs);
  await expect
    .poll(
      () =>
        broker.logged(/clock of the system was set/).map((line) => (JSON.parse(line) as { setByMs: number }).setByMs),
      patience,
    )
    .toEqual([expect.toSatisfy((setByMs: number) => Math.abs(setByMs - byMs) < day / 2)]);
  await publisher.publish(topic, "after", expiring);
  expect((await connected.message()).payload.toString()).toBe("after");
  expect(await publisher.drain()).toEqual([]);
  // Who is let in is a matter of certificates, so the one that was away comes back when the clock is right again.
  vi.useRealTimers();
  await expect.poll(() => broker.logged(/clock of the system was set/), patience).toHaveLength(2);
  const back = await broker.connect(5, persistent(5), away.clientIdentifier);
  expect(back.connack?.sessionPresent).toBe(true);
  expect(await back.messages()).toEqual([`${topic} before`, `${topic} after`]);
  expect(await connected.drain()).toEqual([]);
});
