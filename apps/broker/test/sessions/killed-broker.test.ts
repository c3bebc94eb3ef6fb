/**
 * A broker that is killed again and again while messages of QoS 1 and 2 go through it to a client that comes and goes. Nothing that it
 * acknowledged may be lost, and nothing of QoS 2 may come twice.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runProgram } from "@latchkey/tooling-vitest/programs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Access, MqttSession } from "../mqtt-session.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** More with `LATCHKEY_KILL_ROUNDS=100`. */
const rounds = Number(process.env["LATCHKEY_KILL_ROUNDS"] ?? 5);

let folder: string;
let broker: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-killed-"));
});

afterEach(async () => {
  await kill();
  rmSync(folder, { recursive: true, force: true });
});

async function kill(): Promise<void> {
  const running = broker;
  broker = undefined;
  if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
  running.kill("SIGKILL");
  await once(running, "exit");
}

/** Starts the broker on the data directory and gives its port. */
async function start(): Promise<number> {
  const words = ["start", "--data", join(folder, "data"), "--port", "0", "--no-control", "--log-level", "error"];
  const child = spawn(process.execPath, ["--conditions=@latchkey/source", main, ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  broker = child;
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^ready mqtts:\/\/[^ ]*:([0-9]+)$/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error("the broker ended before it was ready");
}

async function latchkey(...words: string[]): Promise<void> {
  const all = ["--conditions=@latchkey/source", main, ...words, "--data", join(folder, "data")];
  const { code, stderr } = await runProgram(process.execPath, all, { timeoutMs: 60_000 });
  if (code !== 0) throw new Error(stderr);
}

/** A device that may do everything. */
async function newDevice(): Promise<Omit<Access, "port">> {
  mkdirSync(join(folder, "data"), { recursive: true });
  const policy = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }],
  };
  writeFileSync(join(folder, "policy.json"), JSON.stringify(policy));
  await start();
  await kill();
  await latchkey("policy", "create", "--name", "all", "--document", join(folder, "policy.json"), "--force");
  const out = join(folder, "device");
  await latchkey("certificate", "create", "--common-name", "device", "--policy", "all", "--out", out);
  const read = (name: string): Buffer => readFileSync(join(out, name));
  return { ca: read("root-ca.pem"), cert: read("certificate.pem"), key: read("private.key") };
}

/** What the publisher was told, and what the subscriber got. */
class Ledger {
  readonly acknowledged = { 1: new Set<number>(), 2: new Set<number>() };
  readonly got = { 1: new Map<number, number>(), 2: new Map<number, number>() };

  missing(qos: 1 | 2): number[] {
    return Array.from(this.acknowledged[qos]).filter((number) => !this.got[qos].has(number));
  }
}

/** Publishes numbered messages with both QoS, a few at once, until its connection ends. */
async function publishUntilCut(access: Access, ledger: Ledger, state: PublisherState): Promise<void> {
  const publisher = await MqttSession.connect(access, "publisher", (packet, session) => {
    if (packet.type === "puback" || packet.type === "pubrec") {
      const sent = state.open.get(packet.packetIdentifier);
      if (sent === undefined) return;
      if (packet.type === "puback") {
        ledger.acknowledged[1].add(sent.number);
        state.open.delete(packet.packetIdentifier);
        publishNext(session, state);
      } else {
        // From here on the broker has the message; PUBREL only frees the identifier.
        ledger.acknowledged[2].add(sent.number);
        sent.isReleased = true;
        session.send({ type: "pubrel", packetIdentifier: packet.packetIdentifier });
      }
    } else if (packet.type === "pubcomp") {
      state.open.delete(packet.packetIdentifier);
      publishNext(session, state);
    }
  });
  for (const [packetIdentifier, { number, qos, isReleased }] of state.open) {
    if (isReleased) publisher.send({ type: "pubrel", packetIdentifier });
    else
      publisher.send({
        type: "publish",
        topicName: `q${qos}`,
        payload: payloadOf(number),
        qos,
        packetIdentifier,
        dup: true,
      });
  }
  while (state.open.size < 8) publishNext(publisher, state);
  await publisher.closed;
}

interface PublisherState {
  /** Messages that are not completed, by packet identifier. */
  readonly open: Map<number, { readonly number: number; readonly qos: 1 | 2; isReleased: boolean }>;
  next: number;
  isStopped: boolean;
}

function publishNext(session: MqttSession, state: PublisherState): void {
  if (state.isStopped) return;
  const number = ++state.next;
  const qos = number % 2 === 0 ? 2 : 1;
  let packetIdentifier = number % 0xffff;
  while (packetIdentifier === 0 || state.open.has(packetIdentifier)) packetIdentifier = (packetIdentifier + 1) % 0xffff;
  state.open.set(packetIdentifier, { number, qos, isReleased: false });
  session.send({ type: "publish", topicName: `q${qos}`, payload: payloadOf(number), qos, packetIdentifier });
}

function payloadOf(number: number): Uint8Array {
  return new TextEncoder().encode(String(number));
}

/** Receives as a client has to: QoS 2 by its identifier, once until PUBREL (MQTT-4.3.3-8 to -12). */
function subscribe(access: Access, ledger: Ledger, taken: Set<number>): Promise<MqttSession> {
  return MqttSession.connect(access, "subscriber", (packet, session) => {
    if (packet.type === "publish") {
      const { qos, packetIdentifier } = packet;
      const number = Number(new TextDecoder().decode(packet.payload));
      if (qos === 1) {
        ledger.got[1].set(number, (ledger.got[1].get(number) ?? 0) + 1);
        session.send({ type: "puback", packetIdentifier });
      } else if (qos === 2) {
        if (!taken.has(packetIdentifier)) {
          taken.add(packetIdentifier);
          ledger.got[2].set(number, (ledger.got[2].get(number) ?? 0) + 1);
        }
        session.send({ type: "pubrec", packetIdentifier });
      }
    } else if (packet.type === "pubrel") {
      taken.delete(packet.packetIdentifier);
      session.send({ type: "pubcomp", packetIdentifier: packet.packetIdentifier });
    }
  });
}

test(
  `killed ${rounds} times under QoS 1 and 2: nothing acknowledged is lost, nothing of QoS 2 comes twice`,
  {
    timeout: 60_000 + rounds * 20_000,
  },
  async () => {
    const device = await newDevice();
    const ledger = new Ledger();
    const state: PublisherState = { open: new Map(), next: 0, isStopped: false };
    const taken = new Set<number>();
    const acknowledgedAt: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const access = { ...device, port: await start() };
      const subscriber = await subscribe(access, ledger, taken);
      expect(subscriber.isSessionPresent, `round ${round}`).toBe(round > 0);
      if (round === 0) {
        const subscriptions = [
          { topicFilter: "q1", qos: 1 as const },
          { topicFilter: "q2", qos: 2 as const },
        ];
        subscriber.send({ type: "subscribe", packetIdentifier: 1, subscriptions });
      }
      // Every other round the subscriber is away, so that messages wait on the disk.
      if (round % 2 === 1) await subscriber.cut();
      const publishing = publishUntilCut(access, ledger, state);
      const before = ledger.acknowledged[1].size + ledger.acknowledged[2].size;
      const wanted = before + 50 + round * 7;
      while (ledger.acknowledged[1].size + ledger.acknowledged[2].size < wanted) await nextTurn();
      await kill();
      await publishing;
      await subscriber.closed;
      acknowledgedAt.push(ledger.acknowledged[1].size + ledger.acknowledged[2].size);
    }
    state.isStopped = true;
    const access = { ...device, port: await start() };
    const subscriber = await subscribe(access, ledger, taken);
    expect(subscriber.isSessionPresent).toBe(true);
    const deadline = performance.now() + 30_000;
    while (ledger.missing(1).length + ledger.missing(2).length > 0 && performance.now() < deadline) await nextTurn();
    expect({ qos1: ledger.missing(1), qos2: ledger.missing(2) }).toEqual({ qos1: [], qos2: [] });
    expect(Array.from(ledger.got[2]).filter(([, times]) => times !== 1)).toEqual([]);
    expect(acknowledgedAt).toHaveLength(rounds);
    console.log(`${rounds} kills, ${acknowledgedAt.at(-1)} messages acknowledged`);
  },
);

test(
  "a stopped broker keeps sessions and retained messages, and says session present when it runs again",
  { timeout: 60_000 },
  async () => {
    const device = await newDevice();
    const first = await MqttSession.connect({ ...device, port: await start() }, "subscriber", () => {});
    first.send({ type: "publish", topicName: "status", payload: payloadOf(1), qos: 0, retain: true });
    first.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "elsewhere", qos: 1 }] });
    broker?.kill("SIGTERM");
    await first.closed;
    if (broker !== undefined && broker.exitCode === null) await once(broker, "exit");
    const messages: string[] = [];
    const second = await MqttSession.connect({ ...device, port: await start() }, "subscriber", (packet) => {
      if (packet.type === "publish") messages.push(packet.topicName);
    });
    expect(second.isSessionPresent).toBe(true);
    second.send({ type: "subscribe", packetIdentifier: 2, subscriptions: [{ topicFilter: "status", qos: 1 }] });
    while (messages.length === 0) await nextTurn();
    expect(messages).toEqual(["status"]);
    await second.cut();
  },
);

test("a sessions file that is something else ends the start with its name", { timeout: 60_000 }, async () => {
  await newDevice();
  writeFileSync(
    join(folder, "data", "sessions.db"),
    "no database at all, but a text that is long enough to look like one",
  );
  rmSync(join(folder, "data", "sessions.db-wal"), { force: true });
  const words = ["start", "--data", join(folder, "data"), "--port", "0", "--no-control"];
  const { code, stderr } = await runProgram(process.execPath, ["--conditions=@latchkey/source", main, ...words], {
    timeoutMs: 30_000,
  });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("sessions.db is damaged") });
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
