/**
 * The metrics of a running broker, for Prometheus. The broker counts plain numbers as it works; they become text when Prometheus asks. No metric names a client, a topic, a certificate or an address.
 */

import { deliveryBoundsMs, type Broker, type CloseReason, type Counters } from "@latchkey/broker-core";
import type { ClientRefusal, Peer } from "../authorization/peer.ts";
import type { Principal } from "../authorization/policy-authorizer.ts";
import type { AdmissionRefusal } from "../listeners/admission.ts";
import type { EventLoopDelay } from "./event-loop-delay.ts";
import { MetricsText, type Labels } from "./metrics-text.ts";

/** What became of TLS handshakes. `refused` is by code: the handshake went well, and the certificate is not let in. */
interface HandshakeCounts {
  accepted: number;
  failed: number;
  readonly refused: Map<ClientRefusal["code"], number>;
}

/** What the app counts beside the broker core. */
export interface AppCounts {
  readonly handshakes: HandshakeCounts;
  readonly closed: Map<CloseReason, number>;
  readonly notAdmitted: Map<AdmissionRefusal, number>;
}

/** Where the numbers come from. */
export interface MetricsSources {
  readonly broker: Pick<Broker<Peer, Principal>, "counters" | "hasStoreFailed">;
  readonly counts: AppCounts;
  readonly delay: EventLoopDelay;
  /** Lines of the log that its reader was too slow for. */
  readonly logLinesDropped: number;
  /** Refusals that could not be written into their file. */
  readonly decisionsLost: number;
}

/** The counts at zero. */
export function createAppCounts(): AppCounts {
  return { handshakes: { accepted: 0, failed: 0, refused: new Map() }, closed: new Map(), notAdmitted: new Map() };
}

/** All metrics as text. */
export function brokerMetrics({ broker, counts, delay, logLinesDropped, decisionsLost }: MetricsSources): string {
  const text = new MetricsText();
  const { counters } = broker;
  writeConnections(text, counters, counts);
  writeTraffic(text, counters);
  writeKept(text, counters, broker.hasStoreFailed);
  writeProcess(text, delay);
  text
    .value("counter", "latchkey_log_lines_dropped_total", "Lines of the log that were lost", logLinesDropped)
    .value("counter", "latchkey_decision_lines_lost_total", "Refusals not written to decisions.jsonl", decisionsLost);
  return text.toString();
}

function writeConnections(text: MetricsText, counters: Counters, { handshakes, closed, notAdmitted }: AppCounts): void {
  text
    .value("gauge", "latchkey_connections", "Connected clients", counters.connections)
    .values("counter", "latchkey_connections_closed_total", "Ended connections by reason", byLabel("reason", closed))
    .values(
      "counter",
      "latchkey_connections_not_admitted_total",
      "Connections that were cut before their handshake, by the limit that was reached",
      byLabel("limit", notAdmitted),
    )
    .values("counter", "latchkey_handshakes_total", "TLS handshakes by result", [
      [{ result: "accepted", code: "" }, handshakes.accepted],
      [{ result: "failed", code: "" }, handshakes.failed],
      ...Array.from(handshakes.refused, ([code, count]) => [{ result: "refused", code }, count] as const),
    ]);
}

function writeTraffic(text: MetricsText, counters: Counters): void {
  const { messagesReceived, messagesSent, decisions } = counters;
  text
    .value("counter", "latchkey_packets_received_total", "MQTT packets from clients", counters.packetsReceived)
    .values("counter", "latchkey_octets_total", "Octets of MQTT by direction", [
      [{ direction: "in" }, counters.octetsReceived],
      [{ direction: "out" }, counters.octetsSent],
    ])
    .values("counter", "latchkey_messages_total", "PUBLISH packets by direction and QoS", [
      ...messagesReceived.map((count, qos) => [{ direction: "in", qos: String(qos) }, count] as const),
      ...messagesSent.map((count, qos) => [{ direction: "out", qos: String(qos) }, count] as const),
    ])
    .values(
      "counter",
      "latchkey_decisions_total",
      "Decisions of policies by action and outcome",
      Object.entries(decisions).flatMap(([action, { allowed, denied }]) => [
        [{ action, outcome: "allowed" }, allowed] as const,
        [{ action, outcome: "denied" }, denied] as const,
      ]),
    )
    .histogram(
      "latchkey_delivery_seconds",
      "From reading a PUBLISH to sending it to a connected subscriber",
      deliveryBoundsMs.map((ms) => ms / 1000),
      counters.deliveries,
      counters.deliveryMs / 1000,
    );
}

function writeKept(text: MetricsText, counters: Counters, hasStoreFailed: boolean): void {
  text
    .value("gauge", "latchkey_sessions", "Sessions, connected or not", counters.sessions)
    .value("gauge", "latchkey_subscriptions", "Subscriptions of all sessions", counters.subscriptions)
    .value("gauge", "latchkey_incomplete_octets", "Memory of packets that have come in part", counters.incompleteOctets)
    .value("gauge", "latchkey_queued_messages", "Messages that wait for clients", counters.queuedMessages)
    .value("gauge", "latchkey_queued_octets", "Octets that wait for clients", counters.queuedOctets)
    .values(
      "counter",
      "latchkey_messages_dropped_total",
      "Messages that were lost, by the limit that was reached",
      byLabel("limit", Object.entries(counters.messagesDropped)),
    )
    .value(
      "counter",
      "latchkey_wills_dropped_total",
      "Wills that nobody could decide about in time",
      counters.willsDropped,
    )
    .values(
      "counter",
      "latchkey_principal_limits_total",
      "Times that a limit of one principal refused something or slowed a client down",
      byLabel("limit", limitsOf("Principal", counters)),
    )
    .values(
      "counter",
      "latchkey_address_limits_total",
      "Times that a limit of one address refused something or slowed a client down",
      byLabel("limit", limitsOf("Address", counters)),
    )
    .value("counter", "latchkey_brakes_total", "Times that a publisher waited for a full receiver", counters.brakes)
    .value("gauge", "latchkey_retained_messages", "Retained messages", counters.retainedMessages)
    .value("gauge", "latchkey_retained_octets", "Octets of retained messages", counters.retainedOctets)
    .value("gauge", "latchkey_store_failed", "1 where sessions cannot be written", hasStoreFailed ? 1 : 0);
}

function limitsOf(scope: string, { groupLimits }: Counters): readonly (readonly [string, number])[] {
  return Object.entries(groupLimits).filter(([limit]) => limit.endsWith(`Of${scope}`));
}

function writeProcess(text: MetricsText, delay: EventLoopDelay): void {
  const { user, system } = process.cpuUsage();
  text
    .values(
      "summary",
      "latchkey_event_loop_delay_seconds",
      "How late the event loop was, in the last whole minute",
      Array.from(delay.percentiles, ([quantile, seconds]) => [{ quantile: String(quantile) }, seconds] as const),
    )
    .value("counter", "process_cpu_seconds_total", "Processor time of the process", (user + system) / 1e6)
    .value("gauge", "process_resident_memory_bytes", "Resident memory of the process", process.memoryUsage.rss())
    .value("gauge", "process_start_time_seconds", "Start of the process since 1970", performance.timeOrigin / 1000);
}

function byLabel(label: string, counts: Iterable<readonly [string, number]>): readonly (readonly [Labels, number])[] {
  return Array.from(counts, ([value, count]) => [{ [label]: value }, count] as const);
}
