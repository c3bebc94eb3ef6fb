/** Host names as certificates carry them: ASCII, in A-labels, never decoded (RFC 5280 §7.2, RFC 9525 §6.3). */

const maximumNameLength = 253;
const maximumLabelLength = 63;

/** Which characters a label may have besides letters, digits and inner hyphens. */
export interface LabelSyntax {
  readonly allowsUnderscore: boolean;
}

/**
 * Whether text is a host name: labels of letters, digits and inner hyphens (RFC 1034 §3.5, RFC 1123 §2.1), not empty,
 * the last not all digits, so that no IPv4 address is one. A period at the end must be dropped before.
 */
export function isHostName(text: string, { allowsUnderscore }: LabelSyntax): boolean {
  if (text.length === 0 || text.length > maximumNameLength) return false;
  let labelStart = 0;
  let hasLetter = false;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : 0x2e;
    if (code === 0x2e) {
      const length = index - labelStart;
      if (length === 0 || length > maximumLabelLength) return false;
      if (text.charCodeAt(labelStart) === 0x2d || text.charCodeAt(index - 1) === 0x2d) return false;
      labelStart = index + 1;
      if (index < text.length) hasLetter = false;
    } else if (isLetter(code) || (code === 0x5f && allowsUnderscore)) hasLetter = true;
    else if (code === 0x2d) hasLetter = true;
    else if (code < 0x30 || code > 0x39) return false;
  }
  return hasLetter;
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
}

/** Lower case, without the root's period at the end. */
export function canonicalHost(text: string): string {
  const lower = text.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/**
 * Whether a presented DNS name covers a host (both canonical). A wildcard is the whole left-most label, stands for
 * exactly one label, and never stands alone (RFC 9525 §6.3).
 */
export function coversHost(presented: string, host: string): boolean {
  if (!presented.startsWith("*.")) return presented === host;
  const firstPeriod = host.indexOf(".");
  return firstPeriod > 0 && presented.slice(1) === host.slice(firstPeriod);
}

/** A mailbox `local@host`, the host canonical; undefined for anything else, quoted local parts and addresses included. */
export function parseMailbox(text: string): { readonly local: string; readonly host: string } | undefined {
  const at = text.indexOf("@");
  if (at < 1 || text.includes("@", at + 1)) return undefined;
  const local = text.slice(0, at);
  const host = text.slice(at + 1).toLowerCase();
  return isDotAtom(local) && isHostName(host, { allowsUnderscore: false }) ? { local, host } : undefined;
}

/** RFC 5322 §3.2.3 dot-atom-text, which RFC 5321 takes unquoted. */
function isDotAtom(text: string): boolean {
  return /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/.test(text);
}
