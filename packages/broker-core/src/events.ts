/** What happened, for the log, the metrics and the tests of whoever runs the broker. Payloads are never part of it. */

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
  /** Ended by whoever runs the broker. */
  | "administrative"
  | "server-shutdown";

export type BrokerEvent<Principal> =
  | { readonly type: "connected"; readonly clientIdentifier: string; readonly principal: Principal }
  | {
      readonly type: "closed";
      /** Undefined before an accepted CONNECT. */
      readonly clientIdentifier: string | undefined;
      readonly principal: Principal | undefined;
      readonly reason: CloseReason;
      readonly detail: string;
    }
  /** The authorizer said no. A refused delivery leaves the connection open; so does a refused subscription. */
  | {
      readonly type: "denied";
      readonly clientIdentifier: string;
      readonly principal: Principal;
      readonly action: Action;
      /** The client identifier, topic name or topic filter that was refused. */
      readonly name: string;
    }
  | {
      readonly type: "published";
      readonly clientIdentifier: string;
      readonly principal: Principal;
      readonly topicName: string;
      readonly qos: 0 | 1;
      readonly payloadOctets: number;
      /** How many subscribers it was handed to. */
      readonly receivers: number;
    }
  | {
      readonly type: "subscribed";
      readonly clientIdentifier: string;
      readonly principal: Principal;
      readonly topicFilter: string;
      readonly qos: 0 | 1;
    }
  /** A message was lost for one receiver: its queue or its transport was full, or there was no room to retain it. */
  | {
      readonly type: "dropped";
      readonly clientIdentifier: string;
      readonly topicName: string;
      readonly limit: "maximumQueuedMessages" | "maximumBufferedOctets" | "maximumRetainedMessages";
    };
