/** `latchkey start`. */

import { defineCommand } from "citty";
import { oneOf } from "@latchkey/command-line";
import type { ListenerSettings } from "../listeners/start-listeners.ts";
import { logLevels, openLog } from "../observability/open-log.ts";
import { runBroker } from "../run-broker.ts";
import { dataOption as data, print } from "./data-option.ts";
import { accountOf, regionOf, serverNamesOf, wholeNumber } from "./option-values.ts";

/** The control plane's port where nothing else is said. */
const defaultControlPort = "8087";
/** That of AWS IoT. */
const defaultHttpsPort = "8443";

/** The command. Runs until SIGTERM or SIGINT. Standard output gets the ready line alone, standard error the log. */
export const startCommand = defineCommand({
  meta: { name: "start", description: "Run the broker" },
  args: {
    data,
    host: { type: "string", default: "127.0.0.1", description: "The address to listen on" },
    port: { type: "string", default: "8883", description: "The port for MQTT over TLS; 0 for any free one" },
    "https-port": {
      type: "string",
      description: `The port for HTTPS with client certificates; default ${defaultHttpsPort}, or any free one with --port 0`,
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
    name: { type: "string", description: "Names and addresses of the server for its certificate, separated by commas" },
    region: { type: "string", default: "us-east-1", description: "The region in resource names" },
    account: { type: "string", default: "000000000000", description: "The account in resource names" },
    "control-host": {
      type: "string",
      default: "127.0.0.1",
      description: "The address of the control plane; HTTPS where it is no loopback address",
    },
    "control-port": {
      type: "string",
      description: `The port of the control plane; default ${defaultControlPort}, or any free one with --port 0`,
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
    "metrics-host": { type: "string", default: "127.0.0.1", description: "The address for metrics and health" },
    denial: {
      type: "enum",
      options: ["explain", "parity"],
      default: "explain",
      description: "The answer to a refused client: explain sends a reason code, parity closes as AWS does",
    },
    tls: {
      type: "enum",
      options: ["node", "latchkey"],
      default: "node",
      description: "The TLS engine: node:tls, or @latchkey/tls",
    },
    sessions: {
      type: "enum",
      options: ["disk", "memory"],
      default: "disk",
      description: "Where sessions and retained messages are kept: disk outlives a restart, memory does not",
    },
    "log-level": { type: "string", default: "info", description: logLevels.join(", ") },
  },
  async run({ args }) {
    const level = oneOf("log-level", args["log-level"], logLevels);
    const port = wholeNumber("port", args.port, 0, 65_535);
    const control = {
      host: args["control-host"],
      port: wholeNumber("control-port", args["control-port"] ?? (port === 0 ? "0" : defaultControlPort), 0, 65_535),
      isSecure: args["control-tls"] === true,
    };
    const options = {
      dataDirectory: args.data,
      listeners: listenersOf(args, port),
      control: args.control ? control : undefined,
      serverNames: serverNamesOf(args.name),
      scope: { region: regionOf(args.region), account: accountOf(args.account) },
      metrics:
        args["metrics-port"] === undefined
          ? undefined
          : { host: args["metrics-host"], port: wholeNumber("metrics-port", args["metrics-port"], 0, 65_535) },
      denial: oneOf("denial", args.denial, ["explain", "parity"]),
      tls: oneOf("tls", args.tls, ["node", "latchkey"]),
      sessions: oneOf("sessions", args.sessions, ["disk", "memory"]),
    };
    const { log, writer } = openLog({ level });
    const stopped = new Promise<string>((resolve) => {
      for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, resolve);
    });
    const broker = await runBroker({ ...options, log, logWriter: writer });
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
    // Whoever waits for the broker waits for the last line, that of MQTT.
    for (const { service, host, port: opened } of broker.listening.toReversed()) {
      print(`ready ${service}://${host.includes(":") ? `[${host}]` : host}:${opened}`);
    }
    log.info({ signal: await stopped }, "stopping");
    await broker[Symbol.asyncDispose]();
  },
});

/** MQTT first. */
function listenersOf(
  args: {
    readonly host: string;
    readonly https?: boolean;
    readonly "https-port"?: string | undefined;
    readonly "alpn-port"?: string | undefined;
  },
  port: number,
): readonly ListenerSettings[] {
  const { host } = args;
  const listeners: ListenerSettings[] = [{ service: "mqtts", host, port }];
  if (args.https !== false) {
    const text = args["https-port"] ?? (port === 0 ? "0" : defaultHttpsPort);
    listeners.push({ service: "https", host, port: wholeNumber("https-port", text, 0, 65_535) });
  }
  if (args["alpn-port"] !== undefined) {
    listeners.push({ service: "alpn", host, port: wholeNumber("alpn-port", args["alpn-port"], 0, 65_535) });
  }
  return listeners;
}
