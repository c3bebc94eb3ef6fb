import { expect, test } from "vitest";
import { Message } from "../src/routing/message.ts";
import { RetainedMessages } from "../src/routing/retained-messages.ts";

test("gives all messages, however many topics are side by side", () => {
  const retained = new RetainedMessages(true);
  const payload = new Uint8Array(0);
  const fields = { payload, qos: 0, retain: true, properties: undefined, expirySeconds: undefined } as const;
  const topics = 150_000;
  for (let index = 0; index < topics; index++) {
    const message = new Message({ ...fields, topicName: `devices/${index}`, publisher: undefined }, 0, true, undefined);
    retained.set(message, 0);
  }
  let found = 0;
  for (const { message } of retained.all()) found += message.topicName.startsWith("devices/") ? 1 : 0;
  expect(found).toBe(topics);
});
