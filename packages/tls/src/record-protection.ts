/**
 * Record protection: one key, one direction, one sequence number (RFC 8446 §5.2 and §5.3; RFC 5288 and RFC 7905 for
 * TLS 1.2).
 *
 * The nonce is made from the sequence number in all three constructions, so none repeats and none is random.
 */

import type { AeadKey, AeadSequence, CryptoProvider } from "@latchkey/crypto";
import type { CipherSuite } from "./cipher-suite.ts";
import { ContentType, headerOctets, maximumPlaintext } from "./content-type.ts";
import { decodeError, TlsError, unexpectedMessage } from "./errors.ts";

const tagOctets = 16;
/** Octets of nonce that a record of AES-GCM carries in TLS 1.2. */
const explicitOctets = 8;

/** A record's content after its protection was taken off. */
interface OpenedRecord {
  readonly type: number;
  /** A fresh array that belongs to the caller. */
  readonly content: Uint8Array;
  readonly isProtected: true;
}

/** Protects or opens the records of one direction under one key. */
export interface RecordProtection {
  readonly version: "TLSv1.2" | "TLSv1.3";
  /** Records so far, which is the next sequence number. */
  readonly records: number;
  /** Octets of a record beyond header and content, without padding. */
  readonly overheadOctets: number;
  /** The longest fragment that a header may announce. */
  readonly maximumFragment: number;
  /**
   * Writes a whole record with `content` at `offset` of `output`, where there is room for header, content, overhead and
   * padding. Returns the octets written. Padding is TLS 1.3's own; 1.2 has none.
   */
  seal(type: number, content: Uint8Array, output: Uint8Array, offset: number, padding: number): number;
  /**
   * Opens the record of this header and fragment.
   *
   * Undefined where the tag does not fit: one answer for every way to be wrong, a fragment shorter than its tag included.
   * Throws `ERR_TLS_UNEXPECTED_MESSAGE` and `ERR_TLS_RECORD_OVERFLOW` for what was sealed and must not have been.
   */
  open(header: Uint8Array, fragment: Uint8Array): OpenedRecord | undefined;
}

/** The octets of key and IV that a direction needs. */
export interface TrafficKeys {
  readonly key: Uint8Array;
  /** 12 octets; 4 for AES-GCM in TLS 1.2. */
  readonly iv: Uint8Array;
}

/** Octets of IV that the key block of TLS 1.2 has for a suite (RFC 5288 §3, RFC 7905 §2); 12 in TLS 1.3. */
export function ivOctets(suite: CipherSuite): number {
  return suite.version === "TLSv1.2" && suite.aead !== "ChaCha20-Poly1305" ? 4 : 12;
}

/** Makes the protection of a direction and copies its key. */
export function recordProtection(
  provider: CryptoProvider,
  suite: CipherSuite,
  { key, iv }: TrafficKeys,
): RecordProtection {
  if (suite.version === "TLSv1.3") return new Protection13(provider.createAeadSequence(suite.aead, key, iv));
  if (suite.aead === "ChaCha20-Poly1305") {
    return new ChaChaProtection12(provider.createAeadSequence(suite.aead, key, iv));
  }
  return new GcmProtection12(provider, suite.aead, key, iv);
}

class Protection13 implements RecordProtection {
  readonly version = "TLSv1.3";
  /** The inner content type and the tag. */
  readonly overheadOctets = 1 + tagOctets;
  // RFC 8446 §5.2: the length MUST NOT exceed 2^14 + 256.
  readonly maximumFragment = maximumPlaintext + 256;
  readonly #aead: AeadSequence;

  constructor(aead: AeadSequence) {
    this.#aead = aead;
  }

  get records(): number {
    return this.#aead.messages;
  }

  seal(type: number, content: Uint8Array, output: Uint8Array, offset: number, padding: number): number {
    const start = offset + headerOctets;
    const end = start + content.length + 1 + padding;
    writeHeader(output, offset, ContentType.applicationData, end - start + tagOctets);
    output.set(content, start);
    output[start + content.length] = type;
    if (padding > 0) output.fill(0, end - padding, end);
    this.#aead.sealInPlace(output.subarray(offset, start), output, start, end);
    return end + tagOctets - offset;
  }

  open(header: Uint8Array, fragment: Uint8Array): OpenedRecord | undefined {
    const inner = this.#aead.open(header, fragment);
    if (inner === undefined) return undefined;
    // RFC 8446 §5.4: the full encoded TLSInnerPlaintext MUST NOT exceed 2^14 + 1 octets.
    if (inner.length > maximumPlaintext + 1) throw overflow(inner.length, maximumPlaintext + 1);
    let end = inner.length;
    while (end > 0 && inner[end - 1] === 0) end--;
    const type = inner[end - 1];
    if (type === undefined) {
      throw unexpectedMessage("A record has no content type, only padding", { clause: "RFC 8446 §5.4" });
    }
    return { type, content: inner.subarray(0, end - 1), isProtected: true };
  }
}

/** What both constructions of TLS 1.2 share: the additional data, and how long a record may be. */
abstract class Protection12 {
  readonly version = "TLSv1.2";
  // RFC 5246 §6.2.3: the length MUST NOT exceed 2^14 + 2048.
  readonly maximumFragment = maximumPlaintext + 2048;
  readonly #additionalData = new Uint8Array(13);

  /**
   * seq_num, type, version, length (RFC 5246 §6.2.3.3); valid until the next call. Type and version are those of the record's
   * header as it stands at `at`, so that no octet of it can be changed unnoticed.
   */
  protected additionalData(record: number, header: Uint8Array, at: number, length: number): Uint8Array {
    const octets = this.#additionalData;
    writeNumber(octets, 0, record);
    octets[8] = header[at] ?? 0;
    octets[9] = header[at + 1] ?? 0;
    octets[10] = header[at + 2] ?? 0;
    octets[11] = length >>> 8;
    octets[12] = length & 0xff;
    return octets;
  }

  protected opened(type: number, content: Uint8Array): OpenedRecord {
    // RFC 5246 §6.2.1: the length MUST NOT exceed 2^14.
    if (content.length > maximumPlaintext) throw overflow(content.length, maximumPlaintext);
    return { type, content, isProtected: true };
  }
}

/** RFC 7905 §2: the nonce is made as in TLS 1.3 and not sent. */
class ChaChaProtection12 extends Protection12 implements RecordProtection {
  readonly overheadOctets = tagOctets;
  readonly #aead: AeadSequence;

  constructor(aead: AeadSequence) {
    super();
    this.#aead = aead;
  }

  get records(): number {
    return this.#aead.messages;
  }

  seal(type: number, content: Uint8Array, output: Uint8Array, offset: number): number {
    const start = offset + headerOctets;
    const end = start + content.length;
    writeHeader(output, offset, type, end - start + tagOctets);
    output.set(content, start);
    this.#aead.sealInPlace(this.additionalData(this.records, output, offset, content.length), output, start, end);
    return end + tagOctets - offset;
  }

  open(header: Uint8Array, fragment: Uint8Array): OpenedRecord | undefined {
    const length = fragment.length - tagOctets;
    if (length < 0) return undefined;
    const content = this.#aead.open(this.additionalData(this.records, header, 0, length), fragment);
    return content && this.opened(header[0] ?? 0, content);
  }
}

/** RFC 5288 §3: four octets of IV and eight that the record carries. Ours are its number, a peer's may be anything. */
class GcmProtection12 extends Protection12 implements RecordProtection {
  readonly overheadOctets = explicitOctets + tagOctets;
  readonly #sealing: AeadSequence;
  readonly #opening: AeadKey;
  /** Written over for each record: the provider reads it at once. */
  readonly #nonce = new Uint8Array(12);
  #opened = 0;

  constructor(provider: CryptoProvider, aead: "AES-128-GCM" | "AES-256-GCM", key: Uint8Array, iv: Uint8Array) {
    super();
    this.#nonce.set(iv);
    this.#sealing = provider.createAeadSequence(aead, key, this.#nonce);
    this.#opening = provider.createAeadKey(aead, key);
  }

  /** One protection seals or opens, never both. */
  get records(): number {
    return this.#sealing.messages + this.#opened;
  }

  seal(type: number, content: Uint8Array, output: Uint8Array, offset: number): number {
    const explicitAt = offset + headerOctets;
    const start = explicitAt + explicitOctets;
    const end = start + content.length;
    writeHeader(output, offset, type, end - explicitAt + tagOctets);
    writeNumber(output, explicitAt, this.records);
    output.set(content, start);
    this.#sealing.sealInPlace(this.additionalData(this.records, output, offset, content.length), output, start, end);
    return end + tagOctets - offset;
  }

  open(header: Uint8Array, fragment: Uint8Array): OpenedRecord | undefined {
    const length = fragment.length - explicitOctets - tagOctets;
    if (length < 0) return undefined;
    this.#nonce.set(fragment.subarray(0, explicitOctets), 4);
    const additionalData = this.additionalData(this.records, header, 0, length);
    const content = this.#opening.open(this.#nonce, additionalData, fragment.subarray(explicitOctets));
    if (content === undefined) return undefined;
    this.#opened++;
    return this.opened(header[0] ?? 0, content);
  }
}

/** A number as eight octets. */
function writeNumber(target: Uint8Array, offset: number, number: number): void {
  let rest = number;
  for (let index = offset + 7; index >= offset; index--) {
    target[index] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
}

/** A record's header; legacy_record_version is 0x0303 in all but the first one (RFC 8446 §5.1). */
export function writeHeader(output: Uint8Array, offset: number, type: number, length: number): void {
  output[offset] = type;
  output[offset + 1] = 3;
  output[offset + 2] = 3;
  output[offset + 3] = length >>> 8;
  output[offset + 4] = length & 0xff;
}

/** A record that is longer than allowed. */
export function overflow(found: number, allowed: number): TlsError {
  return new TlsError("ERR_TLS_RECORD_OVERFLOW", "A record is too long", {
    alert: "record_overflow",
    found: `${found} octets`,
    allowed: `${allowed}`,
    clause: "RFC 8446 §5.1",
  });
}

/** The octets of an alert (RFC 8446 §6): level and description. */
export function readAlert(content: Uint8Array): { readonly level: number; readonly description: number } {
  const [level, description] = content;
  if (content.length !== 2 || level === undefined || description === undefined) {
    throw decodeError(`An alert has ${content.length} octets, not 2`, "RFC 8446 §6");
  }
  return { level, description };
}
