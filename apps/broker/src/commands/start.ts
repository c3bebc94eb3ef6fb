/** `latchkey start`. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineCommand } from "citty";
import { messageOf } from "@latchkey/command-line";
import { defaults, readSettings, type StartFlags } from "../configuration/settings.ts";
import { BrokerError } from "../errors.ts";
import { hostAndPort } from "../http/host-and-port.ts";
import { logLevels, openLog, type OpenedLog } from "../observability/open-log.ts";
import { runBroker, type RunningBroker } from "../run-broker.ts";
import { print } from "./data-option.ts";
import { runUntilStopped } from "./run-until-stopped.ts";

/** Flags that are on by default: citty says `true` for them whether they were typed or not. */
const switches = ["https", "control"] as const;

/** The command. Runs until SIGTERM or SIGINT. Standard output gets the ready line alone, standard error the log. */
export const startCommand = defineCommand({
  meta: { name: "start", description: "Run the broker" },
  args: {
    config: {
      type: "string",
      description: "A configuration file in JSON, see latchkey.schema.json; flags win over it",
    },
    check: { type: "boolean", description: "Look at flags and configuration file, and end" },
    data: { type: "string", description: `The data directory; default ${defaults.data}` },
    host: { type: "string", description: `The address to listen on; default ${defaults.host}` },
    port: {
      type: "string",
      description: `The port for MQTT over TLS; 0 for any free one; default ${defaults.port}`,
    },
    "https-port": {
      type: "string",
      description: `The port for HTTPS with client certificates; default ${defaults.httpsPort}, or any free one with --port 0`,
    },
    https: {
      type: "boolean",
      default: true,
      description: "HTTPS for devices",
      negativeDescription: "No HTTPS for devices",
    },
    "alpn-port": {
      type: "string",
      description: "A port for MQTT and HTTPS, told apart by ALPN (x-amzn-mqtt-ca, x-amzn-http-ca); default none",
    },
    "plain-port": {
      type: "string",
      description: "A port for MQTT without TLS, for programs of this machine; without it there is none",
    },
    "plain-host": { type: "string", description: `Its address, a loopback address; default ${defaults.host}` },
    "plain-certificate": {
      type: "string",
      description: "The ID of the registered certificate whose rights the clients of MQTT without TLS have",
    },
    name: { type: "string", description: "Names and addresses of the server for its certificate, separated by commas" },
    region: { type: "string", description: `The region in resource names; default ${defaults.region}` },
    account: { type: "string", description: `The account in resource names; default ${defaults.account}` },
    "control-host": {
      type: "string",
      description: `The address of the control plane; HTTPS where it is no loopback address; default ${defaults.host}`,
    },
    "control-port": {
      type: "string",
      description: `The port of the control plane; default ${defaults.controlPort}, or any free one with --port 0`,
    },
    "control-tls": { type: "boolean", description: "HTTPS for the control plane on loopback addresses, too" },
    control: {
      type: "boolean",
      default: true,
      description: "The control plane",
      negativeDescription: "No control plane",
    },
    "metrics-port": {
      type: "string",
      description: "A port for metrics and health over HTTP; without it there is none",
    },
    "metrics-host": { type: "string", description: `The address for metrics and health; default ${defaults.host}` },
    denial: {
      type: "enum",
      options: ["explain", "parity"],
      description: "What a refused client learns: explain (default) says why, parity closes as AWS does",
    },
    profile: {
      type: "enum",
      options: ["standard", "aws"],
      description: "standard (default) is MQTT as its standards have it; aws has AWS IoT Core's limits and deviations",
    },
    tls: {
      type: "enum",
      options: ["node", "latchkey"],
      description: "The TLS engine: node:tls (default), or @latchkey/tls",
    },
    sessions: {
      type: "enum",
      options: ["disk", "memory"],
      description: "Where sessions and retained messages are kept: disk (default) outlives a restart, memory does not",
    },
    "log-level": { type: "string", description: `${logLevels.join(", ")}; default ${defaults.logLevel}` },
    "log-file": { type: "string", description: "A file for the log in place of standard error" },
  },
  async run({ args, rawArgs }) {
    const flags: StartFlags = { ...args, ...switchesOf(args, rawArgs) };
    const settings = await readSettings(flags);
    if (args.check === true) {
      print("the settings can be used");
      return;
    }
    const { fixed, live } = settings;
    const opened = openLogOf(live.logLevel, fixed.logFile);
    const { log } = opened;
    const isNew = !existsSync(join(fixed.dataDirectory, "registry.db"));
    // SIGHUP means something from the first moment on: without a listener it ends the process.
    await runUntilStopped({
      flags,
      settings,
      opened,
      start: async () => {
        const broker = await runBroker({ ...fixed, ...live, log, logWriter: opened.writer });
        if (isNew) announceDirectory(fixed.dataDirectory, opened);
        announce(broker, opened);
        return broker;
      },
    });
  },
});

/** What was typed for flags that are on by default. */
function switchesOf(
  args: Readonly<Record<(typeof switches)[number], boolean>>,
  words: readonly string[],
): Partial<Record<(typeof switches)[number], boolean | undefined>> {
  return Object.fromEntries(
    switches.map((name) => [name, args[name] && !words.includes(`--${name}`) ? undefined : args[name]]),
  );
}

function openLogOf(level: OpenedLog["level"], file: string | undefined): OpenedLog {
  try {
    return openLog({ level, file });
  } catch (cause) {
    throw new BrokerError("ERR_BROKER_OUTPUT", `the log cannot be written to ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** What the first start has made, and what comes next. */
function announceDirectory(dataDirectory: string, { log }: OpenedLog): void {
  const directory = resolve(dataDirectory);
  log.info(
    { directory },
    "made a data directory: server-ca.pem is the root that devices trust, device-ca.pem the authority that issues their " +
      "certificates, registry.db has what is registered",
  );
  log.info(
    `a device gets its certificate and key by: latchkey certificate create --data ${directory} --out FOLDER --serial NAME`,
  );
}

function announce(broker: RunningBroker, { log }: OpenedLog): void {
  if (broker.newAdministrator !== undefined) {
    const { accessKeyId, secretAccessKey } = broker.newAdministrator;
    // The only time that a secret is shown: on standard output, never in the log.
    print(`administrator AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey}`);
    log.info(
      { accessKeyId },
      "made an access key of the control plane, which is shown this once; access-keys.json has it",
    );
  }
  if (broker.controlUrl !== undefined) print(`control ${broker.controlUrl}`);
  if (broker.metricsUrl !== undefined) print(`metrics ${broker.metricsUrl}`);
  // A program that waits for the broker reads up to the line of MQTT, so it has to be the last one.
  for (const { service, host, port } of broker.listening.toReversed()) {
    print(`ready ${service}://${hostAndPort(host, port)}`);
  }
}
