/** Topics that belong to the program around the broker: what clients publish to them comes to it. */

import type { PublishProperties, QoS } from "@latchkey/mqtt-codec";

/** A PUBLISH to a topic that begins with `$`, after the client was allowed to publish it. */
export interface ReservedPublish<Peer, Principal> {
  /** Undefined where the message did not come over a connection, as are the two below. */
  readonly peer: Peer | undefined;
  readonly principal: Principal | undefined;
  readonly clientIdentifier: string | undefined;
  readonly topicName: string;
  /** A copy; it may be kept. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: PublishProperties | undefined;
}

/**
 * What becomes of such a message: `taken`, the program has it and no subscriber gets it; `routed`, it goes to the subscribers; `refused`,
 * the topic is not supported (0x90).
 */
export type ReservedOutcome = "taken" | "routed" | "refused";

/**
 * Called synchronously, in the order of publishing. To answer, call `Broker.publish` without a principal. Without this port, topics
 * under `$SYS/` and `$aws/` are refused (in profile `aws` every topic that begins with `$`, but not Basic Ingest).
 */
export type ReservedTopics<Peer, Principal> = (
  publish: ReservedPublish<Peer, Principal>,
  nowMs: number,
) => ReservedOutcome;
