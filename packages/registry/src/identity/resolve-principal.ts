/**
 * From the certificates of a TLS handshake to a principal, or to a refusal with its reason.
 *
 * In this order: the certificate is looked up by the SHA-256 of its DER; the server name selects the account where several have
 * it; its status must be ACTIVE; it must chain to an authority of the account for clientAuth, or, where it was registered
 * without an authority, be valid now. An unknown certificate of an authority that registers just in time is registered as
 * PENDING_ACTIVATION and refused. That the peer holds the private key is the handshake's part.
 */

import { describeFailure, type ChainFailure, type RefusedChain } from "@latchkey/chain";
import type { CertificateAttributes } from "@latchkey/policy";
import { certificateId, hexText, parseCertificate, X509Error, type Certificate } from "@latchkey/x509";
import { dateText } from "../certificate-input.ts";
import type { Certificates } from "../certificates.ts";
import { resourceKey } from "../changes.ts";
import {
  KnownCertificate,
  type ChainProof,
  type ConnectionReads,
  type RegisteredCertificate,
} from "../connection-reads.ts";
import type { RegistryContext } from "../context.ts";
import { isRegistryError } from "../errors.ts";
import { certificateAuthorities, type CertificateAuthorityRecord } from "../records/certificate-authority.ts";
import { certificates, type CertificateRecord, type CertificateStatus } from "../records/certificate.ts";
import { scopeKey, type Scope } from "../scope.ts";

/** A client whose certificate is registered, active and verified. Only `PrincipalResolver` makes one. */
export class Principal {
  readonly scope: Scope;
  readonly certificateId: string;
  /** A private field makes the class nominal: an object that merely has the same fields is no proof. */
  readonly #known: KnownCertificate;
  /** The authority that it was registered under; undefined where it was registered without one. */
  readonly caCertificateId: string | undefined;
  /** The proof; undefined where it was registered without an authority. */
  readonly chain: ChainProof | undefined;

  constructor(
    scope: Scope,
    known: KnownCertificate,
    record: Pick<CertificateRecord, "certificateId" | "caCertificateId">,
    chain: ChainProof | undefined,
  ) {
    this.scope = scope;
    this.#known = known;
    this.certificateId = record.certificateId;
    this.caCertificateId = record.caCertificateId;
    this.chain = chain;
  }

  get certificate(): Certificate {
    return this.#known.certificate;
  }

  /** What policies know of the certificate; the same object for all connections of it while it is remembered. */
  get certificateAttributes(): CertificateAttributes {
    return this.#known.attributes;
  }

  /** The last second, since 1970, in which it may be connected: until then each certificate of its chain is valid. */
  get validUntil(): number {
    return this.chain?.validUntil ?? this.#known.validity.notAfter;
  }

  /** Whether a value was made by a resolver. */
  static isPrincipal(value: unknown): value is Principal {
    return typeof value === "object" && value !== null && #known in value;
  }
}

/** A just-in-time registration: what AWS IoT publishes to `$aws/events/certificates/registered/CA_CERTIFICATE_ID`. */
export interface CertificateRegisteredEvent {
  readonly certificateId: string;
  readonly caCertificateId: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly certificateStatus: "PENDING_ACTIVATION";
  readonly awsAccountId: string;
  /** Milliseconds since 1970, as text. */
  readonly certificateRegistrationTimestamp: string;
}

/** The certificate that a client presented. */
export interface PresentedCertificate {
  readonly certificateId: string;
  readonly certificate: Certificate;
}

/** A refusal: what `reason` says in words stands beside it as fields. */
export type PrincipalRefusal = { readonly ok: false; readonly reason: string } & (
  | { readonly code: "ERR_IDENTITY_NO_CERTIFICATE" }
  | { readonly code: "ERR_IDENTITY_MALFORMED"; readonly cause: X509Error }
  /** No account has registered it. */
  | ({ readonly code: "ERR_IDENTITY_UNKNOWN" } & PresentedCertificate)
  /** Several accounts have it, and the server name (SNI) selects none of them; or it may only be used with one. */
  | ({
      readonly code: "ERR_IDENTITY_SERVER_NAME";
      readonly serverName: string | undefined;
      readonly accounts: readonly string[];
    } & PresentedCertificate)
  | ({
      readonly code: "ERR_IDENTITY_NOT_ACTIVE";
      readonly status: Exclude<CertificateStatus, "ACTIVE">;
    } & PresentedCertificate)
  /** No chain to an authority of the account holds. An unknown certificate of a foreign authority is refused so, too. */
  | ({
      readonly code: "ERR_IDENTITY_CHAIN";
      /** What the chain verifier refused, the most telling first. */
      readonly failures: readonly ChainFailure[];
    } & PresentedCertificate)
  /** Its authority is INACTIVE. */
  | ({ readonly code: "ERR_IDENTITY_AUTHORITY_INACTIVE"; readonly caCertificateId: string } & PresentedCertificate)
  /** Registered without an authority, and not valid at this time. */
  | ({
      readonly code: "ERR_IDENTITY_DATES";
      readonly notBefore: number;
      readonly notAfter: number;
    } & PresentedCertificate)
  /** It was registered just now, or before, by just-in-time registration, and nobody has activated it yet. */
  | ({
      readonly code: "ERR_IDENTITY_PENDING_ACTIVATION";
      readonly event: CertificateRegisteredEvent;
      /** Why provisioning by the authority's template failed, where it did. */
      readonly provisioningError: string | undefined;
      /** What `onCertificateRegistered` has thrown, where it did. */
      readonly listenerError: string | undefined;
    } & PresentedCertificate)
);

/** The answer to a client's certificates. */
export type PrincipalResult = { readonly ok: true; readonly principal: Principal } | PrincipalRefusal;

/** What a resolver is made with. */
export interface PrincipalResolverOptions {
  /**
   * Most certificates, and most connections' rights, whose records are kept in memory. Default 10,000, some 6 KiB each, part
   * of which live connections share; the least recently used one gives way.
   */
  readonly maximumRemembered?: number | undefined;
  /**
   * Whether certificates of an authority that was set INACTIVE may connect. `refuse` (default) denies; `keep` lets certificates
   * that are registered already go on, as AWS IoT does.
   */
  readonly inactiveAuthority?: "refuse" | "keep" | undefined;
  /** Called for each just-in-time registration, and again when such a certificate connects before it is activated. What it throws is the refusal's `listenerError`. */
  readonly onCertificateRegistered?: ((scope: Scope, event: CertificateRegisteredEvent) => void) | undefined;
}

/** What provisions a certificate that was registered just in time, by its authority's template. */
export type JustInTimeProvisioner = (
  scope: Scope,
  authority: CertificateAuthorityRecord,
  presented: PresentedCertificate,
) => Promise<void>;

/** Resolves principals against one registry. */
export class PrincipalResolver {
  readonly #context: RegistryContext;
  readonly #certificates: Certificates;
  readonly #reads: ConnectionReads;
  readonly #options: PrincipalResolverOptions;
  readonly #provisionJustInTime: JustInTimeProvisioner;

  constructor(
    context: RegistryContext,
    reads: ConnectionReads,
    certificateOperations: Certificates,
    provisionJustInTime: JustInTimeProvisioner,
    options: PrincipalResolverOptions,
  ) {
    this.#context = context;
    this.#reads = reads;
    this.#certificates = certificateOperations;
    this.#provisionJustInTime = provisionJustInTime;
    this.#options = options;
  }

  /**
   * Says who a client is. `chain` holds its certificates as DER, its own first; an unknown one is kept as a view. `serverName` is what
   * the client asked for (SNI).
   *
   * For a certificate that comes again nothing is read of the storage but the number of the last change, and no signature is
   * verified while the proof of before holds. Rejects where the storage does; the client must then be refused.
   */
  async resolve(chain: readonly Uint8Array[], serverName: string | undefined): Promise<PrincipalResult> {
    const [own, ...others] = chain;
    if (own === undefined) {
      return { ok: false, code: "ERR_IDENTITY_NO_CERTIFICATE", reason: "the client sent no certificate" };
    }
    this.#reads.follow();
    const id = hexText(this.#context.provider.hash("SHA-256", own));
    let known: KnownCertificate;
    try {
      known = this.#reads.certificate(id, own) ?? new KnownCertificate(parseCertificate(own), []);
    } catch (cause) {
      if (!(cause instanceof X509Error)) throw cause;
      return { ok: false, code: "ERR_IDENTITY_MALFORMED", reason: `${cause.code}: ${cause.message}`, cause };
    }
    const { registered } = known;
    if (registered.length === 0) return this.#unknown(presentedAs(id, known), others, serverName);
    const selected = this.#select(registered, serverName);
    if (selected === undefined) return serverNameRefusal(presentedAs(id, known), registered, serverName);
    const result = this.#judge(known, id, others, selected, serverName);
    known.judged();
    return result;
  }

  #judge(
    known: KnownCertificate,
    id: string,
    intermediates: readonly Uint8Array[],
    registered: RegisteredCertificate,
    serverName: string | undefined,
  ): PrincipalResult {
    const { scope, status, caCertificateId, authorityStatus } = registered;
    if (status === "PENDING_ACTIVATION" && caCertificateId !== undefined) {
      return this.#pending(scope, presentedAs(id, known), caCertificateId, registered.createdAtSeconds, undefined);
    }
    if (status !== "ACTIVE") {
      const reason = `certificate ${id} is ${status}, and only ACTIVE ones may connect`;
      return { ok: false, code: "ERR_IDENTITY_NOT_ACTIVE", reason, status, ...presentedAs(id, known) };
    }
    if (registered.certificateMode === "SNI_ONLY" && serverName === undefined) {
      return serverNameRefusal(presentedAs(id, known), [registered], serverName);
    }
    const nowSeconds = this.#context.nowSeconds();
    if (caCertificateId === undefined) {
      const { notBefore, notAfter } = known.validity;
      if (nowSeconds < notBefore || nowSeconds > notAfter) {
        const dates = `from ${dateText(notBefore)} to ${dateText(notAfter)}`;
        const reason = `certificate ${id} is valid ${dates}, and it is ${dateText(nowSeconds)}`;
        return { ok: false, code: "ERR_IDENTITY_DATES", reason, notBefore, notAfter, ...presentedAs(id, known) };
      }
      return { ok: true, principal: new Principal(scope, known, registered, undefined) };
    }
    if (authorityStatus === "INACTIVE" && this.#options.inactiveAuthority !== "keep") {
      const reason = `the certificate authority ${caCertificateId} of certificate ${id} is INACTIVE`;
      return { ok: false, code: "ERR_IDENTITY_AUTHORITY_INACTIVE", reason, caCertificateId, ...presentedAs(id, known) };
    }
    const proof = this.#provedChain(known, intermediates, registered, nowSeconds);
    if (!proof.ok) return chainRefusal(presentedAs(id, known), proof.failures);
    return { ok: true, principal: new Principal(scope, known, registered, proof) };
  }

  /**
   * The proof of before, between its time and its end: signatures stay true, the authorities are the same, and no revocation list is
   * asked. Otherwise a new one.
   */
  #provedChain(
    known: KnownCertificate,
    intermediates: readonly Uint8Array[],
    registered: RegisteredCertificate,
    time: number,
  ): ChainProof | RefusedChain {
    const { chain } = registered;
    if (chain !== undefined && chain.time <= time && time <= chain.validUntil) return chain;
    const verifier = this.#reads.verifier(scopeKey(registered.scope), "all");
    // Copies: what is remembered does not hold the handshake's buffer.
    const copies = intermediates.map((der) => new Uint8Array(der));
    const { certificate } = known;
    const result = verifier.verify({ certificate, intermediates: copies, purpose: "clientAuth", time });
    if (!result.ok) return result;
    const { ok, trustAnchor, validUntil } = result;
    const between = result.path.slice(1).map(({ encoding }) => encoding);
    registered.chain = { ok, trustAnchor, time, validUntil, intermediates: between };
    return registered.chain;
  }

  /** An unknown certificate: registered just in time where an authority of the account does that, refused in any case. */
  async #unknown(
    presented: PresentedCertificate,
    intermediates: readonly Uint8Array[],
    serverName: string | undefined,
  ): Promise<PrincipalRefusal> {
    const { certificateId: id, certificate } = presented;
    const nowSeconds = this.#context.nowSeconds();
    for (const scope of this.#scopesWithAutoRegistration(serverName)) {
      const key = scopeKey(scope);
      const verifier = this.#reads.verifier(key, "auto-registration");
      const result = verifier.verify({ certificate, intermediates, purpose: "clientAuth", time: nowSeconds });
      const anchor = result.ok ? result.trustAnchor.certificate : undefined;
      if (anchor === undefined) continue;
      const caCertificateId = certificateId(anchor, this.#context.provider);
      const authority = this.#context.storage.read((reader) =>
        certificateAuthorities.get(reader, key, caCertificateId),
      );
      if (authority === undefined) continue;
      // Certificates of such an authority are used with a server name only (AWS IoT, "Multi-account registration").
      if (authority.certificateMode === "SNI_ONLY" && serverName === undefined) continue;
      return this.#registerJustInTime(scope, authority, presented);
    }
    const failures = this.#failuresOfUnknown(certificate, intermediates, serverName);
    if (failures.length > 0) return chainRefusal(presented, failures);
    const reason = `certificate ${id} is not registered`;
    return { ok: false, code: "ERR_IDENTITY_UNKNOWN", reason, ...presented };
  }

  /** Why an unknown certificate could not be registered either: the more telling reason, where the account is clear. */
  #failuresOfUnknown(
    certificate: Certificate,
    intermediates: readonly Uint8Array[],
    serverName: string | undefined,
  ): readonly ChainFailure[] {
    const scope = this.#scopeOf(serverName) ?? this.#reads.onlyScope();
    const verifier = scope === undefined ? undefined : this.#reads.verifier(scopeKey(scope), "active");
    const time = this.#context.nowSeconds();
    const result = verifier?.verify({ certificate, intermediates, purpose: "clientAuth", time });
    return result === undefined || result.ok ? [] : result.failures;
  }

  async #registerJustInTime(
    scope: Scope,
    authority: CertificateAuthorityRecord,
    presented: PresentedCertificate,
  ): Promise<PrincipalRefusal> {
    const { certificateId: caCertificateId } = authority;
    const key = scopeKey(scope);
    const record = await this.#context.storage.write((writer) => {
      // Two connections of one device may come at once.
      const known = certificates.get(writer, key, presented.certificateId);
      if (known !== undefined) return known;
      const fields = { status: "PENDING_ACTIVATION", authority } as const;
      const added = this.#certificates.addIn(writer, scope, presented.certificate, fields);
      writer.announce("certificate-registered", [
        resourceKey(key, "certificate", added.certificateId),
        resourceKey(key, "certificate-authority", caCertificateId),
      ]);
      return added;
    });
    let provisioningError: string | undefined;
    if (authority.registrationConfig !== undefined && record.status === "PENDING_ACTIVATION") {
      try {
        await this.#provisionJustInTime(scope, authority, presented);
      } catch (error) {
        if (!isRegistryError(error)) throw error;
        if (error.code !== "ERR_REGISTRY_CERTIFICATE_STATE") provisioningError = error.message;
      }
    }
    return this.#pending(scope, presented, caCertificateId, record.createdAtSeconds, provisioningError);
  }

  #pending(
    scope: Scope,
    presented: PresentedCertificate,
    caCertificateId: string,
    registeredAtSeconds: number,
    provisioningError: string | undefined,
  ): PrincipalRefusal {
    const event: CertificateRegisteredEvent = {
      certificateId: presented.certificateId,
      caCertificateId,
      timestamp: this.#context.nowSeconds() * 1000,
      certificateStatus: "PENDING_ACTIVATION",
      awsAccountId: scope.account,
      certificateRegistrationTimestamp: String(registeredAtSeconds * 1000),
    };
    const listenerError = this.#announce(scope, event);
    const why = provisioningError === undefined ? "" : `; its template failed: ${provisioningError}`;
    const reason = `certificate ${presented.certificateId} was registered just in time and is not active yet: connect again${why}`;
    return {
      ok: false,
      code: "ERR_IDENTITY_PENDING_ACTIVATION",
      reason,
      event,
      provisioningError,
      listenerError,
      ...presented,
    };
  }

  /** Why the listener failed, where it did: the certificate is registered, and its client is refused as it would be otherwise. */
  #announce(scope: Scope, event: CertificateRegisteredEvent): string | undefined {
    try {
      this.#options.onCertificateRegistered?.(scope, event);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** The account that the server name selects, or else the only one. */
  #select(
    registered: readonly RegisteredCertificate[],
    serverName: string | undefined,
  ): RegisteredCertificate | undefined {
    const scope = this.#scopeOf(serverName);
    if (scope !== undefined) {
      const key = scopeKey(scope);
      return registered.find((one) => scopeKey(one.scope) === key);
    }
    return registered.length === 1 ? registered[0] : undefined;
  }

  #scopesWithAutoRegistration(serverName: string | undefined): readonly Scope[] {
    const selected = this.#scopeOf(serverName);
    if (selected !== undefined) return [selected];
    const scopes = this.#reads.autoRegisteringScopes();
    // Without a name that selects an account, only a single one is not a guess.
    return scopes.length === 1 ? scopes : [];
  }

  #scopeOf(serverName: string | undefined): Scope | undefined {
    return serverName === undefined ? undefined : this.#reads.scopeOfServerName(serverName);
  }
}

function presentedAs(certificateId: string, { certificate }: KnownCertificate): PresentedCertificate {
  return { certificateId, certificate };
}

function serverNameRefusal(
  presented: PresentedCertificate,
  registered: readonly RegisteredCertificate[],
  serverName: string | undefined,
): PrincipalRefusal {
  const accounts = registered.map(({ scope }) => scopeKey(scope));
  const sent = serverName === undefined ? "no server name (SNI)" : `the server name ${serverName}`;
  const reason = `the client sent ${sent}, which selects none of the accounts that have certificate ${presented.certificateId}`;
  return { ok: false, code: "ERR_IDENTITY_SERVER_NAME", reason, serverName, accounts, ...presented };
}

function chainRefusal(presented: PresentedCertificate, failures: readonly ChainFailure[]): PrincipalRefusal {
  const reason = failures.map((failure) => `${failure.code}: it ${describeFailure(failure)}`).join("; ");
  return { ok: false, code: "ERR_IDENTITY_CHAIN", reason, failures, ...presented };
}
