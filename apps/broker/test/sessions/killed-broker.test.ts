/** A broker that is killed or stopped, and what it keeps. */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MqttSession } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "../observability/running-broker.ts";
import { killAgainAndAgain } from "./kill-rounds.ts";

test("killed 5 times under QoS 1 and 2: nothing acknowledged is lost, nothing of QoS 2 comes twice", async () => {
  await killAgainAndAgain(5);
});

test(
  "a stopped broker keeps sessions and retained messages, and says session present when it runs again",
  { timeout: 60_000 },
  async () => {
    await using broker = new BrokerProcess();
    await broker.start();
    const device = await broker.device([everything]);
    await broker.end("SIGKILL");
    const first = await MqttSession.connect({ ...device, port: await broker.start() }, "subscriber", () => {});
    first.send({ type: "publish", topicName: "status", payload: Buffer.from("1"), qos: 0, retain: true });
    first.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "elsewhere", qos: 1 }] });
    expect(await broker.end("SIGTERM")).toBe(0);
    await first.closed;
    const messages: string[] = [];
    const second = await MqttSession.connect({ ...device, port: await broker.start() }, "subscriber", (packet) => {
      if (packet.type === "publish") messages.push(packet.topicName);
    });
    expect(second.isSessionPresent).toBe(true);
    second.send({ type: "subscribe", packetIdentifier: 2, subscriptions: [{ topicFilter: "status", qos: 1 }] });
    await expect.poll(() => messages, { timeout: 60_000 }).toEqual(["status"]);
    await second.cut();
  },
);

test("a sessions file that is something else ends the start with its name", { timeout: 60_000 }, async () => {
  await using broker = new BrokerProcess();
  await broker.start();
  await broker.end("SIGKILL");
  const text = "no database at all, but a text that is long enough to look like one";
  writeFileSync(join(broker.data, "sessions.db"), text);
  rmSync(join(broker.data, "sessions.db-wal"), { force: true });
  await expect(broker.latchkey("start", "--port", "0", "--no-control")).rejects.toThrow("sessions.db is damaged");
});
