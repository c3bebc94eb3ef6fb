/** The config of an engine that the flags of a connection ask for. */

import { readFileSync } from "node:fs";
import { nodeProvider as provider } from "@latchkey/crypto/node";
import {
  acceptEveryChain,
  type ClientConfig,
  type CommonConfig,
  type Credential,
  keyCredential,
  type PeerVerifier,
  type ProtocolVersion,
  type ResumableSession,
  type ServerConfig,
  type SignatureScheme,
  TicketKeys,
} from "@latchkey/tls";
import { CryptoError } from "@latchkey/crypto";
import { certificatesFromPem, privateKeyFromPem } from "@latchkey/x509";
import { type Flags, Unimplemented } from "./flags.ts";
import { groups, namesOf, schemes, versions } from "./wire-numbers.ts";

/** What the connections of one run of the shim share. */
export interface SharedState {
  readonly tickets: TicketKeys;
  /** Milliseconds since 1970: a clock that only `-resumption-delay` moves. */
  timeMs: number;
  session: ResumableSession | undefined;
}

export function newSharedState(): SharedState {
  return { tickets: new TicketKeys({ provider }), timeMs: Date.now(), session: undefined };
}

/** What the engine is to be made with. `keyLog` gets the lines of the key log. */
export function clientConfig(flags: Flags, shared: SharedState, keyLog: (line: string) => void): ClientConfig {
  const names = protocolNames(flags.value("-advertise-alpn") ?? "");
  return {
    ...commonConfig(flags, shared, keyLog),
    serverName: flags.value("-host-name"),
    ...(names.length > 0 && { alpn: names }),
    ...(isAsynchronous(flags) && { credentials: "ask" }),
    verifier: isAsynchronous(flags) ? "ask" : verifierOf(flags),
    session: shared.session,
  };
}

export function serverConfig(flags: Flags, shared: SharedState, keyLog: (line: string) => void): ServerConfig {
  const selected = flags.value("-select-alpn");
  const authorities = authorityNames(flags.value("-use-client-ca-list"));
  const common = commonConfig(flags, shared, keyLog);
  return {
    ...common,
    ...(selected !== undefined && { alpn: [selected] }),
    // A name that no client of the suite offers.
    ...(flags.has("-reject-alpn") && { alpn: ["refused"] }),
    credentials: isAsynchronous(flags) ? "ask" : (common.credentials ?? []),
    clientAuthentication: clientAuthentication(flags),
    verifier: isAsynchronous(flags) ? "ask" : verifierOf(flags),
    authorities,
    ...(!flags.has("-no-ticket") && { tickets: isAsynchronous(flags) ? "ask" : shared.tickets }),
  };
}

/** Whether answers are given later, each transport chunk is one octet, and keys sign elsewhere. */
export function isAsynchronous(flags: Flags): boolean {
  return flags.has("-async");
}

/** BoringSSL asks for a chain without judging it unless `-verify-peer` or `-require-any-client-certificate` is there. */
export function verifierOf(flags: Flags): PeerVerifier {
  const isJudged = flags.has("-verify-peer") || flags.has("-require-any-client-certificate");
  if (!flags.has("-verify-fail") || !isJudged) return acceptEveryChain;
  return {
    verify: ({ isResumption }) => {
      // The engine asks at a resumption, too; BoringSSL does only with this flag.
      if (isResumption && !flags.has("-reverify-on-resume")) return { ok: true };
      // BoringSSL's alerts where a program's own check says no.
      const alert = flags.has("-use-custom-verify-callback") ? "certificate_unknown" : "handshake_failure";
      return { ok: false, alert, reason: "-verify-fail" };
    },
  };
}

/** The credential of `-cert-file` and `-key-file`; undefined without them. */
export function credentialOf(flags: Flags): Credential | undefined {
  const certificateFile = flags.value("-cert-file");
  const keyFile = flags.value("-key-file");
  if (certificateFile === undefined || keyFile === undefined) return undefined;
  const credential = readCredential(readFileSync(certificateFile, "utf8"), readFileSync(keyFile, "utf8"));
  const preferred = signingSchemes(flags);
  if (preferred === undefined) return credential;
  return { ...credential, schemes: preferred.filter((scheme) => credential.schemes.includes(scheme)) };
}

function readCredential(chain: string, key: string): Credential {
  try {
    return keyCredential({
      provider,
      // The key of P-521 that the suite has is one octet short.
      privateKey: privateKeyFromPem(key, { provider, tolerances: { scalarLength: "allow" } }),
      chain: certificatesFromPem(chain).map(({ encoding }) => encoding),
    });
  } catch (cause) {
    if (cause instanceof CryptoError) throw new Unimplemented(`the key: ${cause.message}`);
    throw cause;
  }
}

/** `-signing-prefs`, without what the engine does not have (SHA-1, P-224). */
function signingSchemes(flags: Flags): SignatureScheme[] | undefined {
  if (!flags.has("-signing-prefs")) return undefined;
  const known = flags.numbers("-signing-prefs").filter((number) => schemes.has(number));
  if (known.length === 0) throw new Unimplemented("the signature algorithms");
  return namesOf(schemes, known, "the signature algorithm");
}

function commonConfig(flags: Flags, shared: SharedState, keyLog: (line: string) => void): CommonConfig {
  const credential = credentialOf(flags);
  const octets = flags.number("-max-send-fragment");
  const certificateOctets = flags.number("-max-cert-list");
  const curves = flags.numbers("-curves");
  return {
    provider,
    clock: () => shared.timeMs,
    versions: versionsOf(flags),
    ...(curves.length > 0 && { groups: namesOf(groups, curves, "the group") }),
    schemes: schemesInOrder(flags, credential),
    credentials: credential === undefined ? [] : [credential],
    ...(octets !== undefined && { recordOctets: octets }),
    limits: {
      // The suite sends a chain of 51, to see that a long message is read.
      certificates: 100,
      ...(certificateOctets !== undefined && { certificateMessageOctets: certificateOctets }),
    },
    ...(flags.has("-export-traffic-secrets") && { keyLog }),
  };
}

function versionsOf(flags: Flags): ProtocolVersion[] {
  const least = flags.number("-min-version") ?? 0;
  const most = flags.number("-max-version") ?? 0xffff;
  const enabled = [...versions].filter(
    ([number, name]) => number >= least && number <= most && !flags.has(name === "TLSv1.3" ? "-no-tls13" : "-no-tls12"),
  );
  if (enabled.length === 0) throw new Unimplemented("versions before TLS 1.2");
  return enabled.map(([, name]) => name).reverse();
}

/**
 * The engine has one list for what it signs by and what it takes; its order is the order of preference for signing. No test has
 * a client sign by what its server signs by and does not take.
 */
function schemesInOrder(flags: Flags, credential: Credential | undefined): SignatureScheme[] {
  const verified = namesOf(schemes, flags.numbers("-verify-prefs"), "the signature algorithm");
  if (verified.length > 0) return [...new Set([...verified, ...(credential?.schemes ?? [])])];
  return [...new Set([...(signingSchemes(flags) ?? []), ...schemes.values()])];
}

function clientAuthentication(flags: Flags): ServerConfig["clientAuthentication"] {
  if (flags.has("-verify-peer")) return "request";
  return flags.has("-require-any-client-certificate") ? "require" : "none";
}

/** Names, each behind an octet of its length. */
function protocolNames(list: string): string[] {
  const names = [];
  for (let at = 0; at < list.length;) {
    const length = list.charCodeAt(at);
    names.push(list.slice(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return names;
}

/** Names in DER, in hexadecimal with commas between them. */
export function authorityNames(list: string | undefined): Uint8Array[] {
  if (list === undefined || list === "<NULL>" || list === "<EMPTY>") return [];
  return list.split(",").map((hex) => new Uint8Array(Buffer.from(hex, "hex")));
}
