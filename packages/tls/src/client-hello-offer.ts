/** What a client offers: the ClientHello that it sends, and what it must remember of it (RFC 8446 §4.1.2). */

import { hashLength } from "@latchkey/crypto";
import type { ClientConfig } from "./config.ts";
import type { Connection } from "./connection.ts";
import { writeExtension } from "./extension-list.ts";
import { type ExtensionName, extensionNumber } from "./extension-type.ts";
import { writeKeyShareEntry, writeProtocolNames, writeServerName } from "./extension-values.ts";
import { encodeHandshake } from "./handshake-input.ts";
import { needsCertificateSchemes, writeSchemes } from "./messages/certificate-request.ts";
import { writeClientHello } from "./messages/client-hello.ts";
import { groupNumber, KeyShare, type NamedGroup } from "./named-group.ts";
import { versionNumber } from "./protocol-version.ts";
import { presharedKeyBinder } from "./pre-shared-key-binder.ts";
import { ResumableSession, type SessionFields } from "./session.ts";
import type { Writer } from "./writer.ts";

const none = new Uint8Array(0);

/** The offer of one connection. A second ClientHello changes its shares, cookie and session only. */
export interface Offer {
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly shares: readonly KeyShare[];
  readonly session: SessionFields | undefined;
  /** The name as it is sent: not an IP address (RFC 6066 §3). */
  readonly sentName: string | undefined;
  /** What a HelloRetryRequest wants to see again. */
  readonly cookie: Uint8Array | undefined;
}

/** What is offered to begin with. */
export function firstOffer(connection: Connection, config: ClientConfig): Offer {
  const { provider, settings } = connection;
  const hasTls13 = settings.versions.includes("TLSv1.3");
  const groups = (config.keyShares ?? settings.groups.slice(0, 1)).filter((group) => settings.groups.includes(group));
  const session = usableSession(connection, config);
  return {
    random: provider.randomBytes(32),
    // RFC 8446 §D.4: a session id for middleboxes. RFC 5077 §3.4: it comes back where a ticket of TLS 1.2 is taken. RFC 5246
    // §7.4.1.2: empty where TLS 1.2 alone is offered, and no session.
    sessionId: hasTls13 || session !== undefined ? provider.randomBytes(32) : none,
    shares: hasTls13 ? groups.map((group) => new KeyShare(provider, group)) : [],
    session,
    sentName: config.serverName !== undefined && !isAddress(config.serverName) ? config.serverName : undefined,
    cookie: undefined,
  };
}

/** The session that was given, if it may be offered now: fresh, for this name, for a suite and version that are offered. */
function usableSession({ settings }: Connection, { session, serverName }: ClientConfig): SessionFields | undefined {
  if (session === undefined || !session.isFresh(settings.clock())) return undefined;
  const fields = ResumableSession.fieldsOf(session);
  if (fields.serverName !== serverName || !settings.suites.includes(fields.suite)) return undefined;
  return fields;
}

/** An IPv4 address ends in digits, which no domain does; an IPv6 address has colons. */
function isAddress(name: string): boolean {
  if (name.includes(":")) return true;
  return /(^|\.)[0-9]+$/.test(name);
}

/** Sends the ClientHello of an offer and returns the numbers of its extensions. */
export function sendClientHello(connection: Connection, offer: Offer): ReadonlySet<number> {
  const { settings } = connection;
  const numbers = new Set<number>();
  const session = offer.session?.suite.version === "TLSv1.3" ? offer.session : undefined;
  const body = writeClientHello({
    random: offer.random,
    sessionId: offer.sessionId,
    cipherSuites: settings.suites.map(({ number }) => number),
    writeExtensions: (writer) => {
      writeOffer(connection, offer, writer, numbers);
      if (session !== undefined) writePreSharedKey(connection, session, writer, numbers);
    },
  });
  if (session !== undefined) {
    const binderOctets = hashLength(session.suite.hash);
    const encoding = encodeHandshake("client_hello", body);
    // Two octets of list length and one of binder length stand before the binder, and belong to what it is not over.
    const truncated = encoding.subarray(0, encoding.length - binderOctets - 3);
    body.set(presharedKeyBinder(connection, session, truncated), body.length - binderOctets);
  }
  connection.sendMessage("client_hello", body);
  return numbers;
}

function writeOffer(connection: Connection, offer: Offer, writer: Writer, numbers: Set<number>): void {
  const { versions, groups, schemes, certificateSchemes, alpn } = connection.settings;
  const { sentName, shares, session, cookie } = offer;
  const write = (name: ExtensionName, value: (writer: Writer) => void): void => {
    numbers.add(extensionNumber(name));
    writeExtension(writer, name, value);
  };
  if (sentName !== undefined) write("server_name", (value) => writeServerName(value, sentName));
  if (versions.includes("TLSv1.2")) {
    write("extended_master_secret", () => undefined);
    write("renegotiation_info", (value) => value.uint8(0));
    write("ec_point_formats", (value) => value.vector8(Uint8Array.of(0)));
    write("session_ticket", (value) => {
      if (session?.suite.version === "TLSv1.2") value.octets(session.ticket);
    });
  }
  write("supported_groups", (value) => writeGroups(value, groups));
  if (alpn.length > 0) write("application_layer_protocol_negotiation", (value) => writeProtocolNames(value, alpn));
  write("signature_algorithms", (value) => writeSchemes(value, schemes));
  if (needsCertificateSchemes(schemes, certificateSchemes)) {
    write("signature_algorithms_cert", (value) => writeSchemes(value, certificateSchemes));
  }
  if (!versions.includes("TLSv1.3")) return;
  write("supported_versions", (value) => {
    value.vector8((list) => {
      for (const version of versions) list.uint16(versionNumber[version]);
    });
  });
  write("psk_key_exchange_modes", (value) => value.vector8(Uint8Array.of(1)));
  if (cookie !== undefined) write("cookie", (value) => value.vector16(cookie));
  write("key_share", (value) => {
    value.vector16((list) => {
      for (const { group, publicValue } of shares) writeKeyShareEntry(list, { group: groupNumber(group), publicValue });
    });
  });
}

function writeGroups(writer: Writer, groups: readonly NamedGroup[]): void {
  writer.vector16((list) => {
    for (const group of groups) list.uint16(groupNumber(group));
  });
}

/** pre_shared_key with one identity and room for its binder; the last extension (RFC 8446 §4.2.11). */
function writePreSharedKey(connection: Connection, session: SessionFields, writer: Writer, numbers: Set<number>): void {
  numbers.add(extensionNumber("pre_shared_key"));
  const age = Math.max(0, connection.settings.clock() - session.createdAt);
  writeExtension(writer, "pre_shared_key", (value) => {
    value.vector16((identities) => {
      identities.vector16(session.ticket).uint32((Math.floor(age) + session.ageAdd) % 2 ** 32);
    });
    value.vector16((binders) => binders.vector8(new Uint8Array(hashLength(session.suite.hash))));
  });
}
