/**
 * Which messages are owed and which have arrived, one by one.
 *
 * A message is known by the device that published it and by its number there; the stamp in its payload carries both. The
 * worker of a publisher notes what it owes, the worker of a receiver notes what came, and `settle` compares the two: a lost
 * message is one that is in the first list and not in the second, whatever the counters say.
 */

/** Set of whole numbers from 0 on, one bit each: messages arrive nearly in order, so the bits lie close together. */
export class NumberSet {
  #words = new Uint32Array(32);

  /** Adds a number; false where it was there. */
  add(value: number): boolean {
    const at = value >>> 5;
    if (at >= this.#words.length) {
      const words = new Uint32Array(Math.max(at + 1, this.#words.length * 2));
      words.set(this.#words);
      this.#words = words;
    }
    const bit = 1 << (value & 31);
    const word = this.#words[at] ?? 0;
    if ((word & bit) !== 0) return false;
    this.#words[at] = word | bit;
    return true;
  }

  /** The bits: number n is bit n % 32 of word n / 32. */
  get words(): Uint32Array {
    return this.#words;
  }
}

/** Messages of one publisher with numbers in [first, end), each owed to so many receivers. */
interface OwedRange {
  readonly device: number;
  readonly first: number;
  end: number;
  readonly receivers: number;
}

/** What one group of receivers got of one publisher. */
interface ArrivedSet {
  readonly group: number;
  readonly device: number;
  readonly words: Uint32Array;
}

/** A worker's part. */
export interface LedgerReport {
  readonly owed: readonly OwedRange[];
  readonly arrived: readonly ArrivedSet[];
  /** Deliveries that were due and that no connection took. */
  readonly notSent: number;
  /** Operations (handshakes, presses, calls) that ended with an error. */
  readonly failed: number;
  /** Operations that had begun and not ended when the run ended. */
  readonly unfinished: number;
  readonly repeated: number;
  readonly outsideWindow: number;
  readonly unexpected: number;
}

/** The receivers of a shared subscription are one group: each message goes to one of them. */
export const sharedGroup = -1;
/** A number that is so far beyond all that were seen is no number of this run. */
const widestGap = 1 << 24;

/** What one worker notes. */
export class Ledger {
  readonly #owed: OwedRange[] = [];
  readonly #lastOf = new Map<number, OwedRange>();
  readonly #arrived = new Map<number, NumberSet[]>();
  readonly #devices: number;
  #highest = 0;
  notSent = 0;
  failed = 0;
  unfinished = 0;
  repeated = 0;
  outsideWindow = 0;
  unexpected = 0;

  /** `devices` is how many devices the run has. */
  constructor(devices: number) {
    this.#devices = devices;
  }

  /** Publisher `device` owes the messages [first, end) to `receivers` each. */
  owe(device: number, first: number, end: number, receivers: number): void {
    const last = this.#lastOf.get(device);
    if (last !== undefined && last.end === first && last.receivers === receivers) {
      last.end = end;
      return;
    }
    const range = { device, first, end, receivers };
    this.#owed.push(range);
    this.#lastOf.set(device, range);
  }

  /** Message `sequence` of `device` has come to `group`: `first`, `again`, or `strange` where no such message can be. */
  arrive(group: number, device: number, sequence: number): "first" | "again" | "strange" {
    if (device >= this.#devices || sequence > this.#highest + widestGap) return "strange";
    if (sequence > this.#highest) this.#highest = sequence;
    let sets = this.#arrived.get(group);
    if (sets === undefined) this.#arrived.set(group, (sets = []));
    const set = (sets[device] ??= new NumberSet());
    return set.add(sequence) ? "first" : "again";
  }

  report(): LedgerReport {
    const { notSent, failed, unfinished, repeated, outsideWindow, unexpected } = this;
    const arrived: ArrivedSet[] = [];
    for (const [group, sets] of this.#arrived) {
      // The list has holes: a receiver does not hear of every publisher.
      for (const key of Object.keys(sets)) {
        const device = Number(key);
        const set = sets[device];
        if (set !== undefined) arrived.push({ group, device, words: set.words });
      }
    }
    return { owed: this.#owed, arrived, notSent, failed, unfinished, repeated, outsideWindow, unexpected };
  }
}

/** What became of everything that was owed in the measured time; `lost` is the sum of the first four. */
export interface Settlement {
  readonly notSent: number;
  /** Deliveries that were sent and that did not arrive. */
  readonly missing: number;
  readonly failed: number;
  readonly unfinished: number;
  /** Deliveries of messages that had arrived before; they are in no other count. */
  readonly repeated: number;
  /** Messages that arrived and were due in the warm-up or ramp-up. */
  readonly outsideWindow: number;
  /** Deliveries that nobody owed: messages of another run, or more receivers than subscribed. */
  readonly unexpected: number;
}

/** Compares what all workers owe with what came to all workers. `delivered` is how many owed deliveries arrived. */
export function settle(reports: readonly LedgerReport[]): {
  readonly settlement: Settlement;
  readonly delivered: number;
} {
  const sum = (pick: (report: LedgerReport) => number): number => reports.reduce((total, one) => total + pick(one), 0);
  const owedBy = new Map<number, OwedRange[]>();
  for (const range of reports.flatMap(({ owed }) => owed)) addTo(owedBy, range.device, range);
  const arrivedOf = new Map<number, ArrivedSet[]>();
  for (const set of reports.flatMap(({ arrived }) => arrived)) addTo(arrivedOf, set.device, set);
  let missing = 0;
  let surplus = 0;
  let delivered = 0;
  let repeated = sum((report) => report.repeated);
  for (const [device, ranges] of owedBy) {
    const owed = new Uint32Array(ranges.reduce((most, { end }) => Math.max(most, end), 0));
    for (const { first, end, receivers } of ranges)
      for (let n = first; n < end; n++) owed[n] = (owed[n] ?? 0) + receivers;
    const got = new Uint32Array(owed.length);
    /** Where members of one group sit in several workers, a message that came to two of them came twice. */
    const groups = Map.groupBy(arrivedOf.get(device) ?? [], ({ group }) => group);
    for (const sets of groups.values()) {
      for (let n = 0; n < owed.length; n++) {
        if (owed[n] === 0) continue;
        const times = sets.reduce((count, { words }) => count + (((words[n >>> 5] ?? 0) >>> (n & 31)) & 1), 0);
        if (times > 0) got[n] = (got[n] ?? 0) + 1;
        if (times > 1) repeated += times - 1;
      }
    }
    for (let n = 0; n < owed.length; n++) {
      const [wanted, had] = [owed[n] ?? 0, got[n] ?? 0];
      delivered += Math.min(wanted, had);
      missing += Math.max(0, wanted - had);
      surplus += Math.max(0, had - wanted);
    }
  }
  const settlement = {
    notSent: sum((report) => report.notSent),
    missing,
    failed: sum((report) => report.failed),
    unfinished: sum((report) => report.unfinished),
    repeated,
    outsideWindow: sum((report) => report.outsideWindow),
    unexpected: sum((report) => report.unexpected) + surplus,
  };
  return { settlement, delivered };
}

function addTo<T>(lists: Map<number, T[]>, key: number, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
