/**
 * Subtrees of names, and whether a name lies within one of them (RFC 5280 §4.2.1.10), form by form.
 *
 * The idea: the subtrees of one form are merged into one tree of labels (or of the sets of a directory name), from the
 * most general to the most special. A name walks down that tree once, so the work is linear in the octets of both sides.
 * Comparing each name with each subtree was rejected: the product of both is what a peer would send to make it slow.
 *
 * What is malformed leads to refusal: a malformed name lies in no permitted subtree and in every excluded one, a malformed
 * constraint permits nothing and excludes everything. Where the RFC is silent on DNS constraints we do as BoringSSL (a
 * leading period means "below"). A period alone stands for no name at all.
 */

import { type GeneralName, hexText, nameKey, parseIpv4 } from "@latchkey/x509";
import { canonicalHost, isHostName, parseMailbox } from "./dns-name.ts";

/** A name that constraints apply to. A mailbox in the subject has its own type, because its case does not count. */
export type ConstrainedName = GeneralName | { readonly type: "emailAddress"; readonly value: string };

/** The subtrees of one form. Both functions give the index of a subtree, or -1. */
export interface Subtrees {
  /** The first subtree that contains everything that the name stands for. */
  readonly containing: (name: ConstrainedName) => number;
  /** The first subtree that contains anything that the name stands for. */
  readonly touching: (name: ConstrainedName) => number;
  /** How many lookups one name needs at most; each is linear in the name's octets. */
  readonly lookups: number;
}

/** Merges subtrees of one form; undefined where the form is not supported. */
export function mergeSubtrees(form: GeneralName["type"], names: readonly GeneralName[]): Subtrees | undefined {
  switch (form) {
    case "dNSName":
      return dnsSubtrees(names);
    case "rfc822Name":
      return mailSubtrees(names);
    case "uniformResourceIdentifier":
      return uriSubtrees(names);
    case "iPAddress":
      return addressSubtrees(names);
    case "directoryName":
      return directorySubtrees(names);
    default:
      return undefined;
  }
}

/** One label of the tree. The fields are the lowest indexes of subtrees, or Infinity. */
interface Label {
  children: Map<string, Label> | undefined;
  /** Of a subtree that contains the name that ends here. */
  own: number;
  /** Of a subtree that contains every name below. */
  below: number;
  /** The lowest `own` of the children. */
  ownOfChild: number;
}

function newLabel(): Label {
  return { children: undefined, own: none, below: none, ownOfChild: none };
}

const none = Number.POSITIVE_INFINITY;

/** What a subtree of names contains: the name itself, names below it, or both. */
type Extent = "itself" | "below" | "both";

class LabelTree {
  readonly #root = newLabel();

  /** `labels` from the most general to the most special. */
  add(labels: readonly string[], index: number, extent: Extent): void {
    let label = this.#root;
    let parent: Label | undefined;
    for (const text of labels) {
      label.children ??= new Map();
      let child = label.children.get(text);
      if (child === undefined) {
        child = newLabel();
        label.children.set(text, child);
      }
      parent = label;
      label = child;
    }
    if (extent !== "below") {
      label.own = Math.min(label.own, index);
      if (parent !== undefined) parent.ownOfChild = Math.min(parent.ownOfChild, index);
    }
    if (extent !== "itself") label.below = Math.min(label.below, index);
  }

  /** The first subtree that contains the name of these labels. */
  find(labels: readonly string[]): number {
    const { above, end } = this.#walk(labels);
    return indexOf(Math.min(above, end?.own ?? none));
  }

  /** The first subtree that contains every name below these labels, or with `touching` any name one label below. */
  findBelow(labels: readonly string[], touching: boolean): number {
    const { above, end } = this.#walk(labels);
    const child = touching ? (end?.ownOfChild ?? none) : none;
    return indexOf(Math.min(above, end?.below ?? none, child));
  }

  /** The first subtree that contains everything below a label above the last, and the last label where the tree has it. */
  #walk(labels: readonly string[]): { readonly above: number; readonly end: Label | undefined } {
    let above = none;
    let label: Label | undefined = this.#root;
    for (const text of labels) {
      above = Math.min(above, label.below);
      label = label.children?.get(text);
      if (label === undefined) break;
    }
    return { above, end: label };
  }
}

function indexOf(index: number): number {
  return index === none ? -1 : index;
}

/** `www.example.com` as `com`, `example`, `www`. */
function labelsOf(host: string): string[] {
  return host === "" ? [] : host.split(".").reverse();
}

function dnsSubtrees(names: readonly GeneralName[]): Subtrees {
  const tree = new LabelTree();
  for (const [index, name] of names.entries()) {
    const text = textOf(name).toLowerCase();
    const isBelowOnly = text.startsWith(".");
    const host = canonicalHost(isBelowOnly ? text.slice(1) : text);
    // The empty constraint contains every name, a period alone none.
    if (text === "") tree.add([], index, "both");
    else if (host !== "" && !hasEmptyLabel(host)) tree.add(labelsOf(host), index, isBelowOnly ? "below" : "both");
  }
  const find = (name: ConstrainedName, touching: boolean): number => {
    const host = canonicalHost(textOf(name));
    if (host !== "" && hasEmptyLabel(host)) return touching ? 0 : -1;
    // A wildcard stands for names one label below its parent. It touches a subtree that is one of them (CVE-2025-61727).
    return host.startsWith("*.") ? tree.findBelow(labelsOf(host.slice(2)), touching) : tree.find(labelsOf(host));
  };
  return { lookups: 1, containing: (name) => find(name, false), touching: (name) => find(name, true) };
}

function hasEmptyLabel(host: string): boolean {
  return host.startsWith(".") || host.endsWith(".") || host.includes("..");
}

function mailSubtrees(names: readonly GeneralName[]): Subtrees {
  const hosts = new LabelTree();
  // Whole mailboxes: as they are, and without regard to case.
  const mailboxes = new Map<string, number>();
  const caseless = new Map<string, number>();
  let malformed = none;
  for (const [index, name] of names.entries()) {
    const text = textOf(name);
    const mailbox = parseMailbox(text);
    const isBelowOnly = text.startsWith(".");
    const host = (isBelowOnly ? text.slice(1) : text).toLowerCase();
    if (mailbox !== undefined) {
      keepFirst(mailboxes, mailboxKey(mailbox), index);
      keepFirst(caseless, mailboxKey(mailbox).toLowerCase(), index);
    } else if (isHostName(host, { allowsUnderscore: false })) {
      hosts.add(labelsOf(host), index, isBelowOnly ? "below" : "itself");
    } else malformed = Math.min(malformed, index);
  }
  const find = (name: ConstrainedName, touching: boolean): number => {
    const mailbox = parseMailbox(textOf(name));
    if (mailbox === undefined) return touching ? 0 : -1;
    const byHost = hosts.find(labelsOf(mailbox.host));
    const key = mailboxKey(mailbox);
    // The case of a local part counts (RFC 5321 §2.4), but not in an emailAddress attribute (RFC 5280 §4.1.2.6). As
    // BoringSSL: what is permitted has to match in either sense, what is excluded in the looser one.
    const isCaseless = touching && name.type === "emailAddress";
    const byMailbox = (isCaseless ? caseless.get(key.toLowerCase()) : mailboxes.get(key)) ?? none;
    return indexOf(Math.min(byHost === -1 ? none : byHost, byMailbox, touching ? malformed : none));
  };
  return { lookups: 2, containing: (name) => find(name, false), touching: (name) => find(name, true) };
}

function mailboxKey({ local, host }: { readonly local: string; readonly host: string }): string {
  return `${local}@${host}`;
}

function keepFirst(map: Map<string, number>, key: string, index: number): void {
  if (!map.has(key)) map.set(key, index);
}

function uriSubtrees(names: readonly GeneralName[]): Subtrees {
  const hosts = new LabelTree();
  let malformed = none;
  for (const [index, name] of names.entries()) {
    // The constraint MUST be a host, or with a leading period all hosts below.
    const text = textOf(name).toLowerCase();
    const isBelowOnly = text.startsWith(".");
    const host = isBelowOnly ? text.slice(1) : text;
    if (isHostName(host, { allowsUnderscore: false })) {
      hosts.add(labelsOf(host), index, isBelowOnly ? "below" : "itself");
    } else malformed = Math.min(malformed, index);
  }
  const find = (name: ConstrainedName, touching: boolean): number => {
    const host = hostOfUri(textOf(name));
    if (host === undefined) return touching ? 0 : -1;
    const byHost = hosts.find(labelsOf(host));
    return indexOf(Math.min(byHost === -1 ? none : byHost, touching ? malformed : none));
  };
  return { lookups: 1, containing: (name) => find(name, false), touching: (name) => find(name, true) };
}

/** The host of a URI with an authority that is a name (RFC 3986 §3.2); a URI without one MUST be refused. */
function hostOfUri(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1];
  if (authority === undefined) return undefined;
  const host = canonicalHost(authority.slice(authority.lastIndexOf("@") + 1).replace(/:\d*$/, ""));
  return isHostName(host, { allowsUnderscore: false }) && parseIpv4(host) === undefined ? host : undefined;
}

/** Addresses and ranges of address and mask. IPv4 and IPv6 never lie within each other. */
function addressSubtrees(names: readonly GeneralName[]): Subtrees {
  // By mask, the masked addresses. x509 takes masks in the manner of CIDR only, so there are few.
  const byMask = new Map<string, { readonly mask: Uint8Array; readonly ranges: Map<string, number> }>();
  for (const [index, name] of names.entries()) {
    const octets = octetsOf(name);
    const half = octets.length / 2;
    const mask = octets.subarray(half);
    const key = hexText(mask);
    const group = byMask.get(key) ?? { mask, ranges: new Map<string, number>() };
    byMask.set(key, group);
    keepFirst(group.ranges, maskedText(octets.subarray(0, half), mask), index);
  }
  const find = (name: ConstrainedName): number => {
    const address = octetsOf(name);
    let first = none;
    for (const { mask, ranges } of byMask.values()) {
      if (mask.length !== address.length) continue;
      first = Math.min(first, ranges.get(maskedText(address, mask)) ?? none);
    }
    return indexOf(first);
  };
  return { lookups: byMask.size, containing: find, touching: find };
}

function maskedText(address: Uint8Array, mask: Uint8Array): string {
  return hexText(address.map((octet, index) => octet & (mask[index] ?? 0)));
}

/** A directory name lies in a subtree where its first sets are those of the base. */
function directorySubtrees(names: readonly GeneralName[]): Subtrees {
  const tree = new LabelTree();
  for (const [index, name] of names.entries()) tree.add(setKeysOf(name), index, "both");
  const find = (name: ConstrainedName): number => tree.find(setKeysOf(name));
  return { lookups: 1, containing: find, touching: find };
}

/** The sets of a name as strings, each equal exactly for sets that match. */
function setKeysOf(name: ConstrainedName): readonly string[] {
  if (name.type !== "directoryName" || name.value.rdns.length === 0) return [];
  // A name's key is the keys of its sets, one a line.
  return nameKey(name.value).split("\n");
}

function textOf(name: ConstrainedName): string {
  return typeof name.value === "string" ? name.value : "";
}

function octetsOf(name: ConstrainedName): Uint8Array {
  return name.value instanceof Uint8Array ? name.value : new Uint8Array();
}

/** Whether a constraint keeps to the syntax that the RFC gives its form; one that does not is compared all the same. */
export function isConstraintSyntaxValid(name: GeneralName): boolean {
  switch (name.type) {
    case "dNSName":
      return name.value === "" || isHostName(canonicalHost(name.value), { allowsUnderscore: true });
    case "rfc822Name":
      return parseMailbox(name.value) !== undefined || isHostOrBelow(name.value);
    case "uniformResourceIdentifier":
      return isHostOrBelow(name.value);
    default:
      return true;
  }
}

/** A host, or with a leading period all hosts below. */
function isHostOrBelow(text: string): boolean {
  return isHostName(text.startsWith(".") ? text.slice(1) : text, { allowsUnderscore: false });
}
