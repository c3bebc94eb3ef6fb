/** Lines for connections that the broker had to close: each has one, within a bound for who opens them. */

import type { BrokerEvent, CloseReason } from "@latchkey/broker-core";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { Peer } from "../../src/authorization/peer.ts";
import type { Principal } from "../../src/authorization/policy-authorizer.ts";
import { EventLog } from "../../src/observability/event-log.ts";

type ClosedEvent = Extract<BrokerEvent<Peer, Principal>, { readonly type: "closed" }>;

function closed(sourceIp: string, port: number, reason: CloseReason): ClosedEvent {
  const ends = { sourcePort: port, targetIp: "127.0.0.1", targetPort: 8883 };
  return {
    type: "closed",
    peer: {
      kind: "refused",
      reason: "the client sent no certificate",
      isTemporary: false,
      alert: "certificate_required",
      sourceIp,
      serverName: undefined,
      remote: `${sourceIp}:${port}`,
      ends,
    },
    clientIdentifier: undefined,
    isAssignedIdentifier: false,
    principal: undefined,
    reason,
    detail: "no accepted CONNECT in time",
  };
}

function logged(events: Iterable<ClosedEvent>): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const decisions = { record: () => undefined, write: () => {} };
  const log = new EventLog({ log: pino({ base: null }, { write }), decisions });
  for (const event of events) log.record(event);
  log[Symbol.dispose]();
  return lines;
}

test("an address whose connections are closed without end has a bounded number of lines, others keep theirs", () => {
  const flood = Array.from({ length: 5000 }, (_, port) => closed("10.0.0.1", port, "connect-timeout"));
  const lines = logged([
    ...flood,
    closed("10.0.0.2", 1, "connect-timeout"),
    closed("10.0.0.1", 6000, "malformed-packet"),
  ]);
  expect(lines).toHaveLength(23);
  expect(lines[20]).toMatchObject({ remote: "10.0.0.2:1", msg: "closed", level: 40 });
  expect(lines[21]).toMatchObject({ remote: "10.0.0.1:6000", reason: "malformed-packet", msg: "closed" });
  expect(lines[22]).toMatchObject({ remote: "10.0.0.1:4999", reason: "connect-timeout", times: 4980 });
});

test("the addresses of one IPv6 network have that bound together", () => {
  const lines = logged(
    Array.from({ length: 100 }, (_, host) => closed(`2001:db8::${host + 1}`, 1, "malformed-packet")),
  );
  expect(lines).toHaveLength(21);
  expect(lines[20]).toMatchObject({ times: 80 });
});

test("who leaves as MQTT has it is a line of level info each time", () => {
  const lines = logged(Array.from({ length: 30 }, (_, port) => closed("10.0.0.1", port, "client-disconnect")));
  expect(lines.map(({ level }) => level)).toEqual(Array.from({ length: 30 }, () => 30));
});
