/**
 * Many certificates at once, as JSON lines: one object a line, of which only `certificatePem` is needed; see `BulkCertificate`.
 *
 * A transaction takes some milliseconds, and other work can run between transactions. A line that is refused is reported and changes
 * nothing; the others go on. What is registered already is skipped, so that an interrupted import can be run again.
 */

import { certificateId, type Certificate } from "@latchkey/x509";
import { withoutOrder } from "./accounts.ts";
import { checkKey, checkSignedBy, readCertificate, storedCertificate } from "./certificate-input.ts";
import type { Certificates } from "./certificates.ts";
import type { RegistryContext } from "./context.ts";
import { list, Misfit, object, oneOf, optional, text, type Decoder } from "./decode.ts";
import { invalid, isRegistryError } from "./errors.ts";
import { checkCertificateId, checkThingName } from "./names.ts";
import type { Policies } from "./policies.ts";
import { certificateAuthorities, type CertificateAuthorityRecord } from "./records/certificate-authority.ts";
import {
  certificates as certificateTable,
  certificatesByOrder,
  type CertificateMode,
  type CertificateRecord,
} from "./records/certificate.ts";
import { policiesOfTarget } from "./records/policy.ts";
import { things as thingTable, thingsOfPrincipal, type ThingPrincipalType } from "./records/thing.ts";
import { scopeKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";
import { authorityNotActive } from "./stored-authority.ts";
import type { Things } from "./things.ts";

/** A thing that a certificate is attached to. */
export interface BulkThing {
  readonly thingName: string;
  /** Default `NON_EXCLUSIVE_THING`. */
  readonly thingPrincipalType?: ThingPrincipalType | undefined;
}

/** A certificate to register. */
export interface BulkCertificate {
  readonly certificatePem: string;
  /** Default `INACTIVE`. */
  readonly status?: "ACTIVE" | "INACTIVE" | "REVOKED" | undefined;
  /**
   * The authority that signed it. Where the account has it, it must be ACTIVE and have signed the certificate, which belongs to it then.
   * Where the account does not have it, the certificate is registered without an authority, as a transferred one is.
   */
  readonly caCertificateId?: string | undefined;
  /** Default: that of the authority, or `SNI_ONLY` without one. Counts only without one. */
  readonly certificateMode?: CertificateMode | undefined;
  /** Made where they do not exist. */
  readonly things?: readonly BulkThing[] | undefined;
  /** One more, for lists made by hand. */
  readonly thingName?: string | undefined;
  readonly policyNames?: readonly string[] | undefined;
}

/** What an import has done. */
export interface BulkResult {
  readonly registered: number;
  /** Registered already. */
  readonly skipped: number;
  /** Refused ones, by their place from 0; the first thousand. */
  readonly refused: readonly { readonly index: number; readonly code: string; readonly message: string }[];
  readonly refusedCount: number;
}

/** Work of a transaction, in units of a small certificate: some milliseconds. */
const chunkWork = 50;
/** A signature check of the slowest key that is possible costs as much as so many small certificates. */
const workOfSignature = 3;
/** Characters of a certificate that cost as much as a small one. */
const charactersOfUnit = 4096;
/** Certificates that an export reads at once. */
const pageSize = 50;
const maximumReported = 1000;
/** Things of one certificate, which are stored in one transaction. */
const maximumThings = 1000;

/** What bulk operations work with. */
export interface BulkParts {
  readonly context: RegistryContext;
  readonly certificates: Certificates;
  readonly policies: Policies;
  readonly things: Things;
}

/**
 * Registers certificates, those without a known authority as `registerWithoutAuthority` does, in whichever dates. `pause` is awaited between chunks: an
 * event loop gets its turn there.
 */
export async function importCertificates(
  parts: BulkParts,
  scope: Scope,
  input: Iterable<BulkCertificate | Error>,
  pause: () => Promise<void>,
): Promise<BulkResult> {
  const refused: { index: number; code: string; message: string }[] = [];
  let registered = 0;
  let skipped = 0;
  let refusedCount = 0;
  let index = 0;
  const report = (error: Error): void => {
    refusedCount++;
    const code = isRegistryError(error) ? error.code : "ERR_REGISTRY_INVALID";
    if (refused.length < maximumReported) refused.push({ index, code, message: error.message });
  };
  for (const chunk of chunksOf(input)) {
    const outcomes = await parts.context.storage.write((writer) =>
      chunk.map((item) => registerOne(parts, writer, scope, item)),
    );
    for (const outcome of outcomes) {
      if (outcome === "registered") registered++;
      else if (outcome === "skipped") skipped++;
      else report(outcome);
      index++;
    }
    await pause();
  }
  return { registered, skipped, refused, refusedCount };
}

/** Reads JSON lines. A line that is not such an object comes out as the error that it is. */
export function* readBulkLines(lines: Iterable<string>): Generator<BulkCertificate | Error> {
  for (const line of lines) {
    if (line.trim() === "") continue;
    yield readBulkLine(line);
  }
}

/**
 * Writes all certificates of an account as JSON lines, oldest first, a page of the registry at a time. What is under way stays behind: one
 * that waits for its transfer or activation is written as INACTIVE.
 */
export function* exportCertificates({ context }: BulkParts, scope: Scope): Generator<string> {
  const key = scopeKey(scope);
  let nextToken: string | undefined;
  do {
    const page = context.storage.read((reader) => {
      const { items, nextToken: next } = certificatesByOrder.page(reader, { pageSize, nextToken }, key);
      const lines = items.flatMap((orderAndId) => {
        const id = withoutOrder(orderAndId);
        const record = certificateTable.get(reader, key, id);
        if (record === undefined) return [];
        return [lineOf(reader, key, record)];
      });
      return { lines, next };
    });
    yield* page.lines;
    nextToken = page.next;
  } while (nextToken !== undefined);
}

/** All of one certificate or nothing of it: what can be refused is looked at before anything is written. */
function registerOne(
  { context, certificates, policies, things: thingOperations }: BulkParts,
  writer: StorageWriter,
  scope: Scope,
  item: BulkCertificate | Error,
): "registered" | "skipped" | Error {
  if (item instanceof Error) return item;
  const key = scopeKey(scope);
  try {
    const certificate = readCertificate("certificatePem", item.certificatePem);
    checkKey("certificatePem", certificate.subjectPublicKeyInfo.encoding, context.provider);
    const id = certificateId(certificate, context.provider);
    if (certificateTable.get(writer, key, id) !== undefined) return "skipped";
    const { status = "INACTIVE" } = item;
    const policyNames = Array.from(new Set(item.policyNames));
    const things = thingsOf(item);
    policies.checkAttachable(writer, key, policyNames);
    const authority = knownAuthority(writer, key, context, certificate, item.caCertificateId);
    const certificateMode = authority?.certificateMode ?? item.certificateMode ?? "SNI_ONLY";
    certificates.addIn(writer, scope, certificate, { status, certificateMode, authority });
    for (const name of policyNames) policies.attachIn(writer, scope, name, { kind: "cert", certificateId: id });
    for (const { thingName, thingPrincipalType = "NON_EXCLUSIVE_THING" } of things) {
      if (thingTable.get(writer, key, thingName) === undefined) thingOperations.createIn(writer, scope, thingName, {});
      thingOperations.attachNewIn(writer, key, thingName, id, thingPrincipalType);
    }
    return "registered";
  } catch (error) {
    if (isRegistryError(error) && error.code !== "ERR_REGISTRY_UNAVAILABLE") return error;
    throw error;
  }
}

/**
 * The things of a certificate. Throws `ERR_REGISTRY_INVALID` for what could be refused only after something was written: a wrong name, a thing
 * twice, an exclusive one beside others.
 */
function thingsOf({ things = [], thingName }: BulkCertificate): readonly BulkThing[] {
  const all = thingName === undefined ? things : [...things, { thingName }];
  if (all.length > maximumThings) throw invalid("things", `${all.length} things`, `at most ${maximumThings}`);
  for (const one of all) checkThingName(one.thingName);
  if (new Set(all.map((one) => one.thingName)).size < all.length)
    throw invalid("things", "one twice", "each thing once");
  if (all.length > 1 && all.some((one) => one.thingPrincipalType === "EXCLUSIVE_THING")) {
    throw invalid("things", `${all.length} things`, "one thing alone, where it is exclusive");
  }
  return all;
}

/** Throws `ERR_REGISTRY_CERTIFICATE_STATE`, `ERR_REGISTRY_CERTIFICATE`. */
function knownAuthority(
  reader: StorageReader,
  scope: string,
  { provider, nowSeconds }: RegistryContext,
  certificate: Certificate,
  caCertificateId: string | undefined,
): CertificateAuthorityRecord | undefined {
  if (caCertificateId === undefined) return undefined;
  checkCertificateId(caCertificateId);
  const authority = certificateAuthorities.get(reader, scope, caCertificateId);
  if (authority === undefined) return undefined;
  if (authority.status !== "ACTIVE") throw authorityNotActive(authority);
  const issuer = storedCertificate(authority);
  // A certificate that has expired is imported as well: it is verified for a time when both were valid.
  const begin = Math.max(certificate.validity.notBefore, issuer.validity.notBefore);
  const end = Math.min(certificate.validity.notAfter, issuer.validity.notAfter);
  const time = Math.max(begin, Math.min(nowSeconds(), end));
  checkSignedBy("certificatePem", certificate, issuer, { provider, nowSeconds: time });
  return authority;
}

function lineOf(reader: StorageReader, scope: string, record: CertificateRecord): string {
  const { certificateId: id, certificatePem, caCertificateId, certificateMode } = record;
  const isUnderWay = record.status === "PENDING_TRANSFER" || record.status === "PENDING_ACTIVATION";
  const things = Array.from(thingsOfPrincipal.all(reader, scope, id), ({ thingName, type: thingPrincipalType }) => ({
    thingName,
    thingPrincipalType,
  }));
  const policyNames = [...policiesOfTarget.all(reader, scope, "cert", id)];
  const status = isUnderWay ? "INACTIVE" : record.status;
  return JSON.stringify({ certificatePem, status, caCertificateId, certificateMode, things, policyNames });
}

const bulkLine: Decoder<BulkCertificate> = object({
  certificatePem: text,
  status: optional(oneOf("ACTIVE", "INACTIVE", "REVOKED")),
  caCertificateId: optional(text),
  certificateMode: optional(oneOf("DEFAULT", "SNI_ONLY")),
  things: optional(
    list(object({ thingName: text, thingPrincipalType: optional(oneOf("EXCLUSIVE_THING", "NON_EXCLUSIVE_THING")) })),
  ),
  thingName: optional(text),
  policyNames: optional(list(text)),
});

function readBulkLine(line: string): BulkCertificate | Error {
  try {
    return bulkLine(JSON.parse(line), "line");
  } catch (error) {
    if (error instanceof Misfit) return error.toInvalid();
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * Items for one transaction each: as many as one turn of an event loop should do, and at least one. An item is never divided, since it is
 * stored as a whole or not at all.
 */
function* chunksOf(items: Iterable<BulkCertificate | Error>): Generator<(BulkCertificate | Error)[]> {
  let chunk: (BulkCertificate | Error)[] = [];
  let work = 0;
  for (const item of items) {
    const more = workOf(item);
    if (chunk.length > 0 && work + more > chunkWork) {
      yield chunk;
      chunk = [];
      work = 0;
    }
    chunk.push(item);
    work += more;
  }
  if (chunk.length > 0) yield chunk;
}

function workOf(item: BulkCertificate | Error): number {
  if (item instanceof Error) return 1;
  const { certificatePem, caCertificateId, things = [], thingName, policyNames = [] } = item;
  const reading = Math.ceil(certificatePem.length / charactersOfUnit);
  const attaching = things.length + (thingName === undefined ? 0 : 1) + policyNames.length;
  return reading + attaching + (caCertificateId === undefined ? 0 : workOfSignature);
}
