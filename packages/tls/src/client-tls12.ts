/** A client's handshake of TLS 1.2, from ServerHello on (RFC 5246 §7.3, RFC 8422, RFC 5077 §3, RFC 7627). */

import { equalBytes } from "@latchkey/asn1";
import type { PublicKey } from "@latchkey/crypto";
import {
  chooseCredential,
  type ChosenCredential,
  commonSchemes,
  readEndEntity,
  requireTrust,
  sign,
  traceSignature,
} from "./authentication.ts";
import { checkNameAnswer, type Chosen, selectedProtocol } from "./server-choice.ts";
import type { ClientConfig } from "./config.ts";
import type { Connection } from "./connection.ts";
import type { Established, Handshake } from "./handshake-run.ts";
import { illegalParameter, TlsError } from "./errors.ts";
import { checkPointFormats, renegotiatedConnection } from "./extension-values.ts";
import { HandshakeKeys12 } from "./handshake-keys12.ts";
import { checkNotEmpty, readCertificate12, writeCertificate12 } from "./messages/certificate.ts";
import { type CertificateRequest, checkEmpty, readCertificateRequest12 } from "./messages/certificate-request.ts";
import { writeCertificateVerify } from "./messages/certificate-verify.ts";
import { readServerKeyExchange, signedParameters, writeClientKeyExchange } from "./messages/key-exchange.ts";
import { maximumLifetimeSeconds, readNewSessionTicket12 } from "./messages/new-session-ticket.ts";
import { groupByNumber, groupOfCurve, groupText, KeyShare, type NamedGroup } from "./named-group.ts";
import { FinishedVerified, type PeerProof, PeerSignatureVerified } from "./proofs.ts";
import { ResumableSession, type SessionFields } from "./session.ts";
import { schemeAuthentication, schemesByNumber } from "./signature-scheme.ts";
import { type HelloRandoms, Traffic12 } from "./traffic12.ts";

/** Seconds that a ticket is kept whose server does not say (RFC 5077 §3.3). */
const unspecifiedLifetimeSeconds = 7200;

/** Goes on after the server chose. */
export function* clientTls12(connection: Connection, config: ClientConfig, chosen: Chosen): Handshake<Established> {
  const { hello, message, offer, suite } = chosen;
  checkHello(chosen);
  const alpnProtocol = selectedProtocol(connection, hello.extensions);
  const getsTicket = hello.extensions.isSet("session_ticket");
  const randoms: HelloRandoms = { client: offer.random, server: hello.random };
  const session = resumedSession(chosen);

  connection.accept(message);
  connection.transcript.begin(suite.hash, session === undefined);
  const facts: Facts = { serverName: config.serverName, alpnProtocol };
  if (session !== undefined) return yield* resume(connection, config, chosen, session, facts, randoms, getsTicket);
  return yield* authenticate(connection, config, chosen, facts, randoms, getsTicket);
}

type Facts = Pick<SessionFields, "serverName" | "alpnProtocol">;

/** The abbreviated handshake: the server's Finished comes first. Its chain is verified again. */
function* resume(
  connection: Connection,
  config: ClientConfig,
  chosen: Chosen,
  session: SessionFields,
  facts: Facts,
  randoms: HelloRandoms,
  getsTicket: boolean,
): Handshake<Established> {
  const { suite } = chosen;
  const { peerCertificates } = session;
  const keys = HandshakeKeys12.resumed(connection, suite, session.secret, randoms);
  yield* requireTrust(
    connection,
    config.verifier,
    { chain: peerCertificates, endEntity: undefined },
    config.serverName,
  );
  const { finished, ticket } = yield* receiveFinished(connection, keys, getsTicket);
  keys.changeWrite();
  connection.sendMessage("finished", keys.finished("client"));
  emitSession(connection, keys, chosen, ticket, { ...facts, peerCertificates });
  return {
    info: {
      version: "TLSv1.2",
      cipherSuite: suite.name,
      group: undefined,
      ...facts,
      peerCertificates,
      peerScheme: undefined,
      isResumption: true,
      wasRetried: false,
    },
    finished,
    peer: "preSharedKey",
    traffic: new Traffic12(connection, suite, keys.mainSecret, randoms),
  };
}

/** The full handshake: the server's certificate and key exchange, then ours. */
function* authenticate(
  connection: Connection,
  config: ClientConfig,
  chosen: Chosen,
  facts: Facts,
  randoms: HelloRandoms,
  getsTicket: boolean,
): Handshake<Established> {
  const { suite } = chosen;
  const certificate = yield* connection.receiveMessage("clientWaitCertificate12");
  const chain = readCertificate12(certificate.body, connection.settings.limits);
  checkNotEmpty(chain);
  connection.accept(certificate);
  const endEntity = readEndEntity(connection, chain[0], config.verifier);
  checkCurve(connection, endEntity.publicKey);
  const exchange = yield* receiveKeyExchange(connection, chosen, chain[0], endEntity.publicKey, randoms);
  const { share, publicValue, group, proof } = exchange;
  const request = yield* receiveRequest(connection);
  yield* requireTrust(connection, config.verifier, { chain, endEntity }, config.serverName);
  const credential = request && (yield* clientCredential(connection, request, config.serverName));
  if (request !== undefined) {
    connection.sendMessage("certificate", writeCertificate12(credential?.credential.chain ?? []));
  }
  connection.sendMessage("client_key_exchange", writeClientKeyExchange(share.publicValue));
  const keys = HandshakeKeys12.agreed(connection, suite, group, share.agree(publicValue), randoms);
  if (credential !== undefined) {
    const content = connection.transcript.takeMessages();
    const signature = yield* sign(connection, credential, content, "all messages so far", undefined);
    connection.sendMessage("certificate_verify", writeCertificateVerify(credential.scheme, signature));
  }
  connection.transcript.dropMessages();
  keys.changeWrite();
  connection.sendMessage("finished", keys.finished("client"));
  const { finished, ticket } = yield* receiveFinished(connection, keys, getsTicket);
  emitSession(connection, keys, chosen, ticket, { ...facts, peerCertificates: chain });
  return {
    info: {
      version: "TLSv1.2",
      cipherSuite: suite.name,
      group,
      ...facts,
      peerCertificates: chain,
      peerScheme: proof.scheme,
      isResumption: false,
      wasRetried: false,
    },
    finished,
    peer: proof satisfies PeerProof,
    traffic: new Traffic12(connection, suite, keys.mainSecret, randoms),
  };
}

function checkHello({ hello, offered }: Chosen): void {
  const { extensions } = hello;
  extensions.expectOnly(
    [
      "renegotiation_info",
      "extended_master_secret",
      "server_name",
      "ec_point_formats",
      "session_ticket",
      "application_layer_protocol_negotiation",
    ],
    (number) => offered.has(number),
    "ServerHello",
  );
  checkNameAnswer(extensions);
  checkPointFormats(extensions);
  // RFC 5746 §3.4: on the first handshake it is there and empty.
  const renegotiated = renegotiatedConnection(extensions);
  if (renegotiated === undefined || renegotiated.length > 0) {
    throw new TlsError("ERR_TLS_RENEGOTIATION", "The server does not know secure renegotiation", {
      alert: "handshake_failure",
      found: renegotiated === undefined ? "no renegotiation_info" : "renegotiation_info that is not empty",
      clause: "RFC 5746 §3.4",
    });
  }
  // RFC 7627 §5.3: in a full and in a resumed handshake.
  if (extensions.isSet("extended_master_secret")) return;
  throw new TlsError("ERR_TLS_NO_EXTENDED_MASTER_SECRET", "The server does not know the extended main secret", {
    alert: "handshake_failure",
    clause: "RFC 7627 §5.3",
  });
}

/** RFC 5077 §3.4: the client's session id comes back where its ticket was taken. */
function resumedSession({ hello, offer, suite }: Chosen): SessionFields | undefined {
  if (hello.sessionId.length === 0 || !equalBytes(hello.sessionId, offer.sessionId)) return undefined;
  const { session } = offer;
  if (session?.suite === suite) return session;
  throw illegalParameter("The server resumes a session that was not offered", "RFC 5246 §7.4.1.3", {
    found: suite.name,
  });
}

/**
 * RFC 8422 §5.1, §5.3: the curve of the server's key is one that supported_groups offers. A key for EdDSA has no curve there. Nor
 * is a client's key held to the list: CertificateRequest has none (§5.5).
 */
function checkCurve({ settings }: Connection, { algorithm }: PublicKey): void {
  if (algorithm.name !== "ec") return;
  const group = groupOfCurve(algorithm.curve);
  if (group !== undefined && settings.groups.includes(group)) return;
  throw illegalParameter("The server's key is on a curve that was not offered", "RFC 8422 §5.3", {
    found: algorithm.curve,
    allowed: settings.groups.join(", "),
  });
}

interface KeyExchange {
  readonly share: KeyShare;
  readonly publicValue: Uint8Array;
  readonly group: NamedGroup;
  readonly proof: PeerSignatureVerified;
}

/** ServerKeyExchange, signed by the key of the server's certificate (RFC 8422 §5.4). */
function* receiveKeyExchange(
  connection: Connection,
  { suite }: Chosen,
  certificate: Uint8Array | undefined,
  key: PublicKey,
  randoms: HelloRandoms,
): Handshake<KeyExchange> {
  const message = yield* connection.receiveMessage("clientWaitServerKeyExchange");
  const exchange = readServerKeyExchange(message.body);
  const group = groupByNumber(exchange.group);
  if (group === undefined || !connection.settings.groups.includes(group)) {
    throw illegalParameter("The server chose a group that was not offered", "RFC 8422 §5.4", {
      found: groupText(exchange.group),
      allowed: connection.settings.groups.join(", "),
    });
  }
  const offered = connection.settings.schemes.filter((scheme) => schemeAuthentication(scheme) === suite.authentication);
  const proof = PeerSignatureVerified.check({
    provider: connection.provider,
    version: "TLSv1.2",
    offered,
    key,
    content: signedParameters(randoms.client, randoms.server, exchange.parameters),
    signed: exchange,
  });
  traceSignature(connection, proof.scheme, certificate, "both randoms and the public value", undefined);
  connection.accept(message);
  const share = new KeyShare(connection.provider, group);
  return { share, publicValue: exchange.publicValue, group, proof };
}

/** CertificateRequest, if there is one, and ServerHelloDone. */
function* receiveRequest(connection: Connection): Handshake<CertificateRequest | undefined> {
  let message = yield* connection.receiveMessage("clientWaitRequestOrDone");
  let request: CertificateRequest | undefined;
  if (message.name === "certificate_request") {
    request = readCertificateRequest12(message.body);
    connection.accept(message);
    message = yield* connection.receiveMessage("clientWaitServerHelloDone");
  }
  checkEmpty(message.body, "ServerHelloDone");
  connection.accept(message);
  return request;
}

function* clientCredential(
  connection: Connection,
  request: CertificateRequest,
  serverName: string | undefined,
): Handshake<ChosenCredential | undefined> {
  const schemes = commonSchemes(connection, request.schemes, "TLSv1.2");
  const certificateSchemes = schemesByNumber(request.certificateSchemes);
  const { authorities } = request;
  return yield* chooseCredential(connection, {
    version: "TLSv1.2",
    schemes,
    certificateSchemes,
    serverName,
    authorities,
  });
}

interface ServerFinished {
  readonly finished: FinishedVerified;
  readonly ticket: { readonly lifetimeSeconds: number; readonly ticket: Uint8Array } | undefined;
}

function* receiveFinished(
  connection: Connection,
  keys: HandshakeKeys12,
  getsTicket: boolean,
): Handshake<ServerFinished> {
  let ticket: ServerFinished["ticket"];
  if (getsTicket) {
    const message = yield* connection.receiveMessage("clientWaitSessionTicket");
    ticket = readNewSessionTicket12(message.body);
    connection.accept(message);
  }
  yield* connection.receiveChangeCipherSpec("clientWaitChangeCipherSpec");
  keys.changeRead();
  const expected = keys.finished("server");
  const message = yield* connection.receiveMessage("clientWaitFinished12");
  const finished = FinishedVerified.check(expected, message.body);
  connection.accept(message);
  connection.trace({ step: "finishedVerified", by: "server" });
  return { finished, ticket };
}

/** Hands a session over, if the server gave a ticket for it. It has its own copy of the main secret. */
function emitSession(
  connection: Connection,
  keys: HandshakeKeys12,
  { suite }: Chosen,
  ticket: ServerFinished["ticket"],
  facts: Pick<SessionFields, "serverName" | "alpnProtocol" | "peerCertificates">,
): void {
  if (ticket === undefined || ticket.ticket.length === 0) return;
  const given = ticket.lifetimeSeconds === 0 ? unspecifiedLifetimeSeconds : ticket.lifetimeSeconds;
  const session = new ResumableSession({
    suite,
    secret: keys.mainSecret.slice(),
    createdAt: connection.settings.clock(),
    lifetimeSeconds: Math.min(given, maximumLifetimeSeconds),
    ageAdd: 0,
    ticket: ticket.ticket.slice(),
    ...facts,
  });
  connection.emit({ type: "session", session });
}
