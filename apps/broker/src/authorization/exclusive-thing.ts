/** The thing that a device is, where its certificate belongs to that thing alone. */

import type { Registry } from "@latchkey/registry";
import type { DevicePrincipal } from "./policy-authorizer.ts";

/** Its name; undefined where there is none, and where the registry cannot be read. */
export function exclusiveThing(registry: Registry, { rights, peer }: DevicePrincipal): string | undefined {
  if (rights.thing?.isAttached !== true) return undefined;
  try {
    const { certificateId, scope } = peer.principal;
    const [first] = registry.things.listThingsOfPrincipal(scope, certificateId, { pageSize: 1 }).items;
    return first?.type === "EXCLUSIVE_THING" ? first.thingName : undefined;
  } catch {
    // A registry that cannot be read ends the connections; who asks here needs no reason of its own.
    return undefined;
  }
}
