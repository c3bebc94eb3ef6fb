/** A bare node:tls server that asks for certificates and does nothing else: the floor of handshakes and of memory. */

import { startNodeServer } from "./node-server.ts";
import type { Target, TargetOptions } from "./target.ts";

/** Starts the server. */
export function startNodeTls(options: TargetOptions): Promise<Target> {
  return startNodeServer("node-tls", process.version, "tls", new URL("./node-tls-server.ts", import.meta.url), options);
}
