/**
 * Which policies hold for a connection: those of its certificate, and those of the groups of its thing, with all groups above
 * them. And on which resources that depends.
 */

import type { ThingAttributes } from "@latchkey/policy";
import { resourceKey } from "./changes.ts";
import { RegistryError } from "./errors.ts";
import { policies, policiesOfTarget, policyVersions, versionKey } from "./records/policy.ts";
import { groupsOfThing, thingsOfPrincipal, things, type ThingRecord } from "./records/thing.ts";
import type { StorageReader } from "./storage.ts";
import { groupsOfGroup } from "./thing-groups.ts";

/** The thing that a connection is associated with. */
export interface AssociatedThing {
  readonly record: ThingRecord;
  /** Whether the certificate is attached to it. */
  readonly isAttached: boolean;
}

/** The policies of a connection. */
export interface EffectivePolicies {
  /** Names, sorted, each once. */
  readonly policyNames: readonly string[];
  readonly thing: AssociatedThing | undefined;
  /** Resources whose change can make this another answer, as `resourceKey` writes them; the policies' own not among them. */
  readonly dependencies: readonly string[];
}

/**
 * The thing of a connection (AWS IoT, "Exclusive thing" and thing policy variables): the one that the certificate belongs to
 * exclusively, or else the one whose name is the client identifier.
 */
function associatedThing(
  reader: StorageReader,
  scope: string,
  certificateId: string,
  clientIdentifier: string | undefined,
): AssociatedThing | undefined {
  for (const { thingName, type } of thingsOfPrincipal.all(reader, scope, certificateId)) {
    const record = type === "EXCLUSIVE_THING" ? things.get(reader, scope, thingName) : undefined;
    if (record !== undefined) return { record, isAttached: true };
  }
  if (clientIdentifier === undefined || clientIdentifier.includes("/")) return undefined;
  const record = things.get(reader, scope, clientIdentifier);
  if (record === undefined) return undefined;
  const isAttached = thingsOfPrincipal.get(reader, scope, certificateId, clientIdentifier) !== undefined;
  return { record, isAttached };
}

/** Everything that decides about a connection. The group policies count only for a thing that the certificate is attached to. */
export function effectivePolicies(
  reader: StorageReader,
  scope: string,
  certificateId: string,
  clientIdentifier: string | undefined,
): EffectivePolicies {
  const thing = associatedThing(reader, scope, certificateId, clientIdentifier);
  const names = new Set(policiesOfTarget.all(reader, scope, "cert", certificateId));
  const dependencies = [resourceKey(scope, "certificate", certificateId)];
  const thingName = thing?.record.thingName ?? clientIdentifier;
  if (thingName !== undefined) dependencies.push(resourceKey(scope, "thing", thingName));
  if (thing?.isAttached === true) {
    for (const group of groupsAbove(reader, scope, thing.record.thingName)) {
      dependencies.push(resourceKey(scope, "thing-group", group));
      for (const name of policiesOfTarget.all(reader, scope, "thinggroup", group)) names.add(name);
    }
  }
  return { policyNames: [...names].sort(), thing, dependencies };
}

/** The groups of a thing and all groups above them, each once. */
export function groupsAbove(reader: StorageReader, scope: string, thingName: string): ReadonlySet<string> {
  const groups = new Set<string>();
  for (const group of groupsOfThing.all(reader, scope, thingName)) {
    for (const one of groupsOfGroup(reader, scope, group)) groups.add(one);
  }
  return groups;
}

/**
 * The documents of the default versions. A policy that was deleted meanwhile gives no document. Throws `ERR_REGISTRY_CORRUPT` where
 * a default version is missing: it might have been a Deny.
 */
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
    if (version === undefined) {
      const message = `the default version ${versionId} of policy ${policyName} is missing in the registry`;
      throw new RegistryError("ERR_REGISTRY_CORRUPT", message, { file: undefined });
    }
    return [{ policyName, versionId, document: version.document }];
  });
}

/** A thing as policies see it. One that the certificate is not attached to has no type and no attributes for them. */
export function thingAttributes(thing: AssociatedThing | undefined): ThingAttributes | undefined {
  if (thing === undefined) return undefined;
  const { thingName: name, thingTypeName: typeName, attributes } = thing.record;
  return { name, typeName, attributes, isAttached: thing.isAttached };
}
