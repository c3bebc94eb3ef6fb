/** A server's handshake of TLS 1.2, from ClientHello on (RFC 5246 §7.3, RFC 8422, RFC 5077 §3, RFC 7627). */

import {
  chooseCredential,
  type ChosenCredential,
  commonSchemes,
  readEndEntity,
  requireTrust,
  sign,
  traceSignature,
} from "./authentication.ts";
import { type CipherSuite, signalling, suiteText } from "./cipher-suite.ts";
import type { ServerConfig } from "./config.ts";
import type { Connection } from "./connection.ts";
import type { Established, Handshake } from "./handshake-run.ts";
import { decodeError, illegalParameter, TlsError } from "./errors.ts";
import { writeExtension } from "./extension-list.ts";
import {
  certificateSchemeNumbers,
  checkPointFormats,
  numberList,
  renegotiatedConnection,
  writeProtocolNames,
} from "./extension-values.ts";
import { HandshakeKeys12 } from "./handshake-keys12.ts";
import { readCertificate12, writeCertificate12 } from "./messages/certificate.ts";
import { writeCertificateRequest12 } from "./messages/certificate-request.ts";
import { readCertificateVerify } from "./messages/certificate-verify.ts";
import type { ClientHello } from "./messages/client-hello.ts";
import {
  readClientKeyExchange,
  signedParameters,
  writeParameters,
  writeServerKeyExchange,
} from "./messages/key-exchange.ts";
import { writeNewSessionTicket12 } from "./messages/new-session-ticket.ts";
import { downgradeMark, writeServerHello } from "./messages/server-hello.ts";
import { groupNumber, groupText, KeyShare, type NamedGroup } from "./named-group.ts";
import { FinishedVerified, type PeerProof, PeerSignatureVerified } from "./proofs.ts";
import type { FirstHello } from "./first-hello.ts";
import { isStillTrusted, openTicket, sealTicket, ticketLifetime } from "./server-resumption.ts";
import type { SessionFields } from "./session.ts";
import { type SignatureScheme, schemeAuthentication, schemesByNumber } from "./signature-scheme.ts";
import { type HelloRandoms, Traffic12 } from "./traffic12.ts";

const none = new Uint8Array(0);

/** Goes on after the version was chosen. */
// oxlint-disable-next-line max-lines-per-function -- one handshake, in the order of the standard
export function* serverTls12(connection: Connection, config: ServerConfig, first: FirstHello): Handshake<Established> {
  const { hello, message, serverName } = first;
  checkHello(hello);
  const serverRandom = connection.provider.randomBytes(32);
  // RFC 8446 §4.1.3: a server that can do TLS 1.3 says so in the random of an older version.
  if (connection.settings.versions.includes("TLSv1.3")) serverRandom.set(downgradeMark, 24);
  const randoms: HelloRandoms = { client: hello.random, server: serverRandom };
  const offeredTicket = hello.extensions.value("session_ticket");
  const givesTicket = config.tickets !== undefined && offeredTicket !== undefined;

  if (offeredTicket !== undefined && offeredTicket.length > 0) {
    const isUsable = (suite: CipherSuite): boolean =>
      suite.version === "TLSv1.2" && isOffered(connection, hello, suite);
    const session = yield* openTicket(connection, config, offeredTicket, isUsable, serverName);
    if (session !== undefined && (yield* isStillTrusted(connection, config, session, serverName))) {
      return yield* resume(connection, config, first, session, randoms);
    }
  }

  const { suite, group, chosen } = yield* negotiate(connection, hello, serverName);
  const isAsked = config.clientAuthentication !== "none";
  connection.accept(message);
  connection.transcript.begin(suite.hash, isAsked);
  sendServerHello(connection, first, suite, serverRandom, none, givesTicket);
  connection.sendMessage("certificate", writeCertificate12(chosen.credential.chain));
  const share = new KeyShare(connection.provider, group);
  const parameters = writeParameters(groupNumber(group), share.publicValue);
  const content = signedParameters(randoms.client, randoms.server, parameters);
  const signature = yield* sign(connection, chosen, content, "both randoms and the public value", undefined);
  connection.sendMessage("server_key_exchange", writeServerKeyExchange(parameters, chosen.scheme, signature));
  if (isAsked) {
    const { schemes } = connection.settings;
    connection.sendMessage("certificate_request", writeCertificateRequest12(schemes, config.authorities ?? []));
  }
  connection.sendMessage("server_hello_done", none);

  const chain = isAsked ? yield* receiveCertificate(connection, config) : [];
  const exchange = yield* connection.receiveMessage("serverWaitClientKeyExchange");
  const sharedSecret = share.agree(readClientKeyExchange(exchange.body));
  connection.accept(exchange);
  const keys = HandshakeKeys12.agreed(connection, suite, group, sharedSecret, randoms);
  const proof: PeerProof =
    chain.length > 0 ? yield* receiveProof(connection, config, chain, serverName) : "noCertificate";
  connection.transcript.dropMessages();

  const finished = yield* receiveFinished(connection, keys);
  const facts = { serverName, alpnProtocol: first.alpnProtocol, peerCertificates: chain };
  if (givesTicket) yield* sendTicket(connection, config, suite, keys.mainSecret, facts);
  keys.changeWrite();
  connection.sendMessage("finished", keys.finished("server"));
  return {
    info: {
      version: "TLSv1.2",
      cipherSuite: suite.name,
      group,
      ...facts,
      peerScheme: typeof proof === "string" ? undefined : proof.scheme,
      isResumption: false,
      wasRetried: false,
    },
    finished,
    peer: proof,
    traffic: new Traffic12(connection, suite, keys.mainSecret, randoms),
  };
}

/** The abbreviated handshake (RFC 5077 §3.1): no certificates, no key exchange, the server's Finished first. */
function* resume(
  connection: Connection,
  config: ServerConfig,
  first: FirstHello,
  session: SessionFields,
  randoms: HelloRandoms,
): Handshake<Established> {
  const { suite, peerCertificates } = session;
  const { serverName, alpnProtocol } = first;
  connection.accept(first.message);
  connection.transcript.begin(suite.hash, false);
  // RFC 5077 §3.4: the client's session id comes back, so that it knows that its ticket was taken.
  sendServerHello(connection, first, suite, randoms.server, first.hello.sessionId, true);
  const keys = HandshakeKeys12.resumed(connection, suite, session.secret, randoms);
  const facts = { serverName, alpnProtocol, peerCertificates };
  yield* sendTicket(connection, config, suite, keys.mainSecret, facts);
  keys.changeWrite();
  connection.sendMessage("finished", keys.finished("server"));
  const finished = yield* receiveFinished(connection, keys);
  return {
    info: {
      version: "TLSv1.2",
      cipherSuite: suite.name,
      group: undefined,
      ...facts,
      peerScheme: undefined,
      isResumption: true,
      wasRetried: false,
    },
    finished,
    peer: "preSharedKey",
    traffic: new Traffic12(connection, suite, keys.mainSecret, randoms),
  };
}

/** What a ClientHello of TLS 1.2 must have. */
function checkHello(hello: ClientHello): void {
  const { compressionMethods, extensions, cipherSuites } = hello;
  // RFC 5246 §7.4.1.2: the list MUST hold the null method.
  if (!compressionMethods.includes(0)) {
    throw illegalParameter("The compression methods have no null method", "RFC 5246 §7.4.1.2");
  }
  checkPointFormats(extensions);
  // RFC 5746 §3.6: on the first handshake it is empty.
  const renegotiated = renegotiatedConnection(extensions);
  if (renegotiated !== undefined && renegotiated.length > 0) {
    throw new TlsError("ERR_TLS_RENEGOTIATION", "renegotiation_info is not empty on a first handshake", {
      alert: "handshake_failure",
      clause: "RFC 5746 §3.6",
    });
  }
  if (renegotiated === undefined && !cipherSuites.includes(signalling.emptyRenegotiationInfo)) {
    throw new TlsError("ERR_TLS_RENEGOTIATION", "The client does not know secure renegotiation", {
      alert: "handshake_failure",
      allowed: "renegotiation_info or TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
      clause: "RFC 5746 §3.6",
    });
  }
  if (extensions.isSet("extended_master_secret")) return;
  throw new TlsError("ERR_TLS_NO_EXTENDED_MASTER_SECRET", "The client does not know the extended main secret", {
    alert: "handshake_failure",
    clause: "RFC 7627 §5.3",
  });
}

function isOffered({ settings }: Connection, { cipherSuites }: ClientHello, suite: CipherSuite): boolean {
  return settings.suites.includes(suite) && cipherSuites.includes(suite.number);
}

interface Negotiated {
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  readonly chosen: ChosenCredential;
}

/** Suite, group and credential, which depend on each other. */
function* negotiate(connection: Connection, hello: ClientHello, serverName: string | undefined): Handshake<Negotiated> {
  const { settings } = connection;
  // RFC 8422 §4: without the extension the client takes any curve.
  const groups = numberList(hello.extensions, "supported_groups");
  const group = settings.groups.find((one) => groups?.includes(groupNumber(one)) ?? one === "secp256r1");
  if (group === undefined) {
    throw new TlsError("ERR_TLS_NO_COMMON_GROUP", "No common group", {
      alert: "handshake_failure",
      found: Array.from(groups?.subarray(0, 16) ?? [], groupText).join(", "),
      allowed: settings.groups.join(", "),
    });
  }
  const suites = settings.suites.filter((suite) => suite.version === "TLSv1.2" && isOffered(connection, hello, suite));
  if (suites.length === 0) {
    throw new TlsError("ERR_TLS_NO_COMMON_SUITE", "No common cipher suite", {
      alert: "handshake_failure",
      found: [...hello.cipherSuites.subarray(0, 16)].map(suiteText).join(", "),
      allowed: settings.suites.map(({ name }) => name).join(", "),
    });
  }
  // RFC 5246 §7.4.1.4.1: without the extension the client takes SHA-1 only, which is refused (RFC 9155).
  const offered = numberList(hello.extensions, "signature_algorithms") ?? new Uint16Array(0);
  const kinds = new Set(suites.map(({ authentication }) => authentication));
  // RFC 8422 §5.1: a certificate's curve is one that the client offers, too.
  const isOnCurve = (one: SignatureScheme): boolean =>
    groups === undefined || curveNumber(one) === undefined || groups.includes(curveNumber(one) ?? 0);
  const schemes = commonSchemes(connection, offered, "TLSv1.2").filter(
    (one) => kinds.has(schemeAuthentication(one)) && isOnCurve(one),
  );
  // RFC 8446 §4.2.3: TLS 1.2 SHOULD process signature_algorithms_cert, too.
  const certificateSchemes = schemesByNumber(certificateSchemeNumbers(hello.extensions) ?? offered);
  const chosen = yield* chooseCredential(connection, {
    version: "TLSv1.2",
    schemes,
    certificateSchemes,
    serverName,
    authorities: [],
  });
  const suite = chosen && suites.find((one) => one.authentication === schemeAuthentication(chosen.scheme));
  if (chosen !== undefined && suite !== undefined) return { suite, group, chosen };
  throw new TlsError("ERR_TLS_NO_COMMON_SCHEME", "No certificate of this server fits the client's suites and schemes", {
    alert: "handshake_failure",
    found: schemes.join(", ") || "no common scheme",
  });
}

/** The number of the group that a key of the scheme is in; credentials sign by the scheme of their own curve. */
function curveNumber(scheme: SignatureScheme): number | undefined {
  if (scheme === "ecdsa_secp256r1_sha256") return 0x0017;
  if (scheme === "ecdsa_secp384r1_sha384") return 0x0018;
  return scheme === "ecdsa_secp521r1_sha512" ? 0x0019 : undefined;
}

function sendServerHello(
  connection: Connection,
  { hello, serverName, alpnProtocol }: FirstHello,
  suite: CipherSuite,
  random: Uint8Array,
  sessionId: Uint8Array,
  givesTicket: boolean,
): void {
  connection.sendMessage(
    "server_hello",
    writeServerHello({
      random,
      sessionId,
      cipherSuite: suite.number,
      writeExtensions: (extensions) => {
        writeExtension(extensions, "renegotiation_info", (value) => value.uint8(0));
        writeExtension(extensions, "extended_master_secret", () => undefined);
        if (serverName !== undefined) writeExtension(extensions, "server_name", () => undefined);
        if (hello.extensions.has("ec_point_formats")) {
          writeExtension(extensions, "ec_point_formats", (value) => value.vector8(Uint8Array.of(0)));
        }
        if (givesTicket) writeExtension(extensions, "session_ticket", () => undefined);
        if (alpnProtocol === undefined) return;
        writeExtension(extensions, "application_layer_protocol_negotiation", (value) => {
          writeProtocolNames(value, [alpnProtocol]);
        });
      },
    }),
  );
}

function* receiveCertificate(connection: Connection, config: ServerConfig): Handshake<readonly Uint8Array[]> {
  const message = yield* connection.receiveMessage("serverWaitCertificate12");
  const chain = readCertificate12(message.body, connection.settings.limits);
  connection.accept(message);
  if (chain.length > 0 || config.clientAuthentication === "request") return chain;
  // RFC 5246 §7.4.6: a fatal handshake_failure alert.
  throw new TlsError("ERR_TLS_CERTIFICATE_REQUIRED", "The client sent no certificate", {
    alert: "handshake_failure",
    clause: "RFC 5246 §7.4.6",
  });
}

/** CertificateVerify: a signature over all messages so far (RFC 5246 §7.4.8). */
function* receiveProof(
  connection: Connection,
  config: ServerConfig,
  chain: readonly Uint8Array[],
  serverName: string | undefined,
): Handshake<PeerProof> {
  const endEntity = readEndEntity(connection, chain[0], config.verifier);
  const message = yield* connection.receiveMessage("serverWaitCertificateVerify12");
  const proof = PeerSignatureVerified.check({
    provider: connection.provider,
    version: "TLSv1.2",
    offered: connection.settings.schemes,
    key: endEntity.publicKey,
    content: connection.transcript.takeMessages(),
    signed: readCertificateVerify(message.body),
  });
  traceSignature(connection, proof.scheme, chain[0], "all messages so far", undefined);
  connection.accept(message);
  if (config.verifier === undefined) throw decodeError("No verifier checks clients");
  yield* requireTrust(connection, config.verifier, { chain, endEntity }, serverName);
  return proof;
}

function* receiveFinished(connection: Connection, keys: HandshakeKeys12): Handshake<FinishedVerified> {
  yield* connection.receiveChangeCipherSpec("serverWaitChangeCipherSpec");
  keys.changeRead();
  const expected = keys.finished("client");
  const message = yield* connection.receiveMessage("serverWaitFinished12");
  const finished = FinishedVerified.check(expected, message.body);
  connection.accept(message);
  connection.trace({ step: "finishedVerified", by: "client" });
  return finished;
}

/** RFC 5077 §3.3: it was announced, so it comes; empty where there is none. */
function* sendTicket(
  connection: Connection,
  config: ServerConfig,
  suite: CipherSuite,
  mainSecret: Uint8Array,
  facts: Pick<SessionFields, "serverName" | "alpnProtocol" | "peerCertificates">,
): Handshake<void> {
  const lifetimeSeconds = ticketLifetime(config);
  const createdAt = connection.settings.clock();
  const session = { suite, secret: mainSecret, createdAt, lifetimeSeconds, ageAdd: 0, ticket: none, ...facts };
  const ticket = config.tickets && (yield* sealTicket(connection, config.tickets, session));
  connection.sendMessage("new_session_ticket", writeNewSessionTicket12({ lifetimeSeconds, ticket: ticket ?? none }));
}
