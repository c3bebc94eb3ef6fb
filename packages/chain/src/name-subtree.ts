/**
 * Subtrees of names and whether a name lies within one (RFC 5280 §4.2.1.10), form by form.
 *
 * Constraints and names are made ready once, so that one comparison is one comparison of strings. A name or a
 * constraint that is malformed decides for refusal: a malformed name lies in no permitted subtree and in every excluded
 * one, a malformed constraint permits nothing and excludes everything. DNS constraints keep to BoringSSL where the RFC
 * is silent (a leading period means "below"), and a lone period stands for no name at all.
 */

import { type GeneralName, type Name, nameKey } from "@latchkey/x509";
import { canonicalHost, isHostName, parseMailbox } from "./dns-name.ts";
import { parseIpv4 } from "./ip-address.ts";

/** A name that constraints apply to; a mailbox in the subject is of no form of its own, and of a looser case. */
export type ConstrainedName = GeneralName | { readonly type: "emailAddress"; readonly value: string };

/** A subtree, and a name, of one form; both carry what is needed to compare them. */
export interface Matcher<Base, Subject> {
  readonly base: (value: GeneralName) => Base;
  readonly subject: (value: ConstrainedName) => Subject;
  /** Whether all that the name stands for lies within the subtree. */
  readonly isWithin: (subject: Subject, base: Base) => boolean;
  /** Whether anything that the name stands for lies within the subtree. */
  readonly touches: (subject: Subject, base: Base) => boolean;
}

/** A host subtree: `host` itself (unless only what is below counts) and all below it. */
interface HostBase {
  readonly host: string;
  readonly suffix: string;
  readonly isBelowOnly: boolean;
}

/** A DNS name; `wildcardParent` is what stands behind `*.`. */
interface DnsSubject {
  readonly host: string;
  readonly wildcardParent: string | undefined;
}

export const dnsMatcher: Matcher<HostBase | "all" | "none", DnsSubject | undefined> = {
  base: (name) => {
    const text = textOf(name).toLowerCase();
    if (text === "") return "all";
    const isBelowOnly = text.startsWith(".");
    const host = canonicalHost(isBelowOnly ? text.slice(1) : text);
    if (host === "" || hasEmptyLabel(host)) return "none";
    return { host, suffix: `.${host}`, isBelowOnly };
  },
  subject: (name) => {
    const host = canonicalHost(textOf(name));
    if (host !== "" && hasEmptyLabel(host)) return undefined;
    return { host, wildcardParent: host.startsWith("*.") ? host.slice(2) : undefined };
  },
  isWithin: (subject, base) => {
    if (subject === undefined || base === "none") return false;
    if (base === "all") return true;
    const { host, wildcardParent } = subject;
    if (wildcardParent === undefined) return isInHost(host, base);
    // Whatever the wildcard stands for is below its parent.
    return wildcardParent === base.host || wildcardParent.endsWith(base.suffix);
  },
  touches: (subject, base) => {
    if (subject === undefined || base === "all") return true;
    if (base === "none") return false;
    const { host, wildcardParent } = subject;
    if (wildcardParent === undefined) return isInHost(host, base);
    if (wildcardParent === base.host || wildcardParent.endsWith(base.suffix)) return true;
    // The wildcard could stand for the subtree's first label (CVE-2025-61727).
    return !base.isBelowOnly && base.host.endsWith(`.${wildcardParent}`) && isOneLabelBelow(base.host, wildcardParent);
  },
};

function isInHost(host: string, base: HostBase): boolean {
  return (!base.isBelowOnly && host === base.host) || host.endsWith(base.suffix);
}

function isOneLabelBelow(host: string, parent: string): boolean {
  return host.indexOf(".") === host.length - parent.length - 1;
}

function hasEmptyLabel(host: string): boolean {
  return host.startsWith(".") || host.endsWith(".") || host.includes("..");
}

interface MailBase {
  readonly local: string | undefined;
  readonly host: string;
  readonly isBelowOnly: boolean;
}

interface MailSubject {
  readonly local: string;
  readonly host: string;
  /** RFC 5280 §4.1.2.6: emailAddress attributes are compared without regard to case. */
  readonly ignoresCase: boolean;
}

export const mailMatcher: Matcher<MailBase | undefined, MailSubject | undefined> = {
  base: (name) => {
    const text = textOf(name);
    const mailbox = parseMailbox(text);
    if (mailbox !== undefined) return { ...mailbox, isBelowOnly: false };
    const isBelowOnly = text.startsWith(".");
    const host = (isBelowOnly ? text.slice(1) : text).toLowerCase();
    return isHostName(host, { allowsUnderscore: false }) ? { local: undefined, host, isBelowOnly } : undefined;
  },
  subject: (name) => {
    const mailbox = parseMailbox(textOf(name));
    return mailbox && { ...mailbox, ignoresCase: name.type === "emailAddress" };
  },
  // As BoringSSL: where case may or may not count, what is permitted needs it and what is excluded does not.
  isWithin: (subject, base) => subject !== undefined && base !== undefined && isInMailBase(subject, base, false),
  touches: (subject, base) =>
    subject === undefined || base === undefined || isInMailBase(subject, base, subject.ignoresCase),
};

/** The host's case does not count, the local part's does (RFC 5321 §2.4). */
function isInMailBase({ local, host }: MailSubject, base: MailBase, ignoresCase: boolean): boolean {
  if (base.isBelowOnly) return host.endsWith(`.${base.host}`);
  if (host !== base.host) return false;
  if (base.local === undefined || local === base.local) return true;
  return ignoresCase && local.toLowerCase() === base.local.toLowerCase();
}

export const uriMatcher: Matcher<HostBase | undefined, string | undefined> = {
  // The constraint MUST be a host, or with a leading period all hosts below.
  base: (name) => {
    const text = textOf(name).toLowerCase();
    const isBelowOnly = text.startsWith(".");
    const host = isBelowOnly ? text.slice(1) : text;
    return isHostName(host, { allowsUnderscore: false }) ? { host, suffix: `.${host}`, isBelowOnly } : undefined;
  },
  subject: (name) => hostOfUri(textOf(name)),
  isWithin: (subject, base) => subject !== undefined && base !== undefined && isInUriBase(subject, base),
  touches: (subject, base) => subject === undefined || base === undefined || isInUriBase(subject, base),
};

function isInUriBase(host: string, base: HostBase): boolean {
  return base.isBelowOnly ? host.endsWith(base.suffix) : host === base.host;
}

/** The host of a URI with an authority that is a name (RFC 3986 §3.2); a URI without one MUST be refused. */
function hostOfUri(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1];
  if (authority === undefined) return undefined;
  const host = canonicalHost(authority.slice(authority.lastIndexOf("@") + 1).replace(/:\d*$/, ""));
  return isHostName(host, { allowsUnderscore: false }) && parseIpv4(host) === undefined ? host : undefined;
}

/** Octets of an address, or of address and mask. IPv4 and IPv6 never lie within each other. */
export const ipMatcher: Matcher<Uint8Array, Uint8Array> = {
  base: octetsOf,
  subject: octetsOf,
  isWithin: isInRange,
  touches: isInRange,
};

function isInRange(address: Uint8Array, range: Uint8Array): boolean {
  const { length } = address;
  if (range.length !== length * 2) return false;
  for (let index = 0; index < length; index++) {
    const mask = range[length + index] ?? 0;
    if (((address[index] ?? 0) & mask) !== ((range[index] ?? 0) & mask)) return false;
  }
  return true;
}

/** A name whose first sets are compared as one key, made once for each number of sets that is asked for. */
export class DirectorySubject {
  readonly #name: Name;
  readonly #keys = new Map<number, string>();

  constructor(name: Name) {
    this.#name = name;
  }

  /** The key of the first `count` sets; undefined where there are fewer. */
  keyOfFirst(count: number): string | undefined {
    if (count > this.#name.rdns.length) return undefined;
    let key = this.#keys.get(count);
    if (key === undefined) {
      key = nameKey({ rdns: this.#name.rdns.slice(0, count), encoding: this.#name.encoding });
      this.#keys.set(count, key);
    }
    return key;
  }
}

interface DirectoryBase {
  readonly key: string;
  readonly sets: number;
}

export const directoryMatcher: Matcher<DirectoryBase | undefined, DirectorySubject | undefined> = {
  base: (name) =>
    name.type === "directoryName" ? { key: nameKey(name.value), sets: name.value.rdns.length } : undefined,
  subject: (name) => (name.type === "directoryName" ? new DirectorySubject(name.value) : undefined),
  isWithin: isInDirectory,
  touches: isInDirectory,
};

function isInDirectory(subject: DirectorySubject | undefined, base: DirectoryBase | undefined): boolean {
  return subject !== undefined && base !== undefined && subject.keyOfFirst(base.sets) === base.key;
}

function textOf(name: ConstrainedName): string {
  return typeof name.value === "string" ? name.value : "";
}

function octetsOf(name: ConstrainedName): Uint8Array {
  return name.value instanceof Uint8Array ? name.value : new Uint8Array();
}

/** Whether a constraint keeps to the syntax that the RFC gives its form; what does not is compared all the same. */
export function isConstraintSyntaxValid(name: GeneralName): boolean {
  switch (name.type) {
    case "dNSName":
      return name.value === "" || isHostName(canonicalHost(name.value), { allowsUnderscore: true });
    case "rfc822Name":
      return mailMatcher.base(name) !== undefined;
    case "uniformResourceIdentifier":
      return uriMatcher.base(name) !== undefined;
    default:
      return true;
  }
}
