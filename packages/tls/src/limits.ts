/** What a peer may make this side do: every limit with its default and where it comes from. */

import { argument } from "./errors.ts";

/** What a peer may make the engine keep or do. The README has the table with their origins. */
export interface TlsLimits {
  /** Octets of one handshake message, its header included, except Certificate. Default 65,536 (Go, rustls). */
  readonly handshakeMessageOctets: number;
  /** Octets of a Certificate message. Default 131,072. */
  readonly certificateMessageOctets: number;
  /** Certificates in one chain. Default 10. */
  readonly certificates: number;
  /** Octets that are kept while an answer to a `need` is awaited. Default 262,144. */
  readonly waitingInputOctets: number;
  /** Octets of records that `send` leaves for `takeOutput` before it takes no more. Default 1,048,576. */
  readonly outputOctets: number;
  /** Records in a row that carry no application data or new message: empty ones, warnings, updates. Default 32 (BoringSSL). */
  readonly uselessRecords: number;
  /** Warning alerts in a row. Default 4 (OpenSSL, BoringSSL, rustls). */
  readonly warningAlerts: number;
  /** change_cipher_spec records that are dropped in a handshake of TLS 1.3. Default 2 (rustls). */
  readonly changeCipherSpecs: number;
  /** KeyUpdates without application data between them. Default 32 (BoringSSL, rustls). */
  readonly keyUpdates: number;
  /** NewSessionTickets of one connection that a client takes. Default 16. */
  readonly sessionTickets: number;
  /** Tickets of one ClientHello that a server tries. Default 4. */
  readonly offeredTickets: number;
  /** Octets of refused early data that a server skips. Default 16,384. */
  readonly skippedEarlyDataOctets: number;
  /**
   * Records under one AES-GCM key. At most and by default 23,726,566, which is 2^24.5 (RFC 8446 §5.5). TLS 1.3 updates its keys
   * before that, TLS 1.2 closes. The peer's keys: an update is asked for, and the connection ends at twice as many.
   */
  readonly recordsPerKey: number;
}

/** 2^24.5 (RFC 8446 §5.5). */
const mostRecordsPerKey = 23_726_566;

/** The defaults. All connections without limits of their own share this object, so it is frozen. */
export const defaultTlsLimits: TlsLimits = /* @__PURE__ */ Object.freeze({
  handshakeMessageOctets: 65_536,
  certificateMessageOctets: 131_072,
  certificates: 10,
  waitingInputOctets: 262_144,
  outputOctets: 1_048_576,
  uselessRecords: 32,
  warningAlerts: 4,
  changeCipherSpecs: 2,
  keyUpdates: 32,
  sessionTickets: 16,
  offeredTickets: 4,
  skippedEarlyDataOctets: 16_384,
  recordsPerKey: mostRecordsPerKey,
});

/** The limits with the defaults where none is given. Throws `ERR_TLS_ARGUMENT` for what is no count. */
export function tlsLimits(given?: Partial<TlsLimits>): TlsLimits {
  // One object for all connections: each keeps its limits as long as it lives.
  if (given === undefined) return defaultTlsLimits;
  const limits = { ...defaultTlsLimits, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 0) throw argument(`The limit ${name} is a count, not ${value}`);
  }
  if (limits.recordsPerKey < 2 || limits.recordsPerKey > mostRecordsPerKey) {
    throw argument(`recordsPerKey is 2 to ${mostRecordsPerKey}, not ${limits.recordsPerKey}`);
  }
  return limits;
}
