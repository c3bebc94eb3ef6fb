/** Transfers of certificates between the accounts of a region: offered, then accepted, rejected or taken back. */

import { nextOrder, requireAccount } from "./accounts.ts";
import { storedCertificate } from "./certificate-input.ts";
import type { Certificates } from "./certificates.ts";
import type { RegistryContext } from "./context.ts";
import { alreadyExists, invalid, notFound, RegistryError } from "./errors.ts";
import { checkCertificateId } from "./names.ts";
import { certificateAuthorities } from "./records/certificate-authority.ts";
import { certificates, incomingTransfers, type CertificateRecord } from "./records/certificate.ts";
import { resourceArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";
import { ensureLocalAuthority } from "./stored-authority.ts";
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

/** The transfers of a registry. */
export class CertificateTransfers {
  readonly #context: RegistryContext;
  readonly #certificates: Certificates;

  constructor(context: RegistryContext, certificateOperations: Certificates) {
    this.#context = context;
    this.#certificates = certificateOperations;
  }

  /**
   * Offers an INACTIVE certificate without policies and things to another account of the region (TransferCertificate).
   *
   * Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_CERTIFICATE_STATE`, `ERR_REGISTRY_TRANSFER_CONFLICT`.
   */
  async offer(scope: Scope, id: string, targetAccount: string, transferMessage?: string): Promise<CertificateRecord> {
    checkCertificateId(id);
    if (transferMessage !== undefined && transferMessage.length > 128) {
      throw invalid("transferMessage", `${transferMessage.length} characters`, "at most 128 characters");
    }
    const target = { account: targetAccount, region: scope.region };
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const before = requireCertificate(writer, key, id);
      requireAccount(writer, target);
      if (before.status !== "INACTIVE") throw wrongCertificateState(before, ["INACTIVE"]);
      const attached = [...attachedThings(writer, key, id), ...attachedPolicies(writer, key, id)];
      const isOwn = targetAccount === scope.account;
      if (attached.length > 0 || isOwn || certificates.get(writer, scopeKey(target), id) !== undefined) {
        const why =
          isOwn || attached.length === 0 ? "the target account has it" : `it is attached to ${attached.join(", ")}`;
        throw new RegistryError("ERR_REGISTRY_TRANSFER_CONFLICT", `certificate ${id} cannot be transferred: ${why}`, {
          certificateId: id,
          attached,
        });
      }
      incomingTransfers.add(writer, scopeKey(target), id, key);
      return changeCertificate(writer, key, before, {
        modifiedAtSeconds: this.#context.nowSeconds(),
        status: "PENDING_TRANSFER",
        transfer: {
          targetAccount,
          transferMessage,
          rejectReason: undefined,
          transferDateSeconds: this.#context.nowSeconds(),
          acceptDateSeconds: undefined,
          rejectDateSeconds: undefined,
        },
      });
    });
  }

  /**
   * Takes an offered certificate over into this account.
   *
   * The local authority comes with it. An authority that the other account has registered does not: where this account has not
   * registered it, too, the certificate is from now on one without an authority, held to its own dates. Accepting it says
   * what registering it without an authority says. Throws `ERR_REGISTRY_NOT_FOUND`, `_TRANSFER_COMPLETED`, and
   * `_ALREADY_EXISTS` where the account has registered it itself since it was offered.
   */
  async accept(
    scope: Scope,
    id: string,
    options: { readonly setAsActive?: boolean | undefined } = {},
  ): Promise<CertificateRecord> {
    checkCertificateId(id);
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const { source, record } = incoming(writer, key, id);
      if (certificates.get(writer, key, id) !== undefined) {
        throw alreadyExists("certificate", id, resourceArn(scope, "cert", id));
      }
      incomingTransfers.delete(writer, key, id, source);
      const nowSeconds = this.#context.nowSeconds();
      const caCertificateId = this.#takeAuthority(writer, source, key, record.caCertificateId);
      removeCertificate(writer, source, record);
      const order = nextOrder(writer, scopeKey(scope));
      const accepted: CertificateRecord = {
        ...record,
        caCertificateId,
        status: options.setAsActive === true ? "ACTIVE" : "INACTIVE",
        order,
        modifiedAtSeconds: nowSeconds,
        customerVersion: record.customerVersion + 1,
        previousOwner: source.slice(0, source.indexOf(":")),
        transfer: record.transfer && { ...record.transfer, acceptDateSeconds: nowSeconds },
      };
      insertCertificate(writer, key, accepted);
      return accepted;
    });
  }

  /** The authority that a certificate of account `source` has in account `target`; undefined where it is to have none. */
  #takeAuthority(
    writer: StorageWriter,
    source: string,
    target: string,
    caCertificateId: string | undefined,
  ): string | undefined {
    if (caCertificateId === undefined) return undefined;
    if (certificateAuthorities.get(writer, target, caCertificateId) !== undefined) return caCertificateId;
    const authority = certificateAuthorities.get(writer, source, caCertificateId);
    if (authority?.isLocal !== true) return undefined;
    const { provider } = this.#context;
    const nowSeconds = this.#context.nowSeconds();
    ensureLocalAuthority(writer, target, storedCertificate(authority), { provider, nowSeconds });
    return caCertificateId;
  }

  /** Refuses an offered certificate: it is INACTIVE in its account again. Throws as `accept`. */
  async reject(scope: Scope, id: string, rejectReason?: string): Promise<void> {
    checkCertificateId(id);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const { source, record } = incoming(writer, key, id);
      incomingTransfers.delete(writer, key, id, source);
      const rejectDateSeconds = this.#context.nowSeconds();
      const transfer = record.transfer && { ...record.transfer, rejectReason, rejectDateSeconds };
      changeCertificate(writer, source, record, {
        status: "INACTIVE",
        transfer,
        modifiedAtSeconds: rejectDateSeconds,
      });
    });
  }

  /** Takes an offer of this account back. Throws as `accept`. */
  async cancel(scope: Scope, id: string): Promise<void> {
    checkCertificateId(id);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const record = requireCertificate(writer, key, id);
      if (record.status !== "PENDING_TRANSFER" || record.transfer === undefined) throw transferCompleted(id);
      const target = scopeKey({ account: record.transfer.targetAccount, region: scope.region });
      incomingTransfers.delete(writer, target, id, key);
      const modifiedAtSeconds = this.#context.nowSeconds();
      changeCertificate(writer, key, record, { status: "INACTIVE", transfer: undefined, modifiedAtSeconds });
    });
  }

  /** Those that this account has offered to others, oldest first. */
  listOutgoing(scope: Scope, options: PageOptions = {}): Page<CertificateRecord> {
    const page = this.#certificates.list(scope, options);
    return { ...page, items: page.items.filter(({ status }) => status === "PENDING_TRANSFER") };
  }
}

function incoming(
  reader: StorageReader,
  target: string,
  id: string,
): { readonly source: string; readonly record: CertificateRecord } {
  const [source] = [...incomingTransfers.all(reader, target, id)];
  if (source === undefined) {
    if (certificates.get(reader, target, id)?.transfer !== undefined) throw transferCompleted(id);
    throw notFound("transfer of certificate", id);
  }
  return { source, record: requireCertificate(reader, source, id) };
}

function transferCompleted(id: string): RegistryError<"ERR_REGISTRY_TRANSFER_COMPLETED"> {
  return new RegistryError("ERR_REGISTRY_TRANSFER_COMPLETED", `no transfer of certificate ${id} is under way`, {
    certificateId: id,
  });
}
