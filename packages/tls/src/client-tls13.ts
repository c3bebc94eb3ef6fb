/** A client's handshake of TLS 1.3, from ServerHello on (RFC 8446 §2, §4, §A.1). */

import {
  chooseCredential,
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
import { readExtensions } from "./extension-list.ts";
import { selectedKeyShare, singleNumber } from "./extension-values.ts";
import { HandshakeKeys13 } from "./handshake-keys13.ts";
import { checkNotEmpty, checkRequestContext, readCertificate13, writeCertificate13 } from "./messages/certificate.ts";
import { type CertificateRequest, readCertificateRequest13 } from "./messages/certificate-request.ts";
import { readCertificateVerify, signedContent, writeCertificateVerify } from "./messages/certificate-verify.ts";
import { groupByNumber, groupText, type KeyShare } from "./named-group.ts";
import type { PeerEndEntity } from "./peer-verifier.ts";
import { FinishedVerified, type PeerProof, PeerSignatureVerified } from "./proofs.ts";
import { Reader } from "./reader.ts";
import type { SessionFields } from "./session.ts";
import { schemeIsOf, schemesByNumber } from "./signature-scheme.ts";
import { Traffic13 } from "./traffic13.ts";

const none = new Uint8Array(0);

/** Goes on after the server chose. */
export function* clientTls13(connection: Connection, config: ClientConfig, chosen: Chosen): Handshake<Established> {
  const { offer, suite, message, wasRetried } = chosen;
  const session = resumedSession(chosen);
  const { share, publicValue } = agreedShare(chosen);
  const sharedSecret = share.agree(publicValue);
  connection.accept(message);
  connection.transcript.begin(suite.hash, false);
  // RFC 8446 §D.4: for middleboxes, before the first protected record.
  if (!wasRetried) connection.sendChangeCipherSpec();
  const keys = new HandshakeKeys13(connection, suite, offer.random, share.group, sharedSecret, session?.secret);
  keys.enterHandshake();

  const alpnProtocol = yield* receiveEncryptedExtensions(connection, chosen);
  const server = session === undefined ? yield* receiveServerCertificate(connection, config.verifier) : undefined;
  const expected = keys.finished("server");
  const finishedMessage = yield* connection.receiveMessage("clientWaitFinished");
  const finished = FinishedVerified.check(expected, finishedMessage.body);
  connection.accept(finishedMessage);
  connection.trace({ step: "finishedVerified", by: "server" });
  connection.dropsChangeCipherSpec = false;
  const chain = server?.chain ?? session?.peerCertificates ?? [];
  // A session's chain is verified again: it may have expired or been revoked since.
  yield* requireTrust(connection, config.verifier, { chain, endEntity: server?.endEntity }, config.serverName);
  const secrets = keys.applicationSecrets();
  keys.setRead(secrets.server, "application");

  if (server?.request !== undefined) yield* sendClientCertificate(connection, server.request, config.serverName);
  connection.sendMessage("finished", keys.finished("client"));
  const resumption = keys.resumptionSecret();
  keys.setWrite(secrets.client, "application");
  const facts = { serverName: config.serverName, alpnProtocol, peerCertificates: chain };
  const kept = {
    read: secrets.server,
    write: secrets.client,
    exporter: secrets.exporter,
    resumption: { secret: resumption, ...facts },
  };
  const peer: PeerProof = server?.proof ?? "preSharedKey";
  return {
    info: {
      version: "TLSv1.3",
      cipherSuite: suite.name,
      group: share.group,
      ...facts,
      peerScheme: typeof peer === "string" ? undefined : peer.scheme,
      isResumption: session !== undefined,
      wasRetried,
    },
    finished,
    peer,
    traffic: new Traffic13(connection, suite, kept),
  };
}

/** The session that the server chose to resume, if it did (RFC 8446 §4.2.11). */
function resumedSession({ hello, offer, offered, suite }: Chosen): SessionFields | undefined {
  hello.extensions.expectOnly(
    ["supported_versions", "key_share", "pre_shared_key"],
    (number) => offered.has(number),
    "ServerHello",
  );
  const index = singleNumber(hello.extensions, "pre_shared_key");
  if (index === undefined) return undefined;
  const session = offer.session;
  // One identity was offered, with one hash.
  if (index !== 0 || session === undefined || session.suite.hash !== suite.hash) {
    throw illegalParameter("The server chose a pre-shared key that was not offered", "RFC 8446 §4.2.11", {
      found: `identity ${index} with ${suite.hash}`,
    });
  }
  return session;
}

function agreedShare({ hello, offer }: Chosen): { readonly share: KeyShare; readonly publicValue: Uint8Array } {
  const entry = selectedKeyShare(hello.extensions);
  // RFC 8446 §9.2, §4.2.9: psk_dhe_ke and certificates both need it.
  if (entry === undefined) {
    throw new TlsError("ERR_TLS_MISSING_EXTENSION", "ServerHello has no key_share", {
      alert: "missing_extension",
      clause: "RFC 8446 §9.2",
    });
  }
  const group = groupByNumber(entry.group);
  const share = offer.shares.find((one) => one.group === group);
  if (share !== undefined) return { share, publicValue: entry.publicValue };
  throw illegalParameter("The server chose a group that no share was sent for", "RFC 8446 §4.2.8", {
    found: groupText(entry.group),
    allowed: offer.shares.map((one) => one.group).join(", "),
  });
}

function* receiveEncryptedExtensions(connection: Connection, { offered }: Chosen): Handshake<string | undefined> {
  const message = yield* connection.receiveMessage("clientWaitEncryptedExtensions");
  const reader = new Reader(message.body, "EncryptedExtensions");
  const extensions = readExtensions(reader, "EncryptedExtensions");
  reader.end();
  extensions.expectOnly(
    ["server_name", "supported_groups", "application_layer_protocol_negotiation"],
    (number) => offered.has(number),
    "EncryptedExtensions",
  );
  checkNameAnswer(extensions);
  connection.accept(message);
  return selectedProtocol(connection, extensions);
}

interface ServerIdentity {
  readonly chain: readonly Uint8Array[];
  readonly endEntity: PeerEndEntity;
  readonly proof: PeerProof;
  readonly request: CertificateRequest | undefined;
}

/** CertificateRequest, if there is one, Certificate and CertificateVerify of the server. */
function* receiveServerCertificate(
  connection: Connection,
  verifier: ClientConfig["verifier"],
): Handshake<ServerIdentity> {
  let message = yield* connection.receiveMessage("clientWaitCertificateOrRequest");
  let request: CertificateRequest | undefined;
  if (message.name === "certificate_request") {
    request = readCertificateRequest13(message.body);
    connection.accept(message);
    message = yield* connection.receiveMessage("clientWaitCertificate");
  }
  const { requestContext, chain } = readCertificate13(message.body, connection.settings.limits);
  checkRequestContext(requestContext);
  checkNotEmpty(chain);
  connection.accept(message);
  const endEntity = readEndEntity(connection, chain[0], verifier);
  const hash = connection.transcript.hash();
  const verify = yield* connection.receiveMessage("clientWaitCertificateVerify");
  const proof = PeerSignatureVerified.check({
    provider: connection.provider,
    version: "TLSv1.3",
    offered: connection.settings.schemes.filter((scheme) => schemeIsOf(scheme, "TLSv1.3")),
    key: endEntity.publicKey,
    content: signedContent("server", hash),
    signed: readCertificateVerify(verify.body),
  });
  traceSignature(connection, proof.scheme, chain[0], "the transcript hash", hash);
  connection.accept(verify);
  return { chain, endEntity, proof, request };
}

/** Certificate, empty where there is none that fits, and CertificateVerify. */
function* sendClientCertificate(
  connection: Connection,
  request: CertificateRequest,
  serverName: string | undefined,
): Handshake<void> {
  const schemes = commonSchemes(connection, request.schemes, "TLSv1.3");
  const { authorities } = request;
  const certificateSchemes = schemesByNumber(request.certificateSchemes);
  const wanted = { version: "TLSv1.3", schemes, certificateSchemes, serverName, authorities } as const;
  const chosen = yield* chooseCredential(connection, wanted);
  connection.sendMessage("certificate", writeCertificate13(none, chosen?.credential.chain ?? []));
  if (chosen === undefined) return;
  const hash = connection.transcript.hash();
  const signature = yield* sign(connection, chosen, signedContent("client", hash), "the transcript hash", hash);
  connection.sendMessage("certificate_verify", writeCertificateVerify(chosen.scheme, signature));
}
