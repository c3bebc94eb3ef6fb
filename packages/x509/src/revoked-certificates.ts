/**
 * The entries of a revocation list (RFC 5280 §5.1.2.6, §5.3).
 *
 * Lists run to hundreds of thousands of entries of which one is asked for. So reading checks every entry and keeps only
 * where each lies. The first few lookups compare serial numbers along the list; from then on a map answers, which
 * takes longer to build than a few scans. DER is canonical, so equal serial numbers are equal bytes.
 */

import { Asn1Error, DerReader } from "@latchkey/asn1";
import { reading, tolerable, versionFault, X509Error } from "./errors.ts";
import { type Extension, extensionValue, findExtension, readExtensions } from "./extension.ts";
import { certificateIssuer } from "./extensions/alternative-names.ts";
import { checkExtensionValues, isUnderstoodBy } from "./extensions/extension-table.ts";
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
  /** The entries that cannot be read, in order; there are none unless contents were left unchecked. */
  readonly unreadable: readonly number[];
  /** The first critical extension of an entry that nothing here acts on. */
  readonly unknownCritical: Uint8Array | undefined;
}

/** How entries are read again: as they were read when the list was parsed. */
export interface EntryReading {
  readonly version: 1 | 2;
  readonly isTolerant: boolean;
  /** Whether an entry can name another issuer, which then holds for the entries behind it. */
  readonly isIndirect: boolean;
}

/** The shortest entry: SEQUENCE header, a serial number of one octet, a UTCTime. */
const minimumEntryOctets = 20;
/** Lookups by scanning before an index is built; building one costs about as much as this many scans. */
const scansBeforeIndex = 8;
/** Entries that cannot be read, before the whole list is refused. It bounds the memory for entries that are too short. */
const maximumUnreadableEntries = 1000;

/** All entries, in the order of the list. */
export class RevokedCertificates implements Iterable<RevokedCertificate> {
  readonly #der: Uint8Array;
  readonly #positions: EntryPositions;
  readonly #reading: EntryReading;
  /** The first entry whose serial number cannot be read: it can be about any certificate. */
  readonly #unnamed: number | undefined;
  #scans = 0;
  #index: ReadonlyMap<string, readonly number[]> | undefined;
  /** The issuer that was decoded last: entries that share one mostly follow each other. */
  #lastIssuer: { readonly index: number; readonly names: readonly GeneralName[] | undefined } | undefined;

  /** Made by `parseCertificateRevocationList`. */
  constructor(der: Uint8Array, positions: EntryPositions, entryReading: EntryReading) {
    this.#der = der;
    this.#reading = entryReading;
    this.#positions = entryReading.isIndirect ? withUncertainIssuers(positions) : positions;
    const { unreadable, serialStarts, serialEnds } = positions;
    this.#unnamed = unreadable.find((index) => serialStarts[index] === serialEnds[index]);
  }

  /**
   * The object identifier (content octets) of the first critical extension of an entry that RFC 5280 §5.3 does not know. A list with one
   * MUST NOT be used to find the status of certificates. After `checkContents: false` entries that cannot be read are left out.
   */
  get unknownCriticalExtension(): Uint8Array | undefined {
    return this.#positions.unknownCritical;
  }

  /** How many entries there are. */
  get length(): number {
    return this.#positions.count;
  }

  /**
   * The entry at this place. Throws `RangeError` outside the list; after `checkContents: false` an `X509Error` where this
   * entry is malformed, or where a malformed entry before it may have named its issuer.
   */
  at(index: number): RevokedCertificate {
    const entry = this.#read(index);
    const issuer = this.#positions.issuers?.[index] ?? -1;
    return { ...entry, certificateIssuer: issuer < 0 ? undefined : this.#issuerAt(issuer) };
  }

  /** Decoded once for a run of entries: a peer can put a long name above many of them. */
  #issuerAt(index: number): readonly GeneralName[] | undefined {
    if (this.#lastIssuer?.index !== index) {
      this.#lastIssuer = { index, names: extensionValue(this.#read(index), certificateIssuer) };
    }
    return this.#lastIssuer.names;
  }

  /**
   * The first entry with this serial number (INTEGER content octets), of any issuer. Throws as `findAll`: undefined means
   * that the list does not name the certificate.
   */
  find(serialNumber: Uint8Array): RevokedCertificate | undefined {
    const [first] = this.#indexesOf(serialNumber);
    if (first === undefined) this.#refuseUnnamed();
    return first === undefined ? undefined : this.at(first);
  }

  /**
   * Every entry with this serial number: on an indirect list there can be one for each issuer.
   *
   * After `checkContents: false`, throws the `X509Error` of a malformed entry that has this serial number, or that hides
   * its serial number, unless a direct list names the certificate elsewhere.
   */
  findAll(serialNumber: Uint8Array): RevokedCertificate[] {
    return [...this.findEach(serialNumber)];
  }

  /** As `findAll`, but each entry is read when it is reached. Entries that share an issuer share the array that names it. */
  *findEach(serialNumber: Uint8Array): Generator<RevokedCertificate> {
    const indexes = this.#indexesOf(serialNumber);
    if (indexes.length === 0 || this.#reading.isIndirect) this.#refuseUnnamed();
    for (const index of indexes) yield this.at(index);
  }

  /** Whether an entry has this serial number, of any issuer; the rest of that entry may be malformed. */
  has(serialNumber: Uint8Array): boolean {
    return this.#indexesOf(serialNumber).length > 0;
  }

  /** Every entry, made when it is reached. */
  *[Symbol.iterator](): Iterator<RevokedCertificate> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  #read(index: number): Omit<RevokedCertificate, "certificateIssuer"> {
    const start = index < this.length ? this.#positions.starts[index] : undefined;
    if (start === undefined) throw new RangeError(`no entry ${index} in a list of ${this.length}`);
    return reading("revokedCertificates", () => {
      const { version, isTolerant } = this.#reading;
      const tolerate = isTolerant ? tolerateAll : undefined;
      const fields = new DerReader(this.#der.subarray(start), { baseOffset: start, tolerate }).sequence();
      const serialNumber = fields.integer();
      const revocationDate = fields.time();
      const extensions = fields.isAtEnd ? [] : readEntryExtensions(fields, version, isTolerant);
      fields.end();
      return { serialNumber, revocationDate, extensions };
    });
  }

  /** Throws the fault of an entry that hides its serial number, if there is one. */
  #refuseUnnamed(): void {
    if (this.#unnamed !== undefined) this.#read(this.#unnamed);
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
    if (length === 0) return found;
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
      if (serialStarts[index] === serialEnds[index]) continue;
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
  unreadable: [],
  unknownCritical: undefined,
};

/**
 * Checks `revokedCertificates` of the list that `tbs` reads and notes where its entries lie.
 *
 * With `isChecked: false` an entry that is malformed inside is noted and the next one is read; only where an entry ends
 * must be known.
 */
export function readEntryPositions(
  tbs: DerReader,
  version: 1 | 2,
  log: DeviationLog | undefined,
  isChecked: boolean,
): EntryPositions {
  const { offset } = tbs;
  const list = tbs.sequence();
  if (list.isAtEnd) refuseEmptyList(offset, log);
  const room = Math.ceil(list.rest.length / minimumEntryOctets) + (isChecked ? 0 : maximumUnreadableEntries);
  const starts = new Uint32Array(room);
  const serialStarts = new Uint32Array(room);
  const serialEnds = new Uint32Array(room);
  const unreadable: number[] = [];
  let issuers: Int32Array | undefined;
  let unknownCritical: Uint8Array | undefined;
  let count = 0;
  /** Whether the entry names an issuer. Where its serial number can be read, that is noted before a later fault. */
  const readEntry = (reader: DerReader): boolean => {
    const outerEnd = reader.enter();
    const { length } = reader.integer();
    serialEnds[count] = reader.offset;
    serialStarts[count] = reader.offset - length;
    reader.time();
    const extensions = reader.isAtEnd ? [] : readEntryExtensions(reader, version, log !== undefined);
    if (isChecked) checkExtensionValues(extensions, log?.tolerate);
    reader.leave(outerEnd);
    if (extensions.length === 0) return false;
    unknownCritical ??= extensions.find(
      ({ oid, critical }) => critical && !isUnderstoodBy("revocationEntry", oid),
    )?.oid;
    return findExtension({ extensions }, certificateIssuer.oid) !== undefined;
  };
  const readAlone = (encoding: Uint8Array, baseOffset: number): boolean => {
    try {
      return readEntry(new DerReader(encoding, { baseOffset, tolerate: log?.tolerate }));
    } catch (error) {
      if (!(error instanceof Asn1Error || error instanceof X509Error)) throw error;
      if (unreadable.length === maximumUnreadableEntries) throw error;
      unreadable.push(count);
      return false;
    }
  };
  for (; !list.isAtEnd; count++) {
    starts[count] = list.offset;
    let namesIssuer: boolean;
    if (isChecked) {
      namesIssuer = readEntry(list);
    } else {
      const element = list.any();
      namesIssuer = readAlone(element.encoding, element.offset);
    }
    if (namesIssuer) issuers ??= new Int32Array(room).fill(-1);
    if (issuers === undefined) continue;
    if (namesIssuer) issuers[count] = count;
    else if (count > 0) issuers[count] = issuers[count - 1] ?? -1;
  }
  return { count, starts, serialStarts, serialEnds, issuers, unreadable, unknownCritical };
}

/** When there are no revoked certificates, the revoked certificates list MUST be absent. */
function refuseEmptyList(offset: number, log: DeviationLog | undefined): void {
  if (log?.tolerate("emptyRevokedCertificates", offset) === true) return;
  const reason = "revokedCertificates is empty; a list without entries leaves it out";
  throw new X509Error("ERR_X509_EMPTY_LIST", tolerable(reason, "emptyRevokedCertificates"), {
    list: "revokedCertificates",
    tolerance: "emptyRevokedCertificates",
    offset,
    clause: "RFC 5280 §5.1.2.6",
  });
}

function readEntryExtensions(fields: DerReader, version: 1 | 2, isTolerant: boolean): Extension[] {
  if (version === 1) {
    const reason = "extensions of an entry need version 2";
    throw versionFault("CertificateList", 1, reason, fields.offset, "RFC 5280 §5.1.2.1");
  }
  return readExtensions(fields, isTolerant);
}

/**
 * On an indirect list an entry that cannot be read may name an issuer, which holds for the entries behind it until one
 * names another: none of those can be read either.
 */
function withUncertainIssuers(positions: EntryPositions): EntryPositions {
  const { unreadable, count } = positions;
  if (unreadable.length === 0) return positions;
  const issuers = positions.issuers?.slice() ?? new Int32Array(count).fill(-1);
  const isUnreadable = new Set(unreadable);
  let uncertain = -1;
  for (let index = 0; index < count; index++) {
    if (isUnreadable.has(index)) uncertain = index;
    else if (issuers[index] === index) uncertain = -1;
    if (uncertain >= 0) issuers[index] = uncertain;
  }
  return { ...positions, issuers };
}
