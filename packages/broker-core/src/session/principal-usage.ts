/** What the connections and sessions of one principal use together. */

import { Rate } from "../connection/rate.ts";
import type { Limits } from "../limits.ts";

/** Those on rates. */
export type PrincipalRateLimit =
  | "maximumConnectsPerSecondOfPrincipal"
  | "maximumPublishesPerSecondOfPrincipal"
  | "maximumOctetsPerSecondOfPrincipal";

/** The limits that are counted for one principal. */
export type PrincipalLimit =
  | PrincipalRateLimit
  | "maximumConnectionsOfPrincipal"
  | "maximumSubscriptionsOfPrincipal"
  | "maximumQueuedOctetsOfPrincipal";

/** Rates of one principal; undefined where there is no limit on them. */
type Rates = Readonly<Record<PrincipalRateLimit, Rate | undefined>>;

const none: Rates = {
  maximumConnectsPerSecondOfPrincipal: undefined,
  maximumPublishesPerSecondOfPrincipal: undefined,
  maximumOctetsPerSecondOfPrincipal: undefined,
};

/** One principal. */
export class PrincipalUsage {
  readonly name: string;
  /** Connections that may connect, or do. */
  connections = 0;
  sessions = 0;
  /** Of all its sessions. */
  subscriptions = 0;
  /** What waits for all its sessions, and what is in flight. */
  queuedOctets = 0;
  rates: Rates;

  constructor(name: string, rates: Rates) {
    this.name = name;
    this.rates = rates;
  }
}

/** All principals that use something. */
export class PrincipalUsages {
  readonly #limits: Limits;
  readonly #nowMs: () => number;
  readonly #byName = new Map<string, PrincipalUsage>();
  /** Those that use nothing now; their rates may still count. */
  readonly #idle = new Set<PrincipalUsage>();

  constructor(limits: Limits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** How many there are. */
  get size(): number {
    return this.#byName.size;
  }

  of(name: string): PrincipalUsage {
    let usage = this.#byName.get(name);
    if (usage === undefined) this.#byName.set(name, (usage = new PrincipalUsage(name, this.#newRates())));
    this.#idle.delete(usage);
    return usage;
  }

  /** Something of it has ended. */
  released(usage: PrincipalUsage): void {
    if (usage.connections > 0 || usage.sessions > 0) return;
    if (usage.rates === none) this.#byName.delete(usage.name);
    else this.#idle.add(usage);
  }

  /** Forgets those that use nothing any more. */
  sweep(): void {
    const nowMs = this.#nowMs();
    for (const usage of this.#idle) {
      if (Object.values(usage.rates).some((rate) => rate?.isUnused(nowMs) === false)) continue;
      this.#idle.delete(usage);
      this.#byName.delete(usage.name);
    }
  }

  /** The limits have changed. */
  changed(): void {
    for (const usage of this.#byName.values()) usage.rates = this.#newRates();
  }

  #newRates(): Rates {
    const rates: Rates = {
      maximumConnectsPerSecondOfPrincipal: this.#rateOf("maximumConnectsPerSecondOfPrincipal"),
      maximumPublishesPerSecondOfPrincipal: this.#rateOf("maximumPublishesPerSecondOfPrincipal"),
      maximumOctetsPerSecondOfPrincipal: this.#rateOf("maximumOctetsPerSecondOfPrincipal"),
    };
    return Object.values(rates).every((rate) => rate === undefined) ? none : rates;
  }

  #rateOf(limit: PrincipalRateLimit): Rate | undefined {
    const perSecond = this.#limits[limit];
    return perSecond === 0 ? undefined : new Rate(perSecond, this.#nowMs());
  }
}
