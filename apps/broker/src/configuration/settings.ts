/** What `latchkey start` works with: flags, then the configuration file, then defaults. */

import { oneOf } from "@latchkey/command-line";
import { BrokerError } from "../errors.ts";
import { accountOf, certificateIdOf, regionOf, serverNamesOf, wholeNumber } from "./option-values.ts";
import { defaultDataDirectory } from "../data-directory/data-directory.ts";
import { isLoopback } from "../listeners/loopback.ts";
import type { ListenerSettings } from "../listeners/start-listeners.ts";
import { logLevels, type LogLevel } from "../observability/open-log.ts";
import type { RunOptions } from "../run-broker.ts";
import { readConfiguration, refused, type Configuration } from "./configuration.ts";
import { contradictingLimits } from "./contradicting-limits.ts";
import { listenerLimits, coreLimits } from "./limit-members.ts";

/** The flags, as they were typed. What was not typed is undefined. */
export interface StartFlags {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly https?: boolean | undefined;
  readonly "https-port"?: string | undefined;
  readonly "alpn-port"?: string | undefined;
  readonly "plain-port"?: string | undefined;
  readonly "plain-host"?: string | undefined;
  readonly "plain-certificate"?: string | undefined;
  readonly name?: string | undefined;
  readonly region?: string | undefined;
  readonly account?: string | undefined;
  readonly control?: boolean | undefined;
  readonly "control-host"?: string | undefined;
  readonly "control-port"?: string | undefined;
  readonly "control-tls"?: boolean | undefined;
  readonly "metrics-host"?: string | undefined;
  readonly "metrics-port"?: string | undefined;
  readonly denial?: string | undefined;
  readonly profile?: string | undefined;
  readonly tls?: string | undefined;
  readonly sessions?: string | undefined;
  readonly "log-level"?: string | undefined;
  readonly "log-file"?: string | undefined;
}

/** Defaults that are not "none". */
export const defaults = {
  data: defaultDataDirectory,
  host: "127.0.0.1",
  port: 8883,
  httpsPort: 8443,
  controlPort: 8087,
  region: "us-east-1",
  account: "000000000000",
  logLevel: "info",
  shutdownTimeoutMs: 10_000,
} as const;

/** What cannot change while the broker runs. */
export type FixedSettings = Required<
  Pick<
    RunOptions,
    | "dataDirectory"
    | "listeners"
    | "serverNames"
    | "scope"
    | "denial"
    | "profile"
    | "tls"
    | "control"
    | "sessions"
    | "metrics"
    | "handshakeTimeoutMs"
  >
> & {
  readonly logFile: string | undefined;
  readonly shutdownTimeoutMs: number;
};

/** What can. */
interface LiveSettings {
  readonly logLevel: LogLevel;
  readonly limits: NonNullable<RunOptions["limits"]>;
  readonly listenerLimits: NonNullable<RunOptions["listenerLimits"]>;
}

/** All settings. */
export interface StartSettings {
  readonly fixed: FixedSettings;
  readonly live: LiveSettings;
}

/** Reads the file where there is one. Throws `ERR_BROKER_CONFIGURATION` for it and `UsageError` for flags. */
export async function readSettings(flags: StartFlags): Promise<StartSettings> {
  return settingsOf(flags, flags.config === undefined ? {} : await readConfiguration(flags.config));
}

/** Brings flags and file together. Throws as `readSettings` does. */
export function settingsOf(flags: StartFlags, file: Configuration): StartSettings {
  const host = flags.host ?? file.host ?? defaults.host;
  const port = portOf("port", flags.port) ?? file.port ?? defaults.port;
  const limits = file.limits ?? {};
  const metricsPort = portOf("metrics-port", flags["metrics-port"]) ?? file.metrics?.port;
  const fixed = {
    dataDirectory: flags.data ?? file.data ?? defaults.data,
    listeners: listenersOf(flags, file, host, port),
    serverNames: flags.name === undefined ? serverNamesOf(file.names?.join(",")) : serverNamesOf(flags.name),
    scope: {
      region: regionOf(flags.region ?? file.region ?? defaults.region),
      account: accountOf(flags.account ?? file.account ?? defaults.account),
    },
    denial: wordOf("denial", flags.denial, ["explain", "parity"]) ?? file.denial ?? "explain",
    profile: wordOf("profile", flags.profile, ["standard", "aws"]) ?? file.profile ?? "standard",
    tls: wordOf("tls", flags.tls, ["node", "latchkey"]) ?? file.tls ?? "node",
    control: controlOf(flags, file, port),
    sessions: wordOf("sessions", flags.sessions, ["disk", "memory"]) ?? file.sessions ?? "disk",
    metrics:
      metricsPort === undefined
        ? undefined
        : { host: flags["metrics-host"] ?? file.metrics?.host ?? defaults.host, port: metricsPort },
    handshakeTimeoutMs: file.handshakeTimeoutMs,
    logFile: flags["log-file"] ?? file.log?.file,
    shutdownTimeoutMs: file.shutdownTimeoutMs ?? defaults.shutdownTimeoutMs,
  } as const;
  const contradictions = contradictingLimits(limits, fixed.profile);
  if (contradictions.length > 0) throw refused(flags.config ?? "limits", contradictions.join(". "));
  const logLevel = wordOf("log-level", flags["log-level"], logLevels) ?? file.log?.level ?? defaults.logLevel;
  return { fixed, live: { logLevel, limits: coreLimits(limits), listenerLimits: listenerLimits(limits) } };
}

/** Names of settings that differ, as in the configuration file. */
export function changedNames(before: FixedSettings, after: FixedSettings): readonly string[] {
  return namesOfFixed
    .filter(([name]) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map(([, shown]) => shown);
}

const namesOfFixed = [
  ["dataDirectory", "data"],
  ["listeners", "host, port, https, alpn or plain"],
  ["serverNames", "names"],
  ["scope", "region or account"],
  ["denial", "denial"],
  ["profile", "profile"],
  ["tls", "tls"],
  ["control", "control"],
  ["sessions", "sessions"],
  ["metrics", "metrics"],
  ["handshakeTimeoutMs", "handshakeTimeoutMs"],
  ["logFile", "log.file"],
  ["shutdownTimeoutMs", "shutdownTimeoutMs"],
] as const satisfies readonly (readonly [keyof FixedSettings, string])[];

/** MQTT first. */
function listenersOf(flags: StartFlags, file: Configuration, host: string, port: number): readonly ListenerSettings[] {
  const listeners: ListenerSettings[] = [{ service: "mqtts", host, port }];
  if (flags.https ?? file.https?.enabled ?? true) {
    const httpsPort = portOf("https-port", flags["https-port"]) ?? file.https?.port;
    listeners.push({ service: "https", host, port: httpsPort ?? (port === 0 ? 0 : defaults.httpsPort) });
  }
  const alpnPort = portOf("alpn-port", flags["alpn-port"]) ?? file.alpn?.port;
  if (alpnPort !== undefined) listeners.push({ service: "alpn", host, port: alpnPort });
  const plain = plainOf(flags, file);
  if (plain !== undefined) listeners.push(plain);
  return listeners;
}

/**
 * MQTT without TLS. Nothing shows who its clients are, so it is on a loopback address alone, and has to be given the certificate whose
 * rights they have. Throws `ERR_BROKER_CONFIGURATION`.
 */
function plainOf(flags: StartFlags, { plain = {} }: Configuration): ListenerSettings | undefined {
  const port = portOf("plain-port", flags["plain-port"]) ?? plain.port;
  if (port === undefined) return undefined;
  const host = flags["plain-host"] ?? plain.host ?? defaults.host;
  if (!isLoopback(host)) {
    throw new BrokerError(
      "ERR_BROKER_CONFIGURATION",
      `plain MQTT cannot listen on ${JSON.stringify(host)}: without TLS only a loopback address (127.0.0.1, ::1) is possible`,
    );
  }
  const certificateId = certificateIdOf("plain-certificate", flags["plain-certificate"]) ?? plain.certificate;
  if (certificateId === undefined) {
    throw new BrokerError(
      "ERR_BROKER_CONFIGURATION",
      "plain MQTT needs the ID of a registered certificate, whose rights its clients have: give it with --plain-certificate",
    );
  }
  return { service: "mqtt", host, port, certificateId };
}

function controlOf(flags: StartFlags, { control = {} }: Configuration, port: number): RunOptions["control"] {
  const controlPort = portOf("control-port", flags["control-port"]) ?? control.port;
  if (!(flags.control ?? control.enabled ?? true)) return undefined;
  return {
    host: flags["control-host"] ?? control.host ?? defaults.host,
    port: controlPort ?? (port === 0 ? 0 : defaults.controlPort),
    isSecure: flags["control-tls"] ?? control.tls ?? false,
  };
}

function portOf(flag: string, typed: string | undefined): number | undefined {
  return typed === undefined ? undefined : wholeNumber(flag, typed, 0, 65_535);
}

function wordOf<const T extends string>(flag: string, typed: string | undefined, words: readonly T[]): T | undefined {
  return typed === undefined ? undefined : oneOf(flag, typed, words);
}
