/** Records in and out, with the protection of each direction (RFC 8446 §5). */

import type { Settings } from "./config.ts";
import { ContentType, contentTypeName, maximumPlaintext } from "./content-type.ts";
import { TlsError, unexpectedMessage } from "./errors.ts";
import type { TlsLimits } from "./limits.ts";
import { type HeaderCheck, RecordInput, type RawRecord } from "./record-input.ts";
import { RecordOutput } from "./record-output.ts";
import { overflow, type RecordProtection } from "./record-protection.ts";

/** A record whose protection was taken off. */
export interface ReceivedRecord {
  readonly type: number;
  /** Belongs to the receiver where it was protected; else a view of the input. */
  readonly content: Uint8Array;
  readonly isProtected: boolean;
}

export class RecordLayer implements HeaderCheck {
  readonly input: RecordInput = new RecordInput();
  readonly output: RecordOutput;
  readonly #limits: TlsLimits;
  #read: RecordProtection | undefined;
  #write: RecordProtection | undefined;
  /** Whether the peer has sent a record under keys. */
  #hasOpened = false;
  /** Octets of early data that may still be skipped (RFC 8446 §4.2.10). */
  #skippable = 0;

  constructor({ limits, allocate }: Settings) {
    this.#limits = limits;
    this.output = new RecordOutput(allocate);
  }

  get read(): RecordProtection | undefined {
    return this.#read;
  }

  get write(): RecordProtection | undefined {
    return this.#write;
  }

  setRead(protection: RecordProtection): void {
    this.#read = protection;
  }

  setWrite(protection: RecordProtection): void {
    this.#write = protection;
  }

  /** A client offered early data, which is refused: what cannot be opened is skipped, up to the limit. */
  skipEarlyData(): void {
    this.#skippable = this.#limits.skippedEarlyDataOctets;
  }

  /** The next record that counts. Throws what is wrong with it. */
  next(): ReceivedRecord | undefined {
    for (;;) {
      const record = this.input.next(this);
      if (record === undefined) return undefined;
      const received = this.#take(record);
      if (received !== undefined) return received;
    }
  }

  checkHeader(type: number, major: number, length: number): void {
    if (type < ContentType.changeCipherSpec || type > ContentType.applicationData) {
      throw unexpectedMessage("A record of unknown type", { found: contentTypeName(type), clause: "RFC 8446 §5" });
    }
    // legacy_record_version is ignored, but no version of TLS has another first octet than 3.
    if (major !== 3) {
      throw new TlsError("ERR_TLS_VERSION", "The record is not one of TLS", {
        alert: "protocol_version",
        found: `version ${major}`,
        allowed: "3",
      });
    }
    // Refused early data comes before the first protected record, and is longer than plaintext may be.
    const allowed = this.#read?.maximumFragment ?? (this.#skippable > 0 ? maximumPlaintext + 256 : maximumPlaintext);
    if (length > allowed) throw overflow(length, allowed);
  }

  #take({ type, header, fragment }: RawRecord): ReceivedRecord | undefined {
    const protection = this.#read;
    if (protection === undefined) {
      if (type !== ContentType.applicationData || this.#skippable === 0) {
        return { type, content: fragment, isProtected: false };
      }
      // RFC 8446 §4.2.10: after a HelloRetryRequest the content type tells early data.
      this.#skip(fragment.length);
      return undefined;
    }
    if (protection.version === "TLSv1.3" && type !== ContentType.applicationData) {
      // RFC 8446 §5: change_cipher_spec is never protected. An alert may come in clear from a peer that has no keys yet; once
      // it used some, an alert in clear would be anybody's, and a close_notify would cut off what the peer still says.
      const isPlainAlert = type === ContentType.alert && !this.#hasOpened;
      if (type === ContentType.changeCipherSpec || isPlainAlert) return { type, content: fragment, isProtected: false };
      throw unexpectedMessage("A record in clear after the keys were changed", {
        found: contentTypeName(type),
        clause: "RFC 8446 §5",
      });
    }
    const opened = protection.open(header, fragment);
    if (opened !== undefined) {
      this.#hasOpened = true;
      this.#skippable = 0;
      return opened;
    }
    if (this.#skippable > 0) {
      this.#skip(fragment.length);
      return undefined;
    }
    // One text for every way to be wrong, so that it tells nothing.
    throw new TlsError("ERR_TLS_BAD_RECORD_MAC", "A record was not protected by the keys of this connection", {
      alert: "bad_record_mac",
      clause: "RFC 8446 §5.2",
    });
  }

  #skip(length: number): void {
    if (length > this.#skippable) {
      throw new TlsError("ERR_TLS_LIMIT", "More early data than is skipped", {
        alert: "unexpected_message",
        found: `${length} octets more`,
        allowed: `${this.#limits.skippedEarlyDataOctets} in all`,
        limit: "skippedEarlyDataOctets",
      });
    }
    // An empty record costs, too.
    this.#skippable = Math.max(0, this.#skippable - Math.max(length, 16));
  }
}
