/**
 * From the certificates of a TLS handshake to an identity: registered, active, vouched for, within its time.
 *
 * In the order of AWS IoT: the certificate is looked up by the SHA-256 of its DER, its chain is validated to a registered
 * authority for clientAuth, and its status must be ACTIVE. That the peer holds the private key is the handshake's part.
 */

import { createChainVerifier, describeFailure, type ChainVerifier, type VerifiedChain } from "@latchkey/chain";
import type { CryptoProvider } from "@latchkey/crypto";
import { certificateId, parseCertificate, X509Error, type Certificate } from "@latchkey/x509";
import type { RegistryStore } from "./store.ts";

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

export type Identification =
  | { readonly ok: true; readonly identity: IdentifiedCertificate }
  | { readonly ok: false; readonly code: IdentificationCode; readonly reason: string };

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
   * store does, and then nobody is believed.
   */
  async identify(chain: readonly Uint8Array[], nowSeconds: number): Promise<Identification> {
    const [own, ...others] = chain;
    if (own === undefined) return refuse("ERR_IDENTITY_NO_CERTIFICATE", "the client sent no certificate");
    let certificate: Certificate;
    let intermediates: Certificate[];
    try {
      certificate = parseCertificate(own);
      intermediates = others.map((der) => parseCertificate(der));
    } catch (error) {
      if (!(error instanceof X509Error)) throw error;
      return refuse("ERR_IDENTITY_MALFORMED", `${error.code}: ${error.message}`);
    }
    const id = certificateId(certificate, this.#provider);
    const record = await this.#store.certificate(id);
    const verifier = await this.#currentVerifier();
    const result = verifier.verify({ certificate, intermediates, purpose: "clientAuth", time: nowSeconds });
    if (!result.ok)
      return refuse(
        "ERR_IDENTITY_CHAIN",
        result.failures.map((failure) => `${failure.code}: it ${describeFailure(failure)}`).join("; "),
      );
    if (record === undefined) return refuse("ERR_IDENTITY_UNKNOWN", `certificate ${id} is not registered`);
    if (record.status !== "ACTIVE") return refuse("ERR_IDENTITY_NOT_ACTIVE", `certificate ${id} is ${record.status}`);
    return { ok: true, identity: { certificateId: id, certificate, chain: result } };
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

function refuse(code: IdentificationCode, reason: string): Identification {
  return { ok: false, code, reason };
}
