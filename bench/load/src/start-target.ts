/** Starts a target by its name. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startAedes } from "./target/aedes.ts";
import { startLatchkey } from "./target/latchkey.ts";
import { startMosquitto } from "./target/mosquitto.ts";
import type { TargetName } from "./target/names.ts";
import { startNodeTls } from "./target/node-tls.ts";
import type { Target, TargetOptions } from "./target/target.ts";

const starters: Readonly<Record<TargetName, (options: TargetOptions) => Promise<Target>>> = {
  latchkey: (options) => startLatchkey("latchkey", options),
  "latchkey-tls": (options) => startLatchkey("latchkey-tls", options),
  mosquitto: startMosquitto,
  aedes: startAedes,
  "node-tls": startNodeTls,
};

let started = 0;

/** Starts a target in a folder of its own below `options.folder`. */
export async function startTarget(name: TargetName, options: TargetOptions): Promise<Target> {
  const folder = join(options.folder, `${name}-${started++}`);
  mkdirSync(folder, { mode: 0o700 });
  return starters[name]({ ...options, folder });
}
