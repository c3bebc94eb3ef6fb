/** Messages that do not come over an MQTT connection, and what the program around the broker sees of it. */

import type { EncodablePublish, QoS, Subscription } from "@latchkey/mqtt-codec";
import type { CloseReason } from "./events.ts";
import type { MessageFields } from "./routing/message.ts";

/** A message that the program around the broker publishes. */
export interface ServerPublish<Principal> {
  /**
   * For whom it is published: the authorizer is asked as for a PUBLISH of that client. Without it the message is the broker's own word:
   * nobody is asked, and the topic may be a reserved one.
   */
  readonly principal?: Principal | undefined;
  /** Where it comes from, as `addressOf` names it, for the limits of an address; they hold for messages with a principal. */
  readonly address?: string | undefined;
  readonly clientIdentifier?: string | undefined;
  readonly topicName: string;
  /** Copied. */
  readonly payload: Uint8Array;
  /** Default 0. */
  readonly qos?: QoS | undefined;
  /** Default false. */
  readonly retain?: boolean | undefined;
  readonly properties?: EncodablePublish["properties"];
}

/** What became of it. `reasonCode` is what an MQTT 5.0 client would be answered. */
export type ServerPublishResult =
  | { readonly ok: true; readonly receivers: number }
  | { readonly ok: false; readonly reasonCode: number; readonly reason: string };

/** A message for one client. */
export interface DirectMessage {
  readonly topicName: string;
  /** Copied. */
  readonly payload: Uint8Array;
  readonly properties?: EncodablePublish["properties"];
  /** Milliseconds to wait for the client's PUBACK. Without it the message is of QoS 0, and nothing is waited for. */
  readonly confirmWithinMs?: number | undefined;
}

/** What became of it. `no-room`: a limit, which `reason` names, left no place for it. */
export type DirectResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly cause:
        | "not-connected"
        | "invalid-topic"
        | "invalid-properties"
        | "too-large"
        | "not-authorized"
        | "no-room"
        | "not-confirmed";
      readonly reason: string;
    };

/** A retained message. */
export interface RetainedMessageView {
  readonly topicName: string;
  /** Not to be written to. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly properties: EncodablePublish["properties"];
  /** When it was stored, in milliseconds since 1970. */
  readonly storedAtMs: number;
}

/** A session as the program around the broker sees it. */
export interface SessionView<Principal> {
  readonly clientIdentifier: string;
  readonly isConnected: boolean;
  /** Of the connection; undefined while the client is away. */
  readonly principal: Principal | undefined;
  readonly subscriptions: readonly Subscription[];
  readonly queuedMessages: number;
  readonly queuedOctets: number;
  readonly inFlight: number;
}

/** A client's connection or, while it is away, how the last one ended. */
export interface ConnectionView<Peer, Principal> {
  readonly clientIdentifier: string;
  /** Seconds that the session outlives its connection. */
  readonly sessionExpirySeconds: number;
  /** Undefined while the client is away. */
  readonly connection:
    | {
        readonly peer: Peer;
        readonly principal: Principal;
        /** Seconds, as the broker goes by them; 0 for none. */
        readonly keepAliveSeconds: number;
        /** Milliseconds since 1970. */
        readonly connectedAtMs: number;
      }
    | undefined;
  /** Undefined while the client is connected. */
  readonly lastEnd: ConnectionEnd | undefined;
}

/** How a connection ended. */
export interface ConnectionEnd {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Undefined where the broker was killed while the client was connected: `atMs` is then when it last kept something. */
  readonly reason: CloseReason | undefined;
  /** As in the event; empty without a reason. */
  readonly detail: string;
}

/** How a session is ended. */
export interface EndSessionOptions {
  /** The will is not published. Default false. */
  readonly isWillSuppressed?: boolean | undefined;
  /** Only the connection ends, the session stays. Default false. */
  readonly isSessionKept?: boolean | undefined;
  /** For the event; default "ended by the program". */
  readonly detail?: string | undefined;
}

/** What a message is made from. Its payload is copied. */
export function messageFields(message: Omit<ServerPublish<unknown>, "principal">): MessageFields {
  const { topicName, payload, qos = 0, retain = false, properties, clientIdentifier } = message;
  const {
    messageExpiryInterval: expirySeconds,
    topicAlias: _,
    subscriptionIdentifiers: __,
    ...rest
  } = properties ?? {};
  const kept = properties === undefined ? undefined : rest;
  return {
    topicName,
    payload: payload.slice(),
    qos,
    retain,
    properties: kept,
    expirySeconds,
    publisher: clientIdentifier,
  };
}
