/** Messages of the program around the broker whose properties no MQTT packet can carry. */

import { describe, expect, test } from "vitest";
import { TestBroker, text } from "./client.ts";

describe("properties that cannot be encoded are refused before anything is kept or sent", () => {
  const faults = [
    ["half a surrogate pair in a user property", { userProperties: [["a", "\ud800"]] }, "userProperties"],
    ["U+0000 in a user property", { userProperties: [["a\u0000", "b"]] }, "userProperties"],
    ["a wildcard in the response topic", { responseTopic: "a/#" }, "responseTopic"],
    ["an empty response topic", { responseTopic: "" }, "responseTopic"],
    ["a content type of 80,000 octets", { contentType: "é".repeat(40_000) }, "contentType"],
  ] as const;

  test.each(faults)("%s", async (_, properties, field) => {
    const test = new TestBroker();
    const old = await test.subscriber("old", ["a"]);
    const kitchen = await test.connect5("kitchen");
    kitchen.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "a", qos: 1 }] });
    kitchen.take();
    const message = { topicName: "a", payload: text("x"), qos: 1, retain: true, properties } as const;
    const refused = { ok: false, reason: expect.stringContaining(field) };
    expect(await test.broker.publish(message, 0)).toMatchObject({ ...refused, reasonCode: 0x81 });
    expect(test.broker.sendTo("kitchen", message, 0)).toBe(false);
    const direct = { topicName: "a", payload: text("x"), properties };
    expect(await test.broker.sendDirect("kitchen", direct, 0)).toMatchObject({
      ...refused,
      cause: "invalid-properties",
    });
    expect([kitchen.take(), old.take(), test.broker.retained("a")]).toEqual([[], [], undefined]);
    expect(await test.broker.sendDirect("kitchen", { ...direct, properties: {} }, 0)).toEqual({ ok: true });
    expect(kitchen.takePublishes()).toHaveLength(1);
  });
});
