/** aedes behind node:tls, in a process of its own. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startNodeServer } from "./node-server.ts";
import type { Target, TargetOptions } from "./target.ts";

/** Starts aedes with an access rule like ours. */
export function startAedes(options: TargetOptions): Promise<Target> {
  const manifest = fileURLToPath(new URL("./package.json", import.meta.resolve("aedes")));
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return startNodeServer("aedes", version, "mqtt", new URL("./aedes-server.ts", import.meta.url), options);
}
