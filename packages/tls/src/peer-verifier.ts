/**
 * Who verifies the peer's chain.
 *
 * The engine itself always checks that the peer holds the private key of its certificate; a verifier says whether the
 * certificate is to be believed. No option turns the engine's own check off.
 */

import type { CryptoProvider, PublicKey } from "@latchkey/crypto";
import type { Certificate } from "@latchkey/x509";
import type { AlertName } from "./alert.ts";

/** What the engine knows of the certificate whose key has signed the handshake. */
export interface PeerEndEntity {
  /** As the engine has read it: of the octets of the chain, not copied. undefined where `rememberedKey` spared the reading. */
  readonly certificate: Certificate | undefined;
  readonly publicKey: PublicKey;
  /** The provider that the key belongs to. */
  readonly provider: CryptoProvider;
}

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
  /** undefined at a resumption, where nobody signs. */
  readonly endEntity?: PeerEndEntity | undefined;
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
  /**
   * The key of an end entity certificate, of `PeerToVerify.endEntity`, where the verifier has it at hand: then the engine need not
   * read the certificate again. It checks the signature by that key, and asks for a verdict, all the same.
   */
  readonly rememberedKey?: (certificate: Uint8Array, provider: CryptoProvider) => PublicKey | undefined;
}
