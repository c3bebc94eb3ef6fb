/**
 * Qualifiers of certificate policies (RFC 5280 §4.2.1.4): whether one is understood. Where certificatePolicies is critical, all
 * of them have to be.
 */

import { Asn1Error, decodeText, DerReader, equalBytes, Tag } from "@latchkey/asn1";
import { type PolicyQualifier, policyQualifierIds } from "@latchkey/x509";

/** Whether it is a pointer to a practice statement or a notice for people, and can be read as one. */
export function isQualifierUnderstood({ policyQualifierId: id, qualifier }: PolicyQualifier): boolean {
  try {
    const reader = new DerReader(qualifier);
    if (equalBytes(id, policyQualifierIds.cps)) return isText(reader, [Tag.ia5String]);
    return equalBytes(id, policyQualifierIds.userNotice) && isNotice(reader.sequence());
  } catch (error) {
    if (error instanceof Asn1Error) return false;
    throw error;
  }
}

const displayText: readonly number[] = [Tag.utf8String, Tag.ia5String, Tag.visibleString, Tag.bmpString];

/** UserNotice: a reference to numbered notices of an organization, and a text, both optional. */
function isNotice(fields: DerReader): boolean {
  if (fields.nextIs(Tag.sequence)) {
    const reference = fields.sequence();
    if (!isText(reference, displayText)) return false;
    const numbers = reference.sequence();
    while (!numbers.isAtEnd) numbers.integer();
    reference.end();
  }
  if (!fields.isAtEnd && !isText(fields, displayText)) return false;
  fields.end();
  return true;
}

function isText(reader: DerReader, tags: readonly number[]): boolean {
  const tag = reader.nextTag;
  return tags.includes(tag) && decodeText(tag, reader.primitive(tag)) !== undefined;
}
