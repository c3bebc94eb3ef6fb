/** Who is who: choosing a credential, signing by it, and verifying the peer's chain. Both versions and sides use it. */

import { equalBytes } from "@latchkey/asn1";
import { CryptoError } from "@latchkey/crypto";
import { type Certificate, extensionValue, keyUsage, nameText, parseCertificate, X509Error } from "@latchkey/x509";
import { firstSignedOtherwise, signatureText } from "./certificate-signatures.ts";
import type { Connection } from "./connection.ts";
import type { Handshake } from "./handshake-run.ts";
import type { Credential } from "./credential.ts";
import type { CredentialRequest } from "./engine.ts";
import { TlsError } from "./errors.ts";
import { hexOf } from "./key-log.ts";
import type { PeerEndEntity, PeerToVerify, PeerVerdict, PeerVerifier } from "./peer-verifier.ts";
import type { ProtocolVersion } from "./protocol-version.ts";
import { allSchemes, type SignatureScheme, schemeIsOf, schemeNumber } from "./signature-scheme.ts";

/** A credential and the scheme that it signs this handshake by. */
export interface ChosenCredential {
  readonly credential: Credential;
  readonly scheme: SignatureScheme;
}

/** The schemes of ours that the peer takes in that version, in our order. */
export function commonSchemes(
  connection: Connection,
  peerSchemes: Uint16Array,
  version: ProtocolVersion,
): readonly SignatureScheme[] {
  return connection.settings.schemes.filter(
    (scheme) => schemeIsOf(scheme, version) && peerSchemes.includes(schemeNumber(scheme)),
  );
}

/**
 * The first credential that fits, or the answer to a question; undefined where there is none.
 *
 * A chain that is signed as the peer takes it comes before others (RFC 8446 §4.4.2.2: MUST if there is one, else any), then
 * one that an authority of the request issued (§4.4.2.3: SHOULD).
 */
export function* chooseCredential(
  connection: Connection,
  request: CredentialRequest,
): Handshake<ChosenCredential | undefined> {
  const { credentials } = connection.settings;
  const candidates =
    credentials === "ask"
      ? [
          yield* connection.ask<Credential | undefined>((answer) => ({
            type: "need",
            need: "credential",
            request,
            answer,
          })),
        ]
      : credentials;
  const fitting: ChosenCredential[] = [];
  for (const credential of candidates) {
    const scheme = request.schemes.find((one) => credential?.schemes.includes(one));
    if (credential !== undefined && scheme !== undefined) fitting.push({ credential, scheme });
  }
  if (fitting.length < 2) return fitting[0];
  const acceptable = fitting.filter(
    ({ credential }) => firstSignedOtherwise(credential.chain, request.certificateSchemes) === undefined,
  );
  const best = acceptable.length > 0 ? acceptable : fitting;
  return best.find(({ credential }) => isIssuedByOneOf(credential, request.authorities)) ?? best[0];
}

/** Whether a certificate of the chain names one of the authorities as its issuer. */
function isIssuedByOneOf({ chain }: Credential, authorities: readonly Uint8Array[]): boolean {
  if (authorities.length === 0) return false;
  return chain.some((der) => {
    const issuer = issuerOf(der);
    return issuer !== undefined && authorities.some((name) => equalBytes(name, issuer));
  });
}

/** The DER of the issuer's name; undefined for a certificate that cannot be read. */
function issuerOf(der: Uint8Array): Uint8Array | undefined {
  try {
    return parseCertificate(der, { checkContents: false }).issuer.encoding;
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    throw error;
  }
}

/** A signature by the credential: at once, or by a question. Throws `ERR_TLS_CREDENTIAL`. */
export function* sign(
  connection: Connection,
  { credential, scheme }: ChosenCredential,
  data: Uint8Array,
  over: string,
  transcriptHash: Uint8Array | undefined,
): Handshake<Uint8Array> {
  const { signature, cause } = yield* signed();
  if (signature === undefined || signature.length === 0) {
    throw new TlsError("ERR_TLS_CREDENTIAL", "The credential did not sign", {
      alert: "internal_error",
      ...(cause !== undefined && { cause }),
    });
  }
  if (connection.isTraced) {
    connection.trace({
      step: "signature",
      by: connection.role,
      isOurs: true,
      scheme,
      key: keyText(credential.chain[0]),
      over,
      transcriptHash: transcriptHash && hexOf(transcriptHash),
    });
  }
  return signature;

  function* signed(): Handshake<SignatureOrCause> {
    if (credential.sign === undefined) {
      return yield* connection.ask<SignatureOrCause>((answer) => ({
        type: "need",
        need: "sign",
        credential,
        scheme,
        data,
        answer: (octets, reason) => answer({ signature: octets, cause: reason }),
      }));
    }
    try {
      return { signature: credential.sign(scheme, data), cause: undefined };
    } catch (error) {
      return { signature: undefined, cause: error };
    }
  }
}

/** What came of signing, and why nothing came of it where that is known. */
interface SignatureOrCause {
  readonly signature: Uint8Array | undefined;
  readonly cause: unknown;
}

/** A chain to be verified, and what is known of its end entity; nothing at a resumption. */
interface PeerChain {
  readonly chain: readonly Uint8Array[];
  readonly endEntity: PeerEndEntity | undefined;
}

/** The verifier's verdict on a chain, at once or by a question. */
export function* verifyPeer(
  connection: Connection,
  verifier: PeerVerifier | "ask",
  { chain, endEntity }: PeerChain,
  serverName: string | undefined,
): Handshake<PeerVerdict> {
  const time = Math.floor(connection.settings.clock() / 1000);
  const isResumption = endEntity === undefined;
  const peer: PeerToVerify = { chain, role: connection.peerRole, serverName, time, isResumption, endEntity };
  const verdict =
    verifier === "ask"
      ? yield* connection.ask<PeerVerdict>((answer) => ({ type: "need", need: "verifyPeer", peer, answer }))
      : verifier.verify(peer);
  if (connection.isTraced) {
    connection.trace({
      step: "chain",
      by: connection.peerRole,
      isAccepted: verdict.ok,
      certificates: chain.map(certificateText),
      reason: verdict.ok ? undefined : reasonText(verdict.reason),
      isResumption,
    });
  }
  return verdict;
}

/**
 * As `verifyPeer`, for a chain without which there is no connection. Throws `ERR_TLS_PEER_REFUSED`, and `ERR_TLS_CERTIFICATE`
 * for a chain that is signed by what this side did not offer.
 */
export function* requireTrust(
  connection: Connection,
  verifier: PeerVerifier | "ask",
  peer: PeerChain,
  serverName: string | undefined,
): Handshake<void> {
  checkSignatures(connection, peer.chain);
  const verdict = yield* verifyPeer(connection, verifier, peer, serverName);
  if (verdict.ok) return;
  throw new TlsError("ERR_TLS_PEER_REFUSED", `The ${connection.peerRole}'s certificate is refused`, {
    alert: verdict.alert,
    found: reasonText(verdict.reason),
    cause: verdict.reason,
  });
}

/** RFC 8446 §4.4.2.2: who did not offer an algorithm need not take a chain that is signed by it. */
function checkSignatures({ settings }: Connection, chain: readonly Uint8Array[]): void {
  const { certificateSchemes } = settings;
  if (allSchemes.every((scheme) => certificateSchemes.includes(scheme))) return;
  const certificate = firstSignedOtherwise(chain, certificateSchemes);
  if (certificate === undefined) return;
  throw new TlsError("ERR_TLS_CERTIFICATE", "A certificate of the peer's chain is signed by what was not offered", {
    alert: "unsupported_certificate",
    found: `${nameText(certificate.subject)}: ${signatureText(certificate)}`,
    allowed: certificateSchemes.join(", "),
    clause: "RFC 8446 §4.4.2.2",
  });
}

/**
 * The peer's certificate and its key. Throws `ERR_TLS_CERTIFICATE` where it cannot be read, holds a key that is not supported,
 * or says that its key makes no signatures (RFC 8446 §4.4.2.2, RFC 5246 §7.4.2: digitalSignature, where keyUsage is there).
 */
export function readEndEntity(
  { provider }: Connection,
  der: Uint8Array = new Uint8Array(0),
  verifier: PeerVerifier | "ask" | undefined,
): PeerEndEntity {
  const remembered = typeof verifier === "object" ? verifier.rememberedKey?.(der, provider) : undefined;
  if (remembered !== undefined) return { certificate: undefined, publicKey: remembered, provider };
  try {
    const certificate: Certificate = parseCertificate(der);
    const usages = extensionValue(certificate, keyUsage);
    if (usages !== undefined && !usages.includes("digitalSignature")) {
      throw refusedCertificate("unsupported_certificate", "Its keyUsage has no digitalSignature");
    }
    return { certificate, publicKey: provider.importSpki(certificate.subjectPublicKeyInfo.encoding), provider };
  } catch (cause) {
    if (cause instanceof X509Error) throw refusedCertificate("bad_certificate", cause.message, cause);
    if (cause instanceof CryptoError) throw refusedCertificate("unsupported_certificate", cause.message, cause);
    throw cause;
  }
}

function refusedCertificate(
  alert: "bad_certificate" | "unsupported_certificate",
  found: string,
  cause?: unknown,
): TlsError {
  return new TlsError("ERR_TLS_CERTIFICATE", "The peer's certificate cannot be used", { alert, found, cause });
}

/** Tells a trace that the peer's signature holds. */
export function traceSignature(
  connection: Connection,
  scheme: SignatureScheme,
  der: Uint8Array | undefined,
  over: string,
  transcriptHash: Uint8Array | undefined,
): void {
  if (!connection.isTraced) return;
  connection.trace({
    step: "signature",
    by: connection.peerRole,
    isOurs: false,
    scheme,
    key: keyText(der),
    over,
    transcriptHash: transcriptHash && hexOf(transcriptHash),
  });
}

function reasonText(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  return typeof reason === "string" ? reason : "refused by the verifier";
}

function keyText(der: Uint8Array | undefined): string {
  if (der === undefined) return "no certificate";
  return `the key of ${certificateText(der).subject}`;
}

function certificateText(der: Uint8Array): { readonly subject: string; readonly issuer: string; readonly key: string } {
  try {
    const { subject, issuer, subjectPublicKeyInfo } = parseCertificate(der, { checkContents: false });
    const name = nameText(subject);
    return {
      subject: name === "" ? "(no subject)" : name,
      issuer: nameText(issuer),
      key: `${subjectPublicKeyInfo.encoding.length} octets of SubjectPublicKeyInfo`,
    };
  } catch {
    return { subject: "(not readable)", issuer: "(not readable)", key: "(not readable)" };
  }
}
