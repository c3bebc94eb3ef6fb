/**
 * Keys of a server's tickets (RFC 5077 §4, RFC 8446 §4.6.1): the newest encrypts, the last few decrypt.
 *
 * A ticket is a key name, a nonce, and the session under AES-256-GCM. Nothing about it is secret to its holder but the
 * session's secret, which the server alone can read.
 */

import { type AeadKey, type CryptoProvider, equalSecrets } from "@latchkey/crypto";
import { argument } from "./errors.ts";

const nameOctets = 16;
const nonceOctets = 12;
/** Octets of the seed of one key: its name and 32 octets of AES key. */
const ticketKeyOctets = 48;

interface TicketKey {
  readonly name: Uint8Array;
  readonly aead: AeadKey;
}

/** How ticket keys are made and kept. */
export interface TicketKeysOptions {
  readonly provider: CryptoProvider;
  /** Seeds of 48 octets that several servers share, the newest first. Default: one that is made here. */
  readonly seeds?: readonly Uint8Array[];
  /** How many keys still decrypt. Default 3. */
  readonly keptKeys?: number;
}

/** Encrypts and decrypts tickets. Call `rotate` every few hours; a ticket is void when its key is gone. */
export class TicketKeys {
  readonly #provider: CryptoProvider;
  readonly #keptKeys: number;
  #keys: readonly TicketKey[];

  /** Throws `ERR_TLS_ARGUMENT` for seeds that have not 48 octets. */
  constructor({ provider, seeds = [provider.randomBytes(ticketKeyOctets)], keptKeys = 3 }: TicketKeysOptions) {
    if (seeds.length === 0 || keptKeys < 1) throw argument("Tickets need a key");
    this.#provider = provider;
    this.#keptKeys = keptKeys;
    this.#keys = seeds.slice(0, keptKeys).map((seed) => this.#keyOf(seed));
  }

  /** From now on tickets are made under a new key; the oldest is given up. */
  rotate(seed: Uint8Array = this.#provider.randomBytes(ticketKeyOctets)): void {
    this.#keys = [this.#keyOf(seed), ...this.#keys].slice(0, this.#keptKeys);
  }

  /** The ticket of a session. */
  seal(session: Uint8Array): Uint8Array {
    const [key] = this.#keys;
    if (key === undefined) throw argument("Tickets need a key");
    const ticket = new Uint8Array(nameOctets + nonceOctets + session.length + 16);
    const start = nameOctets + nonceOctets;
    ticket.set(key.name);
    ticket.set(this.#provider.randomBytes(nonceOctets), nameOctets);
    ticket.set(session, start);
    const nonce = ticket.subarray(nameOctets, start);
    key.aead.sealInPlace(nonce, key.name, ticket, start, start + session.length);
    return ticket;
  }

  /** The session of a ticket, or undefined for one that none of the keys made. */
  open(ticket: Uint8Array): Uint8Array | undefined {
    const name = ticket.subarray(0, nameOctets);
    const key = this.#keys.find((candidate) => equalSecrets(candidate.name, name));
    if (key === undefined || ticket.length < nameOctets + nonceOctets) return undefined;
    const start = nameOctets + nonceOctets;
    return key.aead.open(ticket.subarray(nameOctets, start), key.name, ticket.subarray(start));
  }

  #keyOf(seed: Uint8Array): TicketKey {
    if (seed.length !== ticketKeyOctets) {
      throw argument(`The seed of a ticket key has ${ticketKeyOctets} octets, not ${seed.length}`);
    }
    return {
      name: new Uint8Array(seed.subarray(0, nameOctets)),
      aead: this.#provider.createAeadKey("AES-256-GCM", seed.subarray(nameOctets)),
    };
  }
}
