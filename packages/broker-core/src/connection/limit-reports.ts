/** How often limits of principals and addresses are reached: counted, for one event a second of each. */

import type { Counters } from "../counters.ts";
import type { EventSource, LimitedEvent } from "../events.ts";
import type { Limits } from "../limits.ts";
import type { ConnectionGroup, GroupLimit } from "../session/connection-group.ts";

/** What was reached since the last report. */
interface Reached<Peer, Principal> {
  times: number;
  source: EventSource<Peer, Principal>;
}

/** Counts them. */
export class LimitReports<Peer, Principal> {
  readonly #limits: Limits;
  readonly #counts: Counters["groupLimits"];
  readonly #reached = new Map<ConnectionGroup, Map<GroupLimit, Reached<Peer, Principal>>>();

  constructor(limits: Limits, counts: Counters["groupLimits"]) {
    this.#limits = limits;
    this.#counts = counts;
  }

  add(group: ConnectionGroup, limit: GroupLimit, source: EventSource<Peer, Principal>): void {
    this.#counts[limit] += 1;
    let ofGroup = this.#reached.get(group);
    if (ofGroup === undefined) this.#reached.set(group, (ofGroup = new Map()));
    const known = ofGroup.get(limit);
    if (known === undefined) ofGroup.set(limit, { times: 1, source });
    else {
      known.times += 1;
      known.source = source;
    }
  }

  /** Gives the events, and begins anew. */
  *take(): Iterable<LimitedEvent<Peer, Principal>> {
    for (const [{ scope, name }, reached] of this.#reached) {
      for (const [limit, { times, source }] of reached) {
        yield { type: "limited", ...source, scope, name, limit, value: this.#limits[limit], times };
      }
    }
    this.#reached.clear();
  }
}
