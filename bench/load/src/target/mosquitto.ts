/** mosquitto with the same certificates, an equivalent access rule, and our broker's limits on queues. */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LoadError } from "../errors.ts";
import { findProgram, freePort, startProcess } from "./process.ts";
import { localEndpoint, topicRoot, type Target, type TargetOptions } from "./target.ts";

/** What is said where mosquitto is missing. */
const mosquittoMissing = "mosquitto is not installed: apt-get install mosquitto (or brew install mosquitto)";

/** Starts mosquitto on a free loopback port. Throws `ERR_LOAD_MACHINE` where it is missing. */
export async function startMosquitto(options: TargetOptions): Promise<Target> {
  const path = findProgram("mosquitto");
  if (path === undefined) throw new LoadError("ERR_LOAD_MACHINE", mosquittoMissing);
  const port = await freePort();
  const file = writeConfiguration(port, options);
  const process_ = await startProcess({
    name: "mosquitto",
    path,
    words: ["-c", file],
    cores: options.cores,
    // log_type notice writes this line, and only errors after it.
    ready: /mosquitto version \S+ running/,
  });
  return {
    name: "mosquitto",
    version: versionOf(path),
    speaks: "mqtt",
    endpoint: localEndpoint(port, options),
    roots: options.authorities.serverAuthority.certificate,
    httpUrl: undefined,
    controlPlaneUrl: undefined,
    controlPlaneCredentials: undefined,
    processes: [{ pid: process_.pid, name: "mosquitto" }],
    notes: [],
    ended: process_.ended,
    [Symbol.asyncDispose]: () => process_.stop(),
  };
}

/** Writes the certificates, the access rule and the configuration; gives the configuration's name. */
function writeConfiguration(port: number, { folder, authorities, isPlain }: TargetOptions): string {
  const write = (name: string, content: string): string => {
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  // %u is the certificate's common name, %c the client identifier, which is made to be the same.
  const own = isPlain ? "%c" : "%u";
  const acl = write("acl", `pattern write ${topicRoot}/${own}/#\npattern read ${topicRoot}/#\n`);
  const secure = [
    `cafile ${write("device-ca.pem", authorities.deviceAuthority.certificate)}`,
    `certfile ${write("server.pem", authorities.server.certificate)}`,
    `keyfile ${write("server.key", authorities.server.privateKey)}`,
    "require_certificate true",
    "use_identity_as_username true",
    "use_username_as_clientid true",
  ];
  const lines = [
    `listener ${port} 127.0.0.1`,
    "max_connections -1",
    ...(isPlain ? ["allow_anonymous true"] : [...secure, "allow_anonymous false"]),
    `acl_file ${acl}`,
    "set_tcp_nodelay true",
    "persistence false",
    "sys_interval 0",
    // The limits of our broker: see packages/broker-core/src/limits.ts.
    "max_inflight_messages 100",
    "max_queued_messages 1000",
    "connection_messages false",
    "log_dest stderr",
    "log_type error",
    "log_type information",
    // Started as root it would change its user and could not read its files.
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ];
  return write("mosquitto.conf", `${lines.join("\n")}\n`);
}

function versionOf(path: string): string {
  const { stdout, stderr } = spawnSync(path, ["-h"], { encoding: "utf8" });
  return /mosquitto version (\S+)/.exec(`${stdout}${stderr}`)?.[1] ?? "unknown";
}
