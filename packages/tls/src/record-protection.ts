/**
 * Record protection: one key, one direction, one sequence number (RFC 8446 §5.2 and §5.3; RFC 5288 and RFC 7905 for
 * TLS 1.2).
 *
 * The nonce is made from the sequence number in all three constructions, so none repeats and none is random.
 */

import type { AeadKey, CryptoProvider } from "@latchkey/crypto";
import type { CipherSuite } from "./cipher-suite.ts";
import { ContentType, headerOctets, maximumPlaintext } from "./content-type.ts";
import { decodeError, TlsError, unexpectedMessage } from "./errors.ts";

const tagOctets = 16;

/** A record's content after its protection was taken off. */
interface OpenedRecord {
  readonly type: number;
  /** A fresh array that belongs to the caller. */
  readonly content: Uint8Array;
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
  const aead = provider.createAeadKey(suite.aead, key);
  return suite.version === "TLSv1.3" ? new Protection13(aead, iv) : new Protection12(aead, iv);
}

/** The record sequence number and the nonce that follows from it. */
class NonceSequence {
  readonly #iv: Uint8Array;
  /** Written over for each record: the provider reads it at once. */
  readonly #nonce: Uint8Array;
  records = 0;

  constructor(iv: Uint8Array) {
    this.#iv = Uint8Array.from(iv);
    this.#nonce = new Uint8Array(12);
  }

  /** The IV, which the left-padded sequence number is added to by exclusive or (RFC 8446 §5.3, RFC 7905 §2). */
  xored(): Uint8Array {
    const nonce = this.#nonce;
    nonce.set(this.#iv);
    let rest = this.records;
    for (let index = 11; rest > 0; index--) {
      nonce[index] = (nonce[index] ?? 0) ^ (rest & 0xff);
      rest = Math.floor(rest / 256);
    }
    return nonce;
  }

  /** Four octets of IV and eight that the record carries (RFC 5288 §3). */
  explicit(carried: Uint8Array): Uint8Array {
    this.#nonce.set(this.#iv);
    this.#nonce.set(carried, 4);
    return this.#nonce;
  }

  /** The sequence number as eight octets. */
  writeNumber(target: Uint8Array, offset: number): void {
    let rest = this.records;
    for (let index = offset + 7; index >= offset; index--) {
      target[index] = rest & 0xff;
      rest = Math.floor(rest / 256);
    }
  }

  advance(): void {
    this.records++;
  }
}

class Protection13 implements RecordProtection {
  readonly version = "TLSv1.3";
  /** The inner content type and the tag. */
  readonly overheadOctets = 1 + tagOctets;
  // RFC 8446 §5.2: the length MUST NOT exceed 2^14 + 256.
  readonly maximumFragment = maximumPlaintext + 256;
  readonly #aead: AeadKey;
  readonly #sequence: NonceSequence;

  constructor(aead: AeadKey, iv: Uint8Array) {
    this.#aead = aead;
    this.#sequence = new NonceSequence(iv);
  }

  get records(): number {
    return this.#sequence.records;
  }

  seal(type: number, content: Uint8Array, output: Uint8Array, offset: number, padding: number): number {
    const start = offset + headerOctets;
    const end = start + content.length + 1 + padding;
    writeHeader(output, offset, ContentType.applicationData, end - start + tagOctets);
    output.set(content, start);
    output[start + content.length] = type;
    if (padding > 0) output.fill(0, end - padding, end);
    this.#aead.sealInPlace(this.#sequence.xored(), output.subarray(offset, start), output, start, end);
    this.#sequence.advance();
    return end + tagOctets - offset;
  }

  open(header: Uint8Array, fragment: Uint8Array): OpenedRecord | undefined {
    const inner = this.#aead.open(this.#sequence.xored(), header, fragment);
    if (inner === undefined) return undefined;
    this.#sequence.advance();
    // RFC 8446 §5.4: the full encoded TLSInnerPlaintext MUST NOT exceed 2^14 + 1 octets.
    if (inner.length > maximumPlaintext + 1) throw overflow(inner.length, maximumPlaintext + 1);
    let end = inner.length;
    while (end > 0 && inner[end - 1] === 0) end--;
    const type = inner[end - 1];
    if (type === undefined) {
      throw unexpectedMessage("A record has no content type, only padding", { clause: "RFC 8446 §5.4" });
    }
    return { type, content: inner.subarray(0, end - 1) };
  }
}

class Protection12 implements RecordProtection {
  readonly version = "TLSv1.2";
  readonly overheadOctets: number;
  // RFC 5246 §6.2.3: the length MUST NOT exceed 2^14 + 2048.
  readonly maximumFragment = maximumPlaintext + 2048;
  readonly #aead: AeadKey;
  readonly #sequence: NonceSequence;
  /** Octets of nonce that a record carries: 8 with AES-GCM, none with ChaCha20 (RFC 7905 §2). */
  readonly #explicitOctets: number;
  /** seq_num, type, version, length (RFC 5246 §6.2.3.3). Written over for each record. */
  readonly #additionalData = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0);

  constructor(aead: AeadKey, iv: Uint8Array) {
    this.#aead = aead;
    this.#sequence = new NonceSequence(iv);
    this.#explicitOctets = aead.algorithm === "ChaCha20-Poly1305" ? 0 : 8;
    this.overheadOctets = this.#explicitOctets + tagOctets;
  }

  get records(): number {
    return this.#sequence.records;
  }

  seal(type: number, content: Uint8Array, output: Uint8Array, offset: number): number {
    const explicitAt = offset + headerOctets;
    const start = explicitAt + this.#explicitOctets;
    const end = start + content.length;
    writeHeader(output, offset, type, end - explicitAt + tagOctets);
    if (this.#explicitOctets > 0) this.#sequence.writeNumber(output, explicitAt);
    output.set(content, start);
    const nonce = this.#nonce(output.subarray(explicitAt, start));
    this.#aead.sealInPlace(nonce, this.#additional(type, content.length), output, start, end);
    this.#sequence.advance();
    return end + tagOctets - offset;
  }

  open(header: Uint8Array, fragment: Uint8Array): OpenedRecord | undefined {
    const length = fragment.length - this.#explicitOctets - tagOctets;
    if (length < 0) return undefined;
    const type = header[0] ?? 0;
    const nonce = this.#nonce(fragment.subarray(0, this.#explicitOctets));
    const content = this.#aead.open(nonce, this.#additional(type, length), fragment.subarray(this.#explicitOctets));
    if (content === undefined) return undefined;
    this.#sequence.advance();
    // RFC 5246 §6.2.1: the length MUST NOT exceed 2^14.
    if (content.length > maximumPlaintext) throw overflow(content.length, maximumPlaintext);
    return { type, content };
  }

  #nonce(carried: Uint8Array): Uint8Array {
    return this.#explicitOctets > 0 ? this.#sequence.explicit(carried) : this.#sequence.xored();
  }

  #additional(type: number, length: number): Uint8Array {
    const octets = this.#additionalData;
    this.#sequence.writeNumber(octets, 0);
    octets[8] = type;
    octets[11] = length >>> 8;
    octets[12] = length & 0xff;
    return octets;
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
