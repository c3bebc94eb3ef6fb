/** What a client and a server are made with, checked once and shared by many connections. */

import type { CryptoProvider } from "@latchkey/crypto";
import { allCipherSuites, type CipherSuite, type CipherSuiteName } from "./cipher-suite.ts";
import { maximumPlaintext } from "./content-type.ts";
import type { Credential } from "./credential.ts";
import { argument } from "./errors.ts";
import type { KeyLog } from "./key-log.ts";
import { type TlsLimits, tlsLimits } from "./limits.ts";
import { allGroups, type NamedGroup } from "./named-group.ts";
import type { PeerVerifier } from "./peer-verifier.ts";
import { allVersions, type ProtocolVersion } from "./protocol-version.ts";
import type { ResumableSession } from "./session.ts";
import { allSchemes, type SignatureScheme } from "./signature-scheme.ts";
import type { TicketKeys } from "./ticket-keys.ts";
import type { Trace } from "./trace-event.ts";

/** What clients and servers have in common. */
export interface CommonConfig {
  readonly provider: CryptoProvider;
  /** Milliseconds since 1970: `Date.now` outside of tests. */
  readonly clock: () => number;
  /** Default: both. */
  readonly versions?: readonly ProtocolVersion[];
  /** In the order of preference. Default: all, AES-128 first. */
  readonly cipherSuites?: readonly CipherSuiteName[];
  /** In the order of preference. Default: x25519, secp256r1, secp384r1. */
  readonly groups?: readonly NamedGroup[];
  /** What the peer may sign handshakes by, and this side does: of these, a credential by its own `schemes` only. Default: all. */
  readonly schemes?: readonly SignatureScheme[];
  /**
   * What the certificates of the peer's chain may be signed by; self-signed ones by anything. Sent as
   * signature_algorithms_cert where it differs from `schemes` (RFC 8446 §4.2.3). A chain with another signature is refused
   * before the verifier is asked; a server of TLS 1.2 cannot tell clients beforehand. Default: all, and the verifier decides.
   */
  readonly certificateSchemes?: readonly SignatureScheme[];
  /** Protocol names of ALPN in ASCII, the preferred first. Default: none, and ALPN is not spoken. */
  readonly alpn?: readonly string[];
  /** The first that fits is used; `"ask"` asks by a `need` event for each handshake. */
  readonly credentials?: readonly Credential[] | "ask";
  readonly limits?: Partial<TlsLimits>;
  /** Octets of plaintext in one record, 64 to 16,384 (default): small ones spare a small peer its buffer. */
  readonly recordOctets?: number;
  /** TLS 1.3: application data is padded up to a multiple of this many octets. Default 1: no padding. */
  readonly paddingTo?: number;
  /**
   * Makes the arrays that `takeOutput` gives, of so many octets at least, with anything in them. Default `new Uint8Array`; a faster
   * one is `Buffer.allocUnsafe` of Node.js. `TlsStream` has one of its own.
   */
  readonly allocate?: (octets: number) => Uint8Array;
  /** Gets each step of the handshake. Costs time: leave it out for speed. */
  readonly trace?: Trace;
  /** Gets the secrets of each connection, for an analyser. Never set it from an environment variable unseen. */
  readonly keyLog?: KeyLog;
}

export interface ClientConfig extends CommonConfig {
  /** The name that is sent and that the verifier holds the chain to; a DNS name in A-labels, or an IP address (not sent). */
  readonly serverName: string | undefined;
  /** Verifies the server's chain. There is no default: without a verdict there is no connection. */
  readonly verifier: PeerVerifier | "ask";
  /** A session of an earlier connection to the same server; it is offered while it is fresh. */
  readonly session?: ResumableSession | undefined;
  /** Groups that a key share is sent for at once. Default: the first of `groups`. */
  readonly keyShares?: readonly NamedGroup[];
}

export interface ServerConfig extends CommonConfig {
  readonly credentials: readonly Credential[] | "ask";
  /** Whether clients are asked for a certificate, and may have none. */
  readonly clientAuthentication: "none" | "request" | "require";
  /** Verifies the chains of clients; needed unless `clientAuthentication` is `none`. */
  readonly verifier?: PeerVerifier | "ask";
  /** DER names of authorities, as a hint to clients which certificate to send. */
  readonly authorities?: readonly Uint8Array[];
  /** Default: no tickets. `"ask"` asks by `need` events: for a store of sessions, or keys elsewhere. */
  readonly tickets?: TicketKeys | "ask";
  /** Tickets after a full handshake of TLS 1.3. Default 1. */
  readonly ticketCount?: number;
  /** Default 7,200; at most 604,800 (RFC 8446 §4.6.1). */
  readonly ticketLifetimeSeconds?: number;
  /** Says no to a name (in lower case) that this server is not: `unrecognized_name`. Default: all names, and none, are taken. */
  readonly acceptsServerName?: (serverName: string) => boolean;
}

/** The common part with its defaults. */
export interface Settings {
  readonly provider: CryptoProvider;
  readonly clock: () => number;
  readonly versions: readonly ProtocolVersion[];
  readonly suites: readonly CipherSuite[];
  readonly groups: readonly NamedGroup[];
  readonly schemes: readonly SignatureScheme[];
  readonly certificateSchemes: readonly SignatureScheme[];
  readonly alpn: readonly string[];
  readonly credentials: readonly Credential[] | "ask";
  readonly limits: TlsLimits;
  readonly recordOctets: number;
  readonly paddingTo: number;
  readonly allocate: (octets: number) => Uint8Array;
  readonly trace: Trace | undefined;
  readonly keyLog: KeyLog | undefined;
}

/** Checks the common part. Throws `ERR_TLS_ARGUMENT`. */
export function settingsOf(config: CommonConfig): Settings {
  const versions =
    config.versions === undefined
      ? allVersions
      : allVersions.filter((version) => config.versions?.includes(version) === true);
  const suites = config.cipherSuites === undefined ? allCipherSuites : suitesOf(config.cipherSuites);
  const usable = versions === allVersions ? suites : suites.filter(({ version }) => versions.includes(version));
  const {
    groups = allGroups,
    schemes = allSchemes,
    certificateSchemes = allSchemes,
    alpn = [],
    recordOctets = maximumPlaintext,
    paddingTo = 1,
  } = config;
  if (usable.length === 0) throw argument("No cipher suite belongs to one of the versions");
  for (const version of versions) {
    if (!usable.some((suite) => suite.version === version)) throw argument(`No cipher suite belongs to ${version}`);
  }
  if (groups.length === 0 || schemes.length === 0) throw argument("At least one group and one scheme are needed");
  if (groups.some((name) => !allGroups.includes(name))) throw argument(`The groups are ${allGroups.join(", ")}`);
  if (schemes.some((name) => !allSchemes.includes(name))) throw argument(`The schemes are ${allSchemes.join(", ")}`);
  if (certificateSchemes.length === 0) throw argument("At least one scheme for certificates is needed");
  if (certificateSchemes.some((name) => !allSchemes.includes(name)))
    throw argument(`The schemes are ${allSchemes.join(", ")}`);
  if (alpn.some((name) => !isProtocolName(name)))
    throw argument("A protocol name has 1 to 255 printable ASCII characters, no backslash");
  if (!(recordOctets >= 64 && recordOctets <= maximumPlaintext)) throw argument("recordOctets is 64 to 16384");
  if (!(paddingTo >= 1 && paddingTo <= maximumPlaintext)) throw argument("paddingTo is 1 to 16384");
  return {
    provider: config.provider,
    clock: config.clock,
    versions,
    suites: usable,
    groups,
    schemes,
    certificateSchemes,
    alpn,
    credentials: config.credentials ?? [],
    limits: tlsLimits(config.limits),
    recordOctets: Math.floor(recordOctets),
    paddingTo: Math.floor(paddingTo),
    allocate: config.allocate ?? newArray,
    trace: config.trace,
    keyLog: config.keyLog,
  };
}

function newArray(octets: number): Uint8Array {
  return new Uint8Array(octets);
}

function suitesOf(names: readonly CipherSuiteName[]): CipherSuite[] {
  return names.map((name) => {
    const suite = allCipherSuites.find((candidate) => candidate.name === name);
    if (suite === undefined) throw argument(`There is no cipher suite ${name}`);
    return suite;
  });
}

function isProtocolName(name: string): boolean {
  if (name.length === 0 || name.length > 255) return false;
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    // A backslash is how `protocolText` writes an octet that is no printable ASCII.
    if (code < 0x20 || code > 0x7e || code === 0x5c) return false;
  }
  return true;
}
