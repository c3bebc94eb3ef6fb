/**
 * AWS IoT Core's lifecycle events ("Lifecycle events", "Just-in-time registration"): the broker's own messages under `$aws/events/` about
 * clients that connect, disconnect, are refused and subscribe, and about certificates that register themselves. Who may have them is up
 * to the policies, as for every message.
 */

import { randomUUID } from "node:crypto";
import type { BrokerEvent, ClientSource, CloseReason, ConnectionEnd } from "@latchkey/broker-core";
import type { CertificateRegisteredEvent } from "@latchkey/registry";
import type { Peer } from "../authorization/peer.ts";
import { DevicePrincipal, type Principal } from "../authorization/policy-authorizer.ts";

/** What the events need of the broker around them. */
export interface LifecycleOptions {
  /** Whether anybody would get a message of this topic. Otherwise the event is not made. */
  readonly isWanted: (topicName: string) => boolean;
  /** Publishes the broker's own word. */
  readonly publish: (topicName: string, payload: string) => void;
  /** The name of the thing that the certificate belongs to alone. */
  readonly exclusiveThing: (principal: DevicePrincipal) => string | undefined;
  /** The `detail` of connections that a person has ended by the API. */
  readonly apiDetail: string;
}

/** How long a client is away before its version numbers begin with 0 again. */
const versionMs = 60 * 60 * 1000;
/** Clients that are away and whose version number is known. */
const maximumVersions = 100_000;
/** Events that wait for their turn; more are left out, since nothing promises them. */
const maximumWaiting = 10_000;
/** Topics of one event: those of one SUBSCRIBE in AWS IoT Core. */
const maximumTopics = 8;

/** How a connection ended, where the broker was there. */
type KnownEnd = Pick<ConnectionEnd, "detail"> & { readonly reason: CloseReason };

/** AWS IoT Core's word for the end of a connection. `apiDetail`: the `detail` of those that a person has ended by the API. */
export function disconnectReasonOf({ reason, detail }: KnownEnd, apiDetail: string): string {
  const isByApi = reason === "administrative" && detail === apiDetail;
  return isByApi ? "API_INITIATED_DISCONNECT" : disconnectReasons[reason];
}

const disconnectReasons: Readonly<Record<CloseReason, string>> = {
  "client-disconnect": "CLIENT_INITIATED_DISCONNECT",
  "connection-lost": "CONNECTION_LOST",
  "taken-over": "DUPLICATE_CLIENTID",
  "keep-alive-timeout": "MQTT_KEEP_ALIVE_TIMEOUT",
  "connect-timeout": "CLIENT_ERROR",
  "maximum-connect-time": "SERVER_INITIATED_DISCONNECT",
  // Only what programs have signed, which is the URL of a WebSocket, holds for a time.
  "authentication-expired": "WEBSOCKET_TTL_EXPIRATION",
  "malformed-packet": "CLIENT_ERROR",
  "protocol-error": "CLIENT_ERROR",
  "not-authenticated": "AUTH_ERROR",
  "not-authorized": "AUTH_ERROR",
  limit: "THROTTLED",
  "storage-failure": "SERVER_ERROR",
  administrative: "SERVER_INITIATED_DISCONNECT",
  "server-shutdown": "SERVER_INITIATED_DISCONNECT",
};

/** What is known of a connection. */
interface Connection {
  readonly sessionIdentifier: string;
  /** Undefined where its CONNECT was refused. */
  readonly versionNumber: number | undefined;
}

/** An event that is published in a later turn: the broker is at work when it happens. */
interface Waiting {
  readonly topicName: string;
  readonly fields: Record<string, unknown>;
}

/** Publishes the events. */
export class LifecycleEvents implements Disposable {
  readonly #options: LifecycleOptions;
  readonly #connections = new WeakMap<Peer, Connection>();
  /** Of clients that are away, the longest first. */
  readonly #versions = new Map<string, { readonly next: number; readonly awayAtMs: number }>();
  #waiting: Waiting[] = [];
  #isStopped = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** Takes an event of the broker core. */
  record(event: BrokerEvent<Peer, Principal>): void {
    if (!("peer" in event) || event.peer === undefined || event.clientIdentifier === undefined) return;
    const { peer, clientIdentifier, principal } = event;
    // Neither can be part of a topic.
    if (principal === undefined || /[#+]/.test(clientIdentifier)) return;
    switch (event.type) {
      case "connected":
        this.#connected(peer, clientIdentifier, principal);
        break;
      case "closed":
        this.#disconnected(peer, clientIdentifier, principal, event);
        break;
      case "denied":
        this.#refused(peer, clientIdentifier, principal);
        break;
      case "subscribed":
        this.#subscriptions(
          "subscribed",
          event,
          event.subscriptions.map(({ topicFilter }) => topicFilter),
        );
        break;
      case "unsubscribed":
        this.#subscriptions("unsubscribed", event, event.topicFilters);
        break;
      case "dropped":
      case "limited":
        break;
    }
  }

  /** A certificate that registered itself, or shows itself again before it is activated. */
  registered(event: CertificateRegisteredEvent): void {
    this.#add(`$aws/events/certificates/registered/${event.caCertificateId}`, { ...event });
  }

  /** From now on there are no events. */
  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#waiting = [];
  }

  #connected(peer: Peer, clientIdentifier: string, principal: Principal): void {
    const known = this.#versions.get(clientIdentifier);
    this.#versions.delete(clientIdentifier);
    const versionNumber = known === undefined || Date.now() - known.awayAtMs > versionMs ? 0 : known.next;
    this.#connections.set(peer, { sessionIdentifier: randomUUID(), versionNumber });
    this.#presence("connected", peer, clientIdentifier, principal, { ipAddress: peer.sourceIp, versionNumber });
  }

  #disconnected(peer: Peer, clientIdentifier: string, principal: Principal, end: KnownEnd): void {
    const versionNumber = this.#connections.get(peer)?.versionNumber;
    if (versionNumber === undefined) return;
    this.#presence("disconnected", peer, clientIdentifier, principal, {
      clientInitiatedDisconnect: end.reason === "client-disconnect",
      disconnectReason: disconnectReasonOf(end, this.#options.apiDetail),
      versionNumber,
    });
    this.#versions.set(clientIdentifier, { next: versionNumber + 1, awayAtMs: Date.now() });
    const [longest] = this.#versions;
    if (longest === undefined) return;
    if (this.#versions.size > maximumVersions || Date.now() - longest[1].awayAtMs > versionMs) {
      this.#versions.delete(longest[0]);
    }
  }

  /** Before CONNECT is accepted, only what it asks for is decided: itself and its will. */
  #refused(peer: Peer, clientIdentifier: string, principal: Principal): void {
    if (this.#connections.has(peer)) return;
    this.#connections.set(peer, { sessionIdentifier: randomUUID(), versionNumber: undefined });
    const connectFailureReason = "AUTHORIZATION_FAILED";
    const { sourceIp: ipAddress } = peer;
    this.#presence("connect_failed", peer, clientIdentifier, principal, { connectFailureReason, ipAddress });
  }

  #presence(
    eventType: string,
    peer: Peer,
    clientIdentifier: string,
    principal: Principal,
    fields: Readonly<Record<string, unknown>>,
  ): void {
    const topicName = `$aws/events/presence/${eventType}/${clientIdentifier}`;
    const common = this.#common(eventType, peer, clientIdentifier, principal);
    this.#add(topicName, { ...common, ...fields });
  }

  /** More filters of one packet than an event may have are several events. */
  #subscriptions(
    eventType: "subscribed" | "unsubscribed",
    { peer, clientIdentifier, principal }: ClientSource<Peer, Principal>,
    topicFilters: readonly string[],
  ): void {
    const topicName = `$aws/events/subscriptions/${eventType}/${clientIdentifier}`;
    const common = this.#common(eventType, peer, clientIdentifier, principal);
    for (let from = 0; from < topicFilters.length; from += maximumTopics) {
      this.#add(topicName, { ...common, topics: topicFilters.slice(from, from + maximumTopics) });
    }
  }

  #common(eventType: string, peer: Peer, clientId: string, principal: Principal): Record<string, unknown> {
    const isDevice = principal instanceof DevicePrincipal;
    const thingName = isDevice ? this.#options.exclusiveThing(principal) : undefined;
    return {
      clientId,
      ...(thingName !== undefined && { thingName }),
      timestamp: Date.now(),
      eventType,
      sessionIdentifier: this.#connections.get(peer)?.sessionIdentifier,
      principalIdentifier: isDevice ? principal.peer.principal.certificateId : principal.peer.accessKeyId,
    };
  }

  #add(topicName: string, fields: Record<string, unknown>): void {
    if (this.#isStopped || this.#waiting.length >= maximumWaiting) return;
    this.#waiting.push({ topicName, fields });
    if (this.#waiting.length === 1) setImmediate(() => this.#publishAll());
  }

  #publishAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const { isWanted, publish } = this.#options;
    for (const { topicName, fields } of waiting) {
      if (isWanted(topicName)) publish(topicName, JSON.stringify(fields));
    }
  }
}
