/**
 * What live connections may do, kept true by the change feed.
 *
 * A policy is compiled once for all connections with the same policies. A change is looked at only for the connections that
 * depend on what it touches: a new default version of a policy marks the sets that have it, which are compiled anew at their
 * next decision, however many connections share them.
 */

import { compile, type PolicyMatcher, type ThingAttributes } from "@latchkey/policy";
import { resourceKey, type Change } from "./changes.ts";
import { dateText } from "./certificate-input.ts";
import type { ConnectionReads, RightsRecords, UnreadablePolicy } from "./connection-reads.ts";
import { isRegistryError } from "./errors.ts";
import type { Principal } from "./identity/resolve-principal.ts";
import { scopeKey } from "./scope.ts";
import { SetsByKey } from "./sets-by-key.ts";

/** What one connection may do. `ConnectionRightsTable` updates the fields in place when the registry changes. */
export class ConnectionRights {
  readonly principal: Principal;
  readonly clientIdentifier: string | undefined;
  /** The associated thing, for the request context. */
  thing: ThingAttributes | undefined;
  /** Why the connection has to end; undefined while it may go on. It has no rights from then on. */
  refusal: string | undefined;
  /** The policies in effect. `ConnectionRightsTable` sets it. */
  policySet: PolicySet;
  /** Resources that it depends on. `ConnectionRightsTable` sets it. */
  dependencies: readonly string[] = [];
  /** The number of the last change of what this connection alone depends on. `ConnectionRightsTable` counts changes and sets it. */
  lastOwnChange = 0;

  constructor(principal: Principal, clientIdentifier: string | undefined, policySet: PolicySet) {
    this.principal = principal;
    this.clientIdentifier = clientIdentifier;
    this.policySet = policySet;
  }

  /** Decides by the policies of this moment. Compiles them where they have changed; allows nothing where they cannot be read. */
  get matcher(): PolicyMatcher {
    return this.refusal === undefined ? this.policySet.matcher() : nothingAllowed;
  }

  /** Rises whenever a decision about the same request, at the same time, may have another outcome. */
  get revision(): number {
    return Math.max(this.lastOwnChange, this.policySet.lastChange);
  }
}

/** Policies that hold together, compiled once for all connections that have them. */
export class PolicySet {
  readonly key: string;
  readonly policyNames: readonly string[];
  /** How many connections have it. */
  users = 0;
  /** The number of the last change of one of the policies, in the table's count. */
  lastChange: number;
  readonly #nextChange: () => number;
  readonly #compile: (names: readonly string[]) => PolicyMatcher | undefined;
  #matcher: PolicyMatcher | undefined;

  /** `compileNames` gives undefined where the policies cannot be read now; it is asked again at the next decision. */
  constructor(
    key: string,
    policyNames: readonly string[],
    compileNames: (names: readonly string[]) => PolicyMatcher | undefined,
    nextChange: () => number,
  ) {
    this.#nextChange = nextChange;
    this.lastChange = nextChange();
    this.key = key;
    this.policyNames = policyNames;
    this.#compile = compileNames;
  }

  matcher(): PolicyMatcher {
    this.#matcher ??= this.#compile(this.policyNames);
    if (this.#matcher !== undefined) return this.#matcher;
    // What is refused now need not be refused at the next decision.
    this.lastChange = this.#nextChange();
    return nothingAllowed;
  }

  /** Forgets what was compiled before, unless it is what the policies give now. */
  forgetUnless(current: PolicyMatcher): void {
    if (this.#matcher !== undefined && this.#matcher !== current) this.forget();
  }

  /** One of the policies has changed. */
  forget(): void {
    this.#matcher = undefined;
    this.lastChange = this.#nextChange();
  }
}

const nothingAllowed = compile([]);

/** What a table of rights is made with. */
export interface ConnectionRightsOptions {
  /** As `PrincipalResolverOptions.inactiveAuthority`. */
  readonly inactiveAuthority?: "refuse" | "keep" | undefined;
  /**
   * Called for a stored policy that cannot be read. It might have been a Deny, so nothing is allowed to the connections that
   * have it.
   */
  readonly onUnreadablePolicy?: ((policyName: string, reason: string) => void) | undefined;
}

/** The rights of all live connections of one broker. */
export class ConnectionRightsTable {
  readonly #reads: ConnectionReads;
  readonly #nowSeconds: () => number;
  readonly #options: ConnectionRightsOptions;
  /** By scope and names. */
  readonly #policySets = new Map<string, PolicySet>();
  /** Sets by the key of a policy that they have. */
  readonly #setsOfPolicy = new SetsByKey<string, PolicySet>();
  /** Connections by the key of a resource that they depend on. */
  readonly #dependents = new SetsByKey<string, ConnectionRights>();
  readonly #all = new Set<ConnectionRights>();
  /** Connections by the last second in which their certificates are valid. */
  readonly #expiring = new SetsByKey<number, ConnectionRights>();
  /** Not later than the first of these seconds. */
  #nextExpiry = Infinity;
  #changes = 0;
  readonly #nextChange = (): number => ++this.#changes;

  constructor(reads: ConnectionReads, nowSeconds: () => number, options: ConnectionRightsOptions = {}) {
    this.#reads = reads;
    this.#nowSeconds = nowSeconds;
    this.#options = options;
  }

  /** How many connections are in the table. */
  get size(): number {
    return this.#all.size;
  }

  /** How many different sets of policies they have. */
  get policySetCount(): number {
    return this.#policySets.size;
  }

  /**
   * The rights of a new connection. `clientIdentifier` is undefined on HTTPS, where there is none. `refusal` is set where the
   * certificate may not connect any more. To be closed with `close`.
   *
   * Throws `ERR_REGISTRY_UNAVAILABLE` and `ERR_REGISTRY_CORRUPT`.
   */
  open(principal: Principal, clientIdentifier: string | undefined): ConnectionRights {
    const rights = new ConnectionRights(principal, clientIdentifier, this.#policySet(scopeKey(principal.scope), []));
    rights.policySet.users++;
    this.#all.add(rights);
    this.#expiring.add(principal.validUntil, rights);
    this.#nextExpiry = Math.min(this.#nextExpiry, principal.validUntil);
    try {
      this.#refresh(rights);
    } catch (error) {
      this.close(rights);
      throw error;
    }
    return rights;
  }

  /** Forgets a connection that has ended. Its rights are gone. */
  close(rights: ConnectionRights): void {
    if (!this.#all.delete(rights)) return;
    this.#expiring.delete(rights.principal.validUntil, rights);
    for (const key of rights.dependencies) this.#dependents.delete(key, rights);
    rights.dependencies = [];
    this.#release(rights.policySet);
    rights.refusal ??= "the connection has ended";
    rights.lastOwnChange = this.#nextChange();
  }

  /**
   * Acts on changes, one touched connection a step: gives each after it was brought up to date, so that the caller can end
   * those with a `refusal`, and can let other work in between steps.
   */
  *apply(changes: readonly Change[]): Generator<ConnectionRights> {
    const touched = new Set<ConnectionRights>();
    for (const { touches } of changes) {
      for (const key of touches) {
        for (const set of this.#setsOfPolicy.of(key)) set.forget();
        for (const rights of this.#dependents.of(key)) touched.add(rights);
      }
    }
    yield* this.#refreshEach(touched);
  }

  /** Acts as if everything had changed, for a reader that the feed does not reach. */
  *applyAll(): Generator<ConnectionRights> {
    this.#reads.forgetAll();
    for (const set of this.#policySets.values()) set.forget();
    yield* this.#refreshEach(this.#all);
  }

  /**
   * Takes the rights from the connections whose certificates have expired, and gives each. To be called about once a second:
   * time that passes is no change of the registry. Costs nothing until one expires.
   */
  *expire(): Generator<ConnectionRights> {
    const nowSeconds = this.#nowSeconds();
    if (nowSeconds <= this.#nextExpiry) return;
    const expired: ConnectionRights[] = [];
    this.#nextExpiry = Infinity;
    for (const validUntil of this.#expiring.keys()) {
      if (validUntil >= nowSeconds) {
        this.#nextExpiry = Math.min(this.#nextExpiry, validUntil);
        continue;
      }
      for (const rights of this.#expiring.of(validUntil)) expired.push(rights);
      this.#expiring.deleteAll(validUntil);
    }
    for (const rights of expired) {
      rights.refusal ??= expiredReason(rights.principal);
      rights.lastOwnChange = this.#nextChange();
    }
    yield* expired;
  }

  /** Takes all rights from a connection, for instance because the registry cannot be read. */
  refuse(rights: ConnectionRights, reason: string): void {
    rights.refusal = reason;
    rights.lastOwnChange = this.#nextChange();
  }

  *#refreshEach(rights: ReadonlySet<ConnectionRights>): Generator<ConnectionRights> {
    for (const one of rights) {
      // It may have been closed since the step before.
      if (!this.#all.has(one)) continue;
      this.#refresh(one);
      yield one;
    }
  }

  /** Reads what a connection depends on. A connection that may not go on keeps no right, nor one whose records are damaged. */
  #refresh(rights: ConnectionRights): void {
    rights.lastOwnChange = this.#nextChange();
    try {
      this.#read(rights);
    } catch (error) {
      if (!isRegistryError(error) || error.code !== "ERR_REGISTRY_CORRUPT") throw error;
      rights.refusal = error.message;
    }
  }

  #read(rights: ConnectionRights): void {
    const { principal, clientIdentifier } = rights;
    const { certificateId, caCertificateId } = principal;
    const scope = scopeKey(principal.scope);
    this.#reads.follow();
    const records = this.#reads.rights(scope, certificateId, caCertificateId, clientIdentifier);
    rights.refusal = this.#refusal(records, principal);
    rights.thing = records.thingAttributes;
    this.#setDependencies(rights, records.dependencies);
    const set = this.#policySet(scope, records.policyNames);
    if (set === rights.policySet) return;
    set.users++;
    this.#release(rights.policySet);
    rights.policySet = set;
  }

  #refusal({ certificateStatus, authorityStatus }: RightsRecords, principal: Principal): string | undefined {
    const { certificateId, caCertificateId } = principal;
    if (this.#nowSeconds() > principal.validUntil) return expiredReason(principal);
    if (certificateStatus !== "ACTIVE") {
      return `certificate ${certificateId} is ${certificateStatus ?? "not registered any more"}`;
    }
    if (caCertificateId === undefined || this.#options.inactiveAuthority === "keep") return undefined;
    if (authorityStatus === "ACTIVE") return undefined;
    return `the certificate authority ${caCertificateId} is ${authorityStatus ?? "not registered any more"}`;
  }

  #setDependencies(rights: ConnectionRights, dependencies: readonly string[]): void {
    for (const key of rights.dependencies) if (!dependencies.includes(key)) this.#dependents.delete(key, rights);
    for (const key of dependencies) this.#dependents.add(key, rights);
    rights.dependencies = dependencies;
  }

  #policySet(scope: string, policyNames: readonly string[]): PolicySet {
    const key = `${scope} ${policyNames.join(" ")}`;
    const known = this.#policySets.get(key);
    if (known !== undefined) {
      // The policies may have changed, and `apply` may not know it yet. A new connection must get the policies of now.
      const compiled = this.#reads.matcher(scope, policyNames);
      known.forgetUnless("reason" in compiled ? nothingAllowed : compiled);
      return known;
    }
    const set = new PolicySet(key, policyNames, (names) => this.#compile(scope, names), this.#nextChange);
    this.#policySets.set(key, set);
    for (const name of policyNames) this.#setsOfPolicy.add(resourceKey(scope, "policy", name), set);
    return set;
  }

  #release(set: PolicySet): void {
    set.users--;
    if (set.users > 0) return;
    this.#policySets.delete(set.key);
    const scope = set.key.slice(0, set.key.indexOf(" "));
    for (const name of set.policyNames) this.#setsOfPolicy.delete(resourceKey(scope, "policy", name), set);
  }

  #compile(scope: string, policyNames: readonly string[]): PolicyMatcher | undefined {
    const compiled = this.#compiled(scope, policyNames);
    if (!("reason" in compiled)) return compiled;
    this.#options.onUnreadablePolicy?.(compiled.policyName, compiled.reason);
    return compiled.isDamaged ? nothingAllowed : undefined;
  }

  #compiled(scope: string, policyNames: readonly string[]): PolicyMatcher | UnreadablePolicy {
    try {
      this.#reads.follow();
    } catch (error) {
      if (!isRegistryError(error)) throw error;
      return { policyName: policyNames.join(", "), reason: error.message, isDamaged: false };
    }
    return this.#reads.matcher(scope, policyNames);
  }
}

function expiredReason({ certificateId, validUntil }: Principal): string {
  return `certificate ${certificateId}, or one of its chain, has expired: it was valid until ${dateText(validUntil)}`;
}
