/**
 * The entries of a revocation list (RFC 5280 §5.1.2.6, §5.3).
 *
 * Lists run to hundreds of thousands of entries of which one is asked for. So reading checks every entry and keeps only
 * where each lies. The first few lookups compare serial numbers along the list; from then on a map answers, which
 * takes longer to build than a few scans. DER is canonical, so equal serial numbers are equal bytes.
 */

import { DerReader } from "@latchkey/asn1";
import { reading, tolerable, versionFault, X509Error } from "./errors.ts";
import { type Extension, extensionValue, findExtension, readExtensions } from "./extension.ts";
import { certificateIssuer } from "./extensions/alternative-names.ts";
import { checkExtensionValues } from "./extensions/extension-table.ts";
import type { GeneralName } from "./general-name.ts";
import { type DeviationLog, tolerateAll } from "./tolerance.ts";

/** One entry; bytes are views into the list's DER. */
export interface RevokedCertificate {
  /** The INTEGER's content octets; compare as bytes. */
  readonly serialNumber: Uint8Array;
  /** Seconds since 1970. */
  readonly revocationDate: number;
  /** `extensionValue(entry, cRLReason)` decodes one. */
  readonly extensions: readonly Extension[];
  /**
   * On an indirect list: who issued the certificate, as this entry or the nearest before it says (§5.3.3). Undefined
   * for the list's own issuer.
   */
  readonly certificateIssuer: readonly GeneralName[] | undefined;
}

/** What is kept of the entries: offsets into the DER, one an entry. */
export interface EntryPositions {
  readonly count: number;
  /** Where the entry's SEQUENCE starts. */
  readonly starts: Uint32Array;
  /** Where the content of its serial number starts and ends. */
  readonly serialStarts: Uint32Array;
  readonly serialEnds: Uint32Array;
  /** The entry whose certificateIssuer holds for this one, or -1; undefined where no entry has one. */
  readonly issuers: Int32Array | undefined;
}

/** The shortest entry: SEQUENCE header, a serial number of one octet, a UTCTime. */
const minimumEntryOctets = 20;
/** Lookups by scanning before an index is built; building one costs about as much as this many scans. */
const scansBeforeIndex = 8;

/** All entries, in the order of the list. */
export class RevokedCertificates implements Iterable<RevokedCertificate> {
  readonly #der: Uint8Array;
  readonly #positions: EntryPositions;
  readonly #isTolerant: boolean;
  #scans = 0;
  #index: ReadonlyMap<string, readonly number[]> | undefined;

  /** Made by `parseCertificateRevocationList`. */
  constructor(der: Uint8Array, positions: EntryPositions, isTolerant = false) {
    this.#der = der;
    this.#isTolerant = isTolerant;
    this.#positions = positions;
  }

  /** How many entries there are. */
  get length(): number {
    return this.#positions.count;
  }

  /** The entry at this place. Throws `RangeError` outside the list. */
  at(index: number): RevokedCertificate {
    const entry = this.#read(index);
    const issuer = this.#positions.issuers?.[index] ?? -1;
    const named = issuer < 0 ? undefined : issuer === index ? entry : this.#read(issuer);
    return { ...entry, certificateIssuer: named === undefined ? undefined : extensionValue(named, certificateIssuer) };
  }

  /** The first entry with this serial number (INTEGER content octets), of any issuer. */
  find(serialNumber: Uint8Array): RevokedCertificate | undefined {
    const [first] = this.#indexesOf(serialNumber);
    return first === undefined ? undefined : this.at(first);
  }

  /** Every entry with this serial number: on an indirect list there can be one for each issuer. */
  findAll(serialNumber: Uint8Array): RevokedCertificate[] {
    return this.#indexesOf(serialNumber).map((index) => this.at(index));
  }

  /** Every entry, made when it is reached. */
  *[Symbol.iterator](): Iterator<RevokedCertificate> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  #read(index: number): Omit<RevokedCertificate, "certificateIssuer"> {
    const start = index < this.length ? this.#positions.starts[index] : undefined;
    if (start === undefined) throw new RangeError(`no entry ${index} in a list of ${this.length}`);
    return reading("revokedCertificates", () => {
      const tolerate = this.#isTolerant ? tolerateAll : undefined;
      const fields = new DerReader(this.#der.subarray(start), { baseOffset: start, tolerate }).sequence();
      const serialNumber = fields.integer();
      const revocationDate = fields.time();
      const extensions = fields.isAtEnd ? [] : readExtensions(fields, this.#isTolerant);
      return { serialNumber, revocationDate, extensions };
    });
  }

  #indexesOf(serialNumber: Uint8Array): readonly number[] {
    if (this.#index === undefined && this.#scans++ < scansBeforeIndex) return this.#scan(serialNumber);
    this.#index ??= this.#makeIndex();
    return this.#index.get(keyOf(serialNumber, 0, serialNumber.length)) ?? [];
  }

  #scan(serialNumber: Uint8Array): number[] {
    const { count, serialStarts, serialEnds } = this.#positions;
    const der = this.#der;
    const { length } = serialNumber;
    const found: number[] = [];
    for (let index = 0; index < count; index++) {
      const start = serialStarts[index] ?? 0;
      if ((serialEnds[index] ?? 0) - start !== length) continue;
      let matched = 0;
      while (matched < length && der[start + matched] === serialNumber[matched]) matched++;
      if (matched === length) found.push(index);
    }
    return found;
  }

  #makeIndex(): ReadonlyMap<string, readonly number[]> {
    const { count, serialStarts, serialEnds } = this.#positions;
    const map = new Map<string, number[]>();
    for (let index = 0; index < count; index++) {
      const key = keyOf(this.#der, serialStarts[index] ?? 0, serialEnds[index] ?? 0);
      const before = map.get(key);
      if (before === undefined) map.set(key, [index]);
      else before.push(index);
    }
    return map;
  }
}

/** A map key of some octets. */
function keyOf(bytes: Uint8Array, start: number, end: number): string {
  let key = "";
  for (let index = start; index < end; index++) key += String.fromCharCode(bytes[index] ?? 0);
  return key;
}

/** A list without entries. */
export const noPositions: EntryPositions = {
  count: 0,
  starts: /* @__PURE__ */ new Uint32Array(0),
  serialStarts: /* @__PURE__ */ new Uint32Array(0),
  serialEnds: /* @__PURE__ */ new Uint32Array(0),
  issuers: undefined,
};

/** Checks `revokedCertificates` of the list that `tbs` reads and notes where its entries lie. */
export function readEntryPositions(
  tbs: DerReader,
  version: 1 | 2,
  log: DeviationLog | undefined,
  isChecked: boolean,
): EntryPositions {
  const { offset } = tbs;
  const list = tbs.sequence();
  // When there are no revoked certificates, the revoked certificates list MUST be absent.
  if (list.isAtEnd && log?.tolerate("emptyRevokedCertificates", offset) !== true) {
    const reason = "revokedCertificates is empty; a list without entries leaves it out";
    throw new X509Error("ERR_X509_EMPTY_LIST", tolerable(reason, "emptyRevokedCertificates"), {
      list: "revokedCertificates",
      tolerance: "emptyRevokedCertificates",
      offset,
      clause: "RFC 5280 §5.1.2.6",
    });
  }
  const room = Math.ceil(list.rest.length / minimumEntryOctets);
  const starts = new Uint32Array(room);
  const serialStarts = new Uint32Array(room);
  const serialEnds = new Uint32Array(room);
  let issuers: Int32Array | undefined;
  let count = 0;
  for (; !list.isAtEnd; count++) {
    starts[count] = list.offset;
    const outerEnd = list.enter();
    const { length } = list.integer();
    serialEnds[count] = list.offset;
    serialStarts[count] = list.offset - length;
    list.time();
    if (!list.isAtEnd) {
      const namesIssuer = checkEntryExtensions(list, version, log, isChecked);
      if (namesIssuer) issuers ??= new Int32Array(room).fill(-1);
      if (namesIssuer && issuers !== undefined) issuers[count] = count;
    }
    list.leave(outerEnd);
    if (issuers !== undefined && issuers[count] === -1 && count > 0) issuers[count] = issuers[count - 1] ?? -1;
  }
  return { count, starts, serialStarts, serialEnds, issuers };
}

/** Whether the extensions have a certificateIssuer. */
function checkEntryExtensions(
  fields: DerReader,
  version: 1 | 2,
  log: DeviationLog | undefined,
  isChecked: boolean,
): boolean {
  if (version === 1) {
    const reason = "extensions of an entry need version 2";
    throw versionFault("CertificateList", 1, reason, fields.offset, "RFC 5280 §5.1.2.1");
  }
  const extensions = readExtensions(fields, log !== undefined);
  if (isChecked) checkExtensionValues(extensions, log?.tolerate);
  return findExtension({ extensions }, certificateIssuer.oid) !== undefined;
}
