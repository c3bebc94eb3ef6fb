/** What a person does next where a command names something that does not exist. */

import { isRegistryError } from "@latchkey/registry";

/** Commands by what they list, as the registry calls it. */
const lists: Readonly<Record<string, string>> = {
  certificate: "latchkey certificate list",
  "certificate authority": "latchkey ca list",
  policy: "latchkey policy list",
  thing: "latchkey thing list",
};

/** The command that shows those that exist; undefined for another error. */
export function listThatHasIt(error: unknown): string | undefined {
  if (!isRegistryError(error) || error.code !== "ERR_REGISTRY_NOT_FOUND") return undefined;
  const { kind } = error.evidence;
  return Object.hasOwn(lists, kind) ? `"${lists[kind]}" shows those that exist` : undefined;
}
