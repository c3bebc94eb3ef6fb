/**
 * MQTT's own matching of topic filters (MQTT 5.0 §4.7), to tell what a subscription would deliver. Policies themselves
 * compare text.
 *
 * `matchesTopicFilter` of `@latchkey/mqtt-codec` owns the rule. This copy keeps the package without dependencies;
 * `apps/demo/test/copied-rules.test.ts` holds both to one table.
 */

/** Whether a topic is matched. That `#` and `+` do not match a leading `$` is left to the caller. */
export function topicFilterMatches(filter: string, topic: string): boolean {
  const levels = topic.split("/");
  const wanted = filter.split("/");
  const isOpen = wanted.at(-1) === "#";
  if (isOpen ? levels.length < wanted.length - 1 : levels.length !== wanted.length) return false;
  return wanted.every((level, index) => level === "+" || (level === "#" && isOpen) || level === levels[index]);
}
