/**
 * Name constraints along a path (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c), §6.1.4 (g)).
 *
 * The RFC keeps one intersection and one union of subtrees as it walks down. We keep the list of constraints instead
 * and hold a name to each: the same answer, the intersection of subtrees never has to be computed, and a failure can
 * say which certificate set the constraint. The work is the product of names and subtrees of the same form; it is
 * charged to a budget before it is done, as BoringSSL, Go and rustls-webpki do (CVE-2017-3737 and its kin).
 */

import { equalBytes, Tag } from "@latchkey/asn1";
import {
  attributesOf,
  attributeText,
  type Certificate,
  type GeneralName,
  type NameConstraints,
  nameText,
} from "@latchkey/x509";
import { type ChainFailure, failure } from "./failures.ts";
import { formatIpAddress } from "./ip-address.ts";
import type { Budget } from "./limits.ts";
import {
  type ConstrainedName,
  directoryMatcher,
  dnsMatcher,
  ipMatcher,
  mailMatcher,
  type Matcher,
  uriMatcher,
} from "./name-subtree.ts";

type Form = GeneralName["type"];

/** The subtrees of one form, with their bases as the form compares them; closed over those, for each form has its own. */
interface Subtrees {
  readonly names: readonly GeneralName[];
  /** Undefined where the form is not supported. */
  readonly matching: Matching | undefined;
}

interface Matching {
  /** The first subtree that anything the name stands for lies in. */
  readonly touched: (name: ConstrainedName) => GeneralName | undefined;
  /** Whether all that the name stands for lies in one of the subtrees. */
  readonly contains: (name: ConstrainedName) => boolean;
}

function prepareSubtrees(form: Form, names: readonly GeneralName[]): Matching | undefined {
  switch (form) {
    case "dNSName":
      return matchingBy(dnsMatcher, names);
    case "rfc822Name":
      return matchingBy(mailMatcher, names);
    case "iPAddress":
      return matchingBy(ipMatcher, names);
    case "uniformResourceIdentifier":
      return matchingBy(uriMatcher, names);
    case "directoryName":
      return matchingBy(directoryMatcher, names);
    default:
      return undefined;
  }
}

function matchingBy<Base, Subject>(matcher: Matcher<Base, Subject>, names: readonly GeneralName[]): Matching {
  const bases = names.map(matcher.base);
  return {
    touched: (name) => {
      const subject = matcher.subject(name);
      return names[bases.findIndex((base) => matcher.touches(subject, base))];
    },
    contains: (name) => {
      const subject = matcher.subject(name);
      return bases.some((base) => matcher.isWithin(subject, base));
    },
  };
}

/** The constraints of one certificate, made ready. */
export interface PreparedConstraints {
  readonly constrainedBy: number;
  readonly permitted: ReadonlyMap<Form, Subtrees>;
  readonly excluded: ReadonlyMap<Form, Subtrees>;
}

/** Makes constraints ready; `constrainedBy` is the index of the certificate that they are in. */
export function prepareConstraints(constraints: NameConstraints, constrainedBy: number): PreparedConstraints {
  return {
    constrainedBy,
    permitted: subtreesByForm(constraints.permittedSubtrees),
    excluded: subtreesByForm(constraints.excludedSubtrees),
  };
}

function subtreesByForm(subtrees: readonly GeneralName[] = []): Map<Form, Subtrees> {
  const byForm = new Map<Form, GeneralName[]>();
  for (const name of subtrees) {
    const names = byForm.get(name.type);
    if (names === undefined) byForm.set(name.type, [name]);
    else names.push(name);
  }
  return new Map(
    [...byForm].map(([form, ofForm]) => [form, { names: ofForm, matching: prepareSubtrees(form, ofForm) }]),
  );
}

/** The names of a certificate that constraints apply to. */
export function constrainedNames(
  { subject }: Pick<Certificate, "subject">,
  subjectAltName: readonly GeneralName[] | undefined,
): ConstrainedName[] {
  const names: ConstrainedName[] = [];
  // To the subject, when it is not empty.
  if (subject.rdns.length > 0) names.push({ type: "directoryName", value: subject });
  if (subjectAltName !== undefined) names.push(...subjectAltName);
  else {
    // Without alternative names, mailboxes in the subject count as such.
    // One that is not the IA5String that PKCS #9 says is malformed, and so keeps to no constraint.
    for (const attribute of attributesOf(subject, "emailAddress")) {
      const text = attribute.valueTag === Tag.ia5String ? attributeText(attribute) : undefined;
      names.push({ type: "emailAddress", value: text ?? "" });
    }
  }
  return names;
}

/** The first name that breaks a constraint, as a failure of the certificate that bears it. */
export function checkNames(
  names: readonly ConstrainedName[],
  constraints: readonly PreparedConstraints[],
  certificateIndex: number,
  budget: Budget,
): ChainFailure | undefined {
  if (constraints.length === 0 || names.length === 0) return undefined;
  const byForm = Map.groupBy(names, ({ type }) => type);
  for (const each of constraints) {
    let comparisons = 0;
    for (const [form, ofForm] of byForm) comparisons += ofForm.length * countSubtrees(form, each);
    if (!budget.takeNameComparisons(comparisons)) return budget.exceeded;
    for (const [form, ofForm] of byForm) {
      const found =
        checkForm(form, ofForm, each, certificateIndex) ??
        (form === "otherName" ? checkOtherMailboxes(ofForm, each, certificateIndex) : undefined);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The form that constrains names of a form. */
function constrainingForm(form: ConstrainedName["type"]): Form {
  return form === "emailAddress" ? "rfc822Name" : form;
}

function countSubtrees(form: ConstrainedName["type"], { permitted, excluded }: PreparedConstraints): number {
  const constraining = constrainingForm(form);
  return (permitted.get(constraining)?.names.length ?? 0) + (excluded.get(constraining)?.names.length ?? 0);
}

function checkForm(
  form: ConstrainedName["type"],
  names: readonly ConstrainedName[],
  { permitted, excluded, constrainedBy }: PreparedConstraints,
  certificateIndex: number,
): ChainFailure | undefined {
  const allowed = permitted.get(constrainingForm(form));
  const forbidden = excluded.get(constrainingForm(form));
  if (allowed === undefined && forbidden === undefined) return undefined;
  // Either process the constraint or reject the certificate; whether it is critical does not matter here.
  if ((allowed ?? forbidden)?.matching === undefined) {
    return failure("ERR_CHAIN_NAME_CONSTRAINT_UNSUPPORTED", certificateIndex, { form, constrainedBy });
  }
  for (const name of names) {
    const subtree = forbidden?.matching?.touched(name);
    if (subtree !== undefined) {
      return failure("ERR_CHAIN_NAME_EXCLUDED", certificateIndex, {
        form,
        name: generalNameText(name),
        subtree: generalNameText(subtree),
        constrainedBy,
      });
    }
    if (allowed?.matching?.contains(name) === false) {
      return failure("ERR_CHAIN_NAME_NOT_PERMITTED", certificateIndex, {
        form,
        name: generalNameText(name),
        constrainedBy,
      });
    }
  }
  return undefined;
}

/** id-on-SmtpUTF8Mailbox, 1.3.6.1.5.5.7.8.9. */
const smtpUtf8Mailbox = /* @__PURE__ */ Uint8Array.of(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09);

/** RFC 9598 §6: constraints on mailboxes hold for internationalised ones, which are not compared here. */
function checkOtherMailboxes(
  names: readonly ConstrainedName[],
  { permitted, excluded, constrainedBy }: PreparedConstraints,
  certificateIndex: number,
): ChainFailure | undefined {
  const isMailbox = names.some((name) => name.type === "otherName" && equalBytes(name.typeId, smtpUtf8Mailbox));
  if (!isMailbox || !(permitted.has("rfc822Name") || excluded.has("rfc822Name"))) return undefined;
  return failure("ERR_CHAIN_NAME_CONSTRAINT_UNSUPPORTED", certificateIndex, { form: "SmtpUTF8Mailbox", constrainedBy });
}

/** A name for people. Never to be taken apart again: it may hold any character. */
export function generalNameText(name: ConstrainedName): string {
  switch (name.type) {
    case "dNSName":
    case "rfc822Name":
    case "emailAddress":
    case "uniformResourceIdentifier":
      return name.value;
    case "iPAddress":
      return addressText(name.value);
    case "directoryName":
      return nameText(name.value);
    default:
      return name.type;
  }
}

function addressText(octets: Uint8Array): string {
  if (octets.length !== 8 && octets.length !== 32) return formatIpAddress(octets);
  const half = octets.length / 2;
  return `${formatIpAddress(octets.subarray(0, half))}/${formatIpAddress(octets.subarray(half))}`;
}
