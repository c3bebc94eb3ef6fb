/** Small parts of the text dump: times, octets in lines, names, values that must not break out of their line. */

import { Asn1Error, decodeText, DerReader, generalizedTimeText } from "@latchkey/asn1";
import { serialNumberDecimal } from "./fingerprint.ts";
import type { GeneralName } from "./general-name.ts";
import { hexText } from "./hex-text.ts";
import { nameText } from "./name-text.ts";
import { oidName } from "./oid-names.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Nov  3 05:00:00 2026 GMT`. */
export function timeText(seconds: number): string {
  const text = generalizedTimeText(seconds);
  const month = months[Number(text.slice(4, 6)) - 1] ?? "";
  const day = String(Number(text.slice(6, 8))).padStart(2);
  return `${month} ${day} ${text.slice(8, 10)}:${text.slice(10, 12)}:${text.slice(12, 14)} ${text.slice(0, 4)} GMT`;
}

/** Hexadecimal octets with colons, some on a line. */
export function octetLines(octets: Uint8Array, indent: string, perLine: number): string[] {
  const lines: string[] = [];
  for (let start = 0; start < octets.length; start += perLine) {
    const isLast = start + perLine >= octets.length;
    lines.push(`${indent}${hexText(octets.subarray(start, start + perLine), ":")}${isLast ? "" : ":"}`);
  }
  return lines;
}

/** An INTEGER's sign, and its magnitude as openssl shows it: without the zero octet that keeps it positive. */
export function signAndMagnitude(content: Uint8Array): { readonly sign: "" | "-"; readonly magnitude: Uint8Array } {
  if ((content[0] ?? 0) < 0x80) {
    return { sign: "", magnitude: content[0] === 0 && content.length > 1 ? content.subarray(1) : content };
  }
  // Two's complement: invert every octet, then add one from the end.
  const magnitude = content.map((octet) => octet ^ 0xff);
  for (let index = magnitude.length - 1; index >= 0; index--) {
    const sum = (magnitude[index] ?? 0) + 1;
    magnitude[index] = sum & 0xff;
    if (sum < 0x100) break;
  }
  return { sign: "-", magnitude };
}

/** A serial number on one line: hexadecimal in upper case, with a minus where it is negative. */
export function serialText(serialNumber: Uint8Array): string {
  const { sign, magnitude } = signAndMagnitude(serialNumber);
  return `${sign}${hexText(magnitude).toUpperCase()}`;
}

/** A magnitude as the content of an INTEGER: with a zero octet that keeps it positive. */
export function signedOctets(magnitude: Uint8Array): Uint8Array {
  const octets = new Uint8Array(magnitude.length + 1);
  octets.set(magnitude, 1);
  return octets;
}

/** As many octets are shown in decimal, as by openssl: the time for decimals grows with the square of the length. */
const maximumDecimalOctets = 16;

/** An INTEGER in decimal, or in hexadecimal where it is long. */
export function integerText(content: Uint8Array): string {
  if (content.length <= maximumDecimalOctets + 1) return serialNumberDecimal(content);
  const { sign, magnitude } = signAndMagnitude(content);
  return `${sign}0x${hexText(magnitude)}`;
}

/** Upper-case hexadecimal with colons. */
export function upperOctets(octets: Uint8Array): string {
  return hexText(octets, ":").toUpperCase();
}

/**
 * One GeneralName. Texts with spaces, commas, quotes, backslashes or anything not printable are quoted as JSON, so that
 * a name cannot pass for two.
 */
export function generalNameText(name: GeneralName): string {
  switch (name.type) {
    case "otherName":
      return `othername:${oidName(name.typeId)}:${encodedText(name.value)}`;
    case "rfc822Name":
      return `email:${safeText(name.value)}`;
    case "dNSName":
      return `DNS:${safeText(name.value)}`;
    case "x400Address":
      return `X400Name:${hexText(name.value)}`;
    case "directoryName":
      return `DirName:${safeText(nameText(name.value))}`;
    case "ediPartyName":
      return `EdiPartyName:${hexText(name.value)}`;
    case "uniformResourceIdentifier":
      return `URI:${safeText(name.value)}`;
    case "iPAddress":
      return `IP Address:${addressText(name.value)}`;
    case "registeredID":
      return `Registered ID:${oidName(name.value)}`;
  }
}

/** DER of a string type as text that cannot break out of its line; octets in hexadecimal for every other type. */
export function encodedText(encoding: Uint8Array): string {
  try {
    const { tag, content } = new DerReader(encoding).any();
    const text = decodeText(tag, content);
    return text === undefined ? hexText(encoding) : safeText(text);
  } catch (error) {
    if (error instanceof Asn1Error) return hexText(encoding);
    throw error;
  }
}

function safeText(text: string): string {
  return /^[!#-+\--[\]-~]*$/.test(text) ? text : JSON.stringify(text);
}

/** An address, or address and mask: dotted decimals for IPv4, eight groups for IPv6, as OpenSSL prints them. */
function addressText(octets: Uint8Array): string {
  if (octets.length === 8 || octets.length === 32) {
    const half = octets.length / 2;
    return `${addressText(octets.subarray(0, half))}/${addressText(octets.subarray(half))}`;
  }
  if (octets.length === 4) return octets.join(".");
  const groups: string[] = [];
  for (let index = 0; index < octets.length; index += 2) {
    groups.push((((octets[index] ?? 0) << 8) | (octets[index + 1] ?? 0)).toString(16).toUpperCase());
  }
  return groups.join(":");
}
