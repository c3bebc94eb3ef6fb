/** The configuration file of `latchkey start`: JSON, every member optional, `latchkey.schema.json` for editors. */

import { readFile } from "node:fs/promises";
import { messageOf } from "@latchkey/command-line";
import { BrokerError } from "../errors.ts";
import { logLevels } from "../observability/open-log.ts";
import { duplicateMembers } from "./duplicate-members.ts";
import { limitMembers } from "./limit-members.ts";
import { listOf, object, text, whole, word, yesOrNo, type ConfigurationFault, type ValueOf } from "./member.ts";

const port = (description: string): ReturnType<typeof whole> => whole(0, 65_535, `${description}; 0 for any free one`);

/** A DNS name as `--name` takes it, an IPv4 address, or what may be an IPv6 address. */
const serverName =
  /^(?:(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/;

const certificateId = /^[0-9a-f]{64}$/;

const members = object(
  {
    $schema: text("Where editors find the schema"),
    data: text("The data directory"),
    host: text("The address to listen on"),
    port: port("The port for MQTT over TLS"),
    https: object({ enabled: yesOrNo("Whether there is one"), port: port("Its port") }, "HTTPS for devices"),
    alpn: object({ port: port("Its port") }, "One port for MQTT and HTTPS, told apart by ALPN"),
    plain: object(
      {
        port: port("Its port; without it there is none"),
        host: text("Its address: a loopback address"),
        certificate: text(
          "The ID of the registered certificate whose rights its clients have",
          certificateId,
          "the 64 hexadecimal digits of a certificate's ID",
        ),
      },
      "MQTT without TLS, for programs of the same machine",
    ),
    names: listOf(
      text("A DNS name or an IP address", serverName, "a DNS name or an IP address"),
      "Names of the server for its certificate, besides localhost",
    ),
    region: text(
      "The region in resource names",
      /^(?=.{1,32}$)[a-z0-9]+(?:-[a-z0-9]+)*$/,
      "small letters, digits and hyphens",
    ),
    account: text("The account in resource names", /^[0-9]{12}$/, "12 digits"),
    control: object(
      {
        enabled: yesOrNo("Whether there is one"),
        host: text("Its address; HTTPS where it is no loopback address"),
        port: port("Its port"),
        tls: yesOrNo("HTTPS on loopback addresses, too"),
      },
      "The control plane",
    ),
    metrics: object({ host: text("Their address"), port: port("Their port") }, "Metrics and health over HTTP"),
    denial: word(["explain", "parity"], "What a refused client learns"),
    profile: word(["standard", "aws"], "MQTT as its standards have it, or the limits and deviations of AWS IoT Core"),
    tls: word(["node", "latchkey"], "The TLS engine"),
    sessions: word(["disk", "memory"], "Where sessions and retained messages are kept"),
    log: object(
      {
        level: word(logLevels, "How much is logged"),
        file: text("The file of the log in place of standard error; SIGHUP opens it again"),
      },
      "The log",
    ),
    handshakeTimeoutMs: whole(100, 600_000, "Milliseconds that a TLS handshake may take"),
    shutdownTimeoutMs: whole(100, 600_000, "Milliseconds that the end may take"),
    limits: limitMembers,
  },
  "Settings of `latchkey start`. Flags win over them.",
);

/** What a file says. */
export type Configuration = ValueOf<typeof members>;

/** The JSON Schema that `latchkey.schema.json` publishes. */
export const configurationSchema: Readonly<Record<string, unknown>> = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "latchkey start --config",
  ...members.schema,
};

/** Reads a file. Throws `ERR_BROKER_CONFIGURATION`, with every fault and where it is. */
export async function readConfiguration(file: string): Promise<Configuration> {
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (cause) {
    throw refused(file, `cannot be read: ${messageOf(cause)}`, cause);
  }
  return parseConfiguration(file, content);
}

/** The same for a content that was read. */
export function parseConfiguration(file: string, content: string): Configuration {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch (cause) {
    throw refused(file, `is no JSON: ${messageOf(cause)}`, cause);
  }
  const faults: ConfigurationFault[] = duplicateMembers(content).map((path) => ({
    path,
    problem: "stands there more than once: leave one of them",
  }));
  const configuration = members.read(parsed, "", faults);
  if (configuration !== undefined && faults.length === 0) return configuration;
  throw refused(file, faults.map(({ path, problem }) => `${path}${path === "" ? "" : " "}${problem}`).join(". "));
}

/** The error for a file that cannot be used. */
export function refused(file: string, problem: string, cause?: unknown): BrokerError {
  return new BrokerError("ERR_BROKER_CONFIGURATION", `${file}: ${problem}`, { cause });
}
