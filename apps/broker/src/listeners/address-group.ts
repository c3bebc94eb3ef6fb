/** Which addresses count as one where something is counted by address. */

/**
 * An IPv4 address is counted by itself, an IPv6 address with its whole /64 network (`2001:db8:0:7::/64`): a host chooses the lower
 * 64 bits itself (RFC 4291 §2.5.1), and may change them at any time (RFC 8981). The address is as `socket.remoteAddress` has it.
 *
 * Where the /64 is not one host's: a link-local address, whose network is all of the link, is counted by itself, with its zone; an address
 * that stands for one of IPv4 (mapped, or translated by a NAT64 with the well-known prefix) is counted as that one.
 */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const [plain = "", zone] = address.split("%");
  const groups = hextetsOf(plain);
  const network = groups.slice(0, 4).join(":");
  if (isLinkLocal(groups)) return zone === undefined ? groups.join(":") : `${groups.join(":")}%${zone}`;
  return carriesIpv4(groups) ? ipv4Of(groups) : `${network}::/64`;
}

/** Eight groups of 16 bits without leading zeros (RFC 4291 §2.2). */
function hextetsOf(address: string): readonly string[] {
  const [head = "", tail] = address.split("::");
  const first = groupsOf(head);
  const last = tail === undefined ? [] : groupsOf(tail);
  const between = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  return [...first, ...between, ...last];
}

function groupsOf(text: string): readonly string[] {
  if (text === "") return [];
  return text
    .split(":")
    .flatMap((one) => (one.includes(".") ? hextetsOfIpv4(one) : [Number.parseInt(one, 16).toString(16)]));
}

/** An IPv4 address at the end stands for two groups. */
function hextetsOfIpv4(address: string): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
}

/** fe80::/10 (RFC 4291 §2.5.6). */
function isLinkLocal([first = ""]: readonly string[]): boolean {
  return (Number.parseInt(first, 16) & 0xff_c0) === 0xfe_80;
}

/** IPv4-mapped addresses (RFC 4291 §2.5.5.2), and 64:ff9b::/96 (RFC 6052 §2.1). */
function carriesIpv4(groups: readonly string[]): boolean {
  const prefix = groups.slice(0, 6).join(":");
  return prefix === "0:0:0:0:0:ffff" || prefix === "64:ff9b:0:0:0:0";
}

function ipv4Of(groups: readonly string[]): string {
  const octets = groups.slice(6).flatMap((one) => {
    const value = Number.parseInt(one, 16);
    return [value >> 8, value & 0xff];
  });
  return octets.join(".");
}
