/** Resuming from tickets, both versions: opening them, verifying the client again, making new ones. */

import { equalSecrets } from "@latchkey/crypto";
import { verifyPeer } from "./authentication.ts";
import type { CipherSuite } from "./cipher-suite.ts";
import type { ServerConfig } from "./config.ts";
import type { Connection } from "./connection.ts";
import type { Handshake } from "./handshake-run.ts";
import { illegalParameter, TlsError } from "./errors.ts";
import { type OfferedKeys, offeredPreSharedKeys, offersPskWithDhe } from "./extension-values.ts";
import type { FirstHello } from "./first-hello.ts";
import type { HandshakeMessage } from "./handshake-input.ts";
import type { ClientHello } from "./messages/client-hello.ts";
import { maximumLifetimeSeconds } from "./messages/new-session-ticket.ts";
import { presharedKeyBinder } from "./pre-shared-key-binder.ts";
import { readSession, ResumableSession, type SessionFields, withoutTicket, writeSession } from "./session.ts";
import type { TicketKeys } from "./ticket-keys.ts";

const defaultLifetimeSeconds = 7200;

/** Seconds that this server's tickets live. */
export function ticketLifetime({ ticketLifetimeSeconds = defaultLifetimeSeconds }: ServerConfig): number {
  return Math.min(ticketLifetimeSeconds, maximumLifetimeSeconds);
}

/** The ticket of a session, at once or by a question; undefined for none, and where it would be too long. */
export function* sealTicket(
  connection: Connection,
  tickets: TicketKeys | "ask",
  fields: SessionFields,
): Handshake<Uint8Array | undefined> {
  const session = writeSession(withoutTicket(fields));
  // The longest ticket is 2^16 - 1 octets, and its encryption adds some.
  if (session.length > 0xff00) return undefined;
  const ticket =
    tickets === "ask"
      ? yield* connection.ask<Uint8Array | undefined>((answer) => ({
          type: "need",
          need: "sealTicket",
          session,
          answer,
        }))
      : tickets.seal(session);
  return ticket !== undefined && ticket.length > 0 && ticket.length <= 0xffff ? ticket : undefined;
}

/**
 * The session of a ticket, if it may be resumed here: made for that version, for a suite that both sides can use and the same
 * name, still fresh, and with a client that this server would take. Who the client is comes from the ticket, and is verified
 * again: a certificate that expired or was revoked meanwhile resumes nothing.
 */
export function* openTicket(
  connection: Connection,
  config: ServerConfig,
  ticket: Uint8Array,
  isUsable: (suite: CipherSuite) => boolean,
  serverName: string | undefined,
): Handshake<SessionFields | undefined> {
  const { tickets } = config;
  if (tickets === undefined) return undefined;
  const octets =
    tickets === "ask"
      ? yield* connection.ask<Uint8Array | undefined>((answer) => ({
          type: "need",
          need: "openTicket",
          ticket,
          answer,
        }))
      : tickets.open(ticket);
  const session = octets && sessionOf(octets);
  if (session === undefined || !isUsable(session.suite)) return undefined;
  if (session.serverName !== serverName || !new ResumableSession(session).isFresh(connection.settings.clock()))
    return undefined;
  const hasCertificate = session.peerCertificates.length > 0;
  if (config.clientAuthentication === "require" && !hasCertificate) return undefined;
  if (config.clientAuthentication === "none" && hasCertificate) return undefined;
  return session;
}

/** Whether the client of a session is still to be believed. */
export function* isStillTrusted(
  connection: Connection,
  config: ServerConfig,
  session: SessionFields,
  serverName: string | undefined,
): Handshake<boolean> {
  if (session.peerCertificates.length === 0) return true;
  if (config.verifier === undefined) return false;
  const verdict = yield* verifyPeer(
    connection,
    config.verifier,
    { chain: session.peerCertificates, endEntity: undefined },
    serverName,
  );
  return verdict.ok;
}

/** A store may hand over anything: what is no session is no ticket of ours. */
function sessionOf(octets: Uint8Array): SessionFields | undefined {
  try {
    return readSession(octets);
  } catch (error) {
    if (error instanceof TlsError) return undefined;
    throw error;
  }
}

/** A session that a ClientHello of TLS 1.3 resumes. */
export interface ResumedSession {
  readonly session: SessionFields;
  /** Which of the offered identities it is. */
  readonly index: number;
}

/**
 * The first offered identity that can be resumed, its binder checked (RFC 8446 §4.2.11). Throws `ERR_TLS_BINDER` for a wrong
 * binder of it. The transcript must end before `message`.
 */
export function* choosePreSharedKey(
  connection: Connection,
  config: ServerConfig,
  hello: ClientHello,
  message: HandshakeMessage,
  suite: CipherSuite,
  serverName: string | undefined,
): Handshake<ResumedSession | undefined> {
  const offered = offeredPreSharedKeys(hello.extensions);
  const withDhe = offersPskWithDhe(hello.extensions);
  if (offered === undefined) return undefined;
  // RFC 8446 §4.2.9: pre_shared_key without psk_key_exchange_modes MUST end the handshake.
  if (withDhe === undefined) {
    throw new TlsError("ERR_TLS_MISSING_EXTENSION", "pre_shared_key without psk_key_exchange_modes", {
      alert: "missing_extension",
      clause: "RFC 8446 §4.2.9",
    });
  }
  if (!withDhe) return undefined;
  let found = yield* usableKey(connection, config, offered, suite, serverName, 0);
  while (found !== undefined) {
    const { session, index } = found;
    checkBinder(connection, session, message, offered.bindersOctets, offered.binders[index]);
    if (yield* isStillTrusted(connection, config, session, serverName)) return found;
    found = yield* usableKey(connection, config, offered, suite, serverName, index + 1);
  }
  return undefined;
}

/** The first of the offered identities, from one on, that can be resumed with the suite. Its binder is not checked. */
function* usableKey(
  connection: Connection,
  config: ServerConfig,
  { identities }: OfferedKeys,
  suite: CipherSuite,
  serverName: string | undefined,
  from: number,
): Handshake<ResumedSession | undefined> {
  const isUsable = (candidate: CipherSuite): boolean =>
    candidate.version === "TLSv1.3" && candidate.hash === suite.hash;
  const tried = identities.slice(from, connection.settings.limits.offeredTickets);
  for (const [offset, { identity }] of tried.entries()) {
    const session = yield* openTicket(connection, config, identity, isUsable, serverName);
    if (session !== undefined) return { session, index: from + offset };
  }
  return undefined;
}

/**
 * Throws `ERR_TLS_ILLEGAL_PARAMETER` for a second ClientHello that adds pre_shared_key or leaves it out. RFC 8446 §4.1.2: it is
 * updated if present, and only keys that do not fit the suite of the HelloRetryRequest may be gone. All may be as far as this
 * server can tell, if it could resume by none.
 */
export function* checkKeptKeys(
  connection: Connection,
  config: ServerConfig,
  { hello: { extensions }, serverName }: FirstHello,
  second: ClientHello,
  suite: CipherSuite,
): Handshake<void> {
  const isThere = second.extensions.has("pre_shared_key");
  if (isThere === extensions.has("pre_shared_key")) return;
  const offered = offeredPreSharedKeys(extensions);
  if (offered !== undefined) {
    if (offersPskWithDhe(extensions) !== true) return;
    if ((yield* usableKey(connection, config, offered, suite, serverName, 0)) === undefined) return;
  }
  throw illegalParameter(`The second ClientHello ${isThere ? "adds" : "leaves out"} pre_shared_key`, "RFC 8446 §4.1.2");
}

function checkBinder(
  connection: Connection,
  session: SessionFields,
  message: HandshakeMessage,
  bindersOctets: number,
  binder: Uint8Array | undefined,
): void {
  const expected = presharedKeyBinder(
    connection,
    session,
    message.encoding.subarray(0, message.encoding.length - bindersOctets),
  );
  if (binder !== undefined && equalSecrets(expected, binder)) return;
  throw new TlsError("ERR_TLS_BINDER", "The binder of a ticket does not fit the ClientHello", {
    alert: "decrypt_error",
    clause: "RFC 8446 §4.2.11",
  });
}
