/**
 * Who verifies the peer's chain.
 *
 * The engine itself always checks that the peer holds the private key of its certificate; a verifier says whether the
 * certificate is to be believed. No option turns the engine's own check off.
 */

import type { AlertName } from "./alert.ts";

/** A chain to be verified. */
export interface PeerToVerify {
  /** DER, the end entity first, as it came; at least one. Copies may be kept. */
  readonly chain: readonly Uint8Array[];
  /** What the peer is. */
  readonly role: "client" | "server";
  /** The name that a client wants to talk to, or that a client named to the server. */
  readonly serverName: string | undefined;
  /** Seconds since 1970. */
  readonly time: number;
  /** Whether the chain comes from a ticket: it was accepted before, and is verified again. */
  readonly isResumption: boolean;
}

/** What a verifier says. */
export type PeerVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** The alert that says why; `bad_certificate` where nothing fits better. */
      readonly alert: AlertName;
      /** For the error's `cause`. */
      readonly reason: unknown;
    };

/** Judges at once. A config with `"ask"` in its place asks by a `need` event. */
export interface PeerVerifier {
  readonly verify: (peer: PeerToVerify) => PeerVerdict;
}
