/** The values of extensions: what each holds, read strictly and written (RFC 8446 §4.2, RFC 6066, RFC 7301, RFC 8422). */

import { decodeError, illegalParameter } from "./errors.ts";
import type { ExtensionList } from "./extension-list.ts";
import { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** A list of 16-bit numbers in an extension: groups, schemes. Undefined where the extension is not there. */
export function numberList(
  extensions: ExtensionList,
  name: "supported_groups" | "signature_algorithms" | "signature_algorithms_cert",
): Uint16Array | undefined {
  const reader = extensions.reader(name);
  if (reader === undefined) return undefined;
  const list = reader.uint16List();
  reader.end();
  return list;
}

/**
 * What the peer takes as signatures in certificates, by number: signature_algorithms_cert, or without it
 * signature_algorithms (RFC 8446 §4.2.3). Undefined where neither is there.
 */
export function certificateSchemeNumbers(extensions: ExtensionList): Uint16Array | undefined {
  return numberList(extensions, "signature_algorithms_cert") ?? numberList(extensions, "signature_algorithms");
}

/** supported_versions of a ClientHello (RFC 8446 §4.2.1): one octet of length. */
export function offeredVersions(extensions: ExtensionList): readonly number[] | undefined {
  const reader = extensions.reader("supported_versions");
  if (reader === undefined) return undefined;
  const octets = reader.vector8(2, 254);
  reader.end();
  if (octets.length % 2 !== 0) throw decodeError("supported_versions has an odd number of octets");
  const versions: number[] = [];
  for (let index = 0; index < octets.length; index += 2) {
    versions.push(((octets[index] ?? 0) << 8) | (octets[index + 1] ?? 0));
  }
  return versions;
}

/** A 16-bit number that is all of an extension: the version that a ServerHello selects, the group of a retry. */
export function singleNumber(
  extensions: ExtensionList,
  name: "supported_versions" | "key_share" | "pre_shared_key",
): number | undefined {
  const reader = extensions.reader(name);
  if (reader === undefined) return undefined;
  const number = reader.uint16();
  reader.end();
  return number;
}

/** cookie of a HelloRetryRequest (RFC 8446 §4.2.2). */
export function requestedCookie(extensions: ExtensionList): Uint8Array | undefined {
  const reader = extensions.reader("cookie");
  const cookie = reader?.vector16(1);
  reader?.end();
  return cookie;
}

/** One entry of key_share (RFC 8446 §4.2.8). */
export interface KeyShareEntry {
  readonly group: number;
  readonly publicValue: Uint8Array;
}

/** key_share of a ClientHello, perhaps empty. Throws `ERR_TLS_ILLEGAL_PARAMETER` for two shares of one group. */
export function offeredKeyShares(extensions: ExtensionList): readonly KeyShareEntry[] | undefined {
  const reader = extensions.reader("key_share");
  if (reader === undefined) return undefined;
  const body = new Reader(reader.vector16(), "The extension key_share");
  reader.end();
  const shares: KeyShareEntry[] = [];
  const seen = new Set<number>();
  while (body.remaining > 0) {
    const entry = readKeyShareEntry(body);
    // RFC 8446 §4.2.8: clients MUST NOT offer multiple KeyShareEntry values for the same group.
    if (seen.has(entry.group)) throw illegalParameter("Two key shares of one group", "RFC 8446 §4.2.8");
    seen.add(entry.group);
    shares.push(entry);
  }
  return shares;
}

/** key_share of a ServerHello. */
export function selectedKeyShare(extensions: ExtensionList): KeyShareEntry | undefined {
  const reader = extensions.reader("key_share");
  if (reader === undefined) return undefined;
  const entry = readKeyShareEntry(reader);
  reader.end();
  return entry;
}

function readKeyShareEntry(reader: Reader): KeyShareEntry {
  return { group: reader.uint16(), publicValue: reader.vector16(1) };
}

/** Writes one KeyShareEntry. */
export function writeKeyShareEntry(writer: Writer, { group, publicValue }: KeyShareEntry): void {
  writer.uint16(group).vector16(publicValue);
}

/** pre_shared_key of a ClientHello (RFC 8446 §4.2.11). */
export interface OfferedKeys {
  readonly identities: readonly { readonly identity: Uint8Array; readonly obfuscatedAge: number }[];
  readonly binders: readonly Uint8Array[];
  /** Octets of the binders list with its length: what a binder is not over. */
  readonly bindersOctets: number;
}

/** pre_shared_key of a ClientHello. It must be the last extension and hold as many binders as identities. */
export function offeredPreSharedKeys(extensions: ExtensionList): OfferedKeys | undefined {
  const reader = extensions.reader("pre_shared_key");
  if (reader === undefined) return undefined;
  // RFC 8446 §4.2.11: it MUST be the last extension, else illegal_parameter.
  const value = extensions.value("pre_shared_key");
  if (extensions.byNumber(extensions.numbers.at(-1) ?? -1) !== value) {
    throw illegalParameter("pre_shared_key is not the last extension", "RFC 8446 §4.2.11");
  }
  const identityList = new Reader(reader.vector16(7), "The identities of pre_shared_key");
  const identities = [];
  while (identityList.remaining > 0) {
    identities.push({ identity: identityList.vector16(1), obfuscatedAge: identityList.uint32() });
  }
  const bindersOctets = reader.remaining;
  const binderList = new Reader(reader.vector16(33), "The binders of pre_shared_key");
  reader.end();
  const binders = [];
  while (binderList.remaining > 0) binders.push(binderList.vector8(32));
  if (binders.length !== identities.length) {
    throw illegalParameter("pre_shared_key has not one binder for each identity", "RFC 8446 §4.2.11", {
      found: `${binders.length}`,
      allowed: `${identities.length}`,
    });
  }
  return { identities, binders, bindersOctets };
}

/** Whether psk_key_exchange_modes has psk_dhe_ke, the one mode with forward secrecy; undefined where it is not there. */
export function offersPskWithDhe(extensions: ExtensionList): boolean | undefined {
  const reader = extensions.reader("psk_key_exchange_modes");
  if (reader === undefined) return undefined;
  const modes = reader.vector8(1);
  reader.end();
  return modes.includes(1);
}

/**
 * server_name of a ClientHello (RFC 6066 §3): the one host_name, or undefined.
 *
 * A name of no kind but host_name is defined, so none else may be there; it is ASCII, without a trailing dot or a NUL.
 */
export function offeredServerName(extensions: ExtensionList): string | undefined {
  const reader = extensions.reader("server_name");
  if (reader === undefined) return undefined;
  const list = new Reader(reader.vector16(1), "The extension server_name");
  reader.end();
  let name: string | undefined;
  while (list.remaining > 0) {
    const type = list.uint8();
    const octets = list.vector16(1);
    if (type !== 0)
      throw illegalParameter("server_name has a name of unknown kind", "RFC 6066 §3", { found: `${type}` });
    if (name !== undefined) throw illegalParameter("server_name has two host names", "RFC 6066 §3");
    name = hostName(octets);
  }
  return name;
}

function hostName(octets: Uint8Array): string {
  let name = "";
  if (octets.length > 255)
    throw illegalParameter("The host name is too long", "RFC 6066 §3", { found: `${octets.length} octets` });
  for (const octet of octets) {
    // Letters, digits, hyphens, dots, and the underscore that some names have.
    const isAllowed =
      (octet >= 0x61 && octet <= 0x7a) ||
      (octet >= 0x41 && octet <= 0x5a) ||
      (octet >= 0x30 && octet <= 0x39) ||
      octet === 0x2d ||
      octet === 0x2e ||
      octet === 0x5f;
    if (!isAllowed) throw illegalParameter("The host name is no host name", "RFC 6066 §3");
    name += String.fromCharCode(octet);
  }
  if (name.endsWith(".")) throw illegalParameter("The host name ends with a dot", "RFC 6066 §3");
  return name.toLowerCase();
}

/** Writes server_name with one host name, which was checked to be ASCII. */
export function writeServerName(writer: Writer, name: string): void {
  writer.vector16((list) => {
    list.uint8(0).vector16((host) => host.ascii(name));
  });
}

/** The protocol names of ALPN (RFC 7301 §3.1), as octets; each is not empty. Undefined where the extension is not there. */
export function protocolNames(extensions: ExtensionList): readonly Uint8Array[] | undefined {
  const reader = extensions.reader("application_layer_protocol_negotiation");
  if (reader === undefined) return undefined;
  const list = new Reader(reader.vector16(2), "The extension application_layer_protocol_negotiation");
  reader.end();
  const names = [];
  while (list.remaining > 0) names.push(list.vector8(1));
  return names;
}

/** Writes a list of protocol names. */
export function writeProtocolNames(writer: Writer, names: readonly string[]): void {
  writer.vector16((list) => {
    for (const name of names) list.vector8((one) => one.ascii(name));
  });
}

/** The text of a protocol name; octets beyond ASCII as `\xff`, so that two names never have one text. */
export function protocolText(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) {
    const isPlain = octet >= 0x20 && octet < 0x7f && octet !== 0x5c;
    text += isPlain ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, "0")}`;
  }
  return text;
}

/** RFC 8422 §5.1.2: a list of point formats MUST hold uncompressed. */
export function checkPointFormats(extensions: ExtensionList): void {
  const reader = extensions.reader("ec_point_formats");
  if (reader === undefined) return;
  const formats = reader.vector8(1);
  reader.end();
  if (!formats.includes(0)) {
    throw illegalParameter("ec_point_formats does not hold uncompressed", "RFC 8422 §5.1.2");
  }
}

/** renegotiated_connection of renegotiation_info (RFC 5746 §3.2), or undefined where the extension is not there. */
export function renegotiatedConnection(extensions: ExtensionList): Uint8Array | undefined {
  const reader = extensions.reader("renegotiation_info");
  if (reader === undefined) return undefined;
  const value = reader.vector8();
  reader.end();
  return value;
}
