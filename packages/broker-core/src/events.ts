/** What happened, for the log, the metrics and the tests of the program that runs the broker. Payloads are never part of it. */

import type { ProtocolVersion, QoS } from "@latchkey/mqtt-codec";
import type { Action, Denial } from "./ports/authorizer.ts";
import type { GroupLimit, GroupScope } from "./session/connection-group.ts";

/** Why a connection ended. */
export type CloseReason =
  /** The client sent DISCONNECT. */
  | "client-disconnect"
  /** The network connection ended without DISCONNECT. */
  | "connection-lost"
  /** The client identifier connected again. */
  | "taken-over"
  | "keep-alive-timeout"
  /** It has lasted as long as `maximumConnectionSeconds` allows. */
  | "maximum-connect-time"
  /** The authentication was given for a time (`validSeconds`), and the client has not authenticated again. */
  | "authentication-expired"
  | "connect-timeout"
  | "malformed-packet"
  /** A packet that the client may not send now, or one that is not supported. */
  | "protocol-error"
  | "not-authenticated"
  | "not-authorized"
  /** A limit was exceeded; the event's `detail` names it. */
  | "limit"
  /** The broker cannot keep what it would have to promise. */
  | "storage-failure"
  /** Ended by the program that runs the broker. */
  | "administrative"
  | "server-shutdown";

/** Which connection an event belongs to. */
export interface EventSource<Peer, Principal> {
  /** What the transport knows of the client; undefined where the client is not connected. */
  readonly peer: Peer | undefined;
  /** Undefined before an accepted CONNECT, as `principal` is. */
  readonly clientIdentifier: string | undefined;
  /** Whether the broker made the client identifier up, because the client gave none (MQTT-3.1.3-6). */
  readonly isAssignedIdentifier: boolean;
  readonly principal: Principal | undefined;
}

/** The source of what only an accepted client can do. */
export interface ClientSource<Peer, Principal> extends EventSource<Peer, Principal> {
  readonly peer: Peer;
  readonly clientIdentifier: string;
  readonly principal: Principal;
}

/** A refusal by the authorizer. */
export interface DeniedEvent<Peer, Principal> extends EventSource<Peer, Principal> {
  readonly type: "denied";
  readonly principal: Principal;
  readonly action: Action;
  /** The client identifier, topic name or topic filter that was refused. */
  readonly name: string;
  /** What the authorizer answered. */
  readonly denial: Denial;
}

/** Messages that were lost, counted since the last event of the same client and limit. At most one a second for each. */
export interface DroppedEvent<Peer, Principal> extends EventSource<Peer, Principal> {
  readonly type: "dropped";
  /** The limit that was reached; `expired` is the message's own expiry, `packet-size` the client's Maximum Packet Size. */
  readonly limit: DropLimit;
  readonly messages: number;
  readonly octets: number;
  /** Of the last one. */
  readonly topicName: string;
}

/** Why messages are dropped. */
export type DropLimit =
  | "maximumQueuedMessages"
  | "maximumQueuedOctets"
  | "maximumQueuedOctetsOfAll"
  | "maximumQueuedOctetsOfPrincipal"
  | "maximumQueuedOctetsOfAddress"
  | "maximumQueuedMs"
  | "maximumBufferedOctets"
  | "maximumRetainedMessages"
  | "maximumRetainedOctets"
  | "packet-size"
  | "expired";

/** A principal or an address has reached one of the limits that all its connections share: reported once a second, with how often. */
export interface LimitedEvent<Peer, Principal> extends EventSource<Peer, Principal> {
  readonly type: "limited";
  readonly scope: GroupScope;
  /** As the authenticator names the principal, or `addressOf` the address. The source is the last connection that was refused or slowed down. */
  readonly name: string;
  readonly limit: GroupLimit;
  readonly value: number;
  readonly times: number;
}

/** What was granted of one SUBSCRIBE. Subscriptions that were there already and are replaced count, too. */
export interface SubscribedEvent<Peer, Principal> extends ClientSource<Peer, Principal> {
  readonly type: "subscribed";
  readonly subscriptions: readonly { readonly topicFilter: string; readonly qos: QoS }[];
}

/** What one UNSUBSCRIBE has ended. */
export interface UnsubscribedEvent<Peer, Principal> extends ClientSource<Peer, Principal> {
  readonly type: "unsubscribed";
  readonly topicFilters: readonly string[];
}

/** One thing that happened. */
export type BrokerEvent<Peer, Principal> =
  | ({
      readonly type: "connected";
      readonly protocolVersion: ProtocolVersion;
      readonly isSessionPresent: boolean;
      /** Seconds; 0 for none. */
      readonly keepAlive: number;
    } & ClientSource<Peer, Principal>)
  | ({ readonly type: "closed"; readonly reason: CloseReason; readonly detail: string } & EventSource<Peer, Principal>)
  /** The authorizer said no. A refused delivery leaves the connection open; so does a refused subscription. */
  | DeniedEvent<Peer, Principal>
  | SubscribedEvent<Peer, Principal>
  | UnsubscribedEvent<Peer, Principal>
  | DroppedEvent<Peer, Principal>
  | LimitedEvent<Peer, Principal>
  /**
   * A will is not published: its client's principal cannot be had again, or nobody could decide about it, for a minute or until its client was back
   * or the broker stopped.
   */
  | {
      readonly type: "will-dropped";
      readonly clientIdentifier: string;
      readonly topicName: string;
      readonly reason: string;
    }
  /** A session ended: its expiry passed, a clean start or the program ended it, or too many were away. */
  | { readonly type: "session-ended"; readonly clientIdentifier: string; readonly reason: SessionEndReason };

/** Why a session ended apart from its connection. */
export type SessionEndReason = "expired" | "clean-start" | "administrative" | "maximumOfflineSessions";

/** One message that was published; made only where somebody listens for them. */
export interface PublishedEvent<Peer, Principal> extends EventSource<Peer, Principal> {
  readonly topicName: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly payloadOctets: number;
  /** How many subscribers it was handed to. */
  readonly receivers: number;
}
