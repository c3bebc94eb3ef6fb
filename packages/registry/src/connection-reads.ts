/** What connections need of the registry, remembered: certificates with their authorities, accounts by server name, rights, policies. */

import { createChainVerifier, type ChainVerifier, type VerifiedChain } from "@latchkey/chain";
import type { CryptoProvider } from "@latchkey/crypto";
import {
  compile,
  parsePolicy,
  type CertificateAttributes,
  type ParsedPolicy,
  type PolicyMatcher,
  type ThingAttributes,
} from "@latchkey/policy";
import { parseCertificate, type Certificate, type Validity } from "@latchkey/x509";
import { scopeOfServerName } from "./accounts.ts";
import { certificateAttributes } from "./certificate-attributes.ts";
import { storedCertificate } from "./certificate-input.ts";
import { resourceKey } from "./changes.ts";
import { documentsOf, effectivePolicies, thingAttributes, type EffectivePolicies } from "./effective-policies.ts";
import { isRegistryError } from "./errors.ts";
import { maximumRememberedAnswers } from "./limits.ts";
import { isThingName } from "./names.ts";
import { accounts } from "./records/account.ts";
import { certificateAuthorities, type CertificateAuthorityRecord } from "./records/certificate-authority.ts";
import {
  certificateOwners,
  certificates,
  type CertificateMode,
  type CertificateRecord,
  type CertificateStatus,
} from "./records/certificate.ts";
import { allAuthorities, allOfKind, inEveryScope, RememberedReads, type Answers } from "./remembered-reads.ts";
import { scopeKey, scopeOfKey, type Scope } from "./scope.ts";
import type { Storage, StorageReader } from "./storage.ts";

/** A certificate in one of the accounts that have it. */
export interface RegisteredCertificate {
  readonly scope: Scope;
  readonly certificateId: string;
  readonly status: CertificateStatus;
  readonly certificateMode: CertificateMode;
  readonly caCertificateId: string | undefined;
  readonly createdAtSeconds: number;
  readonly authorityStatus: CertificateAuthorityRecord["status"] | undefined;
  /** The last proof that it chains to an authority of the account. Forgotten with the rest when an authority changes. */
  chain: ChainProof | undefined;
}

/** What is kept of a `VerifiedChain`: without its certificates as they were read, which take many times the room. */
export interface ChainProof extends Pick<VerifiedChain, "ok" | "trustAnchor" | "time" | "validUntil"> {
  /**
   * DER of the certificates between that of the client and the trust anchor, in this order. With them the client can be judged again
   * where it is not there to send them.
   */
  readonly intermediates: readonly Uint8Array[];
}

/** A certificate, with the accounts that have registered it. */
export class KnownCertificate {
  readonly validity: Validity;
  readonly registered: readonly RegisteredCertificate[];
  readonly #encoding: Uint8Array;
  /** While its client is judged: ten thousand read certificates would take many times what their octets do. */
  #certificate: Certificate | undefined;
  #attributes: CertificateAttributes | undefined;

  constructor(certificate: Certificate, registered: readonly RegisteredCertificate[]) {
    this.validity = certificate.validity;
    this.registered = registered;
    this.#encoding = certificate.encoding;
    this.#certificate = certificate;
  }

  /** Read again each time, once its client has been judged. */
  get certificate(): Certificate {
    return this.#certificate ?? parseCertificate(this.#encoding);
  }

  /** What policies know of it; made once for all of its connections. */
  get attributes(): CertificateAttributes {
    this.#attributes ??= certificateAttributes(this.certificate);
    return this.#attributes;
  }

  /** Its client is judged. `attributes` are made before CONNECT asks: what waits for it would outlive the garbage of the handshake. */
  judged(): void {
    this.#attributes ??= certificateAttributes(this.certificate);
    this.#certificate = undefined;
  }
}

/** Which authorities of an account count. */
export type AuthorityChoice = "all" | "active" | "auto-registration";

/** What the rights of a connection are made of. */
export interface RightsRecords extends EffectivePolicies {
  /** Undefined where the certificate is not registered any more; so for the authority, or where there is none. */
  readonly certificateStatus: CertificateStatus | undefined;
  readonly authorityStatus: CertificateAuthorityRecord["status"] | undefined;
  readonly thingAttributes: ThingAttributes | undefined;
}

/** A policy that cannot be read now. Where it is damaged, asking again gives the same. */
export interface UnreadablePolicy {
  readonly policyName: string;
  readonly reason: string;
  readonly isDamaged: boolean;
}

/** The remembered records of one registry. */
export class ConnectionReads implements Disposable {
  readonly #remembered: RememberedReads;
  readonly #provider: CryptoProvider;
  readonly #certificates: Answers<KnownCertificate | undefined>;
  readonly #scopesOfNames: Answers<{ readonly scope: Scope | undefined }>;
  readonly #scopes: Answers<readonly Scope[]>;
  readonly #authorities: Answers<{ readonly status: CertificateAuthorityRecord["status"] | undefined }>;
  readonly #verifiers: Answers<ChainVerifier>;
  readonly #rights: Answers<RightsRecords>;
  readonly #policies: Answers<readonly ParsedPolicy[] | UnreadablePolicy>;
  readonly #matchers: Answers<PolicyMatcher>;

  /** `maximum`: most answers of one type. */
  constructor(storage: Storage, provider: CryptoProvider, maximum: number = maximumRememberedAnswers) {
    const remembered = new RememberedReads(storage, maximum);
    this.#remembered = remembered;
    this.#provider = provider;
    this.#certificates = remembered.answers();
    this.#scopesOfNames = remembered.answers();
    this.#scopes = remembered.answers();
    this.#authorities = remembered.answers();
    this.#verifiers = remembered.answers();
    this.#rights = remembered.answers();
    this.#policies = remembered.answers();
    this.#matchers = remembered.answers();
  }

  /** To be called before a group of the questions below: they see every change that was committed until then. Throws `ERR_REGISTRY_UNAVAILABLE`. */
  follow(): void {
    this.#remembered.follow();
  }

  /** Forgets everything, for a caller that cannot say what has changed. */
  forgetAll(): void {
    this.#remembered.forgetAll();
  }

  /**
   * The certificate with this identifier, which is the hash of `der`; undefined where no account has it. `der` is copied where it is
   * remembered. Throws `X509Error` where it cannot be read.
   */
  certificate(id: string, der: Uint8Array): KnownCertificate | undefined {
    return this.#certificates.get(id, (reader, dependsOn) => {
      const registered: RegisteredCertificate[] = [];
      for (const owner of certificateOwners.all(reader, id)) {
        const record = certificates.get(reader, owner, id);
        if (record === undefined) continue;
        registered.push(registeredCertificate(owner, record, this.#authorityStatus(owner, record.caCertificateId)));
        dependsOn(allAuthorities(owner));
      }
      if (registered.length === 0) return undefined;
      dependsOn(inEveryScope(id));
      // `slice`: a list that grew has room for sixteen more.
      return new KnownCertificate(parseCertificate(new Uint8Array(der)), registered.slice());
    });
  }

  /** The account that a server name (SNI) selects. That a name selects none is remembered, too: `localhost` may come often. */
  scopeOfServerName(serverName: string): Scope | undefined {
    return this.#scopesOfNames.get(serverName.toLowerCase(), (reader, dependsOn) => {
      dependsOn(allOfKind("account"));
      dependsOn(allOfKind("endpoint"));
      return { scope: scopeOfServerName(reader, serverName) };
    }).scope;
  }

  /** The only account; undefined where there are several or none. */
  onlyScope(): Scope | undefined {
    const [only, second] = this.#scopes.get("first two", (reader, dependsOn) => {
      dependsOn(allOfKind("account"));
      return accounts.page(reader, { pageSize: 2 }).items.map(({ account, region }) => ({ account, region }));
    });
    return second === undefined ? only : undefined;
  }

  /** The accounts with an ACTIVE authority that registers just in time. */
  autoRegisteringScopes(): readonly Scope[] {
    return this.#scopes.get("auto-registration", (reader, dependsOn) => {
      dependsOn(allOfKind("account"));
      dependsOn(allOfKind("certificate-authority"));
      return Array.from(autoRegisteringScopes(reader));
    });
  }

  /** The chain verifier that trusts the account's authorities of this choice. */
  verifier(scope: string, choice: AuthorityChoice): ChainVerifier {
    return this.#verifiers.get(`${scope} ${choice}`, (reader, dependsOn) => {
      dependsOn(allAuthorities(scope));
      const chosen = Array.from(certificateAuthorities.all(reader, scope)).filter((one) => isChosen(one, choice));
      const trustAnchors = chosen.map(storedCertificate);
      return createChainVerifier({ provider: this.#provider, trustAnchors, profile: "iotDevice" });
    });
  }

  /** The records behind the rights of a connection. */
  rights(
    scope: string,
    certificateId: string,
    caCertificateId: string | undefined,
    clientIdentifier: string | undefined,
  ): RightsRecords {
    // Another client identifier is the name of no thing, and need not be remembered.
    const thingName = clientIdentifier !== undefined && isThingName(clientIdentifier) ? clientIdentifier : undefined;
    const key = `${scope}/${certificateId}/${caCertificateId ?? ""}${thingName === undefined ? "" : `/${thingName}`}`;
    return this.#rights.get(key, (reader, dependsOn) => {
      const effective = effectivePolicies(reader, scope, certificateId, thingName);
      const dependencies = [...effective.dependencies];
      if (caCertificateId !== undefined) {
        dependencies.push(resourceKey(scope, "certificate-authority", caCertificateId));
      }
      for (const dependency of dependencies) dependsOn(dependency);
      return {
        ...effective,
        // `slice`: a list that grew has room for sixteen more.
        dependencies: dependencies.slice(),
        certificateStatus: this.#certificateStatus(reader, scope, certificateId),
        authorityStatus: this.#authorityStatus(scope, caCertificateId),
        thingAttributes: thingAttributes(effective.thing),
      };
    });
  }

  /** The policies of these names, compiled together; one that was deleted meanwhile counts for nothing. */
  matcher(scope: string, policyNames: readonly string[]): PolicyMatcher | UnreadablePolicy {
    const parsed: ParsedPolicy[] = [];
    for (const policyName of policyNames) {
      const read = this.#policy(scope, policyName);
      if ("reason" in read) return read;
      parsed.push(...read);
    }
    return this.#matchers.get(`${scope} ${policyNames.join(" ")}`, (_, dependsOn) => {
      for (const policyName of policyNames) dependsOn(resourceKey(scope, "policy", policyName));
      return compile(parsed);
    });
  }

  [Symbol.dispose](): void {
    this.#remembered[Symbol.dispose]();
  }

  /** By the remembered certificate, which a client has shown just before its rights are asked for, or else read. */
  #certificateStatus(reader: StorageReader, scope: string, certificateId: string): CertificateStatus | undefined {
    const registered = this.#certificates.remembered(certificateId)?.registered;
    const known = registered?.find((one) => scopeKey(one.scope) === scope);
    return known?.status ?? certificates.get(reader, scope, certificateId)?.status;
  }

  /** Of few authorities that many certificates have. Undefined where there is none. */
  #authorityStatus(
    scope: string,
    caCertificateId: string | undefined,
  ): CertificateAuthorityRecord["status"] | undefined {
    if (caCertificateId === undefined) return undefined;
    const key = resourceKey(scope, "certificate-authority", caCertificateId);
    return this.#authorities.get(key, (reader, dependsOn) => {
      dependsOn(key);
      return { status: certificateAuthorities.get(reader, scope, caCertificateId)?.status };
    }).status;
  }

  /** The policy as a list of one, none where it was deleted, or why it cannot be read. */
  #policy(scope: string, policyName: string): readonly ParsedPolicy[] | UnreadablePolicy {
    try {
      return this.#policies.get(`${scope}/${policyName}`, (reader, dependsOn) => {
        dependsOn(resourceKey(scope, "policy", policyName));
        const [found] = documentsOf(reader, scope, [policyName]);
        if (found === undefined) return [];
        const result = parsePolicy(found.document, { name: policyName });
        return result.ok ? [result.policy] : { policyName, reason: result.errors[0].message, isDamaged: true };
      });
    } catch (error) {
      if (!isRegistryError(error)) throw error;
      return { policyName, reason: error.message, isDamaged: error.code === "ERR_REGISTRY_CORRUPT" };
    }
  }
}

function registeredCertificate(
  owner: string,
  record: CertificateRecord,
  authorityStatus: RegisteredCertificate["authorityStatus"],
): RegisteredCertificate {
  const { certificateId, status, certificateMode, caCertificateId, createdAtSeconds } = record;
  return {
    scope: scopeOfKey(owner),
    certificateId,
    status,
    certificateMode,
    caCertificateId,
    createdAtSeconds,
    authorityStatus,
    chain: undefined,
  };
}

function isChosen({ status, autoRegistration }: CertificateAuthorityRecord, choice: AuthorityChoice): boolean {
  if (choice === "all") return true;
  return status === "ACTIVE" && (choice === "active" || autoRegistration);
}

function* autoRegisteringScopes(reader: StorageReader): Generator<Scope> {
  for (const { account, region } of accounts.all(reader)) {
    for (const authority of certificateAuthorities.all(reader, scopeKey({ account, region }))) {
      if (!isChosen(authority, "auto-registration")) continue;
      yield { account, region };
      break;
    }
  }
}
