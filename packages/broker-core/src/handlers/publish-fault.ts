/** What is wrong with a message that comes from the program around the broker. What comes over a connection the decoder has checked. */

import { encodedLength, MqttEncodeError, ReasonCode, validateTopicName } from "@latchkey/mqtt-codec";
import type { BrokerContext } from "../connection/connection.ts";
import { limitText } from "../limits.ts";
import type { DirectResult, ServerPublish, ServerPublishResult } from "../server-publish.ts";
import { topicFault } from "./topic-limits.ts";

type Fault = ServerPublishResult & { readonly ok: false };

/** Undefined for a message that can be published. One that cannot be encoded must be refused here: it would fail at each receiver, and again after a restart. */
export function publishFault<Peer, Principal>(
  { limits, isAws }: Pick<BrokerContext<Peer, Principal>, "limits" | "isAws">,
  { topicName, payload, properties }: Pick<ServerPublish<Principal>, "topicName" | "payload" | "properties">,
): Fault | undefined {
  const valid = validateTopicName(topicName);
  if (!valid.ok) return { ok: false, reasonCode: ReasonCode.topicNameInvalid, reason: `the topic: ${valid.fault}` };
  const fault = topicFault(limits, isAws, "the topic", topicName);
  if (fault !== undefined) return { ok: false, reasonCode: ReasonCode.topicNameInvalid, reason: fault };
  if (payload.length > limits.maximumPayloadOctets) {
    const reason = `${limitText(limits, "maximumPayloadOctets")}: the payload has ${payload.length} octets`;
    return { ok: false, reasonCode: ReasonCode.packetTooLarge, reason };
  }
  if (properties === undefined) return undefined;
  try {
    encodedLength({ type: "publish", topicName, payload, properties }, 5);
    return undefined;
  } catch (error) {
    if (!(error instanceof MqttEncodeError)) throw error;
    return { ok: false, reasonCode: ReasonCode.malformedPacket, reason: error.message };
  }
}

/** The cause that a fault is for `sendDirect`. */
export function directCause(reasonCode: number): (DirectResult & { readonly ok: false })["cause"] {
  if (reasonCode === ReasonCode.packetTooLarge) return "too-large";
  return reasonCode === ReasonCode.malformedPacket ? "invalid-properties" : "invalid-topic";
}
