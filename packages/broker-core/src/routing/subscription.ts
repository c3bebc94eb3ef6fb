/** A subscription as a session has it, and a filter taken apart. */

import { parseTopicFilter, type QoS, type RetainHandling } from "@latchkey/mqtt-codec";

/** One subscription of one session. */
export interface SessionSubscription {
  /** As the client wrote it, `$share/{group}/` included. */
  readonly topicFilter: string;
  /** The granted QoS. */
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: RetainHandling;
  /** 1 to 268,435,455; undefined for none. */
  readonly subscriptionIdentifier: number | undefined;
}

/** A filter taken apart: what topics are matched against, and the group of a shared subscription. */
export interface FilterParts {
  readonly filter: string;
  readonly group: string | undefined;
  readonly hasWildcards: boolean;
}

/** Takes a filter apart; undefined where it is not valid. Shared subscriptions are served in 3.1.1, too. */
export function filterParts(topicFilter: string): FilterParts | undefined {
  const parsed = parseTopicFilter(topicFilter);
  if (!parsed.ok) return undefined;
  return { filter: parsed.topicFilter, group: parsed.shareName, hasWildcards: parsed.hasWildcards };
}
