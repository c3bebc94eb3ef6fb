/**
 * What a ticket of node:tls does not bring back of a client: the certificates between its own and the root, and, in TLS 1.2, the server name.
 *
 * It is remembered by the client's certificate, for as long as a ticket that was given to it can be used. Where memory ends, the keys of
 * the tickets change, so that no ticket outlives what is known of its client.
 */

import { hash } from "node:crypto";

/** What a full handshake showed of a client besides its certificate. */
interface RememberedClient {
  readonly intermediates: readonly Uint8Array[];
  /** What clients with this certificate asked for last (SNI); those without a certificate count as one client. */
  readonly serverName: string | undefined;
}

/** What they are made with. */
export interface ResumableClientsOptions {
  /** Makes every ticket that was given out useless. */
  readonly changeKeys: () => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly monotonicMs: () => number;
  /** How long keys are used. */
  readonly lifetimeMs: number;
  /** Above it the keys change early. */
  readonly maximumClients: number;
  /** Octets of all intermediates; above it the keys change early. */
  readonly maximumOctets: number;
}

/** The clients of one TLS server. */
export class ResumableClients {
  readonly #options: ResumableClientsOptions;
  #clients = new Map<string, RememberedClient>();
  /** Those of the keys before: a handshake that was under way when the keys changed ends with a ticket under the new ones. */
  #before = new Map<string, RememberedClient>();
  #octets = 0;
  #changedMs: number;

  constructor(options: ResumableClientsOptions) {
    this.#options = options;
    this.#changedMs = options.monotonicMs();
  }

  /** To be called before a handshake begins. */
  changeOldKeys(): void {
    if (this.#options.monotonicMs() - this.#changedMs >= this.#options.lifetimeMs) this.changeKeys();
  }

  /** Changes the keys of the tickets, and forgets what the keys before the last ones knew. */
  changeKeys(): void {
    this.#options.changeKeys();
    this.#before = this.#clients;
    this.#clients = new Map();
    this.#octets = 0;
    this.#changedMs = this.#options.monotonicMs();
  }

  /** A full handshake has ended. `chain` is DER, the client's own certificate first; it is copied. */
  remember(chain: readonly Uint8Array[], serverName: string | undefined): void {
    const [own, ...others] = chain;
    const key = keyOf(own);
    const known = this.#clients.get(key);
    this.#keep(key, {
      intermediates: others.map((der) => new Uint8Array(der)),
      // Who asked for a name once can do so again, so nobody gets a name that is not their own choice.
      serverName: serverName ?? known?.serverName,
    });
  }

  /**
   * What a resumed session's client has shown before; undefined where that was forgotten, and then the keys have changed: the client is to be
   * cut, and its next handshake is a full one. `own` is undefined for a client without a certificate.
   */
  recall(own: Uint8Array | undefined): RememberedClient | undefined {
    const key = keyOf(own);
    const current = this.#clients.get(key);
    if (current !== undefined) return current;
    const before = this.#before.get(key);
    if (before === undefined) this.changeKeys();
    else this.#keep(key, before);
    return before;
  }

  #keep(key: string, client: RememberedClient): void {
    const { maximumClients, maximumOctets } = this.#options;
    const octets = octetsOf(client) - octetsOf(this.#clients.get(key));
    const isNew = !this.#clients.has(key);
    if ((isNew && this.#clients.size >= maximumClients) || this.#octets + octets > maximumOctets) {
      this.changeKeys();
      this.#octets = octetsOf(client);
    } else {
      this.#octets += octets;
    }
    this.#clients.set(key, client);
  }
}

function keyOf(own: Uint8Array | undefined): string {
  return own === undefined ? "" : hash("sha256", own, "base64");
}

function octetsOf(client: RememberedClient | undefined): number {
  return client?.intermediates.reduce((sum, { length }) => sum + length, 0) ?? 0;
}
