/** The two versions that exist here. */

/** A version by the name that node:tls gives it. */
export type ProtocolVersion = "TLSv1.2" | "TLSv1.3";

/** ProtocolVersion on the wire (RFC 8446 §4.1.2). */
export const versionNumber: Readonly<Record<ProtocolVersion, number>> = { "TLSv1.2": 0x0303, "TLSv1.3": 0x0304 };

/** Both, the newer first. */
export const allVersions: readonly ProtocolVersion[] = ["TLSv1.3", "TLSv1.2"];

/** A version number for people, `0x0301 (TLS 1.0)`. */
export function versionText(number: number): string {
  const name = new Map([
    [0x0300, "SSL 3.0"],
    [0x0301, "TLS 1.0"],
    [0x0302, "TLS 1.1"],
    [0x0303, "TLS 1.2"],
    [0x0304, "TLS 1.3"],
  ]).get(number);
  return `0x${number.toString(16).padStart(4, "0")}${name === undefined ? "" : ` (${name})`}`;
}
