/**
 * Object identifiers (X.690 §8.19) as their content octets.
 *
 * Programs compare identifiers as bytes; dotted text is for people. Programs that compared decoded numbers took
 * identifiers with overflowing arcs for others.
 */

import { Asn1Error } from "./errors.ts";

/** Longest accepted content, in octets; the longest in practical use have about 20. */
export const maximumOidOctets = 128;

/** Content octets for dotted text such as `2.5.29.17`. Throws `ERR_ASN1_VALUE` where the text names no identifier. */
export function encodeOid(text: string): Uint8Array<ArrayBuffer> {
  const arcs = /^[012](?:\.(?:0|[1-9]\d*))+$/.test(text) ? text.split(".").map(BigInt) : [];
  const [root = 0n, second = 40n, ...others] = arcs;
  if (root < 2n && second > 39n) {
    throw new Asn1Error("ERR_ASN1_VALUE", `"${text}" is no object identifier such as 2.5.29.17`, {});
  }
  const octets: number[] = [];
  for (const arc of [root * 40n + second, ...others]) {
    let shift = 0n;
    while (arc >> (shift + 7n) > 0n) shift += 7n;
    for (; shift > 0n; shift -= 7n) octets.push(Number((arc >> shift) & 0x7fn) | 0x80);
    octets.push(Number(arc & 0x7fn));
  }
  return Uint8Array.from(octets);
}

/** Dotted text of content octets, as `DerReader.oid()` returns them. Throws `ERR_ASN1_OID` for anything else. */
export function decodeOid(content: Uint8Array): string {
  checkOid(content, 0);
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of content) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [first = 0n, ...others] = arcs;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...others].join(".");
}

/** Whether two byte strings are equal; for object identifiers and everything else that is compared as bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

/** Refuses content that is empty, ends within an arc, pads an arc, or is longer than `maximumOidOctets`. */
export function checkOid(content: Uint8Array, offset: number): void {
  const { length } = content;
  let isValid = length > 0 && length <= maximumOidOctets;
  let before = 0;
  for (let index = 0; isValid && index < length; index++) {
    const octet = content[index] ?? 0;
    // X.690 §8.19.2: the leading octet of an arc is never 0x80.
    isValid = octet !== 0x80 || before >= 0x80;
    before = octet;
  }
  if (isValid && before < 0x80) return;
  const problem =
    length === 0 ? "empty" : length > maximumOidOctets ? "too long" : isValid ? "ends within an arc" : "padded arc";
  throw new Asn1Error("ERR_ASN1_OID", `malformed OBJECT IDENTIFIER: ${problem}, ${length} octets`, {
    problem,
    octets: length,
    limit: maximumOidOctets,
    offset,
    clause: "X.690 §8.19",
  });
}
