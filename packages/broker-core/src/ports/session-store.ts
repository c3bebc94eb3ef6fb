/**
 * Where sessions and retained messages are kept so that they outlive the process.
 *
 * A store holds records and knows nothing of MQTT's rules. It is read once, before the first client is served, and from then on
 * only appended to: each batch is a transaction.
 */

import type { ProtocolVersion, QoS, UserProperty } from "@latchkey/mqtt-codec";
import type { CloseReason } from "../events.ts";
import type { SessionSubscription } from "../routing/subscription.ts";

/** A message, once for all sessions that it waits for. Times are milliseconds since 1970, so that they count while nothing runs. */
export interface StoredMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly publishedAtMs: number;
  /** Seconds from then on; undefined for a message that does not expire. */
  readonly expirySeconds: number | undefined;
  /** The client that published it, for No Local. */
  readonly publisher: string | undefined;
  readonly payloadFormatIndicator: 0 | 1 | undefined;
  readonly contentType: string | undefined;
  readonly responseTopic: string | undefined;
  readonly correlationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[] | undefined;
}

/** A session without what belongs to it. */
export interface StoredSession {
  readonly clientIdentifier: string;
  readonly protocolVersion: ProtocolVersion;
  readonly expirySeconds: number;
  /** When its client went away; undefined while it is connected. */
  readonly awayAtMs: number | undefined;
  /** Why; undefined while it is connected, and where the process was killed. */
  readonly awayReason: CloseReason | undefined;
  /** The `detail` of that reason. */
  readonly awayDetail: string | undefined;
  /** The principal that connected with it last, as the authenticator names it; undefined where it names none. */
  readonly owner: string | undefined;
}

/** One copy of a message that is owed to a session. */
export interface StoredDelivery {
  /** Rises in the order of queueing, over all sessions. */
  readonly delivery: number;
  /** The number of its message. */
  readonly message: number;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  /** The shared subscription it was chosen for. */
  readonly sharedFilter: string | undefined;
  readonly queuedAtMs: number;
  /** 0 until it has one. That of a QoS 2 message is kept before it is sent, so that it is never sent under two. */
  readonly packetIdentifier: number;
  readonly isSent: boolean;
}

/**
 * One change. Sessions, messages, deliveries and wills have numbers that their broker gives and never gives twice. A message is appended before what uses
 * it, and is forgotten with the last delivery or retained message that does.
 */
export type SessionRecord =
  | ({ readonly kind: "session"; readonly session: number } & StoredSession)
  /** The session is over, with all that belongs to it. */
  | { readonly kind: "session-ended"; readonly session: number }
  | ({ readonly kind: "subscribed"; readonly session: number } & SessionSubscription)
  | { readonly kind: "unsubscribed"; readonly session: number; readonly topicFilter: string }
  | ({ readonly kind: "message"; readonly message: number } & StoredMessage)
  | ({ readonly kind: "queued"; readonly session: number } & StoredDelivery)
  /** It is about to be sent under this packet identifier. */
  | { readonly kind: "sent"; readonly session: number; readonly delivery: number; readonly packetIdentifier: number }
  /** It is acknowledged, dropped or expired. */
  | { readonly kind: "done"; readonly session: number; readonly delivery: number }
  /** QoS 2: PUBREC came, so the delivery with that identifier is done and its PUBREL is owed. */
  | { readonly kind: "released"; readonly session: number; readonly packetIdentifier: number }
  /** QoS 2: PUBCOMP came. */
  | { readonly kind: "completed"; readonly session: number; readonly packetIdentifier: number }
  /** QoS 2: a message of the client was taken over; its PUBREL is awaited. */
  | { readonly kind: "received"; readonly session: number; readonly packetIdentifier: number }
  | { readonly kind: "finished"; readonly session: number; readonly packetIdentifier: number }
  /** The topic retains this message, unless it retains one of a higher version. */
  | {
      readonly kind: "retained";
      readonly topicName: string;
      readonly message: number;
      readonly version: number;
      readonly storedAtMs: number;
    }
  | { readonly kind: "retained-deleted"; readonly topicName: string }
  | ({ readonly kind: "will" } & KeptWill)
  /** Its connection has ended, and its delay counts. */
  | { readonly kind: "will-waits"; readonly will: number; readonly dueAtMs: number }
  /** It is published, or will not be. */
  | { readonly kind: "will-gone"; readonly will: number };

/** The will of a client: its message, and when it is to be published. `publishedAtMs` is the time of CONNECT. */
export interface KeptWill extends StoredMessage {
  readonly will: number;
  readonly clientIdentifier: string;
  /** What the authenticator keeps of its principal. */
  readonly principal: string;
  /** Seconds from the end of the connection on. */
  readonly delaySeconds: number;
  /** In milliseconds since 1970; undefined while its client is connected. */
  readonly dueAtMs: number | undefined;
}

/** A session as it was kept. */
export interface KeptSession extends StoredSession {
  readonly session: number;
  readonly subscriptions: readonly SessionSubscription[];
  /** In the order of queueing. */
  readonly deliveries: readonly StoredDelivery[];
  /** Identifiers that PUBREL is owed for, in the order of the PUBRECs. */
  readonly released: readonly number[];
  /** Identifiers of the client's QoS 2 messages whose PUBREL is awaited. */
  readonly received: readonly number[];
}

/** A retained message as it was kept. */
export interface KeptRetained {
  readonly message: number;
  readonly version: number;
  readonly storedAtMs: number;
}

/** Everything that was kept. */
export interface KeptState {
  readonly sessions: readonly KeptSession[];
  readonly messages: ReadonlyMap<number, StoredMessage>;
  readonly retained: readonly KeptRetained[];
  readonly wills: readonly KeptWill[];
  /** The highest number of a session, message, delivery or will that is in use. */
  readonly lastNumber: number;
  /** When something was appended last: where a process was killed, its clients have been away since. */
  readonly lastAppendAtMs: number | undefined;
}

/** Keeps records. */
export interface SessionStore {
  /** Everything that was kept. Called once, before the first `append`. Rejects with `SessionStoreError`. */
  load(): Promise<KeptState>;
  /**
   * Keeps records, in their order, all or none. Resolves when they outlive a power cut; rejects with `SessionStoreError`, and then
   * nothing of the batch is kept. It is called again only after the last call is settled. The octets of the records are not changed
   * meanwhile. Without records only the time is kept.
   */
  append(records: readonly SessionRecord[], atMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Why a store does not work. */
export type SessionStoreErrorCode =
  /** The file is something else, damaged, or made by a newer version. */
  | "ERR_SESSION_STORE_CORRUPT"
  /** It cannot be read or written now: no room, no permission. */
  | "ERR_SESSION_STORE_UNAVAILABLE";

/** What a store refuses. */
export class SessionStoreError extends Error {
  override readonly name = "SessionStoreError";
  readonly code: SessionStoreErrorCode;
  /** Whether there is no room: it works again when there is. */
  readonly isFull: boolean;

  constructor(code: SessionStoreErrorCode, message: string, options: { cause?: unknown; isFull?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.isFull = options.isFull ?? false;
  }
}
