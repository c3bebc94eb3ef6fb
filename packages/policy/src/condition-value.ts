/** Readers for condition values that are not just text: decimal numbers, dates, IP addresses, Base64. */

/** Longest number, and the places behind the point that it is scaled to. */
const maximumDigits = 100;

/**
 * A decimal number times 10^100, without rounding: certificate serial numbers have up to 49 digits. `undefined` where
 * `text` is none, or is longer than 100 characters.
 */
export function parseDecimal(text: string): bigint | undefined {
  const match = text.length > maximumDigits ? null : /^([+-]?)([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (match === null) return undefined;
  const scaled = BigInt(`${match[2]}${(match[3] ?? "").padEnd(maximumDigits, "0")}`);
  return match[1] === "-" ? -scaled : scaled;
}

const datePattern =
  /^[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?)?)?$/;

/**
 * Milliseconds since 1970 of a date in one of the W3C's forms of ISO 8601, or in seconds since 1970 (five digits or
 * more: four are a year). `undefined` where it is neither.
 */
export function parseDate(text: string): number | undefined {
  if (/^[0-9]{5,15}$/.test(text)) return Number(text) * 1000;
  if (!datePattern.test(text)) return undefined;
  // A day that the month does not have would roll over into the next.
  const day = text.slice(0, 10);
  const midnight = Date.parse(day);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

/** A block of IP addresses; one address is a block of full length. */
export interface AddressBlock {
  /** 4 or 16 octets. */
  readonly octets: readonly number[];
  readonly prefixLength: number;
}

/**
 * Reads an address or a block in CIDR form. IPv4 inside IPv6 (`::ffff:192.0.2.1`) becomes IPv4.
 *
 * `parseIpAddress` of `@latchkey/x509` owns the rules of addresses. This copy keeps the package without dependencies;
 * `apps/demo/test/copied-rules.test.ts` holds both to one table.
 */
export function parseAddressBlock(text: string): AddressBlock | undefined {
  const match = /^([0-9a-fA-F.:]{2,45})(?:\/([0-9]{1,3}))?$/.exec(text);
  const octets = match?.[1]?.includes(":") === true ? parseIpv6(match[1]) : parseIpv4(match?.[1] ?? "");
  if (match === null || octets === undefined) return undefined;
  const prefixLength = match[2] === undefined ? octets.length * 8 : Number(match[2]);
  if (prefixLength > octets.length * 8) return undefined;
  const isMapped = octets.length === 16 && prefixLength >= 96 && octets.slice(0, 10).every((octet) => octet === 0);
  if (isMapped && octets[10] === 0xff && octets[11] === 0xff) {
    return { octets: octets.slice(12), prefixLength: prefixLength - 96 };
  }
  return { octets, prefixLength };
}

/** Whether the address `inner` (or a whole block) lies in `outer`. */
export function isWithin(inner: AddressBlock, outer: AddressBlock): boolean {
  if (inner.octets.length !== outer.octets.length || inner.prefixLength < outer.prefixLength) return false;
  return outer.octets.every((octet, index) => {
    // So many bits of this octet belong to the prefix.
    const bits = Math.min(8, Math.max(0, outer.prefixLength - index * 8));
    const difference = octet ^ (inner.octets[index] ?? 0);
    return (difference & (0xff00 >> bits) & 0xff) === 0;
  });
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  // Leading zeros are refused: some readers take them for octal.
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part))) return undefined;
  const octets = parts.map(Number);
  return octets.every((octet) => octet <= 255) ? octets : undefined;
}

/** RFC 4291 §2.2, all three forms. */
function parseIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [front, back] = halves.map((half) => (half === "" ? [] : half.split(":").map(groupOctets)));
  // Only the very last group may be IPv4 in dotted form.
  const groups = [...(front ?? []), ...(back ?? [])];
  const dotted = groups.findIndex((octets) => octets?.length === 4);
  if (dotted !== -1 && (dotted !== groups.length - 1 || (back !== undefined && back.length === 0))) return undefined;
  const before = joinOctets(front ?? []);
  const after = joinOctets(back ?? []);
  if (before === undefined || after === undefined) return undefined;
  const missing = 16 - before.length - after.length;
  if (back === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...before, ...Array.from({ length: missing }, () => 0), ...after];
}

function groupOctets(group: string): number[] | undefined {
  if (group.includes(".")) return parseIpv4(group);
  if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

function joinOctets(groups: readonly (readonly number[] | undefined)[]): number[] | undefined {
  const octets: number[] = [];
  for (const group of groups) {
    if (group === undefined) return undefined;
    octets.push(...group);
  }
  return octets;
}

/** Whether `text` is Base64 with padding (RFC 4648 §4), so that equal octets are equal text. */
export function isBase64(text: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/.test(text);
}
