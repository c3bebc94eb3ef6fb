/** Topics that begin with `$`: MQTT §4.7.2 leaves them to the server, AWS IoT Core to its services. */

/** Basic Ingest: messages for the rules engine, which no subscriber gets. */
export function isBasicIngest(topicName: string): boolean {
  return topicName.startsWith("$aws/rules/");
}

/** Whether clients may not publish to a topic unless the program around the broker serves it. */
export function isReservedTopic(isAws: boolean, topicName: string): boolean {
  if (topicName.charCodeAt(0) !== DOLLAR) return false;
  if (isAws) return !isBasicIngest(topicName);
  return topicName.startsWith("$SYS/") || topicName.startsWith("$aws/");
}

/** Whether AWS IoT Core has topics that a filter could match: of those that begin with `$` only its own. */
export function isReservedFilter(isAws: boolean, filter: string): boolean {
  return isAws && filter.charCodeAt(0) === DOLLAR && !filter.startsWith("$aws/");
}

const DOLLAR = 0x24;
