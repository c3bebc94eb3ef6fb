/** How often limits of principals are reached: counted, for one event a second of each. */

import type { EventSource, LimitedEvent } from "../events.ts";
import type { Limits } from "../limits.ts";
import type { PrincipalLimit, PrincipalUsage } from "../session/principal-usage.ts";

/** What was reached since the last report. */
interface Reached<Peer, Principal> {
  times: number;
  source: EventSource<Peer, Principal>;
}

/** Counts them. */
export class LimitReports<Peer, Principal> {
  readonly #limits: Limits;
  readonly #counts: Record<PrincipalLimit, number>;
  readonly #reached = new Map<PrincipalUsage, Map<PrincipalLimit, Reached<Peer, Principal>>>();

  constructor(limits: Limits, counts: Record<PrincipalLimit, number>) {
    this.#limits = limits;
    this.#counts = counts;
  }

  add(usage: PrincipalUsage, limit: PrincipalLimit, source: EventSource<Peer, Principal>): void {
    this.#counts[limit] += 1;
    let ofUsage = this.#reached.get(usage);
    if (ofUsage === undefined) this.#reached.set(usage, (ofUsage = new Map()));
    const known = ofUsage.get(limit);
    if (known === undefined) ofUsage.set(limit, { times: 1, source });
    else {
      known.times += 1;
      known.source = source;
    }
  }

  /** Gives the events, and begins anew. */
  *take(): Iterable<LimitedEvent<Peer, Principal>> {
    for (const [{ name }, reached] of this.#reached) {
      for (const [limit, { times, source }] of reached) {
        yield { type: "limited", ...source, principalName: name, limit, value: this.#limits[limit], times };
      }
    }
    this.#reached.clear();
  }
}
