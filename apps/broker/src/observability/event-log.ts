/**
 * Lines of the log for what the broker core and the listener report.
 *
 * Each line of a connection has the same three names: `remote` (address and port), `certificateId` and
 * `clientIdentifier`, with `isAssignedIdentifier` where the broker made the identifier up. Never a payload or a key. Refusals, lost
 * messages and connections that the broker had to close are counted together where they are equal: one line for the first of a kind, and
 * one line an interval for those that follow.
 */

import type {
  BrokerEvent,
  CloseReason,
  DeniedEvent,
  DroppedEvent,
  EventSource,
  GroupScope,
  LimitedEvent,
  PublishedEvent,
  SubscribedEvent,
  UnsubscribedEvent,
} from "@latchkey/broker-core";
import { hexText, nameText } from "@latchkey/x509";
import type { Logger } from "pino";
import type { ClientRefusal, Peer } from "../authorization/peer.ts";
import { PolicyDenial, ProgramPrincipal, type Principal } from "../authorization/policy-authorizer.ts";
import { addressGroup } from "../listeners/address-group.ts";
import type { DecisionLog } from "./decision-log.ts";
import { EqualEvents } from "./equal-events.ts";
import { PacedWork } from "./paced-work.ts";

/** How long equal refusals and equal losses are counted before a line says how many they were. */
const intervalMs = 10_000;
/** Connections and topics of one certificate that are told apart in an interval. */
const maximumNames = 20;
/** Refusals of all clients that are told apart in an interval. */
const maximumKinds = 1000;

/** What the event log is made of. */
export interface EventLogOptions {
  readonly log: Logger;
  /** Gets every refusal that the log tells apart, with how many it stands for. */
  readonly decisions: Pick<DecisionLog, "record" | "write">;
  /** Default 10,000. */
  readonly intervalMs?: number | undefined;
}

/** Writes what happens to connections: never a line for each message. */
export class EventLog implements Disposable {
  readonly #log: Logger;
  readonly #denied: EqualEvents<DeniedEvent<Peer, Principal>>;
  readonly #dropped: EqualEvents<DroppedEvent<Peer, Principal>>;
  readonly #limited: EqualEvents<LimitedEvent<Peer, Principal>>;
  readonly #subscribed: EqualEvents<SubscriptionEvent>;
  readonly #closed: EqualEvents<ClosedEvent>;
  readonly #explaining = new PacedWork();

  constructor({ log, decisions, intervalMs: interval = intervalMs }: EventLogOptions) {
    this.#log = log;
    const counted = { intervalMs: interval, maximumNames, maximumKinds };
    this.#denied = new EqualEvents({
      ...counted,
      report: (what, event, times) => {
        const entry = decisions.record(event, times);
        // To explain a refusal costs some hundred decisions.
        this.#explaining.run(() => {
          logDenied(log, what, event, times);
          if (entry !== undefined) decisions.write(entry);
        });
      },
    });
    this.#dropped = new EqualEvents({
      ...counted,
      combine: (earlier, later) => ({
        ...later,
        messages: earlier.messages + later.messages,
        octets: earlier.octets + later.octets,
      }),
      report: (what, { topicName, limit, messages, octets, ...source }) =>
        log.warn({ ...sourceFields(source), topicName, limit, messages, octets }, droppedTexts[what]),
    });
    this.#limited = new EqualEvents({
      ...counted,
      combine: (earlier, later) => ({ ...later, times: earlier.times + later.times }),
      report: (what, { scope, name, limit, value, times, ...source }) => {
        const address = scope === "address" ? { address: name } : {};
        log.warn({ ...sourceFields(source), ...address, limit, value, times }, limitedTexts[scope][what]);
      },
    });
    this.#subscribed = new EqualEvents({ ...counted, report: (...report) => logSubscription(log, ...report) });
    this.#closed = new EqualEvents({
      ...counted,
      report: (what, { reason, detail, ...source }, times) => {
        const fields = { ...sourceFields(source), reason, detail };
        if (what === "first") log.warn(fields, "closed");
        else log.warn({ ...fields, times }, "closed, not told apart: this is the last of them");
      },
    });
  }

  /** Takes an event of the broker core. */
  readonly record = (event: BrokerEvent<Peer, Principal>): void => {
    if (event.type === "denied") {
      const who = nameOf(event.principal);
      // A new connection is a new line, within the bound for its certificate.
      this.#denied.add(`${who} ${event.action}`, `${event.peer?.remote ?? ""} ${event.name}`, event);
    } else if (event.type === "dropped") {
      this.#dropped.add(event.clientIdentifier ?? "", event.limit, event);
    } else if (event.type === "limited") {
      this.#limited.add(`${event.scope} ${event.name}`, event.limit, event);
    } else if (event.type === "subscribed" || event.type === "unsubscribed") {
      const { length, 0: first = "" } = topicFiltersOf(event);
      this.#subscribed.add(event.clientIdentifier, `${event.type} ${length} ${shortened(first)}`, event);
    } else if (event.type === "closed" && !normalReasons.has(event.reason)) {
      this.#closed.add(`${closedBy(event)} ${event.reason}`, event.peer?.remote ?? "", event);
    } else logConnection(this.#log, event);
  };

  /** Writes what was counted. */
  [Symbol.dispose](): void {
    this.#denied[Symbol.dispose]();
    this.#dropped[Symbol.dispose]();
    this.#limited[Symbol.dispose]();
    this.#subscribed[Symbol.dispose]();
    this.#closed[Symbol.dispose]();
    this.#explaining[Symbol.dispose]();
  }
}

type Report = "first" | "again" | "others";

const deniedTexts: Readonly<Record<Report, string>> = {
  first: "denied",
  again: "denied again",
  others: "denied, not told apart: this is the last of them",
};

const droppedTexts: Readonly<Record<Report, string>> = {
  first: "dropped",
  again: "dropped again",
  others: "dropped, not told apart: this is the last of them",
};

const limitedTexts: Readonly<Record<GroupScope, Readonly<Record<Report, string>>>> = {
  principal: {
    first: "a principal has reached a limit",
    again: "a principal has reached a limit again",
    others: "principals have reached limits, not told apart: this is the last of them",
  },
  address: {
    first: "an address has reached a limit",
    again: "an address has reached a limit again",
    others: "addresses have reached limits, not told apart: this is the last of them",
  },
};

function logDenied(log: Logger, what: Report, event: DeniedEvent<Peer, Principal>, times: number): void {
  const { action, name, denial } = event;
  const fields = { ...sourceFields(event), action, name };
  if (what === "again") {
    log.warn({ ...fields, times }, deniedTexts[what]);
    return;
  }
  const decision = denial instanceof PolicyDenial ? denial.explanation.decision : undefined;
  log.warn({ ...fields, decision, why: denial.reason, ...(what === "others" && { times }) }, deniedTexts[what]);
}

/** SUBSCRIBE and UNSUBSCRIBE. */
type SubscriptionEvent = SubscribedEvent<Peer, Principal> | UnsubscribedEvent<Peer, Principal>;

/** Topic filters that a line shows, and characters of each. */
const maximumFilters = 10;
const maximumFilterLength = 200;

function topicFiltersOf(event: SubscriptionEvent): readonly string[] {
  return event.type === "subscribed" ? event.subscriptions.map(({ topicFilter }) => topicFilter) : event.topicFilters;
}

function shortened(topicFilter: string): string {
  return topicFilter.length <= maximumFilterLength ? topicFilter : `${topicFilter.slice(0, maximumFilterLength)}...`;
}

/** One line a packet, however many filters it has; equal ones are counted. */
function logSubscription(log: Logger, what: Report, event: SubscriptionEvent, times: number): void {
  const all = topicFiltersOf(event);
  const topicFilters = all.slice(0, maximumFilters).map(shortened);
  const fields = { ...sourceFields(event), topicFilters, ...(all.length > maximumFilters && { count: all.length }) };
  if (what === "first") {
    const qos = event.type === "subscribed" && event.subscriptions.slice(0, maximumFilters).map((one) => one.qos);
    log.info({ ...fields, ...(qos !== false && { qos }) }, event.type);
  } else if (what === "again") log.info({ ...fields, times }, `${event.type} again`);
  else log.info({ ...fields, times }, "subscribed or unsubscribed, not told apart: this is the last of them");
}

type ClosedEvent = Extract<BrokerEvent<Peer, Principal>, { readonly type: "closed" }>;

const normalReasons: ReadonlySet<CloseReason> = new Set([
  "client-disconnect",
  "server-shutdown",
  "maximum-connect-time",
  "authentication-expired",
]);

/** Who has to answer for a connection: its certificate or access key where it was let in, its address where it was not. */
function closedBy({ principal, peer }: ClosedEvent): string {
  if (principal === undefined) return addressGroup(peer?.sourceIp ?? "");
  return nameOf(principal);
}

function nameOf(principal: Principal): string {
  return principal instanceof ProgramPrincipal ? principal.peer.accessKeyId : principal.rights.principal.certificateId;
}

type ConnectionEvent = Exclude<
  BrokerEvent<Peer, Principal>,
  { readonly type: "denied" | "dropped" | "limited" | "subscribed" | "unsubscribed" }
>;

function logConnection(log: Logger, event: ConnectionEvent): void {
  switch (event.type) {
    case "connected":
      log.info({ ...sourceFields(event), protocolVersion: event.protocolVersion }, "connected");
      break;
    case "will-dropped": {
      const { clientIdentifier, topicName, reason } = event;
      log.warn({ clientIdentifier, topicName, reason }, "a will is not published");
      break;
    }
    case "session-ended":
      log.info({ clientIdentifier: event.clientIdentifier, reason: event.reason }, "session ended");
      break;
    case "closed":
      log.info({ ...sourceFields(event), reason: event.reason, detail: event.detail }, "closed");
      break;
  }
}

/** Writes that a message was published: one line a message, so it is only made for a log that takes it. */
export function logPublished(log: Logger, event: PublishedEvent<Peer, Principal>): void {
  const { topicName, qos, payloadOctets, receivers } = event;
  log.debug({ ...sourceFields(event), topicName, qos, payloadOctets, receivers }, "published");
}

/** Writes why a client was refused after its handshake, and which command mends it. */
export function logRefusal(
  log: Logger,
  connection: { readonly remote: string; readonly protocol: string },
  refusal: ClientRefusal,
): void {
  const { code, reason } = refusal;
  const presented = "certificate" in refusal ? refusal : undefined;
  log.warn(
    {
      ...connection,
      certificateId: presented?.certificateId,
      subject: presented && nameText(presented.certificate.subject),
      serialNumber: presented && hexText(presented.certificate.serialNumber),
      code,
      reason,
      mend: mendOf(refusal),
    },
    "client refused",
  );
}

/** What a person can do about a refusal. */
function mendOf(refusal: ClientRefusal): string {
  switch (refusal.code) {
    case "ERR_IDENTITY_NO_CERTIFICATE":
      return "configure the client with its certificate and private key; latchkey certificate create makes both";
    case "ERR_IDENTITY_MALFORMED":
      return "give the client a certificate that can be read; latchkey certificate create makes one";
    case "ERR_IDENTITY_UNKNOWN":
      return "latchkey certificate register --file CERTIFICATE.pem";
    case "ERR_IDENTITY_SERVER_NAME":
      return `connect with a server name (SNI) that selects one of the accounts ${refusal.accounts.join(", ")}`;
    case "ERR_IDENTITY_NO_SERVER_NAME":
      return "connect by the broker's name, not by its address";
    case "ERR_IDENTITY_PLAIN":
      return "start the broker with the ID of a registered certificate for plain MQTT: latchkey certificate list";
    case "ERR_IDENTITY_AUTHORITY_INACTIVE":
      return `set the certificate authority ${refusal.caCertificateId} ACTIVE again, or use a certificate of another one`;
    case "ERR_IDENTITY_PENDING_ACTIVATION":
      return `latchkey certificate status --certificate ${refusal.certificateId} --to ACTIVE, then connect again`;
    case "ERR_IDENTITY_DATES":
    case "ERR_IDENTITY_CHAIN":
      return "make the client a certificate under an authorizer of this broker: latchkey certificate create";
    case "ERR_IDENTITY_NOT_ACTIVE":
      return refusal.status === "REVOKED"
        ? "REVOKED is final: make the device a new certificate with latchkey certificate create"
        : `latchkey certificate status --certificate ${refusal.certificateId} --to ACTIVE`;
  }
}

function sourceFields({ principal, ...source }: EventSource<Peer, Principal>): Record<string, unknown> {
  // What is published over HTTPS has no MQTT connection.
  const peer = source.peer ?? principal?.peer;
  return {
    remote: peer?.remote,
    certificateId: peer?.kind === "device" ? peer.principal.certificateId : undefined,
    ...(peer?.kind === "program" && { accessKeyId: peer.accessKeyId }),
    clientIdentifier: source.clientIdentifier,
    ...(source.isAssignedIdentifier && { isAssignedIdentifier: true }),
  };
}
