/** How many connections may be open, and come, over all listeners of a process and from one address. */

import { Rate } from "@latchkey/broker-core";
import { addressGroup } from "./address-group.ts";

/** The limits. 0 turns a rate off. Clients behind one translated address (NAT) or one load balancer count together, and so does an IPv6 network (/64). */
export interface AdmissionLimits {
  readonly maximumConnections: number;
  /** New connections a second. */
  readonly maximumConnectionsPerSecond: number;
  readonly maximumConnectionsOfAddress: number;
  /** New connections a second. */
  readonly maximumConnectionsPerSecondOfAddress: number;
  /** Connections whose handshake is not finished. */
  readonly maximumHandshakesOfAddress: number;
}

/** Why a connection is not admitted: the limit that it would exceed. */
export type AdmissionRefusal = keyof AdmissionLimits;

/** What one address uses. */
interface AddressUse {
  open: number;
  /** Those whose handshake is finished. */
  secured: number;
  rate: Rate;
}

/** Counts connections. */
export class Admission {
  #limits: AdmissionLimits;
  readonly #monotonicMs: () => number;
  readonly #addresses = new Map<string, AddressUse>();
  /** Addresses without a connection, whose rate still counts; the longest silent first. */
  readonly #idle = new Set<string>();
  #rate: Rate;
  #open = 0;

  constructor(limits: AdmissionLimits, monotonicMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#monotonicMs = monotonicMs;
    this.#rate = new Rate(limits.maximumConnectionsPerSecond, monotonicMs());
  }

  get limits(): AdmissionLimits {
    return this.#limits;
  }

  /** Connections that are open stay when the limits become lower. */
  set limits(limits: AdmissionLimits) {
    this.#limits = limits;
    const nowMs = this.#monotonicMs();
    this.#rate = new Rate(limits.maximumConnectionsPerSecond, nowMs);
    for (const use of this.#addresses.values()) use.rate = this.#newRate(nowMs);
  }

  /** How many are open. */
  get open(): number {
    return this.#open;
  }

  /** How many addresses are remembered. */
  get addresses(): number {
    return this.#addresses.size;
  }

  /** Counts a connection, to be released when it has ended; or says which limit is reached, and counts nothing. */
  admit(address: string): AdmissionRefusal | undefined {
    const nowMs = this.#monotonicMs();
    this.#forgetIdle(nowMs);
    const group = addressGroup(address);
    const known = this.#addresses.get(group);
    const use = known ?? { open: 0, secured: 0, rate: this.#newRate(nowMs) };
    const refusal = this.#exceeded(use, nowMs);
    if (refusal !== undefined) return refusal;
    if (known === undefined) this.#addresses.set(group, use);
    this.#idle.delete(group);
    use.open += 1;
    this.#open += 1;
    return undefined;
  }

  /** The handshake of an admitted connection is finished. `unsecure` is to be called when its stream has ended. */
  secure(address: string): void {
    const use = this.#addresses.get(addressGroup(address));
    if (use !== undefined) use.secured += 1;
  }

  /** The stream behind a handshake has ended. */
  unsecure(address: string): void {
    const group = addressGroup(address);
    const use = this.#addresses.get(group);
    if (use === undefined) return;
    use.secured -= 1;
    this.#leave(group, use);
  }

  /** A connection that was admitted has ended. */
  release(address: string): void {
    const group = addressGroup(address);
    const use = this.#addresses.get(group);
    if (use === undefined) return;
    use.open -= 1;
    this.#open -= 1;
    this.#leave(group, use);
  }

  /** The rates come last: what is refused because too many are open takes nothing from them. */
  #exceeded({ open, secured, rate }: AddressUse, nowMs: number): AdmissionRefusal | undefined {
    const limits = this.#limits;
    if (this.#open >= limits.maximumConnections) return "maximumConnections";
    if (open >= limits.maximumConnectionsOfAddress) return "maximumConnectionsOfAddress";
    if (open - secured >= limits.maximumHandshakesOfAddress) return "maximumHandshakesOfAddress";
    if (!rate.tryTake(nowMs)) return "maximumConnectionsPerSecondOfAddress";
    return this.#rate.tryTake(nowMs) ? undefined : "maximumConnectionsPerSecond";
  }

  #leave(group: string, { open, secured }: AddressUse): void {
    // Of a connection, the socket and the stream end one after the other.
    if (open > 0 || secured > 0) return;
    if (this.#limits.maximumConnectionsPerSecondOfAddress === 0) this.#addresses.delete(group);
    else this.#idle.add(group);
  }

  /** A rate that was not used for a second is as a new one. */
  #forgetIdle(nowMs: number): void {
    for (const group of this.#idle) {
      if (this.#addresses.get(group)?.rate.isUnused(nowMs) === false) return;
      this.#idle.delete(group);
      this.#addresses.delete(group);
    }
  }

  #newRate(nowMs: number): Rate {
    return new Rate(this.#limits.maximumConnectionsPerSecondOfAddress, nowMs);
  }
}
