/** The limits on topic names and filters. */

import { utf8Length } from "@latchkey/mqtt-codec";
import { limitText, type Limits } from "../limits.ts";

/**
 * Which limit a topic name or filter exceeds, in words with the limit, the value and the topic; undefined: none. `what` names it. In
 * profile `aws` the prefix of Basic Ingest and the group of a shared subscription are not counted (message broker limits).
 */
export function topicFault(limits: Limits, isAws: boolean, what: string, name: string): string | undefined {
  // Every character is a slash at most, and has four octets at most.
  if (name.length <= limits.maximumTopicLevels && name.length * 4 <= limits.maximumTopicOctets) return undefined;
  const counted = isAws ? name.replace(uncounted, "") : name.replace(shared, "");
  const levels = countLevels(counted);
  if (levels > limits.maximumTopicLevels) {
    return `${limitText(limits, "maximumTopicLevels")}: ${what} has ${levels} levels: ${shortened(name)}`;
  }
  const octets = utf8Length(counted);
  if (octets > limits.maximumTopicOctets) {
    return `${limitText(limits, "maximumTopicOctets")}: ${what} has ${octets} octets: ${shortened(name)}`;
  }
  return undefined;
}

const shared = /^\$share\/[^/]*\//u;
const uncounted = /^(?:\$share|\$aws\/rules)\/[^/]*\//u;

function countLevels(name: string): number {
  let levels = 1;
  for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) levels++;
  return levels;
}

/** The beginning of a name, for a message. */
export function shortened(name: string): string {
  return name.length > maximumShownLength ? `${name.slice(0, maximumShownLength)}…` : name;
}

const maximumShownLength = 64;
