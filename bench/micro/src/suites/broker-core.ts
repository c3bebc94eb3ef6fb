/**
 * `@latchkey/broker-core`: what a message costs where there are many subscriptions, beside the same broker where there are few.
 * The topics are 1,024 in turn, the same number for both.
 */

import { Broker, SubscriptionTree, type ClientConnection } from "@latchkey/broker-core";
import { encode } from "@latchkey/mqtt-codec";
import type { Contender, Scenario, Suite } from "../scenario.ts";

export const suite: Suite = {
  name: "broker-core",
  scenarios: {
    "broker-core/match/100000-filters": () => besideFew(matching),
    "broker-core/publish/qos0/100000-filters": () => besideFew(publishing),
  },
};

const few = 1000;
const many = 100_000;
const topics = 1024;
const batch = 64;

function besideFew(contender: (filters: number) => Contender): Scenario {
  return { unit: "message", bytesPerOperation: 0, subject: contender(many), peers: [contender(few)] };
}

function nameOf(filters: number): string {
  return `@latchkey/broker-core, ${filters} filters`;
}

/** Filters of a fleet: most name one device, every tenth has a wildcard in its middle. */
function filterOf(index: number): string {
  return index % 10 === 0 ? `fleet/+/device-${index}/state` : `fleet/area-${index % 50}/device-${index}/state`;
}

/** Each topic is matched by one filter, which all are with few and with many of them. */
function topicOf(index: number, filters: number): string {
  const filter = Math.floor((index * filters) / topics);
  return `fleet/area-${filter % 50}/device-${filter}/state`;
}

function matching(filters: number): Contender {
  const tree = new SubscriptionTree<number>();
  for (let index = 0; index < filters; index++) tree.at(filterOf(index), () => index);
  const names = Array.from({ length: topics }, (_, index) => topicOf(index, filters));
  let next = 0;
  return {
    name: nameOf(filters),
    run() {
      let matched = 0;
      for (let count = 0; count < batch; count++) matched += tree.match(names[next++ % topics] ?? "").length;
      return matched;
    },
  };
}

function publishing(filters: number): Contender {
  const broker = new Broker<string, string>({
    authenticator: { authenticate: (peer) => ({ ok: true, principal: peer }) },
    authorizer: { decide: () => true, revision: () => 0 },
    assignClientIdentifier: () => "unused",
    limits: { maximumSubscriptionsPerSession: many },
  });
  const subscriber = connect(broker, "subscriber");
  for (let index = 0; index < filters; index++) {
    const subscriptions = [{ topicFilter: filterOf(index), qos: 0 as const }];
    subscriber.receive(encode({ type: "subscribe", packetIdentifier: 1, subscriptions }, 4), 0);
  }
  const publisher = connect(broker, "publisher");
  const payload = new Uint8Array(128);
  const chunks = Array.from({ length: topics / batch }, (_, chunk) =>
    Buffer.concat(
      Array.from({ length: batch }, (__, index) =>
        encode({ type: "publish", topicName: topicOf(chunk * batch + index, filters), payload }, 4),
      ),
    ),
  );
  let next = 0;
  return {
    name: nameOf(filters),
    run() {
      const before = broker.counters.messagesSent[0];
      publisher.receive(chunks[next++ % chunks.length] ?? new Uint8Array(0), 0);
      return broker.counters.messagesSent[0] - before;
    },
  };
}

function connect(broker: Broker<string, string>, clientIdentifier: string): ClientConnection<string, string> {
  const transport = { write() {}, close() {}, pause() {}, resume() {}, bufferedOctets: 0 };
  const connection = broker.accept(clientIdentifier, transport, 0);
  connection.receive(encode({ type: "connect", clientIdentifier, cleanStart: true, keepAlive: 0 }, 4), 0);
  return connection;
}
