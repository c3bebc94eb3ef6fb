/**
 * Many certificates at once, as JSON lines: one object a line, `{"certificatePem", "status"?, "thingName"?, "policyNames"?}`.
 *
 * Each chunk is one transaction, and other work can run between chunks. A line that is refused is reported and changes nothing; the others
 * go on. What is registered already is skipped, so that an interrupted import can be run again.
 */

import { certificateId } from "@latchkey/x509";
import { checkKey, readCertificate } from "./certificate-input.ts";
import type { Certificates } from "./certificates.ts";
import type { RegistryContext } from "./context.ts";
import { invalid, isRegistryError } from "./errors.ts";
import { checkThingName } from "./names.ts";
import type { Policies } from "./policies.ts";
import { certificateStatuses, certificates as certificateTable, certificatesByOrder } from "./records/certificate.ts";
import { policiesOfTarget } from "./records/policy.ts";
import { things as thingTable, thingsOfPrincipal } from "./records/thing.ts";
import { scopeKey, type Scope } from "./scope.ts";
import type { StorageWriter } from "./storage.ts";
import type { Things } from "./things.ts";

/** A certificate to register. */
export interface BulkCertificate {
  readonly certificatePem: string;
  /** Default `INACTIVE`. */
  readonly status?: "ACTIVE" | "INACTIVE" | "REVOKED" | undefined;
  /** A thing that it is attached to, made where it does not exist. */
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

/** Certificates a transaction: some milliseconds of work. */
const chunkSize = 50;
const maximumReported = 1000;

/** What bulk operations work with. */
export interface BulkParts {
  readonly context: RegistryContext;
  readonly certificates: Certificates;
  readonly policies: Policies;
  readonly things: Things;
}

/**
 * Registers certificates without looking at their issuers, as `registerWithoutAuthority` does. `pause` is awaited between chunks: an
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
  for (const chunk of chunksOf(input, chunkSize)) {
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

/** Writes all certificates of an account as JSON lines, oldest first, a page of the registry at a time. */
export function* exportCertificates({ context }: BulkParts, scope: Scope): Generator<string> {
  const key = scopeKey(scope);
  let nextToken: string | undefined;
  do {
    const page = context.storage.read((reader) => {
      const { items, nextToken: next } = certificatesByOrder.page(reader, { pageSize: chunkSize, nextToken }, key);
      const lines = items.flatMap((orderAndId) => {
        const id = orderAndId.slice(orderAndId.indexOf("/") + 1);
        const record = certificateTable.get(reader, key, id);
        if (record === undefined) return [];
        const [thing] = thingsOfPrincipal.all(reader, key, id);
        const policyNames = [...policiesOfTarget.all(reader, key, "cert", id)];
        const { certificatePem, status } = record;
        return [JSON.stringify({ certificatePem, status, thingName: thing?.thingName, policyNames })];
      });
      return { lines, next };
    });
    yield* page.lines;
    nextToken = page.next;
  } while (nextToken !== undefined);
}

/** All of one certificate or nothing of it: what can be refused is looked at before anything is written. */
function registerOne(
  { context, certificates, policies, things }: BulkParts,
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
    const { thingName, policyNames = [], status = "INACTIVE" } = item;
    if (thingName !== undefined) checkThingName(thingName);
    policies.checkAttachable(writer, key, policyNames);
    const fields = { status, certificateMode: "SNI_ONLY", authority: undefined } as const;
    certificates.addIn(writer, scope, certificate, fields);
    for (const name of policyNames) policies.attachIn(writer, scope, name, { kind: "cert", certificateId: id });
    if (thingName !== undefined) {
      if (thingTable.get(writer, key, thingName) === undefined) things.createIn(writer, scope, thingName, {});
      things.attachPrincipalIn(writer, key, thingName, id, "NON_EXCLUSIVE_THING");
    }
    return "registered";
  } catch (error) {
    if (isRegistryError(error) && error.code !== "ERR_REGISTRY_UNAVAILABLE") return error;
    throw error;
  }
}

function readBulkLine(line: string): BulkCertificate | Error {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const allowed = "an object with certificatePem, and perhaps status, thingName and policyNames";
  if (typeof value !== "object" || value === null || !("certificatePem" in value))
    return invalid("line", line, allowed);
  const { certificatePem } = value;
  const thingName = "thingName" in value ? value.thingName : undefined;
  const names: unknown = "policyNames" in value ? value.policyNames : [];
  const given = "status" in value ? value.status : undefined;
  const status = certificateStatuses.find((one) => one === given);
  const areNames = Array.isArray(names) && names.every((name): name is string => typeof name === "string");
  if (
    typeof certificatePem !== "string" ||
    (thingName !== undefined && typeof thingName !== "string") ||
    !areNames ||
    (given !== undefined && status !== "ACTIVE" && status !== "INACTIVE" && status !== "REVOKED")
  ) {
    return invalid("line", line, allowed);
  }
  const settable = status === "ACTIVE" || status === "REVOKED" ? status : "INACTIVE";
  return { certificatePem, status: settable, thingName, policyNames: names };
}

function* chunksOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
