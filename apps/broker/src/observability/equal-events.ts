/**
 * Counts equal events together: the first of a kind is reported at once, what follows of the kind when an interval is over. A kind is a
 * name within a group, for instance a topic within what one client is refused. So the number of reports has a bound, whatever clients do.
 */

/** How events are counted. */
export interface EqualEventsOptions<Event> {
  readonly intervalMs: number;
  /** Kinds of one group that are told apart in an interval. */
  readonly maximumNames: number;
  /** Kinds of all groups that are told apart in an interval. */
  readonly maximumKinds: number;
  /** What a later event of a kind adds to an earlier one. Default: the later one stands for both. */
  readonly combine?: ((earlier: Event, later: Event) => Event) | undefined;
  /**
   * `first`: a kind's first event. `again`: `times` more of it. `others`: `times` events of a group or of all groups that were not told
   * apart, of which `event` is the last.
   */
  readonly report: (what: "first" | "again" | "others", event: Event, times: number) => void;
}

interface Count<Event> {
  event: Event | undefined;
  times: number;
}

interface Group<Event> {
  readonly kinds: Map<string, Count<Event>>;
  readonly others: Count<Event>;
}

/** The counter. */
export class EqualEvents<Event> implements Disposable {
  readonly #options: EqualEventsOptions<Event>;
  readonly #groups = new Map<string, Group<Event>>();
  readonly #others: Count<Event> = { event: undefined, times: 0 };
  readonly #timer: NodeJS.Timeout;
  #kinds = 0;

  constructor(options: EqualEventsOptions<Event>) {
    this.#options = options;
    this.#timer = setInterval(() => this.#endInterval(), options.intervalMs).unref();
  }

  add(groupName: string, name: string, event: Event): void {
    const { maximumKinds, maximumNames, report } = this.#options;
    let group = this.#groups.get(groupName);
    const known = group?.kinds.get(name);
    if (known !== undefined) {
      this.#count(known, event);
      return;
    }
    if (this.#kinds >= maximumKinds) {
      this.#count(group?.others ?? this.#others, event);
      return;
    }
    if (group === undefined) {
      group = { kinds: new Map(), others: { event: undefined, times: 0 } };
      this.#groups.set(groupName, group);
    }
    if (group.kinds.size >= maximumNames) {
      this.#count(group.others, event);
      return;
    }
    group.kinds.set(name, { event: undefined, times: 0 });
    this.#kinds += 1;
    report("first", event, 1);
  }

  /** Reports what was counted, and stops. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#endInterval();
  }

  #count(count: Count<Event>, event: Event): void {
    const { combine } = this.#options;
    count.event = count.event === undefined || combine === undefined ? event : combine(count.event, event);
    count.times += 1;
  }

  /** A kind that was silent for an interval is forgotten. */
  #endInterval(): void {
    for (const [groupName, { kinds, others }] of this.#groups) {
      for (const [name, count] of kinds) {
        if (this.#take("again", count)) continue;
        kinds.delete(name);
        this.#kinds -= 1;
      }
      this.#take("others", others);
      if (kinds.size === 0) this.#groups.delete(groupName);
    }
    this.#take("others", this.#others);
  }

  #take(what: "again" | "others", count: Count<Event>): boolean {
    const { event, times } = count;
    if (event === undefined) return false;
    count.event = undefined;
    count.times = 0;
    this.#options.report(what, event, times);
    return true;
  }
}
