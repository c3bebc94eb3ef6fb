/**
 * What live connections may do, kept true by the change feed.
 *
 * A policy is compiled once for all connections with the same policies. A change is looked at only for the connections that
 * depend on what it touches: a new default version of a policy marks the sets that have it, which are compiled anew at their
 * next decision, however many connections share them.
 */

import { compile, parsePolicy, type ParsedPolicy, type PolicyMatcher, type ThingAttributes } from "@latchkey/policy";
import { resourceKey, type Change } from "./changes.ts";
import type { RegistryContext } from "./context.ts";
import { effectivePolicies, type AssociatedThing } from "./effective-policies.ts";
import type { Principal } from "./identity/resolve-principal.ts";
import { certificateAuthorities } from "./records/certificate-authority.ts";
import { certificates } from "./records/certificate.ts";
import { policies, policyVersions, versionKey } from "./records/policy.ts";
import { scopeKey } from "./scope.ts";
import type { StorageReader } from "./storage.ts";

/** What one connection may do. Its fields change with the registry; who holds it sees the changes. */
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

  constructor(principal: Principal, clientIdentifier: string | undefined, policySet: PolicySet) {
    this.principal = principal;
    this.clientIdentifier = clientIdentifier;
    this.policySet = policySet;
  }

  /** Decides by the policies of this moment. Compiles them where they have changed; throws where they cannot be read. */
  get matcher(): PolicyMatcher {
    return this.refusal === undefined ? this.policySet.matcher() : nothingAllowed;
  }
}

/** Policies that hold together, compiled once for all connections that have them. */
export class PolicySet {
  readonly key: string;
  readonly policyNames: readonly string[];
  /** How many connections have it. */
  users = 0;
  readonly #compile: (names: readonly string[]) => PolicyMatcher;
  #matcher: PolicyMatcher | undefined;

  constructor(key: string, policyNames: readonly string[], compileNames: (names: readonly string[]) => PolicyMatcher) {
    this.key = key;
    this.policyNames = policyNames;
    this.#compile = compileNames;
  }

  matcher(): PolicyMatcher {
    return (this.#matcher ??= this.#compile(this.policyNames));
  }

  /** One of the policies has changed. */
  forget(): void {
    this.#matcher = undefined;
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
  readonly #context: RegistryContext;
  readonly #options: ConnectionRightsOptions;
  /** By scope and names. */
  readonly #policySets = new Map<string, PolicySet>();
  /** Sets by the key of a policy that they have. */
  readonly #setsOfPolicy = new Map<string, Set<PolicySet>>();
  /** Connections by the key of a resource that they depend on. */
  readonly #dependents = new Map<string, Set<ConnectionRights>>();
  readonly #all = new Set<ConnectionRights>();

  constructor(context: RegistryContext, options: ConnectionRightsOptions = {}) {
    this.#context = context;
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
    for (const key of rights.dependencies) this.#removeDependent(key, rights);
    rights.dependencies = [];
    this.#release(rights.policySet);
    rights.refusal ??= "the connection has ended";
  }

  /**
   * Acts on changes, one touched connection a step: gives each after it was brought up to date, so that the caller can end
   * those with a `refusal`, and can let other work in between steps.
   */
  *apply(changes: readonly Change[]): Generator<ConnectionRights> {
    const touched = new Set<ConnectionRights>();
    for (const { touches } of changes) {
      for (const key of touches) {
        for (const set of this.#setsOfPolicy.get(key) ?? []) set.forget();
        for (const rights of this.#dependents.get(key) ?? []) touched.add(rights);
      }
    }
    yield* this.#refreshEach(touched);
  }

  /** Acts as if everything had changed, for a reader that the feed does not reach. */
  *applyAll(): Generator<ConnectionRights> {
    for (const set of this.#policySets.values()) set.forget();
    yield* this.#refreshEach(this.#all);
  }

  /** Takes all rights from a connection, for instance because the registry cannot be read. */
  refuse(rights: ConnectionRights, reason: string): void {
    rights.refusal = reason;
  }

  *#refreshEach(rights: ReadonlySet<ConnectionRights>): Generator<ConnectionRights> {
    for (const one of rights) {
      // It may have been closed since the step before.
      if (!this.#all.has(one)) continue;
      this.#refresh(one);
      yield one;
    }
  }

  /** Reads what a connection depends on. A connection that may not go on keeps no right. */
  #refresh(rights: ConnectionRights): void {
    const { principal, clientIdentifier } = rights;
    const { certificateId, caCertificateId } = principal;
    const scope = scopeKey(principal.scope);
    const read = this.#context.storage.read((reader) => ({
      refusal: this.#refusal(reader, scope, principal),
      effective: effectivePolicies(reader, scope, certificateId, clientIdentifier),
    }));
    rights.refusal = read.refusal;
    rights.thing = thingAttributes(read.effective.thing);
    const dependencies = [...read.effective.dependencies];
    if (caCertificateId !== undefined) dependencies.push(resourceKey(scope, "certificate-authority", caCertificateId));
    this.#setDependencies(rights, dependencies);
    const set = this.#policySet(scope, read.effective.policyNames);
    if (set === rights.policySet) return;
    set.users++;
    this.#release(rights.policySet);
    rights.policySet = set;
  }

  #refusal(reader: StorageReader, scope: string, { certificateId, caCertificateId }: Principal): string | undefined {
    const record = certificates.get(reader, scope, certificateId);
    if (record?.status !== "ACTIVE") {
      return `certificate ${certificateId} is ${record?.status ?? "not registered any more"}`;
    }
    if (caCertificateId === undefined || this.#options.inactiveAuthority === "keep") return undefined;
    const authority = certificateAuthorities.get(reader, scope, caCertificateId);
    if (authority?.status === "ACTIVE") return undefined;
    return `the certificate authority ${caCertificateId} is ${authority?.status ?? "not registered any more"}`;
  }

  #setDependencies(rights: ConnectionRights, dependencies: readonly string[]): void {
    for (const key of rights.dependencies) if (!dependencies.includes(key)) this.#removeDependent(key, rights);
    for (const key of dependencies) {
      const dependents = this.#dependents.get(key);
      if (dependents === undefined) this.#dependents.set(key, new Set([rights]));
      else dependents.add(rights);
    }
    rights.dependencies = dependencies;
  }

  #removeDependent(key: string, rights: ConnectionRights): void {
    const dependents = this.#dependents.get(key);
    dependents?.delete(rights);
    if (dependents?.size === 0) this.#dependents.delete(key);
  }

  #policySet(scope: string, policyNames: readonly string[]): PolicySet {
    const key = `${scope} ${policyNames.join(" ")}`;
    const known = this.#policySets.get(key);
    if (known !== undefined) return known;
    const set = new PolicySet(key, policyNames, (names) => this.#compile(scope, names));
    this.#policySets.set(key, set);
    for (const name of policyNames) {
      const policyKey = resourceKey(scope, "policy", name);
      const sets = this.#setsOfPolicy.get(policyKey);
      if (sets === undefined) this.#setsOfPolicy.set(policyKey, new Set([set]));
      else sets.add(set);
    }
    return set;
  }

  #release(set: PolicySet): void {
    set.users--;
    if (set.users > 0) return;
    this.#policySets.delete(set.key);
    const scope = set.key.slice(0, set.key.indexOf(" "));
    for (const name of set.policyNames) {
      const policyKey = resourceKey(scope, "policy", name);
      const sets = this.#setsOfPolicy.get(policyKey);
      sets?.delete(set);
      if (sets?.size === 0) this.#setsOfPolicy.delete(policyKey);
    }
  }

  #compile(scope: string, policyNames: readonly string[]): PolicyMatcher {
    const parsed: ParsedPolicy[] = [];
    for (const { policyName, document } of this.#context.storage.read((reader) =>
      documentsOf(reader, scope, policyNames),
    )) {
      const result = parsePolicy(document, { name: policyName });
      if (!result.ok) {
        this.#options.onUnreadablePolicy?.(policyName, result.errors[0].message);
        return nothingAllowed;
      }
      parsed.push(result.policy);
    }
    return compile(parsed);
  }
}

/** The documents of the default versions. A policy that was deleted meanwhile gives no document. */
export function documentsOf(
  reader: StorageReader,
  scope: string,
  policyNames: readonly string[],
): readonly { readonly policyName: string; readonly versionId: string; readonly document: string }[] {
  return policyNames.flatMap((policyName) => {
    const policy = policies.get(reader, scope, policyName);
    if (policy === undefined) return [];
    const { defaultVersionId: versionId } = policy;
    const version = policyVersions.get(reader, scope, policyName, versionKey(versionId));
    return version === undefined ? [] : [{ policyName, versionId, document: version.document }];
  });
}

/** A thing as policies see it. One that the certificate is not attached to has no type and no attributes for them. */
export function thingAttributes(thing: AssociatedThing | undefined): ThingAttributes | undefined {
  if (thing === undefined) return undefined;
  const { thingName: name, thingTypeName: typeName, attributes } = thing.record;
  return { name, typeName, attributes, isAttached: thing.isAttached };
}
