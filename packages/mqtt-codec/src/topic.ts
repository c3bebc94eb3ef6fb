/**
 * Topic names and topic filters as text: MQTT 3.1.1 and 5.0 §4.7, shared subscriptions of 5.0 §4.8.2, and the way in
 * which AWS IoT Core departs from it.
 *
 * Names are compared as they are: nothing is normalised and no case is folded (MQTT-4.7.3-4).
 */

import { utf8Length } from "./utf8.ts";

/** The longest name or filter in octets of UTF-8 (MQTT-4.7.3-3). */
export const MAXIMUM_TOPIC_OCTETS = 65_535;

/** What is wrong with a topic name or filter. */
export type TopicFault =
  | "empty"
  | "too-long"
  | "null-character"
  | "lone-surrogate"
  | "wildcard-in-name"
  | "multi-level-wildcard-not-last"
  | "multi-level-wildcard-not-alone"
  | "single-level-wildcard-not-alone"
  | "share-name-empty"
  | "share-name-wildcard"
  | "share-without-filter";

/** A name or filter that is refused, and the statement that it breaks. */
export interface InvalidTopic {
  readonly ok: false;
  readonly fault: TopicFault;
  /** Index of the character at fault in the text. */
  readonly index: number;
  readonly clause: string;
}

export interface ValidTopicName {
  readonly ok: true;
  readonly topicName: string;
}

/** A filter taken apart. */
export interface ParsedTopicFilter {
  readonly ok: true;
  /** What topics are matched against: for `$share/{group}/{filter}` the filter behind the group. */
  readonly topicFilter: string;
  /** The group of a shared subscription. */
  readonly shareName: string | undefined;
  /** `topicFilter` split at each `/`; an empty level is a level. */
  readonly levels: readonly string[];
  readonly hasWildcards: boolean;
}

/** Whether a text may be the topic name of a PUBLISH or of a will. */
export function validateTopicName(text: string): ValidTopicName | InvalidTopic {
  const wrong = wrongText(text);
  if (wrong !== undefined) return wrong;
  const wildcard = text.search(/[+#]/u);
  if (wildcard >= 0) return invalid("wildcard-in-name", wildcard, "MQTT-3.3.2-2");
  return { ok: true, topicName: text };
}

/** Whether a text may be a topic filter; the same checks as `parseTopicFilter` without taking it apart. */
export function validateTopicFilter(text: string, options: TopicFilterOptions = {}): { ok: true } | InvalidTopic {
  const wrong = wrongText(text) ?? wrongFilter(text, options.sharedSubscriptions ?? true);
  return wrong ?? { ok: true };
}

export interface TopicFilterOptions {
  /**
   * Whether `$share/` at the beginning has its meaning of 5.0 (default true). MQTT 3.1.1 knows no shared subscriptions:
   * there the text is an ordinary filter unless the server chooses otherwise.
   */
  readonly sharedSubscriptions?: boolean;
}

/** Checks a topic filter and takes it apart. */
export function parseTopicFilter(text: string, options: TopicFilterOptions = {}): ParsedTopicFilter | InvalidTopic {
  const shared = options.sharedSubscriptions ?? true;
  const check = validateTopicFilter(text, options);
  if (!check.ok) return check;
  const slash = shared && text.startsWith(SHARE) ? text.indexOf("/", SHARE.length) : -1;
  const topicFilter = text.slice(slash + 1);
  return {
    ok: true,
    topicFilter,
    shareName: slash < 0 ? undefined : text.slice(SHARE.length, slash),
    levels: topicFilter.split("/"),
    hasWildcards: topicFilter.includes("+") || topicFilter.endsWith("#"),
  };
}

/** Whether a filter is of the form of a shared subscription; says nothing on its validity. */
export function isSharedTopicFilter(text: string): boolean {
  return text.startsWith(SHARE);
}

export interface MatchOptions {
  /**
   * Whether `sport/#` matches `sport` too. MQTT says yes (§4.7.1.2, default true); AWS IoT Core says no, there it
   * matches `sport/` and what is below.
   */
  readonly multiLevelMatchesParent?: boolean;
}

/**
 * Whether a topic name matches a topic filter. Both are valid; the filter comes without its `$share/{group}/`. A
 * wildcard at the beginning matches no topic that begins with `$` (MQTT-4.7.2-1). Linear in the topic's length.
 */
export function matchesTopicFilter(topicFilter: string, topicName: string, options: MatchOptions = {}): boolean {
  const first = topicFilter.charCodeAt(0);
  if (topicName.charCodeAt(0) === DOLLAR && (first === PLUS || first === HASH)) return false;
  let at = 0;
  for (let index = 0; index < topicFilter.length; index++) {
    const unit = topicFilter.charCodeAt(index);
    if (unit === HASH) return true;
    if (unit === PLUS) {
      while (at < topicName.length && topicName.charCodeAt(at) !== SLASH) at++;
    } else if (at < topicName.length) {
      if (topicName.charCodeAt(at) !== unit) return false;
      at++;
    } else {
      const isParent = unit === SLASH && topicFilter.charCodeAt(index + 1) === HASH;
      return isParent && (options.multiLevelMatchesParent ?? true);
    }
  }
  return at === topicName.length;
}

const SHARE = "$share/";
const DOLLAR = 0x24;
const HASH = 0x23;
const PLUS = 0x2b;
const SLASH = 0x2f;

function wrongText(text: string): InvalidTopic | undefined {
  if (text.length === 0) return invalid("empty", 0, "MQTT-4.7.3-1");
  const octets = utf8Length(text);
  if (octets < 0) {
    const nul = text.indexOf("\u0000");
    if (nul >= 0) return invalid("null-character", nul, "MQTT-4.7.3-2");
    return invalid("lone-surrogate", text.search(/\p{Surrogate}/u), "MQTT-1.5.4-1");
  }
  return octets > MAXIMUM_TOPIC_OCTETS ? invalid("too-long", MAXIMUM_TOPIC_OCTETS, "MQTT-4.7.3-3") : undefined;
}

/** What is wrong with a filter whose text is well-formed, not empty and not too long. */
export function wrongFilter(text: string, shared: boolean): InvalidTopic | undefined {
  let start = 0;
  if (shared && text.startsWith(SHARE)) {
    const wrong = wrongShare(text);
    if (wrong !== undefined) return wrong;
    start = text.indexOf("/", SHARE.length) + 1;
  }
  for (let plus = text.indexOf("+", start); plus >= 0; plus = text.indexOf("+", plus + 1)) {
    const isAlone = follows(text, start, plus) && (plus + 1 === text.length || text.charCodeAt(plus + 1) === SLASH);
    if (!isAlone) return invalid("single-level-wildcard-not-alone", plus, "MQTT-4.7.1-2");
  }
  // The two versions number the statements on wildcards one apart; these are the numbers of 5.0.
  const hash = text.indexOf("#", start);
  if (hash < 0) return undefined;
  if (!follows(text, start, hash)) return invalid("multi-level-wildcard-not-alone", hash, "MQTT-4.7.1-1");
  return hash + 1 === text.length ? undefined : invalid("multi-level-wildcard-not-last", hash, "MQTT-4.7.1-1");
}

/** Whether the character at `index` is the first of its level. */
function follows(text: string, start: number, index: number): boolean {
  return index === start || text.charCodeAt(index - 1) === SLASH;
}

/** `$share/`, a group without wildcards, `/`, and a filter that is not empty. */
function wrongShare(text: string): InvalidTopic | undefined {
  const slash = text.indexOf("/", SHARE.length);
  const shareName = text.slice(SHARE.length, slash < 0 ? text.length : slash);
  if (shareName.length === 0) return invalid("share-name-empty", SHARE.length, "MQTT-4.8.2-1");
  const wildcard = shareName.search(/[+#]/u);
  if (wildcard >= 0) return invalid("share-name-wildcard", SHARE.length + wildcard, "MQTT-4.8.2-2");
  const hasFilter = slash >= 0 && slash + 1 < text.length;
  return hasFilter ? undefined : invalid("share-without-filter", text.length, "MQTT-4.8.2-2");
}

function invalid(fault: TopicFault, index: number, clause: string): InvalidTopic {
  return { ok: false, fault, index, clause };
}
