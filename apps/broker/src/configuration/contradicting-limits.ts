/** Limits of the configuration file that cannot hold together. */

import { limitsOf, type Profile } from "@latchkey/broker-core";
import type { LimitSettings } from "./limit-members.ts";

/** A limit by its path in the file, and its value. */
interface NamedLimit {
  readonly path: string;
  readonly value: number;
  /** It is the profile's, not the file's. */
  readonly isDefault: boolean;
}

/** What contradicts what, a sentence each; empty where nothing does. */
export function contradictingLimits(settings: LimitSettings, profile: Profile): string[] {
  const defaults = limitsOf(profile);
  const { connection = {}, principal = {}, address = {}, process = {} } = settings;
  const ofConnection = (
    name: "minimumKeepAliveSeconds" | "maximumKeepAliveSeconds" | "maximumPacketSize",
  ): NamedLimit => {
    const value = connection[name];
    return { path: `limits.connection.${name}`, value: value ?? defaults[name], isDefault: value === undefined };
  };
  const packet = ofConnection("maximumPacketSize");
  const found: string[] = [];
  const least = ofConnection("minimumKeepAliveSeconds");
  const most = ofConnection("maximumKeepAliveSeconds");
  if (least.value > most.value) found.push(`${shown(least)} is above ${shown(most)}`);
  const payload = given("limits.connection.maximumPayloadOctets", connection.maximumPayloadOctets);
  if (payload !== undefined && !packet.isDefault && payload.value > packet.value) {
    found.push(`${shown(payload)} is above ${shown(packet)}: no packet has such a payload`);
  }
  // Clients are told the maximum packet size, so such a packet has to have room while it comes in.
  for (const incomplete of [
    given("limits.principal.maximumIncompleteOctets", principal.maximumIncompleteOctets),
    given("limits.address.maximumIncompleteOctets", address.maximumIncompleteOctets),
    given("limits.process.maximumIncompleteOctetsOfAll", process.maximumIncompleteOctetsOfAll),
  ]) {
    if (incomplete === undefined || incomplete.value >= packet.value) continue;
    found.push(`${shown(incomplete)} is below ${shown(packet)}: such a packet could never come in`);
  }
  return found;
}

function given(path: string, value: number | undefined): NamedLimit | undefined {
  return value === undefined ? undefined : { path, value, isDefault: false };
}

function shown({ path, value, isDefault }: NamedLimit): string {
  return `${path} ${value}${isDefault ? " (the default)" : ""}`;
}
