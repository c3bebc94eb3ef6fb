/** A chain verifier for the authorities of an account, kept as long as those stay the same. */

import { createChainVerifier, type ChainVerifier } from "@latchkey/chain";
import type { CryptoProvider } from "@latchkey/crypto";
import { storedCertificate } from "../certificate-input.ts";
import { certificateAuthorities, type CertificateAuthorityRecord } from "../records/certificate-authority.ts";
import type { Storage, StorageReader } from "../storage.ts";

/** Which authorities of an account count. */
export type AuthorityChoice = "all" | "active" | "auto-registration";

interface Kept {
  /** The storage's sequence when the authorities were read. */
  sequence: number;
  /** Identifiers of the authorities that the verifier trusts. */
  readonly identifiers: string;
  readonly verifier: ChainVerifier;
}

/** Most verifiers that are kept at once: one an account and choice. */
const maximumKept = 1000;

/** Chain verifiers by account. */
export class AuthorityVerifiers {
  readonly #storage: Storage;
  readonly #provider: CryptoProvider;
  readonly #kept = new Map<string, Kept>();

  constructor(storage: Storage, provider: CryptoProvider) {
    this.#storage = storage;
    this.#provider = provider;
  }

  /** The verifier that trusts the account's authorities of this choice. */
  verifierOf(reader: StorageReader, scope: string, choice: AuthorityChoice): ChainVerifier {
    const sequence = this.#storage.sequence();
    const key = `${scope} ${choice}`;
    const kept = this.#kept.get(key);
    if (kept?.sequence === sequence) return kept.verifier;
    const authorities: CertificateAuthorityRecord[] = [];
    for (const one of certificateAuthorities.all(reader, scope)) if (isChosen(one, choice)) authorities.push(one);
    const identifiers = authorities.map(({ certificateId }) => certificateId).join(" ");
    if (kept?.identifiers === identifiers) {
      kept.sequence = sequence;
      return kept.verifier;
    }
    const trustAnchors = authorities.map(storedCertificate);
    const verifier = createChainVerifier({ provider: this.#provider, trustAnchors, profile: "iotDevice" });
    if (this.#kept.size >= maximumKept) this.#kept.clear();
    this.#kept.set(key, { sequence, identifiers, verifier });
    return verifier;
  }
}

function isChosen({ status, autoRegistration }: CertificateAuthorityRecord, choice: AuthorityChoice): boolean {
  if (choice === "all") return true;
  return status === "ACTIVE" && (choice === "active" || autoRegistration);
}
