/** How fast a connection is read from: its own rates and those of its groups, and until when it waits because of them. */

import type { Deadline, Deadlines } from "../deadlines.ts";
import type { EventSource } from "../events.ts";
import type { Limits } from "../limits.ts";
import type { ConnectionGroup, GroupRate } from "../session/connection-group.ts";
import type { LimitReports } from "./limit-reports.ts";
import { Rate } from "./rate.ts";

/** What of a connection its pace has to do with. */
interface PacedConnection<Peer, Principal> {
  readonly context: {
    readonly limits: Limits;
    readonly deadlines: Deadlines;
    readonly limited: LimitReports<Peer, Principal>;
    readonly nowMs: number;
  };
  readonly groups: readonly ConnectionGroup[];
  source(): EventSource<Peer, Principal>;
  /** It may be read from again. */
  work(): void;
  /** The same, in a turn of its own. */
  unbraked(): void;
}

/** The pace of one connection. */
export class Pace<Peer, Principal> {
  readonly #publishes: Rate;
  readonly #octets: Rate;
  readonly #connection: PacedConnection<Peer, Principal>;
  #slowedUntil: Deadline | undefined;

  constructor(connection: PacedConnection<Peer, Principal>, nowMs: number) {
    const { limits } = connection.context;
    this.#publishes = new Rate(limits.maximumPublishesPerSecond, nowMs);
    this.#octets = new Rate(limits.maximumOctetsPerSecond, nowMs);
    this.#connection = connection;
  }

  /** Whether it is not read from now, because the client sends faster than it may. */
  get isSlowed(): boolean {
    return this.#slowedUntil !== undefined;
  }

  /** Counts what has come, also for all connections of the principal and the address together; the client waits where it is too much. */
  take(what: GroupRate, amount: number): void {
    const { context, groups } = this.#connection;
    const waitMs = (what === "publishes" ? this.#publishes : this.#octets).take(amount, context.nowMs);
    if (waitMs > 0) this.#slowDown(waitMs);
    for (const group of groups) {
      const waitForGroupMs = group[what]?.take(amount, context.nowMs) ?? 0;
      if (waitForGroupMs === 0) continue;
      this.#slowDown(waitForGroupMs);
      context.limited.add(group, group.limits[what], this.#connection.source());
    }
  }

  /** The limits have changed, those of the groups first: what came too fast is waited for at the new rates. */
  changed(): void {
    const { context, groups } = this.#connection;
    const { limits, nowMs } = context;
    this.#publishes.change(limits.maximumPublishesPerSecond, nowMs);
    this.#octets.change(limits.maximumOctetsPerSecond, nowMs);
    if (!this.isSlowed) return;
    this.end();
    const rates = [this.#publishes, this.#octets, ...groups.flatMap((group) => [group.publishes, group.octets])];
    const waitMs = Math.max(...rates.map((rate) => rate?.take(0, nowMs) ?? 0));
    if (waitMs > 0) this.#slowDown(waitMs);
    else this.#connection.unbraked();
  }

  /** Waits for nothing any more. */
  end(): void {
    this.#connection.context.deadlines.cancel(this.#slowedUntil);
    this.#slowedUntil = undefined;
  }

  #slowDown(forMs: number): void {
    if (this.#slowedUntil !== undefined) return;
    const { deadlines, nowMs } = this.#connection.context;
    this.#slowedUntil = deadlines.add(nowMs + forMs, () => {
      this.#slowedUntil = undefined;
      this.#connection.work();
    });
  }
}
