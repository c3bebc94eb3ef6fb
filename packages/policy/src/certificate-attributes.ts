/**
 * What policies can ask about a certificate, made from the certificate's own fields (AWS IoT: X.509 certificate policy
 * variables).
 *
 * This package reads no certificates. The input is structural, so that the result of any X.509 parser fits with little
 * work: `@latchkey/x509`'s names fit as they are.
 */

import {
  type AlternativeNameForm,
  type AlternativeNames,
  type CertificateAttributes,
  nameAttributes,
  type NameAttributes,
} from "./context.ts";

/** A certificate's fields, as far as policies can ask about them. */
export interface CertificateInput {
  /** The serial number: as a number, as decimal text, or as the big-endian octets of the DER INTEGER. */
  readonly serialNumber: bigint | string | Uint8Array;
  readonly subject: DistinguishedNameInput;
  readonly issuer: DistinguishedNameInput;
  readonly subjectAlternativeName?: readonly AlternativeNameInput[] | undefined;
  readonly issuerAlternativeName?: readonly AlternativeNameInput[] | undefined;
}

/** A distinguished name: its relative names in the order of the certificate, each a set of attributes. */
export interface DistinguishedNameInput {
  readonly rdns: readonly (readonly {
    /** The attribute type: dotted (`2.5.4.5`), or the content octets of the object identifier. */
    readonly type: string | Uint8Array;
    /** The value, unescaped; undefined where it is no readable text. */
    readonly text: string | undefined;
  }[])[];
}

/**
 * One alternative name by its form in RFC 5280. A `directoryName` is RFC 4514 text; an `iPAddress` is text, or 4 or 16
 * octets. Other forms have no variable and are passed over.
 */
export interface AlternativeNameInput {
  readonly type: string;
  readonly value: unknown;
}

/** The certificate's part of a request context, with the attributes under AWS's names. */
export function certificateAttributes(certificate: CertificateInput): CertificateAttributes {
  return {
    serialNumber: decimal(certificate.serialNumber),
    subject: attributesOf(certificate.subject),
    issuer: attributesOf(certificate.issuer),
    subjectAlternativeName: alternativeNames(certificate.subjectAlternativeName),
    issuerAlternativeName: alternativeNames(certificate.issuerAlternativeName),
  };
}

/** The last arc behind 2.5.4 of each attribute type (X.520). */
const attributeArcs: Readonly<Record<(typeof nameAttributes)[number], number>> = {
  DistinguishedNameQualifier: 46,
  Country: 6,
  Organization: 10,
  OrganizationalUnit: 11,
  State: 8,
  CommonName: 3,
  SerialNumber: 5,
  Title: 12,
  Surname: 4,
  GivenName: 42,
  Initials: 43,
  Pseudonym: 65,
  GenerationQualifier: 44,
};

/** An attribute with an unreadable value is left out whole, so that no other value takes its number. */
function attributesOf({ rdns }: DistinguishedNameInput): NameAttributes {
  const values = new Map<number | undefined, (string | undefined)[]>();
  for (const { type, text } of rdns.flat()) {
    const arc = arcOf(type);
    const texts = values.get(arc);
    if (texts === undefined) values.set(arc, [text]);
    else texts.push(text);
  }
  const attributes: { [Name in (typeof nameAttributes)[number]]?: readonly string[] } = {};
  for (const name of nameAttributes) {
    const texts = values.get(attributeArcs[name]);
    if (texts?.every((text) => text !== undefined) === true) attributes[name] = texts;
  }
  return attributes;
}

/** N of an attribute type 2.5.4.N; `undefined` for every other type. */
function arcOf(type: string | Uint8Array): number | undefined {
  if (typeof type === "string") {
    const digits = /^2\.5\.4\.([0-9]+)$/.exec(type)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }
  // 2.5 is 0x55 in DER; arcs below 128 are one octet.
  return type.length === 3 && type[0] === 0x55 && type[1] === 0x04 ? type[2] : undefined;
}

const forms: ReadonlyMap<string, AlternativeNameForm> = new Map([
  ["rfc822Name", "RFC822Name"],
  ["dNSName", "DNSName"],
  ["directoryName", "DirectoryName"],
  ["uniformResourceIdentifier", "UniformResourceIdentifier"],
  ["iPAddress", "IPAddress"],
]);

function alternativeNames(names: readonly AlternativeNameInput[] = []): AlternativeNames {
  const found: { [Form in AlternativeNameForm]?: string[] } = {};
  for (const { type, value } of names) {
    const form = forms.get(type);
    const text = form === "IPAddress" && value instanceof Uint8Array ? addressText(value) : value;
    if (form === undefined || typeof text !== "string") continue;
    const texts = found[form];
    if (texts === undefined) found[form] = [text];
    else texts.push(text);
  }
  return found;
}

/** Dotted decimal for 4 octets; eight groups of hexadecimal for 16. Other lengths are no address. */
function addressText(octets: Uint8Array): string | undefined {
  if (octets.length === 4) return octets.join(".");
  if (octets.length !== 16) return undefined;
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) groups.push((((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0)).toString(16));
  return groups.join(":");
}

/** Three times what RFC 5280 §4.1.2.2 allows. Decimals of longer numbers take quadratic time, and a peer chose the number. */
const maximumSerialNumberOctets = 64;

function decimal(serialNumber: CertificateInput["serialNumber"]): string | undefined {
  if (!(serialNumber instanceof Uint8Array)) return String(serialNumber);
  if (serialNumber.length > maximumSerialNumberOctets) return undefined;
  let digits = "0x0";
  for (const octet of serialNumber) digits += octet.toString(16).padStart(2, "0");
  const value = BigInt(digits);
  // Two's complement: a set first bit makes the number negative, which RFC 5280 forbids and makers write.
  const isNegative = (serialNumber[0] ?? 0) >= 0x80;
  return String(isNegative ? value - (1n << BigInt(8 * serialNumber.length)) : value);
}
