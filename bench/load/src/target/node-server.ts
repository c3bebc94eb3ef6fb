/** What the targets that are Node programs of the bench have in common: how they are started, and their TLS settings. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess } from "./process.ts";
import { localEndpoint, type Target, type TargetOptions } from "./target.ts";

/** What a server program reads from the file that its command line names. */
export interface ServerConfiguration {
  readonly isPlain: boolean;
  readonly certificate: string;
  readonly privateKey: string;
  /** PEM of the authority of devices. */
  readonly deviceAuthority: string;
}

/** Starts a program that takes the name of a configuration file and prints `ready PORT`. */
export async function startNodeServer(
  name: string,
  version: string,
  speaks: Target["speaks"],
  program: URL,
  options: TargetOptions,
): Promise<Target> {
  const { authorities, isPlain } = options;
  const configuration: ServerConfiguration = {
    isPlain,
    certificate: authorities.server.certificate,
    privateKey: authorities.server.privateKey,
    deviceAuthority: authorities.deviceAuthority.certificate,
  };
  const file = join(options.folder, "configuration.json");
  writeFileSync(file, JSON.stringify(configuration), { mode: 0o600 });
  const process_ = await startProcess({
    name,
    path: process.execPath,
    words: ["--conditions=@latchkey/source", fileURLToPath(program), file],
    cores: options.cores,
    ready: /^ready (\d+)$/m,
  });
  return {
    name,
    version,
    speaks,
    endpoint: localEndpoint(Number(process_.ready[1]), options),
    roots: authorities.serverAuthority.certificate,
    httpUrl: undefined,
    controlPlaneUrl: undefined,
    controlPlaneCredentials: undefined,
    processes: [{ pid: process_.pid, name }],
    notes: [],
    ended: process_.ended,
    [Symbol.asyncDispose]: () => process_.stop(),
  };
}
