/** What a session that is kept tells its store. */

import type { SessionSubscription } from "../routing/subscription.ts";
import type { Delivery } from "./outbound-messages.ts";

/** The record of one session. */
export interface SessionJournal {
  /** A message waits for the client. Gives the position that has to be committed before a QoS 2 message may be sent. */
  queued(delivery: Delivery): number;
  /** It was sent with its identifier. */
  sent(delivery: Delivery): void;
  /** It is done: acknowledged, dropped or expired. */
  done(delivery: Delivery): void;
  /** PUBREC came: PUBREL is owed for the identifier. */
  released(packetIdentifier: number): void;
  /** PUBCOMP came. */
  completed(packetIdentifier: number): void;
  /** A QoS 2 message of the client was taken over. */
  received(packetIdentifier: number): void;
  /** Its PUBREL came. */
  finished(packetIdentifier: number): void;
  subscribed(subscription: SessionSubscription): void;
  unsubscribed(topicFilter: string): void;
  /** The client is connected with this expiry. */
  attached(expirySeconds: number): void;
  /** The client is away: its expiry counts from now on. */
  detached(expirySeconds: number): void;
  /** The session is over, and so is this journal. */
  ended(): void;
}
