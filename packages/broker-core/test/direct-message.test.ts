/** Messages of the program around the broker for one connected client, and their confirmation. */

import { describe, expect, test } from "vitest";
import { settled, TestBroker, text } from "./client.ts";

describe("a direct message", () => {
  const reboot = { topicName: "commands/reboot", payload: text("now"), properties: { contentType: "text/plain" } };
  const outcomeOf = async (sent: Promise<unknown>): Promise<unknown> =>
    Promise.race([sent, settled().then(() => "waits")]);

  test("of QoS 0 at once, if it may receive it", async () => {
    const test = new TestBroker();
    test.denied.add("kitchen receive secret");
    const kitchen = await test.connect5("kitchen", { properties: { maximumPacketSize: 200 } });
    expect(await test.broker.sendDirect("kitchen", reboot, 0)).toEqual({ ok: true });
    expect(kitchen.takePublishes()).toMatchObject([
      { topicName: "commands/reboot", qos: 0, retain: false, properties: { contentType: "text/plain" } },
    ]);
    const causes = [
      ["nobody", reboot, "not-connected"],
      ["kitchen", { ...reboot, topicName: "secret" }, "not-authorized"],
      ["kitchen", { ...reboot, topicName: "a/#" }, "invalid-topic"],
      ["kitchen", { ...reboot, payload: text("x".repeat(300)) }, "too-large"],
      ["kitchen", { ...reboot, payload: text("x".repeat(300)), confirmWithinMs: 5000 }, "too-large"],
    ] as const;
    for (const [client, message, cause] of causes) {
      expect(await test.broker.sendDirect(client, message, 0)).toMatchObject({ ok: false, cause });
    }
    expect(kitchen.take()).toEqual([]);
    expect(test.eventsOf("denied")).toMatchObject([{ action: "receive", name: "secret" }]);
  });

  test("of QoS 1, and waits for its PUBACK and no other", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["other"]);
    await test.broker.publish({ topicName: "other", payload: text("x"), qos: 1 }, 0);
    const sent = test.broker.sendDirect("kitchen", { ...reboot, confirmWithinMs: 5000 }, 0);
    const [other, direct] = kitchen.takePublishes();
    expect(direct).toMatchObject({ topicName: "commands/reboot", qos: 1 });
    kitchen.send({ type: "puback", packetIdentifier: other?.packetIdentifier ?? 0 });
    expect(await outcomeOf(sent)).toBe("waits");
    kitchen.send({ type: "puback", packetIdentifier: direct?.packetIdentifier ?? 0 });
    expect(await sent).toEqual({ ok: true });
  });

  test("and says that the client has refused it", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect5("kitchen");
    const sent = test.broker.sendDirect("kitchen", { ...reboot, confirmWithinMs: 5000 }, 0);
    const [direct] = kitchen.takePublishes();
    kitchen.send({ type: "puback", packetIdentifier: direct?.packetIdentifier ?? 0, reasonCode: 0x83 });
    expect(await sent).toMatchObject({ ok: false, cause: "not-confirmed", reason: expect.stringContaining("0x83") });
  });

  test("and says when it was not confirmed in time, or the broker stops", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    const sent = test.broker.sendDirect("kitchen", { ...reboot, confirmWithinMs: 5000 }, 0);
    test.tick(4999);
    expect(await outcomeOf(sent)).toBe("waits");
    test.tick(5000);
    expect(await sent).toMatchObject({ ok: false, cause: "not-confirmed" });
    const [direct] = kitchen.takePublishes();
    kitchen.send({ type: "puback", packetIdentifier: direct?.packetIdentifier ?? 0 });
    expect(kitchen.isClosed).toBe(false);
    const second = test.broker.sendDirect("kitchen", { ...reboot, confirmWithinMs: 5000 }, 5000);
    test.broker.shutdown(5000);
    expect(await second).toMatchObject({ ok: false, cause: "not-confirmed" });
  });

  test("and does not wait for a client that has gone, but for those that are there", async () => {
    const test = new TestBroker();
    const confirmed = { ...reboot, confirmWithinMs: 5000 };
    for (const how of ["lost", "disconnect", "taken over"]) {
      const kitchen = await test.connect5("kitchen", { properties: { sessionExpiryInterval: 100 } });
      await test.connect5("pizzeria");
      const other = test.broker.sendDirect("pizzeria", confirmed, 0);
      const sent = [test.broker.sendDirect("kitchen", confirmed, 0), test.broker.sendDirect("kitchen", confirmed, 0)];
      await settled();
      if (how === "lost") kitchen.lose();
      else if (how === "disconnect") kitchen.send({ type: "disconnect" });
      else await test.connect5("kitchen");
      const reason = "the client disconnected before it confirmed the message";
      for (const one of sent) expect(await outcomeOf(one)).toEqual({ ok: false, cause: "not-confirmed", reason });
      expect(await outcomeOf(other)).toBe("waits");
      test.tick(test.nowMs + 6000);
      expect(await other).toMatchObject({ ok: false, cause: "not-confirmed" });
    }
  });

  test("and holds a bounded number of those that wait", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    const waiting = Array.from({ length: 1000 }, () =>
      test.broker.sendDirect("kitchen", { ...reboot, confirmWithinMs: 5000 }, 0),
    );
    const confirmed = { ...reboot, confirmWithinMs: 5000 };
    expect(await test.broker.sendDirect("kitchen", confirmed, 0)).toMatchObject({ ok: false, cause: "no-room" });
    expect(await test.broker.sendDirect("kitchen", reboot, 0)).toEqual({ ok: true });
    test.tick(5000);
    for (const one of await Promise.all(waiting)) expect(one).toMatchObject({ ok: false });
    expect(await test.broker.sendDirect("kitchen", reboot, 5000)).toEqual({ ok: true });
    expect(kitchen.isClosed).toBe(false);
  });
});
