/** What happened, for the log, the metrics and the tests of the program that runs the broker. Payloads are never part of it. */

import type { Action } from "./ports.ts";

/** Why a connection ended. */
export type CloseReason =
  /** The client sent DISCONNECT. */
  | "client-disconnect"
  /** The network connection ended without DISCONNECT. */
  | "connection-lost"
  /** The client identifier connected again. */
  | "taken-over"
  | "keep-alive-timeout"
  | "connect-timeout"
  | "malformed-packet"
  /** A packet that the client may not send now, or one that is not supported (QoS 2). */
  | "protocol-error"
  | "not-authenticated"
  | "not-authorized"
  /** A limit was exceeded; the event's `detail` names it. */
  | "limit"
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

/** One thing that happened. */
export type BrokerEvent<Peer, Principal> =
  | ({ readonly type: "connected" } & ClientSource<Peer, Principal>)
  | ({ readonly type: "closed"; readonly reason: CloseReason; readonly detail: string } & EventSource<Peer, Principal>)
  /** The authorizer said no. A refused delivery leaves the connection open; so does a refused subscription. */
  | ({
      readonly type: "denied";
      readonly action: Action;
      /** The client identifier, topic name or topic filter that was refused. */
      readonly name: string;
    } & ClientSource<Peer, Principal>)
  | ({
      readonly type: "published";
      readonly topicName: string;
      readonly qos: 0 | 1;
      readonly payloadOctets: number;
      /** How many subscribers it was handed to. */
      readonly receivers: number;
    } & ClientSource<Peer, Principal>)
  | ({ readonly type: "subscribed"; readonly topicFilter: string; readonly qos: 0 | 1 } & ClientSource<Peer, Principal>)
  /** A message was lost for one receiver: its queue or its transport was full, or there was no room to retain it. */
  | ({
      readonly type: "dropped";
      readonly topicName: string;
      readonly limit: "maximumQueuedMessages" | "maximumBufferedOctets" | "maximumRetainedMessages";
    } & EventSource<Peer, Principal>);
