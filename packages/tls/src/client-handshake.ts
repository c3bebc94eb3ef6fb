/** A client's handshake up to the choice of the version (RFC 8446 §4.1.3, §4.1.4). */

import { equalBytes } from "@latchkey/asn1";
import { type CipherSuite, suiteByNumber, suiteText } from "./cipher-suite.ts";
import { firstOffer, type Offer, sendClientHello } from "./client-hello-offer.ts";
import { clientTls12 } from "./client-tls12.ts";
import { clientTls13 } from "./client-tls13.ts";
import type { ClientConfig } from "./config.ts";
import type { Connection } from "./connection.ts";
import type { Established, Handshake } from "./handshake-run.ts";
import { illegalParameter, TlsError, unexpectedMessage } from "./errors.ts";
import { extensionNumber } from "./extension-type.ts";
import { requestedCookie, singleNumber } from "./extension-values.ts";
import type { HandshakeMessage } from "./handshake-input.ts";
import { hasDowngradeMark, isHelloRetryRequest, readServerHello, type ServerHello } from "./messages/server-hello.ts";
import { groupByNumber, groupText, KeyShare } from "./named-group.ts";
import type { Chosen } from "./server-choice.ts";
import { type ProtocolVersion, versionNumber, versionText } from "./protocol-version.ts";

/** Sends ClientHello, reads what the server chose, and goes on in it. */
export function* clientHandshake(connection: Connection, config: ClientConfig): Handshake<Established> {
  const offer = firstOffer(connection, config);
  const offered = sendClientHello(connection, offer);
  connection.dropsChangeCipherSpec = connection.settings.versions.includes("TLSv1.3");
  const message = yield* connection.receiveMessage("clientWaitServerHello");
  const hello = readServerHello(message.body);
  const version = selectedVersion(connection, hello);
  connection.version = version;
  const suite = selectedSuite(connection, hello, version);
  if (version === "TLSv1.2") {
    connection.dropsChangeCipherSpec = false;
    return yield* clientTls12(connection, config, { offer, offered, message, hello, suite, wasRetried: false });
  }
  checkHello13(hello, offer);
  if (!isHelloRetryRequest(hello)) {
    return yield* clientTls13(connection, config, { offer, offered, message, hello, suite, wasRetried: false });
  }
  return yield* clientTls13(connection, config, yield* retry(connection, offer, offered, message, hello, suite));
}

function selectedVersion(connection: Connection, hello: ServerHello): ProtocolVersion {
  const { versions } = connection.settings;
  const selected = singleNumberOf13(hello, versions);
  if (selected !== undefined) {
    // RFC 8446 §4.2.1: a version before 1.3 MUST NOT be selected by supported_versions.
    if (selected !== versionNumber["TLSv1.3"] || hello.legacyVersion !== versionNumber["TLSv1.2"]) {
      throw illegalParameter("supported_versions selects what it must not", "RFC 8446 §4.2.1", {
        found: versionText(selected),
        allowed: "0x0304 (TLS 1.3)",
      });
    }
    return "TLSv1.3";
  }
  if (hello.legacyVersion !== versionNumber["TLSv1.2"] || !versions.includes("TLSv1.2")) {
    throw new TlsError("ERR_TLS_VERSION", "The server chose a version that was not offered", {
      alert: "protocol_version",
      found: versionText(hello.legacyVersion),
      allowed: versions.join(", "),
      clause: "RFC 8446 §4.1.3",
    });
  }
  // RFC 8446 §4.1.3: a client that offered more MUST check the mark.
  if (versions.includes("TLSv1.3") && hasDowngradeMark(hello.random)) {
    throw new TlsError("ERR_TLS_DOWNGRADE", "The server can do TLS 1.3, and somebody took the offer away", {
      alert: "illegal_parameter",
      clause: "RFC 8446 §4.1.3",
    });
  }
  return "TLSv1.2";
}

/** supported_versions of a ServerHello, which may only be there where it was offered. */
function singleNumberOf13(hello: ServerHello, versions: readonly ProtocolVersion[]): number | undefined {
  const selected = singleNumber(hello.extensions, "supported_versions");
  if (selected === undefined || versions.includes("TLSv1.3")) return selected;
  throw new TlsError("ERR_TLS_UNSUPPORTED_EXTENSION", "ServerHello has an extension that was not offered", {
    alert: "unsupported_extension",
    found: "supported_versions",
    clause: "RFC 8446 §4.2",
  });
}

function selectedSuite({ settings }: Connection, hello: ServerHello, version: ProtocolVersion): CipherSuite {
  const suite = suiteByNumber(hello.cipherSuite);
  // RFC 8446 §4.1.3: a suite that was not offered, or of another version, MUST end the handshake.
  if (suite === undefined || suite.version !== version || !settings.suites.includes(suite)) {
    throw illegalParameter("The server chose a suite that was not offered for this version", "RFC 8446 §4.1.3", {
      found: suiteText(hello.cipherSuite),
    });
  }
  if (hello.compressionMethod !== 0) {
    throw illegalParameter("The server chose a compression", "RFC 8446 §4.1.3", {
      found: `${hello.compressionMethod}`,
    });
  }
  return suite;
}

/** RFC 8446 §4.1.3: the session id comes back as it was. */
function checkHello13(hello: ServerHello, offer: Offer): void {
  if (equalBytes(hello.sessionId, offer.sessionId)) return;
  throw illegalParameter("ServerHello has another session id than ClientHello", "RFC 8446 §4.1.3");
}

/** Answers a HelloRetryRequest by a second ClientHello (RFC 8446 §4.1.4, §4.1.2). */
function* retry(
  connection: Connection,
  first: Offer,
  offered: ReadonlySet<number>,
  message: HandshakeMessage,
  request: ServerHello,
  suite: CipherSuite,
): Handshake<Chosen> {
  const group = checkRetry(connection, first, offered, request);
  connection.transcript.replaceByHash(suite.hash);
  connection.accept(message);
  connection.sendChangeCipherSpec();
  const cookie = requestedCookie(request.extensions);
  // RFC 8446 §4.2.11: a session of another hash cannot be offered again.
  const session = first.session?.suite.hash === suite.hash ? first.session : undefined;
  const shares = group === undefined ? first.shares : [new KeyShare(connection.provider, group)];
  const offer: Offer = { ...first, shares, session, cookie: cookie?.slice() };
  const offeredAgain = sendClientHello(connection, offer);
  const second = yield* connection.receiveMessage("clientWaitSecondServerHello");
  const hello = readServerHello(second.body);
  if (isHelloRetryRequest(hello)) {
    throw unexpectedMessage("A second HelloRetryRequest", { found: "HelloRetryRequest", clause: "RFC 8446 §4.1.4" });
  }
  const version = selectedVersion(connection, hello);
  // RFC 8446 §4.1.4: version and suite are those of the retry.
  if (version !== "TLSv1.3" || selectedSuite(connection, hello, version) !== suite) {
    throw illegalParameter("ServerHello chose something else than HelloRetryRequest", "RFC 8446 §4.1.4", {
      found: suiteText(hello.cipherSuite),
      allowed: suite.name,
    });
  }
  checkHello13(hello, offer);
  return { offer, offered: offeredAgain, message: second, hello, suite, wasRetried: true };
}

/** The group that a HelloRetryRequest wants, or undefined where it only has a cookie. */
function checkRetry(
  connection: Connection,
  offer: Offer,
  offered: ReadonlySet<number>,
  request: ServerHello,
): KeyShare["group"] | undefined {
  const { extensions } = request;
  const isOffered = (number: number): boolean => number === extensionNumber("cookie") || offered.has(number);
  extensions.expectOnly(["supported_versions", "key_share", "cookie"], isOffered, "HelloRetryRequest");
  const number = singleNumber(extensions, "key_share");
  if (number === undefined) {
    // RFC 8446 §4.1.4: a retry that changes nothing MUST end the handshake.
    if (extensions.has("cookie")) return undefined;
    throw illegalParameter("HelloRetryRequest asks for no change", "RFC 8446 §4.1.4");
  }
  const group = groupByNumber(number);
  const isNew =
    group !== undefined &&
    connection.settings.groups.includes(group) &&
    !offer.shares.some((share) => share.group === group);
  if (isNew) return group;
  // RFC 8446 §4.2.8: a group that was offered, and that no share was sent for.
  throw illegalParameter("HelloRetryRequest asks for a group that it must not", "RFC 8446 §4.2.8", {
    found: groupText(number),
    allowed: connection.settings.groups.join(", "),
  });
}
