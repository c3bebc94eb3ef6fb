/** What a user sees of a connection: bytes in, events and bytes out. No I/O, no timers, no promises. */

import type { AlertName } from "./alert.ts";
import type { CipherSuiteName } from "./cipher-suite.ts";
import type { Credential } from "./credential.ts";
import type { TlsError } from "./errors.ts";
import type { NamedGroup } from "./named-group.ts";
import type { PeerToVerify, PeerVerdict } from "./peer-verifier.ts";
import type { ProtocolVersion } from "./protocol-version.ts";
import type { ResumableSession } from "./session.ts";
import type { SignatureScheme } from "./signature-scheme.ts";

/** Where a connection stands. `peerClosed`: nothing more comes, and data can still be sent (TLS 1.3). */
export type TlsPhase = "handshake" | "open" | "peerClosed" | "closing" | "closed" | "failed";

/** What was agreed on. */
export interface ConnectionInfo {
  readonly version: ProtocolVersion;
  readonly cipherSuite: CipherSuiteName;
  readonly group: NamedGroup | undefined;
  /** What the client named, in lower case. */
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** DER, the end entity first; empty where the peer has none. Its key signed this handshake, or the resumed one. */
  readonly peerCertificates: readonly Uint8Array[];
  /** How the peer signed; undefined where it did not in this handshake. */
  readonly peerScheme: SignatureScheme | undefined;
  readonly isResumption: boolean;
  /** Whether a HelloRetryRequest was needed. */
  readonly wasRetried: boolean;
}

/** What this side's credential is chosen by. */
export interface CredentialRequest {
  readonly version: ProtocolVersion;
  /** The schemes that both sides can use, in this side's order; the credential must have one. */
  readonly schemes: readonly SignatureScheme[];
  /** What the peer takes as signatures in certificates (RFC 8446 §4.2.3): a chain with others may be refused. */
  readonly certificateSchemes: readonly SignatureScheme[];
  /** What the client named. */
  readonly serverName: string | undefined;
  /** DER names of authorities that the peer trusts, empty where it does not say. */
  readonly authorities: readonly Uint8Array[];
}

/**
 * A question that the handshake waits for. Answer it once, at once or later; then ask `next` and `takeOutput` again.
 * Answers that come after the connection ended are ignored.
 */
export type NeedEvent =
  /** Which credential to use. undefined: none; a server then fails, a client sends an empty chain. */
  | {
      readonly type: "need";
      readonly need: "credential";
      readonly request: CredentialRequest;
      readonly answer: (credential: Credential | undefined) => void;
    }
  /** The signature over `data`. undefined: the key cannot, and the connection fails with an error that has this `cause`. */
  | {
      readonly type: "need";
      readonly need: "sign";
      readonly credential: Credential;
      readonly scheme: SignatureScheme;
      readonly data: Uint8Array;
      readonly answer: (signature: Uint8Array | undefined, cause?: unknown) => void;
    }
  /** Whether the peer's chain is to be believed. */
  | {
      readonly type: "need";
      readonly need: "verifyPeer";
      readonly peer: PeerToVerify;
      readonly answer: (verdict: PeerVerdict) => void;
    }
  /** The ticket for a session, at most 65,535 octets: encrypted, or a random key to a store. undefined: no ticket is sent. */
  | {
      readonly type: "need";
      readonly need: "sealTicket";
      readonly session: Uint8Array;
      readonly answer: (ticket: Uint8Array | undefined) => void;
    }
  /** The session of a ticket. undefined: a full handshake. */
  | {
      readonly type: "need";
      readonly need: "openTicket";
      readonly ticket: Uint8Array;
      readonly answer: (session: Uint8Array | undefined) => void;
    };

/** What happened, in the order of the wire. */
export type TlsEvent =
  | NeedEvent
  | { readonly type: "handshakeDone"; readonly info: ConnectionInfo }
  /** Application data, an array that belongs to the receiver; not empty. */
  | { readonly type: "data"; readonly data: Uint8Array }
  /** A client can resume with it, once. */
  | { readonly type: "session"; readonly session: ResumableSession }
  | { readonly type: "keyUpdate"; readonly direction: "read" | "write" }
  /** The peer sent close_notify: everything that it sent has come. */
  | { readonly type: "peerClosed" }
  /** The connection failed, the last event. The alert is in the output already. */
  | { readonly type: "failed"; readonly error: TlsError };

/** One connection. Nothing that a peer sends makes a method throw; only misuse does, as `ERR_TLS_ARGUMENT`. */
export interface TlsEngine {
  readonly role: "client" | "server";
  readonly phase: TlsPhase;
  /** What was agreed on; undefined until `handshakeDone`. */
  readonly info: ConnectionInfo | undefined;
  /** Why the connection failed. */
  readonly error: TlsError | undefined;
  /** Octets in the output. */
  readonly outputOctets: number;
  /** Takes bytes of the transport, of any size and split; they are read at once and not kept. */
  receive(bytes: Uint8Array): void;
  /** The transport ended. Without a close_notify before it this is `ERR_TLS_TRUNCATED`. */
  receiveEnd(): void;
  /** The next event, or undefined. */
  next(): TlsEvent | undefined;
  /** All bytes for the transport, as an array that belongs to the caller; undefined for none. */
  takeOutput(): Uint8Array | undefined;
  /**
   * Protects application data, which is copied. Returns how many octets were taken: fewer than given where the output is
   * full (`outputOctets`): take it, and send the rest again.
   *
   * Throws before `handshakeDone` and after `close`.
   */
  send(data: Uint8Array): number;
  /** Sends close_notify: no more data can be sent. In the handshake it ends the connection. */
  close(): void;
  /** Ends the connection at once with a fatal alert, default `handshake_failure` in the handshake, `internal_error` after it. */
  abort(alert?: AlertName): void;
  /** TLS 1.3: new keys for what is sent, and if wished for what comes. Does nothing in TLS 1.2. */
  updateKeys(requestsPeer?: boolean): void;
  /**
   * Keying material that both sides can make (RFC 8446 §7.5, RFC 5705), bound to this connection. Throws before
   * `handshakeDone` and when the connection is closed or failed: its secrets are gone then. In TLS 1.2 no context and an empty one differ.
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array;
  /**
   * Lets go of the peer's chain, which `info.peerCertificates` keeps for the whole connection: it is empty from then on. For a
   * server that has judged its client, and holds many of them. Does nothing before `handshakeDone`.
   */
  forgetPeerCertificates(): void;
}
