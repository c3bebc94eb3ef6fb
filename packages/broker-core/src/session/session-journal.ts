/**
 * What a session that is kept tells its store. Each call gives the position that has to be committed before what depends on it may
 * be said to a client: an acknowledgement, or a QoS 2 message that must not come twice.
 */

import type { SessionSubscription } from "../routing/subscription.ts";
import type { Delivery } from "./outbound-messages.ts";

/** The record of one session. */
export interface SessionJournal {
  /** A message waits for the client. */
  queued(delivery: Delivery): number;
  /** It was sent with its identifier. */
  sent(delivery: Delivery): number;
  /** It is done: acknowledged, dropped or expired. */
  done(delivery: Delivery): number;
  /** PUBREC came: PUBREL is owed for the identifier. */
  released(packetIdentifier: number): number;
  /** PUBCOMP came. */
  completed(packetIdentifier: number): number;
  /** A QoS 2 message of the client was taken over. */
  received(packetIdentifier: number): number;
  /** Its PUBREL came. */
  finished(packetIdentifier: number): number;
  subscribed(subscription: SessionSubscription): number;
  unsubscribed(topicFilter: string): number;
  /** The client is connected with this expiry. */
  attached(expirySeconds: number): number;
  /** The client is away: its expiry counts from now on. */
  detached(expirySeconds: number): number;
  /** The session is over, and so is this journal. */
  ended(): number;
}
