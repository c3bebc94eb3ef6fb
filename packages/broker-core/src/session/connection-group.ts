/** What the connections and sessions of one principal, or those from one address, use together. */

import { Rate } from "../connection/rate.ts";
import type { Limits } from "../limits.ts";

/** What a group's connections have in common. */
export type GroupScope = "principal" | "address";

/** What is limited for a group. */
type GroupUse =
  | "Connections"
  | "ConnectionsBeforeConnect"
  | "Subscriptions"
  | "QueuedOctets"
  | "IncompleteOctets"
  | "ConnectsPerSecond"
  | "PublishesPerSecond"
  | "OctetsPerSecond";

/** Who a principal is, is not known before CONNECT. */
type ScopedLimit<Scope extends GroupScope> = `maximum${GroupUse}Of${Capitalize<Scope>}`;

/** The limits that are counted for one principal. */
export type PrincipalLimit = Exclude<ScopedLimit<"principal">, "maximumConnectionsBeforeConnectOfPrincipal">;

/** The limits that are counted for one address. */
export type AddressLimit = ScopedLimit<"address">;

/** The limits that are counted for a group. */
export type GroupLimit = PrincipalLimit | AddressLimit;

/** What a connection can be slowed down for. */
export type GroupRate = "publishes" | "octets";

/** How the limits of a kind of groups are called. */
interface LimitNames {
  readonly connections: GroupLimit;
  readonly subscriptions: GroupLimit;
  readonly queuedOctets: "maximumQueuedOctetsOfPrincipal" | "maximumQueuedOctetsOfAddress";
  readonly incompleteOctets: GroupLimit;
  readonly connects: GroupLimit;
  readonly publishes: GroupLimit;
  readonly octets: GroupLimit;
}

function namesOf(scope: Capitalize<GroupScope>): LimitNames {
  return {
    connections: `maximumConnectionsOf${scope}`,
    subscriptions: `maximumSubscriptionsOf${scope}`,
    queuedOctets: `maximumQueuedOctetsOf${scope}`,
    incompleteOctets: `maximumIncompleteOctetsOf${scope}`,
    connects: `maximumConnectsPerSecondOf${scope}`,
    publishes: `maximumPublishesPerSecondOf${scope}`,
    octets: `maximumOctetsPerSecondOf${scope}`,
  };
}

const groupLimits: Readonly<Record<GroupScope, LimitNames>> = {
  principal: namesOf("Principal"),
  address: namesOf("Address"),
};

/** Of connections and sessions that belong to nobody who is counted. Never written to. */
export const noGroups: readonly ConnectionGroup[] = [];

/** One principal, or one address. */
export class ConnectionGroup {
  readonly scope: GroupScope;
  readonly name: string;
  readonly limits: LimitNames;
  /** Connections that are open; of a principal from the moment on in which it is known. */
  connections = 0;
  /** Those of them whose CONNECT is not accepted. */
  connectionsBeforeConnect = 0;
  /** Sessions that are counted: those of a principal, and of an address those that are connected from it. */
  sessions = 0;
  /** Of all its sessions. */
  subscriptions = 0;
  /** What waits for all its sessions, and what is in flight. */
  queuedOctets = 0;
  /** Memory of packets that have come in part. */
  incompleteOctets = 0;
  // What is asked for with each message is kept here. Rates are undefined where there is no limit on them.
  maximumQueuedOctets = 0;
  connects: Rate | undefined;
  publishes: Rate | undefined;
  octets: Rate | undefined;

  constructor(scope: GroupScope, name: string) {
    this.scope = scope;
    this.name = name;
    this.limits = groupLimits[scope];
  }

  /** Takes these limits. */
  limit(limits: Limits, nowMs: number): void {
    const rateOf = (name: GroupLimit, known: Rate | undefined): Rate | undefined => {
      if (limits[name] === 0) return undefined;
      known?.change(limits[name], nowMs);
      return known ?? new Rate(limits[name], nowMs);
    };
    const names = this.limits;
    this.maximumQueuedOctets = limits[names.queuedOctets];
    this.connects = rateOf(names.connects, this.connects);
    this.publishes = rateOf(names.publishes, this.publishes);
    this.octets = rateOf(names.octets, this.octets);
  }

  /** Whether a new one would be the same. */
  isUnused(nowMs: number): boolean {
    if (this.connections > 0 || this.sessions > 0) return false;
    return [this.connects, this.publishes, this.octets].every((rate) => rate?.isUnused(nowMs) ?? true);
  }
}

/** All groups that use something. */
export class ConnectionGroups {
  readonly #limits: Limits;
  readonly #nowMs: () => number;
  readonly #byName: Readonly<Record<GroupScope, Map<string, ConnectionGroup>>> = {
    principal: new Map(),
    address: new Map(),
  };
  /** Those that use nothing now; their rates may still count. */
  readonly #idle = new Set<ConnectionGroup>();

  constructor(limits: Limits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** How many there are. */
  get size(): number {
    return this.#byName.principal.size + this.#byName.address.size;
  }

  of(scope: GroupScope, name: string): ConnectionGroup {
    let group = this.#byName[scope].get(name);
    if (group === undefined) {
      group = new ConnectionGroup(scope, name);
      group.limit(this.#limits, this.#nowMs());
      this.#byName[scope].set(name, group);
    }
    this.#idle.delete(group);
    return group;
  }

  /** Something of it has ended. */
  released(group: ConnectionGroup): void {
    if (group.connections > 0 || group.sessions > 0) return;
    if (group.isUnused(this.#nowMs())) this.#byName[group.scope].delete(group.name);
    else this.#idle.add(group);
  }

  /** Forgets those that use nothing any more. */
  sweep(): void {
    for (const group of this.#idle) {
      if (!group.isUnused(this.#nowMs())) continue;
      this.#idle.delete(group);
      this.#byName[group.scope].delete(group.name);
    }
  }

  /** The limits have changed. */
  changed(): void {
    for (const groups of Object.values(this.#byName)) {
      for (const group of groups.values()) group.limit(this.#limits, this.#nowMs());
    }
  }
}
