/**
 * A broker that is killed again and again while messages of QoS 1 and 2 go through it to a client that comes and goes. Nothing that it
 * acknowledged may be lost, and nothing of QoS 2 may come twice.
 */

import { expect } from "vitest";
import { type Access, MqttSession } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "../observability/running-broker.ts";

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

/** Kills a broker so many times. */
export async function killAgainAndAgain(rounds: number): Promise<void> {
  await using broker = new BrokerProcess();
  await broker.start();
  const device = await broker.device([everything]);
  await broker.end("SIGKILL");
  const ledger = new Ledger();
  const state: PublisherState = { open: new Map(), next: 0, isStopped: false };
  const taken = new Set<number>();
  const acknowledgedAt: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const access = { ...device, port: await broker.start("--log-level", "error") };
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
    await broker.end("SIGKILL");
    await publishing;
    await subscriber.closed;
    acknowledgedAt.push(ledger.acknowledged[1].size + ledger.acknowledged[2].size);
  }
  state.isStopped = true;
  const access = { ...device, port: await broker.start("--log-level", "error") };
  const subscriber = await subscribe(access, ledger, taken);
  expect(subscriber.isSessionPresent).toBe(true);
  const deadline = performance.now() + 30_000;
  while (ledger.missing(1).length + ledger.missing(2).length > 0 && performance.now() < deadline) await nextTurn();
  expect({ qos1: ledger.missing(1), qos2: ledger.missing(2) }).toEqual({ qos1: [], qos2: [] });
  expect(Array.from(ledger.got[2]).filter(([, times]) => times !== 1)).toEqual([]);
  expect(acknowledgedAt).toHaveLength(rounds);
  console.log(`${rounds} kills, ${acknowledgedAt.at(-1)} messages acknowledged`);
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
