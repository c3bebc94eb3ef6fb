/**
 * From the certificates of a TLS handshake to an identity: registered, active, vouched for, within its time.
 *
 * In the order of AWS IoT: the certificate is looked up by the SHA-256 of its DER, its chain is validated to a registered
 * authority for clientAuth, and its status must be ACTIVE. That the peer holds the private key is the handshake's part.
 */

import {
  createChainVerifier,
  describeFailure,
  type ChainFailure,
  type ChainVerifier,
  type VerifiedChain,
} from "@latchkey/chain";
import type { CryptoProvider } from "@latchkey/crypto";
import { certificateId, parseCertificate, X509Error, type Certificate } from "@latchkey/x509";
import type { CertificateStatus, RegistryStore } from "./store.ts";

/** Why a certificate was not believed. */
export type IdentificationCode =
  /** The client sent no certificate. */
  | "ERR_IDENTITY_NO_CERTIFICATE"
  /** What it sent does not parse. */
  | "ERR_IDENTITY_MALFORMED"
  /** The certificate is not registered. */
  | "ERR_IDENTITY_UNKNOWN"
  /** No chain to a registered authority holds; the reason says which check failed. */
  | "ERR_IDENTITY_CHAIN"
  /** It is registered and not ACTIVE. */
  | "ERR_IDENTITY_NOT_ACTIVE";

/** A certificate that was believed. Only `CertificateIdentifier` makes one. */
export interface IdentifiedCertificate {
  readonly certificateId: string;
  readonly certificate: Certificate;
  /** The proof. */
  readonly chain: VerifiedChain;
}

/** A refusal: what `reason` says in words stands beside it as fields. */
export type IdentificationRefusal = { readonly ok: false; readonly reason: string } & (
  | { readonly code: "ERR_IDENTITY_NO_CERTIFICATE" }
  | { readonly code: "ERR_IDENTITY_MALFORMED"; readonly cause: X509Error }
  | ({ readonly code: "ERR_IDENTITY_UNKNOWN" } & PresentedCertificate)
  | ({
      readonly code: "ERR_IDENTITY_CHAIN";
      /** What the chain verifier refused, the most telling first. */
      readonly failures: readonly ChainFailure[];
    } & PresentedCertificate)
  | ({
      readonly code: "ERR_IDENTITY_NOT_ACTIVE";
      readonly status: Exclude<CertificateStatus, "ACTIVE">;
    } & PresentedCertificate)
);

/** The certificate that a client showed. */
export interface PresentedCertificate {
  readonly certificateId: string;
  readonly certificate: Certificate;
}

/** The answer to a client's certificates. */
export type Identification = { readonly ok: true; readonly identity: IdentifiedCertificate } | IdentificationRefusal;

/** Identifies clients against one registry. Keeps a chain verifier for as long as the registry does not change. */
export class CertificateIdentifier {
  readonly #store: RegistryStore;
  readonly #provider: CryptoProvider;
  #verifier: { readonly registryVersion: number; readonly verifier: ChainVerifier } | undefined;

  constructor(store: RegistryStore, provider: CryptoProvider) {
    this.#store = store;
    this.#provider = provider;
  }

  /**
   * Says who a client is. `chain` holds its certificates as DER, its own first; they are kept as views. Rejects where the
   * store does; the client is then not let in.
   */
  async identify(chain: readonly Uint8Array[], nowSeconds: number): Promise<Identification> {
    const [own, ...others] = chain;
    if (own === undefined) {
      return { ok: false, code: "ERR_IDENTITY_NO_CERTIFICATE", reason: "the client sent no certificate" };
    }
    let certificate: Certificate;
    let intermediates: Certificate[];
    try {
      certificate = parseCertificate(own);
      intermediates = others.map((der) => parseCertificate(der));
    } catch (cause) {
      if (!(cause instanceof X509Error)) throw cause;
      return { ok: false, code: "ERR_IDENTITY_MALFORMED", reason: `${cause.code}: ${cause.message}`, cause };
    }
    const id = certificateId(certificate, this.#provider);
    const presented = { certificateId: id, certificate };
    const record = await this.#store.certificate(id);
    const verifier = await this.#currentVerifier();
    const result = verifier.verify({ certificate, intermediates, purpose: "clientAuth", time: nowSeconds });
    if (!result.ok) {
      const { failures } = result;
      const reason = failures.map((failure) => `${failure.code}: it ${describeFailure(failure)}`).join("; ");
      return { ok: false, code: "ERR_IDENTITY_CHAIN", reason, failures, ...presented };
    }
    if (record === undefined) {
      return { ok: false, code: "ERR_IDENTITY_UNKNOWN", reason: `certificate ${id} is not registered`, ...presented };
    }
    const { status } = record;
    if (status !== "ACTIVE") {
      const reason = `certificate ${id} is ${status}, and only ACTIVE ones may connect`;
      return { ok: false, code: "ERR_IDENTITY_NOT_ACTIVE", reason, status, ...presented };
    }
    return { ok: true, identity: { ...presented, chain: result } };
  }

  async #currentVerifier(): Promise<ChainVerifier> {
    const registryVersion = this.#store.version();
    if (this.#verifier?.registryVersion === registryVersion) return this.#verifier.verifier;
    const authorities = await this.#store.certificateAuthorities();
    const trustAnchors = authorities.filter(({ status }) => status === "ACTIVE").map(({ der }) => der);
    const verifier = createChainVerifier({ provider: this.#provider, trustAnchors, profile: "iotDevice" });
    this.#verifier = { registryVersion, verifier };
    return verifier;
  }
}
