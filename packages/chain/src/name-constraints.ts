/**
 * Name constraints along a path (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c), §6.1.4 (g)).
 *
 * The RFC keeps one intersection and one union of subtrees as it walks down. We keep the list of constraints instead and
 * compare a name with each. The answer is the same, no intersection has to be computed, and a failure can say which
 * certificate set the constraint.
 *
 * BoringSSL, Go and rustls-webpki compare each name with each subtree, and bound the product (CVE-2025-58187). Here a name
 * walks down one tree of all subtrees, so the work is linear. The product is bounded all the same: nobody needs millions.
 */

import { equalBytes, Tag } from "@latchkey/asn1";
import {
  attributesOf,
  attributeText,
  type Certificate,
  type GeneralName,
  type NameConstraints,
  nameText,
  formatIpAddress,
} from "@latchkey/x509";
import { type Budget, nameWeight } from "./budget.ts";
import { type ChainFailure, failure, maximumShown } from "./failures.ts";
import { type ConstrainedName, mergeSubtrees, type Subtrees } from "./name-subtree.ts";

/** A form of name that subtrees can be of. */
type Form = GeneralName["type"];

/** The subtrees of one form, as they are and merged. */
interface SubtreesOfForm {
  readonly names: readonly GeneralName[];
  /** Undefined where the form is not supported. */
  readonly merged: Subtrees | undefined;
}

/** The constraints of one certificate, prepared for comparing. */
export class PreparedConstraints {
  readonly permitted: ReadonlyMap<Form, SubtreesOfForm>;
  readonly excluded: ReadonlyMap<Form, SubtreesOfForm>;

  constructor({ permittedSubtrees, excludedSubtrees }: NameConstraints) {
    this.permitted = subtreesByForm(permittedSubtrees);
    this.excluded = subtreesByForm(excludedSubtrees);
  }
}

function subtreesByForm(subtrees: readonly GeneralName[] = []): Map<Form, SubtreesOfForm> {
  const byForm = Map.groupBy(subtrees, ({ type }) => type);
  return new Map([...byForm].map(([form, names]) => [form, { names, merged: mergeSubtrees(form, names) }]));
}

/** Constraints on a path, and who set them. */
export interface ConstraintsOnPath {
  readonly constraints: PreparedConstraints;
  /** The index of the certificate that they are in; the path's length for the trust anchor. */
  readonly constrainedBy: number;
  readonly constrainedByName: string;
}

interface NamesOfForm {
  readonly names: readonly ConstrainedName[];
  /** Of all of them, which the cost of comparing grows with. */
  readonly octets: number;
}

/** The names of one certificate that constraints apply to, by form. */
export class ConstrainedNames {
  readonly byForm: ReadonlyMap<ConstrainedName["type"], NamesOfForm>;

  constructor(names: readonly ConstrainedName[]) {
    const byForm = [...Map.groupBy(names, ({ type }) => type)];
    this.byForm = new Map(byForm.map(([form, ofForm]) => [form, { names: ofForm, octets: octetsOf(ofForm) }]));
  }

  static of(
    { subject }: Pick<Certificate, "subject">,
    subjectAltName: readonly GeneralName[] | undefined,
  ): ConstrainedNames {
    // Constraints apply to the subject where it is not empty, and to all alternative names.
    const subjectNames: ConstrainedName[] = subject.rdns.length > 0 ? [{ type: "directoryName", value: subject }] : [];
    const names = [...subjectNames, ...(subjectAltName ?? [])];
    if (subjectAltName === undefined) {
      // Without alternative names, mailboxes in the subject count as such. A mailbox that is not the IA5String that PKCS #9
      // demands is malformed, and so keeps to no constraint.
      for (const attribute of attributesOf(subject, "emailAddress")) {
        const text = attribute.valueTag === Tag.ia5String ? attributeText(attribute) : undefined;
        names.push({ type: "emailAddress", value: text ?? "" });
      }
    }
    return new ConstrainedNames(names);
  }
}

/** The first name that breaks a constraint, as a failure of the certificate that has it; or the limit that was reached. */
export function checkNames(
  { byForm }: ConstrainedNames,
  onPath: readonly ConstraintsOnPath[],
  certificateIndex: number,
  budget: Budget,
): ChainFailure | undefined {
  for (const each of onPath) {
    const { permitted, excluded } = each.constraints;
    for (const [form, { names, octets }] of byForm) {
      const constraining = constrainingForm(form);
      const allowed = permitted.get(constraining);
      const forbidden = excluded.get(constraining);
      if (allowed !== undefined || forbidden !== undefined) {
        const subtrees = (allowed?.names.length ?? 0) + (forbidden?.names.length ?? 0);
        const lookups = (allowed?.merged?.lookups ?? 0) + (forbidden?.merged?.lookups ?? 0);
        if (!budget.spendNameComparisons(names.length * subtrees, names.length * lookups, octets * lookups)) {
          return budget.exceeded;
        }
        const found = checkForm({ form, names, allowed, forbidden, ...each }, certificateIndex);
        if (found !== undefined) return found;
      }
      if (form === "otherName") {
        const found = checkOtherMailboxes(names, each, certificateIndex);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

/** The form that constrains names of a form. */
function constrainingForm(form: ConstrainedName["type"]): Form {
  return form === "emailAddress" ? "rfc822Name" : form;
}

interface FormInputs extends ConstraintsOnPath {
  readonly form: ConstrainedName["type"];
  readonly names: readonly ConstrainedName[];
  readonly allowed: SubtreesOfForm | undefined;
  readonly forbidden: SubtreesOfForm | undefined;
}

function checkForm(inputs: FormInputs, certificateIndex: number): ChainFailure | undefined {
  const { form, names, allowed, forbidden, constrainedBy, constrainedByName } = inputs;
  const by = { constrainedBy, constrainedByName };
  // Either process the constraint or refuse the certificate; whether the extension is critical does not matter here.
  if ((allowed ?? forbidden)?.merged === undefined) {
    return failure("ERR_CHAIN_NAME_CONSTRAINT_UNSUPPORTED", certificateIndex, { form, ...by });
  }
  for (const name of names) {
    const subtree = forbidden?.names[forbidden.merged?.touching(name) ?? -1];
    if (subtree !== undefined) {
      return failure("ERR_CHAIN_NAME_EXCLUDED", certificateIndex, {
        form,
        name: generalNameText(name),
        subtree: generalNameText(subtree),
        ...by,
      });
    }
    if (allowed?.merged?.containing(name) === -1) {
      return failure("ERR_CHAIN_NAME_NOT_PERMITTED", certificateIndex, {
        form,
        name: generalNameText(name),
        permitted: allowed.names.slice(0, maximumShown).map(generalNameText),
        ...by,
      });
    }
  }
  return undefined;
}

/** id-on-SmtpUTF8Mailbox, 1.3.6.1.5.5.7.8.9. */
const smtpUtf8Mailbox = /* @__PURE__ */ Uint8Array.of(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09);

/** RFC 9598 §6: constraints on mailboxes hold for internationalised mailboxes too, which are not compared here. */
function checkOtherMailboxes(
  names: readonly ConstrainedName[],
  { constraints, constrainedBy, constrainedByName }: ConstraintsOnPath,
  certificateIndex: number,
): ChainFailure | undefined {
  const isMailbox = names.some((name) => name.type === "otherName" && equalBytes(name.typeId, smtpUtf8Mailbox));
  const { permitted, excluded } = constraints;
  if (!isMailbox || !(permitted.has("rfc822Name") || excluded.has("rfc822Name"))) return undefined;
  return failure("ERR_CHAIN_NAME_CONSTRAINT_UNSUPPORTED", certificateIndex, {
    form: "SmtpUTF8Mailbox",
    constrainedBy,
    constrainedByName,
  });
}

/** A name for people. It may hold any character, so it must never be parsed again. */
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

/** Each lookup of a directory name prepares it anew, at twice the price of looking an octet up. */
function octetsOf(names: readonly ConstrainedName[]): number {
  let octets = 0;
  for (const name of names) {
    octets += name.type === "directoryName" ? 2 * nameWeight(name.value.encoding) : name.value.length;
  }
  return octets;
}
