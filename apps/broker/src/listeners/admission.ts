/** How many connections may be open at once: over all listeners of a process, and of one address. */

/** The limits. */
export interface AdmissionLimits {
  readonly maximumConnections: number;
  /** Clients behind one translated address (NAT) count together. */
  readonly maximumConnectionsPerAddress: number;
}

/** Why a connection is not admitted: the limit that it would exceed. */
export type AdmissionRefusal = keyof AdmissionLimits;

/** Counts connections. */
export class Admission {
  /** Those that hold. Connections that are open stay when they become lower. */
  limits: AdmissionLimits;
  readonly #ofAddress = new Map<string, number>();
  #open = 0;

  constructor(limits: AdmissionLimits) {
    this.limits = limits;
  }

  /** How many are open. */
  get open(): number {
    return this.#open;
  }

  /** Counts a connection, to be released when it has ended; or says which limit is reached, and counts nothing. */
  admit(address: string): AdmissionRefusal | undefined {
    if (this.#open >= this.limits.maximumConnections) return "maximumConnections";
    const ofAddress = this.#ofAddress.get(address) ?? 0;
    if (ofAddress >= this.limits.maximumConnectionsPerAddress) return "maximumConnectionsPerAddress";
    this.#ofAddress.set(address, ofAddress + 1);
    this.#open += 1;
    return undefined;
  }

  /** A connection that was admitted has ended. */
  release(address: string): void {
    const rest = (this.#ofAddress.get(address) ?? 0) - 1;
    if (rest > 0) this.#ofAddress.set(address, rest);
    else this.#ofAddress.delete(address);
    this.#open -= 1;
  }
}
