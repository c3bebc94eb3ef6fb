/**
 * Topic names and topic filters as text: MQTT 3.1.1 and 5.0 §4.7, shared subscriptions of 5.0 §4.8.2, and the way in
 * which AWS IoT Core departs from it.
 *
 * Names are compared as they are: nothing is normalised and no case is folded (MQTT-4.7.3-4).
 */

import type { ProtocolVersion } from "./packet-type.ts";
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

/**
 * The statements on topic names and filters by fault: their numbers in 3.1.1 and in 5.0 (which count differently), and
 * the rule in words. Decoder, encoder and the functions of this file all decide by `topicNameFault` and
 * `topicFilterFault`, and cite this table.
 */
export const topicFaults: {
  readonly [Fault in TopicFault]: readonly [clause4: string, clause5: string, rule: string];
} = {
  empty: ["MQTT-4.7.3-1", "MQTT-4.7.3-1", "at least one character"],
  "too-long": ["MQTT-4.7.3-3", "MQTT-4.7.3-3", "at most 65,535 octets of UTF-8"],
  "null-character": ["MQTT-4.7.3-2", "MQTT-4.7.3-2", "no U+0000"],
  "lone-surrogate": ["MQTT-1.5.3-1", "MQTT-1.5.4-1", "well-formed text, each surrogate in a pair"],
  "wildcard-in-name": ["MQTT-3.3.2-2", "MQTT-3.3.2-2", "a topic name without + and #"],
  "multi-level-wildcard-not-last": ["MQTT-4.7.1-2", "MQTT-4.7.1-1", "# only as the last character"],
  "multi-level-wildcard-not-alone": ["MQTT-4.7.1-2", "MQTT-4.7.1-1", "# alone in its level"],
  "single-level-wildcard-not-alone": ["MQTT-4.7.1-3", "MQTT-4.7.1-2", "+ alone in its level"],
  "share-name-empty": ["MQTT-4.8.2-1", "MQTT-4.8.2-1", "a group between $share/ and the next /"],
  "share-name-wildcard": ["MQTT-4.8.2-2", "MQTT-4.8.2-2", "a group without + and #"],
  "share-without-filter": ["MQTT-4.8.2-2", "MQTT-4.8.2-2", "a filter behind $share/{group}/"],
};

/** Where a topic name is used; each use has its own statement on wildcards (PUBLISH has that of the table). */
export type TopicNameUse = "publish" | "will" | "response";

/** The statement of 3.1.1 or 5.0 that a fault breaks. */
export function topicClause(fault: TopicFault, version: ProtocolVersion, use: TopicNameUse = "publish"): string {
  if (fault === "wildcard-in-name") {
    // The standard has no statement on wildcards in a will topic but the general one on topic names.
    if (use === "will") return version === 5 ? "MQTT-4.7.0-1" : "MQTT-4.7.1-1";
    if (use === "response") return "MQTT-3.3.2-14";
  }
  return topicFaults[fault][version === 5 ? 1 : 0];
}

/** A fault and the index of the character at fault. */
interface FaultAt {
  readonly fault: TopicFault;
  readonly index: number;
}

/** A name or filter that is refused, and the statement of MQTT 5.0 that it breaks. */
export interface InvalidTopic extends FaultAt {
  readonly ok: false;
  readonly fault: TopicFault;
  /** Index of the character at fault in the text. */
  readonly index: number;
  readonly clause: string;
}

/** A topic name that is valid. */
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
  const wrong = topicNameFault(text);
  return wrong === undefined ? { ok: true, topicName: text } : invalid(wrong);
}

/** Whether a text may be a topic filter; the same checks as `parseTopicFilter` without taking it apart. */
export function validateTopicFilter(text: string, options: TopicFilterOptions = {}): { ok: true } | InvalidTopic {
  const wrong = topicFilterFault(text, options.sharedSubscriptions ?? true);
  return wrong === undefined ? { ok: true } : invalid(wrong);
}

/** How topic filters are read. */
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

/** How `matchesTopicFilter` compares. */
export interface MatchOptions {
  /**
   * Whether `sport/#` matches `sport` too. MQTT says yes (§4.7.1.2, default true); AWS IoT Core says no, there the
   * filter matches `sport/` and every topic below it.
   */
  readonly multiLevelMatchesParent?: boolean;
}

/**
 * Whether a topic name matches a topic filter. Both are valid; the filter comes without its `$share/{group}/`
 * (`ParsedTopicFilter.topicFilter`). The rules of MQTT §4.7, the same in 3.1.1 and 5.0:
 *
 * - `+` matches one level, an empty one too; `#` matches its parent level and all levels below;
 * - a wildcard at the beginning matches no topic that begins with `$` (MQTT-4.7.2-1);
 * - all else is compared character by character, with case (MQTT-4.7.3-4).
 *
 * AWS IoT Core differs in one of them: there `#` does not match its parent level (`multiLevelMatchesParent: false`). Its
 * policies are another language: `*` and `?` in a policy's resource run across levels, and `+` and `#` are plain
 * characters there; `@latchkey/policy` matches those. The time is linear in the length of the topic and of the filter.
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
/** `#`; the scans of reader and writer look for it and for `+`. */
export const HASH = 0x23;
/** `+`. */
export const PLUS = 0x2b;
const SLASH = 0x2f;

/** What is wrong with a topic name. The one place that decides it. */
export function topicNameFault(text: string): FaultAt | undefined {
  const wrong = textFault(text);
  if (wrong !== undefined) return wrong;
  const index = text.search(/[+#]/u);
  return index < 0 ? undefined : { fault: "wildcard-in-name", index };
}

/** What is wrong with a topic filter; `shared` gives `$share/` its meaning of 5.0. The one place that decides it. */
export function topicFilterFault(text: string, shared: boolean): FaultAt | undefined {
  const wrong = textFault(text);
  if (wrong !== undefined) return wrong;
  let start = 0;
  if (shared && text.startsWith(SHARE)) {
    const wrongGroup = shareFault(text);
    if (wrongGroup !== undefined) return wrongGroup;
    start = text.indexOf("/", SHARE.length) + 1;
  }
  for (let plus = text.indexOf("+", start); plus >= 0; plus = text.indexOf("+", plus + 1)) {
    const isAlone = begins(text, start, plus) && (plus + 1 === text.length || text.charCodeAt(plus + 1) === SLASH);
    if (!isAlone) return { fault: "single-level-wildcard-not-alone", index: plus };
  }
  const hash = text.indexOf("#", start);
  if (hash < 0) return undefined;
  if (!begins(text, start, hash)) return { fault: "multi-level-wildcard-not-alone", index: hash };
  return hash + 1 === text.length ? undefined : { fault: "multi-level-wildcard-not-last", index: hash };
}

/** What names and filters have in common: not empty, not too long, text that MQTT can carry. */
function textFault(text: string): FaultAt | undefined {
  if (text.length === 0) return { fault: "empty", index: 0 };
  const octets = utf8Length(text);
  if (octets < 0) {
    const nul = text.indexOf("\u0000");
    if (nul >= 0) return { fault: "null-character", index: nul };
    return { fault: "lone-surrogate", index: text.search(/\p{Surrogate}/u) };
  }
  return octets > MAXIMUM_TOPIC_OCTETS ? { fault: "too-long", index: lengthWithin(text) } : undefined;
}

/** The characters at the beginning of a text that stay within the limit on octets. */
function lengthWithin(text: string): number {
  let octets = 0;
  let index = 0;
  for (const character of text) {
    octets += utf8Length(character);
    if (octets > MAXIMUM_TOPIC_OCTETS) break;
    index += character.length;
  }
  return index;
}

/** Whether the character at `index` is the first of its level. */
function begins(text: string, start: number, index: number): boolean {
  return index === start || text.charCodeAt(index - 1) === SLASH;
}

/** `$share/`, a group without wildcards, `/`, and a filter that is not empty. */
function shareFault(text: string): FaultAt | undefined {
  const slash = text.indexOf("/", SHARE.length);
  const shareName = text.slice(SHARE.length, slash < 0 ? text.length : slash);
  if (shareName.length === 0) return { fault: "share-name-empty", index: SHARE.length };
  const wildcard = shareName.search(/[+#]/u);
  if (wildcard >= 0) return { fault: "share-name-wildcard", index: SHARE.length + wildcard };
  const hasFilter = slash >= 0 && slash + 1 < text.length;
  return hasFilter ? undefined : { fault: "share-without-filter", index: text.length };
}

function invalid({ fault, index }: FaultAt): InvalidTopic {
  return { ok: false, fault, index, clause: topicClause(fault, 5) };
}
