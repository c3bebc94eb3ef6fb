/** An open connection of TLS 1.3: KeyUpdate, tickets, the exporter (RFC 8446 §4.6, §5.5, §7.2, §7.5). */

import type { CryptoProvider } from "@latchkey/crypto";
import type { CipherSuite } from "./cipher-suite.ts";
import { concatenate } from "./concatenate.ts";
import type { Connection } from "./connection.ts";
import { TlsError } from "./errors.ts";
import type { HandshakeType } from "./handshake-type.ts";
import { exportKey, nextTrafficSecret, resumptionKey, trafficKeys } from "./key-schedule.ts";
import { readKeyUpdate, writeKeyUpdate } from "./messages/key-update.ts";
import { readNewSessionTicket13 } from "./messages/new-session-ticket.ts";
import type { TrafficKeys } from "./record-protection.ts";
import { ResumableSession } from "./session.ts";
import type { Traffic } from "./traffic.ts";

/** The secrets that an open connection keeps. It takes them over: the arrays are erased. */
export interface TrafficSecrets {
  readonly read: Uint8Array;
  readonly write: Uint8Array;
  readonly exporter: Uint8Array;
  /** What a client makes sessions of; a server is done with tickets when the connection opens. */
  readonly resumption: Resumption | undefined;
}

/** What a client's sessions are made of. */
export interface Resumption {
  readonly secret: Uint8Array;
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  readonly peerCertificates: readonly Uint8Array[];
}

const secretNames = ["read", "write", "exporter"] as const;

export class Traffic13 implements Traffic {
  keyUpdates: number = 0;
  owesKeyUpdate: boolean = false;
  readonly #connection: Connection;
  readonly #provider: CryptoProvider;
  readonly #suite: CipherSuite;
  /** In the order of `secretNames`. A connection has them as long as it lives: one array takes a third of the room of three. */
  readonly #secrets: Uint8Array;
  readonly #resumption: Resumption | undefined;
  #tickets = 0;
  #hasAskedForKeys = false;

  constructor(connection: Connection, suite: CipherSuite, secrets: TrafficSecrets) {
    this.#connection = connection;
    this.#provider = connection.provider;
    this.#suite = suite;
    const kept = secretNames.map((name) => secrets[name]);
    this.#secrets = concatenate(kept);
    for (const secret of kept) secret.fill(0);
    this.#resumption = secrets.resumption;
  }

  get recordsLeft(): number {
    // One is left for the KeyUpdate itself.
    return this.#recordsPerKey - this.#connection.recordsWritten - 1;
  }

  get #recordsPerKey(): number {
    // RFC 8446 §5.5: for ChaCha20-Poly1305 the sequence number would wrap first.
    if (this.#suite.aead === "ChaCha20-Poly1305") return Number.MAX_SAFE_INTEGER;
    return this.#connection.settings.limits.recordsPerKey;
  }

  receive(name: HandshakeType | undefined, body: Uint8Array): void {
    if (name === "key_update") this.#receiveKeyUpdate(body);
    else this.#receiveTicket(body);
  }

  afterSending(): void {
    if (this.recordsLeft <= 0) this.updateKeys(false);
  }

  afterReceiving(): void {
    const { recordsRead } = this.#connection;
    if (recordsRead < this.#recordsPerKey) return;
    if (recordsRead >= 2 * this.#recordsPerKey) {
      throw new TlsError("ERR_TLS_LIMIT", "The peer used one key for too many records", {
        alert: "unexpected_message",
        limit: "recordsPerKey",
        found: `${recordsRead}`,
        allowed: `${this.#recordsPerKey}`,
        clause: "RFC 8446 §5.5",
      });
    }
    if (this.#hasAskedForKeys || !this.#canSend) return;
    this.#hasAskedForKeys = true;
    this.updateKeys(true);
  }

  updateKeys(requestsPeer: boolean): void {
    // RFC 8446 §4.6.3: an answer is one that requests nothing.
    if (!requestsPeer) this.owesKeyUpdate = false;
    this.#connection.sendPostHandshake("key_update", writeKeyUpdate(requestsPeer));
    this.#connection.setWriteKeys(this.#suite, this.#nextKeys("write"), "application, updated");
    this.#connection.emit({ type: "keyUpdate", direction: "write" });
  }

  exportKeyingMaterial(length: number, label: string, context: Uint8Array = new Uint8Array(0)): Uint8Array {
    return exportKey(this.#provider, this.#suite.hash, this.#secret("exporter"), label, context, length);
  }

  erase(): void {
    this.#secrets.fill(0);
    this.#resumption?.secret.fill(0);
  }

  get #canSend(): boolean {
    return this.#connection.phase === "open" || this.#connection.phase === "peerClosed";
  }

  /** The keys of a direction's next secret, which takes the place of the one before. */
  #nextKeys(direction: "read" | "write"): TrafficKeys {
    const secret = this.#secret(direction);
    const next = nextTrafficSecret(this.#provider, this.#suite.hash, secret);
    secret.set(next);
    next.fill(0);
    return trafficKeys(this.#provider, this.#suite, secret);
  }

  /** A view. */
  #secret(name: (typeof secretNames)[number]): Uint8Array {
    const octets = this.#secrets.length / secretNames.length;
    const at = secretNames.indexOf(name) * octets;
    return this.#secrets.subarray(at, at + octets);
  }

  #receiveKeyUpdate(body: Uint8Array): void {
    const isRequest = readKeyUpdate(body);
    this.keyUpdates++;
    const { keyUpdates } = this.#connection.settings.limits;
    if (this.keyUpdates > keyUpdates) {
      throw new TlsError("ERR_TLS_LIMIT", "Too many KeyUpdates without data between them", {
        alert: "unexpected_message",
        limit: "keyUpdates",
        found: `${this.keyUpdates}`,
        allowed: `${keyUpdates}`,
      });
    }
    this.#connection.setReadKeys(this.#suite, this.#nextKeys("read"), "application, updated");
    this.#hasAskedForKeys = false;
    this.#connection.emit({ type: "keyUpdate", direction: "read" });
    // RFC 8446 §4.6.3: the answer goes out before the next application data, and is one for all requests that came while this side
    // was silent. So a peer that asks and reads nothing does not fill the output.
    this.owesKeyUpdate ||= isRequest;
  }

  #receiveTicket(body: Uint8Array): void {
    const { lifetimeSeconds, ageAdd, nonce, ticket } = readNewSessionTicket13(body);
    this.#tickets++;
    const { sessionTickets } = this.#connection.settings.limits;
    if (this.#tickets > sessionTickets) {
      throw new TlsError("ERR_TLS_LIMIT", "Too many session tickets", {
        alert: "unexpected_message",
        limit: "sessionTickets",
        found: `${this.#tickets}`,
        allowed: `${sessionTickets}`,
      });
    }
    // RFC 8446 §4.6.1: a lifetime of zero means that the ticket is to be discarded at once.
    if (this.#resumption === undefined || lifetimeSeconds === 0) return;
    const session = new ResumableSession({
      ...this.#resumption,
      suite: this.#suite,
      secret: resumptionKey(this.#provider, this.#suite.hash, this.#resumption.secret, nonce),
      createdAt: this.#connection.settings.clock(),
      lifetimeSeconds,
      ageAdd,
      ticket: ticket.slice(),
    });
    this.#connection.emit({ type: "session", session });
  }
}
