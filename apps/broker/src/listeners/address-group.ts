/** Which addresses count as one where something is counted by address. */

/**
 * An IPv4 address is counted by itself, an IPv6 address with its whole /64 network (`2001:db8:0:7::/64`): a host chooses the lower
 * 64 bits itself (RFC 4291 §2.5.1), and may change them at any time (RFC 8981). The address is as `socket.remoteAddress` has it.
 */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = withoutZone(address).split("::");
  const first = hextets(head);
  const last = tail === undefined ? [] : hextets(tail);
  const between = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  return `${[...first, ...between, ...last].slice(0, 4).join(":")}::/64`;
}

/** The network interface of a link-local address (RFC 4007 §11). */
function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}

/** An IPv4 address at the end stands for two of them (RFC 4291 §2.2). */
function hextets(text: string): readonly string[] {
  if (text === "") return [];
  return text.split(":").flatMap((one) => (one.includes(".") ? ["0", "0"] : [one]));
}
