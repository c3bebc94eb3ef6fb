/** What can be asked of an exporter (RFC 8446 §7.5, RFC 5705 §4). */

import { argument } from "./errors.ts";
import type { ProtocolVersion } from "./protocol-version.ts";

/**
 * Throws `ERR_TLS_ARGUMENT` for what HKDF-Expand-Label or the PRF's form of it has no room for. An empty label is one of TLS 1.2
 * only: HkdfLabel has `label<7..255>` with 6 octets of its own (RFC 8446 §7.1).
 */
export function checkExport(
  length: number,
  label: string,
  context: Uint8Array | undefined,
  version: ProtocolVersion | undefined,
): void {
  if (!Number.isInteger(length) || length < 1 || length > 8160) throw argument("1 to 8160 octets can be exported");
  for (let index = 0; index < label.length; index++) {
    if (label.charCodeAt(index) > 0x7f) throw argument("A label is ASCII");
  }
  const least = version === "TLSv1.2" ? 0 : 1;
  if (label.length < least || label.length > 249) throw argument(`A label has ${least} to 249 characters`);
  if ((context?.length ?? 0) > 0xffff) throw argument("A context has at most 65,535 octets");
}
