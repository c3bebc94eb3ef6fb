/** A server's handshake of TLS 1.3, from the first ClientHello on (RFC 8446 §2, §4, §A.2). */

import { equalBytes } from "@latchkey/asn1";
import {
  chooseCredential,
  type ChosenCredential,
  commonSchemes,
  readEndEntity,
  requireTrust,
  sign,
  traceSignature,
} from "./authentication.ts";
import { type CipherSuite, suiteText } from "./cipher-suite.ts";
import type { ServerConfig } from "./config.ts";
import type { Connection } from "./connection.ts";
import type { Established, Handshake } from "./handshake-run.ts";
import { decodeError, illegalParameter, TlsError } from "./errors.ts";
import { writeExtension } from "./extension-list.ts";
import { extensionNumber, extensionText } from "./extension-type.ts";
import {
  certificateSchemeNumbers,
  numberList,
  offeredKeyShares,
  offersPskWithDhe,
  writeKeyShareEntry,
  writeProtocolNames,
} from "./extension-values.ts";
import { HandshakeKeys13 } from "./handshake-keys13.ts";
import { readCertificate13, writeCertificate13 } from "./messages/certificate.ts";
import { namedAuthorities, writeCertificateRequest13 } from "./messages/certificate-request.ts";
import { readCertificateVerify, signedContent, writeCertificateVerify } from "./messages/certificate-verify.ts";
import { type ClientHello, readClientHello } from "./messages/client-hello.ts";
import { writeNewSessionTicket13 } from "./messages/new-session-ticket.ts";
import { helloRetryRandom, writeServerHello } from "./messages/server-hello.ts";
import { groupByNumber, groupNumber, groupText, KeyShare, type NamedGroup } from "./named-group.ts";
import { FinishedVerified, type PeerProof, PeerSignatureVerified } from "./proofs.ts";
import { versionNumber } from "./protocol-version.ts";
import { resumptionKey } from "./key-schedule.ts";
import type { FirstHello } from "./first-hello.ts";
import { checkKeptKeys, choosePreSharedKey, sealTicket, ticketLifetime } from "./server-resumption.ts";
import { schemeIsOf, schemesByNumber } from "./signature-scheme.ts";
import { Traffic13 } from "./traffic13.ts";
import { written } from "./writer.ts";

const none = new Uint8Array(0);

/** Goes on after the version was chosen. */
// oxlint-disable-next-line max-lines-per-function -- one handshake, in the order of the standard
export function* serverTls13(connection: Connection, config: ServerConfig, first: FirstHello): Handshake<Established> {
  const { provider, settings } = connection;
  checkHello(first.hello);
  const suite = chooseSuite(connection, first.hello);
  let shares = sharesOf(first.hello);
  const group = chooseGroup(connection, first.hello, shares);
  // RFC 8446 §4.2.10: early data that a client sends at once is skipped.
  if (first.hello.extensions.has("early_data")) connection.skipEarlyData();
  connection.dropsChangeCipherSpec = true;

  const wasRetried = !shares.has(groupNumber(group));
  let { hello, message } = first;
  if (wasRetried) {
    connection.accept(message);
    connection.transcript.replaceByHash(suite.hash);
    sendRetry(connection, hello, suite, group);
    message = yield* connection.receiveMessage("serverWaitSecondClientHello");
    hello = readClientHello(message.body);
    checkSecondHello(first.hello, hello, group);
    shares = sharesOf(hello);
    yield* checkKeptKeys(connection, config, first, hello, suite);
  }
  const publicValue = shares.get(groupNumber(group));
  if (publicValue === undefined) throw illegalParameter("The key share asked for is not there", "RFC 8446 §4.1.2");

  const resumed = yield* choosePreSharedKey(connection, config, hello, message, suite, first.serverName);
  const chosen = resumed === undefined ? yield* requireCredential(connection, hello, first.serverName) : undefined;

  const share = new KeyShare(provider, group);
  const sharedSecret = share.agree(publicValue);
  connection.accept(message);
  connection.transcript.begin(suite.hash, false);
  connection.sendMessage(
    "server_hello",
    writeServerHello({
      random: provider.randomBytes(32),
      sessionId: hello.sessionId,
      cipherSuite: suite.number,
      writeExtensions: (extensions) => {
        writeExtension(extensions, "supported_versions", (value) => value.uint16(versionNumber["TLSv1.3"]));
        writeExtension(extensions, "key_share", (value) => {
          writeKeyShareEntry(value, { group: groupNumber(group), publicValue: share.publicValue });
        });
        if (resumed !== undefined) writeExtension(extensions, "pre_shared_key", (value) => value.uint16(resumed.index));
      },
    }),
  );
  // RFC 8446 §D.4: for middleboxes, where the client plays along.
  if (hello.sessionId.length > 0 && !wasRetried) connection.sendChangeCipherSpec();

  const keys = new HandshakeKeys13(connection, suite, hello.random, group, sharedSecret, resumed?.session.secret);
  keys.enterHandshake();
  connection.sendMessage("encrypted_extensions", encryptedExtensions(first));
  const isAsked = resumed === undefined && config.clientAuthentication !== "none";
  if (chosen !== undefined) {
    if (isAsked) {
      const schemes = settings.schemes.filter((scheme) => schemeIsOf(scheme, "TLSv1.3"));
      connection.sendMessage(
        "certificate_request",
        writeCertificateRequest13(schemes, settings.certificateSchemes, config.authorities ?? []),
      );
    }
    connection.sendMessage("certificate", writeCertificate13(none, chosen.credential.chain));
    const hash = connection.transcript.hash();
    const signature = yield* sign(connection, chosen, signedContent("server", hash), "the transcript hash", hash);
    connection.sendMessage("certificate_verify", writeCertificateVerify(chosen.scheme, signature));
  }
  connection.sendMessage("finished", keys.finished("server"));
  const secrets = keys.applicationSecrets();
  keys.setWrite(secrets.server, "application");

  const peer = isAsked
    ? yield* receiveClientCertificate(connection, config, first.serverName)
    : { chain: resumed?.session.peerCertificates ?? [], proof: resumed === undefined ? noCertificate : preSharedKey };
  const expected = keys.finished("client");
  const finishedMessage = yield* connection.receiveMessage("serverWaitFinished");
  const finished = FinishedVerified.check(expected, finishedMessage.body);
  connection.accept(finishedMessage);
  connection.trace({ step: "finishedVerified", by: "client" });
  connection.dropsChangeCipherSpec = false;
  keys.setRead(secrets.client, "application");

  const facts = { serverName: first.serverName, alpnProtocol: first.alpnProtocol, peerCertificates: peer.chain };
  const resumptionSecret = keys.resumptionSecret();
  if (offersPskWithDhe(hello.extensions) === true) {
    yield* sendTickets(connection, config, suite, resumptionSecret, facts, resumed === undefined);
  }
  resumptionSecret.fill(0);
  const kept = { read: secrets.client, write: secrets.server, exporter: secrets.exporter, resumption: undefined };
  return {
    info: {
      version: "TLSv1.3",
      cipherSuite: suite.name,
      group,
      ...facts,
      peerScheme: typeof peer.proof === "string" ? undefined : peer.proof.scheme,
      isResumption: resumed !== undefined,
      wasRetried,
    },
    finished,
    peer: peer.proof,
    traffic: new Traffic13(connection, suite, kept),
  };
}

const noCertificate: PeerProof = "noCertificate";
const preSharedKey: PeerProof = "preSharedKey";

/** What a ClientHello of TLS 1.3 must have (RFC 8446 §4.1.2, §9.2). */
function checkHello({ compressionMethods, extensions }: ClientHello): void {
  // RFC 8446 §4.1.2: exactly the null method.
  if (compressionMethods.length !== 1 || compressionMethods[0] !== 0) {
    throw illegalParameter("TLS 1.3 offers no compression", "RFC 8446 §4.1.2", {
      found: compressionMethods.join(", "),
      allowed: "0",
    });
  }
  for (const name of ["supported_groups", "key_share"] as const) {
    if (!extensions.has(name)) throw missing(name);
  }
  if (!extensions.has("pre_shared_key") && !extensions.has("signature_algorithms"))
    throw missing("signature_algorithms");
}

function missing(name: "supported_groups" | "key_share" | "signature_algorithms"): TlsError {
  return new TlsError("ERR_TLS_MISSING_EXTENSION", `ClientHello has no ${name}`, {
    alert: "missing_extension",
    clause: "RFC 8446 §9.2",
  });
}

function chooseSuite({ settings }: Connection, { cipherSuites }: ClientHello): CipherSuite {
  const own = settings.suites.filter(({ version }) => version === "TLSv1.3");
  const suite = own.find(({ number }) => cipherSuites.includes(number));
  if (suite !== undefined) return suite;
  throw new TlsError("ERR_TLS_NO_COMMON_SUITE", "No common cipher suite", {
    alert: "handshake_failure",
    found: [...cipherSuites.subarray(0, 16)].map(suiteText).join(", "),
    allowed: own.map(({ name }) => name).join(", "),
  });
}

/** A group with a key share before one without, so that no round trip is lost; then our order. */
function chooseGroup({ settings }: Connection, hello: ClientHello, shares: KeyShares): NamedGroup {
  const offered = new Set(numberList(hello.extensions, "supported_groups"));
  for (const group of shares.keys()) {
    // RFC 8446 §4.2.8: a share of a group that supported_groups does not name.
    if (!offered.has(group)) {
      throw illegalParameter("A key share in a group that is not offered", "RFC 8446 §4.2.8", {
        found: groupText(group),
      });
    }
  }
  const common = settings.groups.filter((group) => offered.has(groupNumber(group)));
  const group = common.find((one) => shares.has(groupNumber(one))) ?? common[0];
  if (group !== undefined) return group;
  throw new TlsError("ERR_TLS_NO_COMMON_GROUP", "No common group", {
    alert: "handshake_failure",
    found: [...offered].slice(0, 16).map(groupText).join(", "),
    allowed: settings.groups.join(", "),
  });
}

/** Public values by the numbers of their groups. */
type KeyShares = ReadonlyMap<number, Uint8Array>;

function sharesOf(hello: ClientHello): KeyShares {
  return new Map((offeredKeyShares(hello.extensions) ?? []).map(({ group, publicValue }) => [group, publicValue]));
}

/** HelloRetryRequest (RFC 8446 §4.1.4). */
function sendRetry(connection: Connection, hello: ClientHello, suite: CipherSuite, group: NamedGroup): void {
  connection.sendMessage(
    "server_hello",
    writeServerHello({
      random: helloRetryRandom,
      sessionId: hello.sessionId,
      cipherSuite: suite.number,
      writeExtensions: (extensions) => {
        writeExtension(extensions, "supported_versions", (value) => value.uint16(versionNumber["TLSv1.3"]));
        writeExtension(extensions, "key_share", (value) => value.uint16(groupNumber(group)));
      },
    }),
  );
  if (hello.sessionId.length > 0) connection.sendChangeCipherSpec();
}

/** What a client may change in its second ClientHello (RFC 8446 §4.1.2). */
const changeable: ReadonlySet<number> = /* @__PURE__ */ new Set([
  ...(["key_share", "pre_shared_key", "early_data", "cookie"] as const).map(extensionNumber),
  // padding (RFC 7685)
  21,
]);

/** RFC 8446 §4.1.2: all but the named changes is the same, and there is one share, in the group that was asked for. */
function checkSecondHello(first: ClientHello, second: ClientHello, group: NamedGroup): void {
  const isSame =
    second.legacyVersion === first.legacyVersion &&
    equalBytes(second.random, first.random) &&
    equalBytes(second.sessionId, first.sessionId) &&
    equalBytes(second.compressionMethods, first.compressionMethods) &&
    second.cipherSuites.length === first.cipherSuites.length &&
    second.cipherSuites.every((suite, index) => suite === first.cipherSuites[index]);
  if (!isSame) throw illegalParameter("The second ClientHello is another one", "RFC 8446 §4.1.2");
  const numbers = new Set([...first.extensions.numbers, ...second.extensions.numbers]);
  for (const number of numbers) {
    if (changeable.has(number)) continue;
    const before = first.extensions.byNumber(number);
    const after = second.extensions.byNumber(number);
    if (before !== undefined && after !== undefined && equalBytes(before, after)) continue;
    throw illegalParameter("The second ClientHello has another extension", "RFC 8446 §4.1.2", {
      found: extensionText(number),
    });
  }
  if (second.extensions.has("early_data")) {
    throw illegalParameter("Early data after a HelloRetryRequest", "RFC 8446 §4.2.10");
  }
  const shares = offeredKeyShares(second.extensions);
  // RFC 8446 §9.2: it has supported_groups, as the first had, so key_share MUST be there.
  if (shares === undefined) throw missing("key_share");
  if (shares.length !== 1 || groupByNumber(shares[0]?.group ?? 0) !== group) {
    throw illegalParameter("The second ClientHello has not the key share asked for", "RFC 8446 §4.2.8", {
      found: shares.map((share) => groupText(share.group)).join(", ") || "none",
      allowed: group,
    });
  }
}

function* requireCredential(
  connection: Connection,
  hello: ClientHello,
  serverName: string | undefined,
): Handshake<ChosenCredential> {
  const peerSchemes = numberList(hello.extensions, "signature_algorithms");
  if (peerSchemes === undefined) throw missing("signature_algorithms");
  const schemes = commonSchemes(connection, peerSchemes, "TLSv1.3");
  const chosen = yield* chooseCredential(connection, {
    version: "TLSv1.3",
    schemes,
    certificateSchemes: schemesByNumber(certificateSchemeNumbers(hello.extensions) ?? peerSchemes),
    serverName,
    authorities: namedAuthorities(hello.extensions),
  });
  if (chosen !== undefined) return chosen;
  throw new TlsError(
    "ERR_TLS_NO_COMMON_SCHEME",
    "No certificate of this server signs by a scheme that the client takes",
    {
      alert: "handshake_failure",
      found: schemes.join(", ") || "no common scheme",
    },
  );
}

function encryptedExtensions({ serverName, alpnProtocol }: FirstHello): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    writer.vector16((extensions) => {
      if (serverName !== undefined) writeExtension(extensions, "server_name", () => undefined);
      if (alpnProtocol === undefined) return;
      writeExtension(extensions, "application_layer_protocol_negotiation", (value) => {
        writeProtocolNames(value, [alpnProtocol]);
      });
    });
  });
}

interface ClientIdentity {
  readonly chain: readonly Uint8Array[];
  readonly proof: PeerProof;
}

/** Certificate and CertificateVerify of a client that was asked. */
function* receiveClientCertificate(
  connection: Connection,
  config: ServerConfig,
  serverName: string | undefined,
): Handshake<ClientIdentity> {
  const message = yield* connection.receiveMessage("serverWaitCertificate");
  const { requestContext, chain } = readCertificate13(message.body, connection.settings.limits);
  if (requestContext.length > 0)
    throw illegalParameter("certificate_request_context is another one", "RFC 8446 §4.4.2");
  connection.accept(message);
  if (chain.length === 0) {
    if (config.clientAuthentication === "request") return { chain, proof: "noCertificate" };
    throw new TlsError("ERR_TLS_CERTIFICATE_REQUIRED", "The client sent no certificate", {
      alert: "certificate_required",
      clause: "RFC 8446 §4.4.2.4",
    });
  }
  const endEntity = readEndEntity(connection, chain[0], config.verifier);
  const hash = connection.transcript.hash();
  const verify = yield* connection.receiveMessage("serverWaitCertificateVerify");
  const proof = PeerSignatureVerified.check({
    provider: connection.provider,
    version: "TLSv1.3",
    offered: connection.settings.schemes,
    key: endEntity.publicKey,
    content: signedContent("client", hash),
    signed: readCertificateVerify(verify.body),
  });
  traceSignature(connection, proof.scheme, chain[0], "the transcript hash", hash);
  connection.accept(verify);
  if (config.verifier === undefined) throw decodeError("No verifier checks clients");
  yield* requireTrust(connection, config.verifier, { chain, endEntity }, serverName);
  return { chain, proof };
}

/** Tickets behind the client's Finished (RFC 8446 §4.6.1). One after a resumption, to take the place of the used one. */
function* sendTickets(
  connection: Connection,
  config: ServerConfig,
  suite: CipherSuite,
  resumptionSecret: Uint8Array,
  facts: {
    readonly serverName: string | undefined;
    readonly alpnProtocol: string | undefined;
    readonly peerCertificates: readonly Uint8Array[];
  },
  isFull: boolean,
): Handshake<void> {
  if (config.tickets === undefined) return;
  const { provider, settings } = connection;
  const count = isFull ? (config.ticketCount ?? 1) : Math.min(1, config.ticketCount ?? 1);
  for (let index = 0; index < count; index++) {
    const nonce = Uint8Array.of(index);
    const ageAdd = new DataView(Uint8Array.from(provider.randomBytes(4)).buffer).getUint32(0);
    const lifetimeSeconds = ticketLifetime(config);
    const secret = resumptionKey(provider, suite.hash, resumptionSecret, nonce);
    const session = { suite, secret, createdAt: settings.clock(), lifetimeSeconds, ageAdd, ticket: none, ...facts };
    const ticket = yield* sealTicket(connection, config.tickets, session);
    secret.fill(0);
    if (ticket === undefined) return;
    connection.sendPostHandshake(
      "new_session_ticket",
      writeNewSessionTicket13({ lifetimeSeconds, ageAdd, nonce, ticket }),
    );
  }
}
