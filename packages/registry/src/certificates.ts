/**
 * Device certificates: the ways to get one, their statuses, lists and deletion.
 */

import { DerReader, encodePem } from "@latchkey/asn1";
import type { KeyPair, PublicKey } from "@latchkey/crypto";
import {
  certificateId,
  certificateToPem,
  deviceCertificate,
  issueCertificateAsync,
  makeName,
  namesMatch,
  type Certificate,
  type CertificateIssuer,
  type CertificationRequest,
} from "@latchkey/x509";
import {
  checkDates,
  checkKey,
  checkSignedBy,
  readCertificate,
  readRequest,
  refused,
  storedCertificate,
} from "./certificate-input.ts";
import { nextOrder, withoutOrder } from "./accounts.ts";
import type { RegistryContext } from "./context.ts";
import { alreadyExists, invalid, RegistryError } from "./errors.ts";
import { checkCertificateId } from "./names.ts";
import { certificateAuthorities, type CertificateAuthorityRecord } from "./records/certificate-authority.ts";
import {
  certificateOwners,
  certificates,
  certificatesByAuthority,
  certificatesByOrder,
  type CertificateMode,
  type CertificateRecord,
  type CertificateStatus,
} from "./records/certificate.ts";
import { resourceArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";
import { authorityNotActive, ensureLocalAuthority } from "./stored-authority.ts";
import {
  attachedPolicies,
  attachedThings,
  changeCertificate,
  insertCertificate,
  removeCertificate,
  requireCertificate,
  wrongCertificateState,
} from "./stored-certificate.ts";
import type { Page, PageOptions } from "./table.ts";

/** A certificate that the registry made together with its key pair. The private key is nowhere else. */
export interface CreatedKeysAndCertificate {
  readonly record: CertificateRecord;
  readonly publicKeyPem: string;
  /** PKCS #1 for RSA, as AWS gives it; PKCS #8 for P-256. */
  readonly privateKeyPem: string;
}

/** What a new certificate is stored with besides its octets. Without `authority` it belongs to the local one. */
interface NewCertificateFields {
  readonly status: CertificateStatus;
  readonly certificateMode?: CertificateMode;
  readonly authority?: CertificateAuthorityRecord | undefined;
}

/** How a key pair and its certificate are made. */
interface KeyOptions {
  readonly keyAlgorithm?: "rsa-2048" | "p-256" | undefined;
  /** Default: the end of 2049, as AWS has it. */
  readonly notAfterSeconds?: number | undefined;
}

const keyAlgorithms = {
  "rsa-2048": { name: "rsa", modulusBits: 2048 },
  "p-256": { name: "ec", curve: "P-256" },
} as const;

/** What belongs to a new certificate and is kept or lost with it. */
type AlsoStored = (writer: StorageWriter, record: CertificateRecord) => void;

/** 2049-12-31T23:59:59Z: the end of the certificates that AWS IoT issues. */
const issuedNotAfter = 2_524_607_999;
/** Clocks of devices are behind. */
const backdatedSeconds = 5 * 60;

/** The device certificates of a registry. */
export class Certificates {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /**
   * Makes a key pair and a certificate (CreateKeysAndCertificate): RSA 2048 as AWS does, P-256 where asked for. The key is
   * made off the calling thread and not stored. Throws `ERR_REGISTRY_CERTIFICATE_STATE` where the account has set the local authority INACTIVE.
   */
  async createKeysAndCertificate(
    scope: Scope,
    options: KeyOptions & { readonly setAsActive?: boolean | undefined } = {},
  ): Promise<CreatedKeysAndCertificate> {
    return this.makeKeysAndCertificate(scope, options.setAsActive === true ? "ACTIVE" : "INACTIVE", options);
  }

  /** As `createKeysAndCertificate`, in any status. `also` runs in the transaction that stores the certificate. */
  async makeKeysAndCertificate(
    scope: Scope,
    status: CertificateStatus,
    options: KeyOptions,
    also?: AlsoStored,
  ): Promise<CreatedKeysAndCertificate> {
    const { provider } = this.#context;
    const { keyAlgorithm = "rsa-2048" } = options;
    // Callers without types may write it as a curve is written, and would get a key of the other kind.
    if (!Object.hasOwn(keyAlgorithms, keyAlgorithm)) throw invalid("keyAlgorithm", keyAlgorithm, "rsa-2048 or p-256");
    const keyPair = await provider.generateKeyPairAsync(keyAlgorithms[keyAlgorithm]);
    const certificate = await this.issue({ publicKey: keyPair.publicKey }, options.notAfterSeconds);
    const record = await this.add(scope, certificate, { status }, also);
    return { record, ...pemOfPair(keyPair, provider.exportPkcs8(keyPair.privateKey)) };
  }

  /**
   * Makes a certificate for the key and the subject of a request (CreateCertificateFromCsr). The private key stays with its
   * maker; the same request gives another certificate each time.
   *
   * Throws `ERR_REGISTRY_INVALID`, `ERR_REGISTRY_CERTIFICATE`, `ERR_REGISTRY_CERTIFICATE_STATE`.
   */
  async createFromCsr(
    scope: Scope,
    requestPem: string,
    options: { readonly setAsActive?: boolean | undefined } = {},
  ): Promise<CertificateRecord> {
    return this.makeFromCsr(scope, requestPem, options.setAsActive === true ? "ACTIVE" : "INACTIVE");
  }

  /** As `createFromCsr`, in any status. `also` runs in the transaction that stores the certificate. */
  async makeFromCsr(
    scope: Scope,
    requestPem: string,
    status: CertificateStatus,
    also?: AlsoStored,
  ): Promise<CertificateRecord> {
    const request = readRequest(requestPem, this.#context.provider);
    const certificate = await this.issue({ request });
    return this.add(scope, certificate, { status }, also);
  }

  /**
   * Registers a certificate of a registered, ACTIVE authority (RegisterCertificate).
   *
   * Throws `ERR_REGISTRY_CERTIFICATE_CONFLICT` where several authorities have its issuer's name and `caCertificatePem` does
   * not say which, `ERR_REGISTRY_CERTIFICATE`, `_CERTIFICATE_STATE`, `_ALREADY_EXISTS`, `_INVALID`.
   */
  async register(
    scope: Scope,
    registration: {
      readonly certificatePem: string;
      readonly caCertificatePem?: string | undefined;
      readonly status?: CertificateStatus | undefined;
    },
  ): Promise<CertificateRecord> {
    const { provider } = this.#context;
    const nowSeconds = this.#context.nowSeconds();
    const status = checkRegistrationStatus(registration.status);
    const certificate = readCertificate("certificatePem", registration.certificatePem);
    checkKey("certificatePem", certificate.subjectPublicKeyInfo.encoding, provider);
    checkDates("certificatePem", certificate, nowSeconds);
    const named =
      registration.caCertificatePem === undefined
        ? undefined
        : readCertificate("caCertificatePem", registration.caCertificatePem);
    const authority = this.#context.storage.read((reader) =>
      this.#authorityFor(reader, scopeKey(scope), certificate, named),
    );
    const issuer = storedCertificate(authority);
    checkSignedBy("certificatePem", certificate, issuer, { provider, nowSeconds });
    return this.add(scope, certificate, { status, authority });
  }

  /** Registers a certificate without looking at its issuer (RegisterCertificateWithoutCA). Throws as `register`. */
  async registerWithoutAuthority(
    scope: Scope,
    registration: { readonly certificatePem: string; readonly status?: CertificateStatus | undefined },
  ): Promise<CertificateRecord> {
    const status = checkRegistrationStatus(registration.status);
    const certificate = readCertificate("certificatePem", registration.certificatePem);
    checkKey("certificatePem", certificate.subjectPublicKeyInfo.encoding, this.#context.provider);
    checkDates("certificatePem", certificate, this.#context.nowSeconds());
    return this.add(scope, certificate, { status, certificateMode: "SNI_ONLY", authority: undefined });
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  describe(scope: Scope, id: string): CertificateRecord {
    checkCertificateId(id);
    return this.#context.storage.read((reader) => requireCertificate(reader, scopeKey(scope), id));
  }

  /** A page of them, oldest first. */
  list(scope: Scope, options: PageOptions = {}): Page<CertificateRecord> {
    const key = scopeKey(scope);
    return this.#context.storage.read((reader) =>
      recordsOf(reader, key, certificatesByOrder.page(reader, options, key)),
    );
  }

  /** A page of those that an authority signed, oldest first. */
  listByAuthority(scope: Scope, caCertificateId: string, options: PageOptions = {}): Page<CertificateRecord> {
    checkCertificateId(caCertificateId);
    const key = scopeKey(scope);
    return this.#context.storage.read((reader) =>
      recordsOf(reader, key, certificatesByAuthority.page(reader, options, key, caCertificateId)),
    );
  }

  /**
   * Sets ACTIVE, INACTIVE or REVOKED (UpdateCertificate); the same status again changes nothing.
   *
   * REVOKED is final: `force` makes it another. A certificate that waits for its transfer keeps its status. Throws
   * `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_INVALID` for another status, `ERR_REGISTRY_CERTIFICATE_STATE`.
   */
  async updateStatus(
    scope: Scope,
    id: string,
    status: CertificateStatus,
    options: { readonly force?: boolean | undefined } = {},
  ): Promise<CertificateRecord> {
    checkCertificateId(id);
    if (!(settableStatuses as readonly string[]).includes(status)) {
      throw invalid("newStatus", status, `one of ${settableStatuses.join(", ")}`);
    }
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const before = requireCertificate(writer, key, id);
      if (before.status === status) return before;
      if (before.status === "PENDING_TRANSFER")
        throw wrongCertificateState(before, ["PENDING_ACTIVATION", ...settableStatuses]);
      if (before.status === "REVOKED" && options.force !== true)
        throw wrongCertificateState(before, ["ACTIVE", "INACTIVE"]);
      return changeCertificate(writer, key, before, { status, modifiedAtSeconds: this.#context.nowSeconds() });
    });
  }

  /**
   * Deletes a certificate that is not ACTIVE and has neither policies nor things (DeleteCertificate). `force` detaches its
   * policies first; things stay a reason to refuse.
   *
   * Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_CERTIFICATE_STATE`, `ERR_REGISTRY_DELETE_CONFLICT`.
   */
  async delete(scope: Scope, id: string, options: { readonly force?: boolean | undefined } = {}): Promise<void> {
    checkCertificateId(id);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const record = requireCertificate(writer, key, id);
      if (record.status === "ACTIVE" || record.status === "PENDING_TRANSFER") {
        throw wrongCertificateState(record, ["INACTIVE", "REVOKED", "PENDING_ACTIVATION"]);
      }
      const attached = attachedThings(writer, key, id);
      if (options.force !== true) attached.push(...attachedPolicies(writer, key, id));
      if (attached.length > 0) {
        throw new RegistryError(
          "ERR_REGISTRY_DELETE_CONFLICT",
          `certificate ${id} is attached to ${attached.join(", ")}: detach it first`,
          { resourceId: id, attached },
        );
      }
      removeCertificate(writer, key, record);
    });
  }

  /** Issues a certificate under the local authority. Throws `ERR_REGISTRY_INVALID` where the registry has no key of it. */
  async issue(
    input: { readonly publicKey: PublicKey } | { readonly request: CertificationRequest },
    validUntilSeconds: number = issuedNotAfter,
  ): Promise<Certificate> {
    const { provider } = this.#context;
    const issuer = this.requireIssuer();
    const nowSeconds = this.#context.nowSeconds();
    const notBefore = Math.max(nowSeconds - backdatedSeconds, issuer.certificate.validity.notBefore);
    const validity = { notBefore, notAfter: Math.max(validUntilSeconds, notBefore) };
    const subject = "publicKey" in input ? makeName([{ type: "commonName", value: "AWS IoT Certificate" }]) : undefined;
    return issueCertificateAsync({ provider, issuer, template: deviceCertificate({ subject, validity }), ...input });
  }

  /** Throws `ERR_REGISTRY_INVALID` where the registry was made without the local authority's key. */
  requireIssuer(): CertificateIssuer {
    const { issuer } = this.#context;
    if (issuer === undefined)
      throw invalid("issuer", "nothing", "the key of the local authority: this registry has none");
    return issuer;
  }

  /** Stores a new certificate. Throws `ERR_REGISTRY_ALREADY_EXISTS`, and `_CERTIFICATE_STATE` where the local authority is INACTIVE. */
  async add(
    scope: Scope,
    certificate: Certificate,
    fields: NewCertificateFields,
    also?: AlsoStored,
  ): Promise<CertificateRecord> {
    return this.#context.storage.write((writer) => {
      const record = this.addIn(writer, scope, certificate, fields);
      also?.(writer, record);
      return record;
    });
  }

  /** As `add`, within a transaction. One of the local authority brings that with it where the account does not have it yet. */
  addIn(
    writer: StorageWriter,
    scope: Scope,
    certificate: Certificate,
    fields: NewCertificateFields,
  ): CertificateRecord {
    const { provider, issuer } = this.#context;
    const id = certificateId(certificate, provider);
    const key = scopeKey(scope);
    const local = "authority" in fields ? undefined : issuer?.certificate;
    const certificateMode = fields.certificateMode ?? fields.authority?.certificateMode ?? "DEFAULT";
    checkIsNew(writer, scope, id, certificateMode);
    const nowSeconds = this.#context.nowSeconds();
    const issuedBy = local && ensureLocalAuthority(writer, key, local, { provider, nowSeconds });
    if (issuedBy?.status === "INACTIVE") throw authorityNotActive(issuedBy);
    const record: CertificateRecord = {
      certificateId: id,
      certificatePem: certificateToPem(certificate),
      status: fields.status,
      certificateMode,
      caCertificateId: (issuedBy ?? fields.authority)?.certificateId,
      order: nextOrder(writer, scopeKey(scope)),
      createdAtSeconds: nowSeconds,
      modifiedAtSeconds: nowSeconds,
      customerVersion: 1,
      previousOwner: undefined,
      transfer: undefined,
    };
    insertCertificate(writer, key, record);
    return record;
  }

  #authorityFor(
    reader: StorageReader,
    scope: string,
    certificate: Certificate,
    named: Certificate | undefined,
  ): CertificateAuthorityRecord {
    const { provider } = this.#context;
    const candidates: CertificateAuthorityRecord[] = [];
    if (named === undefined) {
      for (const record of certificateAuthorities.all(reader, scope)) {
        const authority = storedCertificate(record);
        if (namesMatch(authority.subject, certificate.issuer)) candidates.push(record);
      }
    } else {
      const record = certificateAuthorities.get(reader, scope, certificateId(named, provider));
      if (record === undefined) throw refused("caCertificatePem is not a registered certificate authority");
      candidates.push(record);
    }
    const [first] = candidates;
    if (first === undefined) {
      throw refused("certificatePem was signed by none of the registered certificate authorities: register it first");
    }
    if (candidates.length > 1) {
      const ids = candidates.map((one) => one.certificateId);
      throw new RegistryError(
        "ERR_REGISTRY_CERTIFICATE_CONFLICT",
        `${ids.length} certificate authorities have the issuer's name: say which with caCertificatePem`,
        { candidates: ids },
      );
    }
    if (first.status !== "ACTIVE") throw authorityNotActive(first);
    return first;
  }
}

const settableStatuses = ["ACTIVE", "INACTIVE", "REVOKED"] as const;

function checkRegistrationStatus(status: CertificateStatus = "INACTIVE"): CertificateStatus {
  if ((settableStatuses as readonly string[]).includes(status)) return status;
  throw invalid("status", status, `one of ${settableStatuses.join(", ")}`);
}

/** A certificate is in one account of a region, except where it is SNI_ONLY in each. */
function checkIsNew(writer: StorageWriter, scope: Scope, id: string, mode: CertificateMode): void {
  const key = scopeKey(scope);
  const region = key.slice(key.indexOf(":"));
  for (const owner of certificateOwners.all(writer, id)) {
    const isShared = mode === "SNI_ONLY" && certificates.get(writer, owner, id)?.certificateMode === "SNI_ONLY";
    if (owner !== key && (!owner.endsWith(region) || isShared)) continue;
    throw alreadyExists("certificate", id, owner === key ? resourceArn(scope, "cert", id) : undefined);
  }
}

function recordsOf(reader: StorageReader, scope: string, page: Page<string>): Page<CertificateRecord> {
  return {
    items: page.items.map((orderAndId) => requireCertificate(reader, scope, withoutOrder(orderAndId))),
    nextToken: page.nextToken,
  };
}

/** PEM of a key pair as AWS gives it: RSA keys in PKCS #1. `pkcs8` is the private key's PrivateKeyInfo. */
function pemOfPair(
  { publicKey }: KeyPair,
  pkcs8: Uint8Array,
): { readonly publicKeyPem: string; readonly privateKeyPem: string } {
  const publicKeyPem = encodePem("PUBLIC KEY", publicKey.spki);
  if (publicKey.algorithm.name !== "rsa") return { publicKeyPem, privateKeyPem: encodePem("PRIVATE KEY", pkcs8) };
  // PrivateKeyInfo ::= SEQUENCE { version, algorithm, privateKey OCTET STRING, ... } (RFC 5958 §2).
  const fields = new DerReader(pkcs8).sequence();
  fields.smallInteger(1);
  fields.any();
  return { publicKeyPem, privateKeyPem: encodePem("RSA PRIVATE KEY", fields.octetString()) };
}
