#!/usr/bin/env node
/** `latchkey`: the broker and what is needed to run it, on the command line. */

import { defineCommand, runMain } from "citty";
import { pino } from "pino";
import { RegistryError } from "@latchkey/registry";
import { createDevice, createPolicy, statusOf, withDataDirectory } from "./commands.ts";
import { BrokerError, messageOf } from "./errors.ts";
import { runBroker } from "./run-broker.ts";

const data = { type: "string", default: "latchkey-data", description: "The data directory" } as const;
const certificate = { type: "string", required: true, description: "A certificateId" } as const;
const policyName = { type: "string", required: true, description: "The policy's name" } as const;

const start = defineCommand({
  meta: { name: "start", description: "Run the broker" },
  args: {
    data,
    host: { type: "string", default: "127.0.0.1", description: "The address to listen on" },
    port: { type: "string", default: "8883", description: "The port for MQTT over TLS; 0 for any free one" },
    name: { type: "string", description: "Names and addresses of the server for its certificate, separated by commas" },
    region: { type: "string", default: "us-east-1", description: "The region in resource names" },
    account: { type: "string", default: "000000000000", description: "The account in resource names" },
    denial: {
      type: "enum",
      options: ["explain", "parity"],
      default: "explain",
      description: "What a refused client is told",
    },
    "log-level": { type: "string", default: "info", description: "fatal, error, warn, info, debug or silent" },
  },
  run: (context) => reportErrors(context, ({ args }) => startBroker(args)),
});

const certificateCommand = defineCommand({
  meta: { name: "certificate", description: "Device certificates" },
  subCommands: {
    create: defineCommand({
      meta: { name: "create", description: "Make a key and a certificate for a device" },
      args: {
        data,
        out: {
          type: "string",
          required: true,
          description: "The folder for certificate.pem, private.key and root-ca.pem",
        },
        "common-name": { type: "string", description: "The subject's common name; the serial where it is left out" },
        serial: { type: "string", description: "The subject's serial number: iot:Certificate.Subject.SerialNumber" },
        policy: { type: "string", description: "Policies to attach, separated by commas" },
        days: { type: "string", default: "3650", description: "How long it is valid" },
      },
      run: (context) =>
        reportErrors(context, ({ args }) =>
          withDataDirectory(args.data, async (directory) => {
            const commonName = args["common-name"] ?? args.serial;
            if (commonName === undefined) throw new BrokerError("ERR_BROKER_USAGE", "give --common-name or --serial");
            const policyNames = listOf(args.policy);
            const days = wholeNumber(args.days, "days", 1, 36_500);
            const device = { commonName, serialNumber: args.serial, policyNames, days, outDirectory: args.out };
            print(await createDevice(directory, device, new Date()));
          }),
        ),
    }),
    status: defineCommand({
      meta: { name: "status", description: "Set a certificate's status" },
      args: { data, certificate, to: { type: "string", required: true, description: "ACTIVE, INACTIVE or REVOKED" } },
      run: (context) =>
        reportErrors(context, ({ args }) =>
          withDataDirectory(args.data, ({ registry }) =>
            registry.setCertificateStatus(args.certificate, statusOf(args.to)),
          ),
        ),
    }),
    list: defineCommand({
      meta: { name: "list", description: "List certificates" },
      args: { data },
      run: (context) =>
        reportErrors(context, ({ args }) =>
          withDataDirectory(args.data, async ({ registry }) => {
            for (const record of await registry.certificates()) print(`${record.certificateId} ${record.status}`);
          }),
        ),
    }),
  },
});

const policyCommand = defineCommand({
  meta: { name: "policy", description: "Policies" },
  subCommands: {
    create: defineCommand({
      meta: { name: "create", description: "Store a policy" },
      args: { data, name: policyName, document: { type: "string", required: true, description: "A JSON file" } },
      run: (context) =>
        reportErrors(context, ({ args }) =>
          withDataDirectory(args.data, (directory) => createPolicy(directory, args.name, args.document)),
        ),
    }),
    attach: defineCommand({
      meta: { name: "attach", description: "Attach a policy to a certificate" },
      args: { data, name: policyName, certificate },
      run: (context) =>
        reportErrors(context, ({ args }) =>
          withDataDirectory(args.data, ({ registry }) => registry.attachPolicy(args.name, args.certificate)),
        ),
    }),
    detach: defineCommand({
      meta: { name: "detach", description: "Detach a policy from a certificate" },
      args: { data, name: policyName, certificate },
      run: (context) =>
        reportErrors(context, ({ args }) =>
          withDataDirectory(args.data, ({ registry }) => registry.detachPolicy(args.name, args.certificate)),
        ),
    }),
  },
});

const main = defineCommand({
  meta: { name: "latchkey", description: "An MQTT broker with the AWS IoT security model" },
  subCommands: { start, certificate: certificateCommand, policy: policyCommand },
});

interface StartArguments {
  readonly data: string;
  readonly host: string;
  readonly port: string;
  readonly name?: string | undefined;
  readonly region: string;
  readonly account: string;
  readonly denial: "explain" | "parity";
  readonly "log-level": string;
}

/** Runs until SIGTERM or SIGINT. The ready line is all that goes to standard output; the log goes to standard error. */
async function startBroker(args: StartArguments): Promise<void> {
  const level = args["log-level"];
  if (pino.levels.values[level] === undefined && level !== "silent") {
    throw new BrokerError("ERR_BROKER_USAGE", `${level} is no log level`);
  }
  // A log that cannot be written must not stop the broker: lines beyond the bound are lost.
  const destination = pino.destination({ dest: 2, sync: true, maxLength: maximumLogOctets });
  destination.on("error", () => {});
  process.stdout.on("error", () => {});
  const log = pino({ level, base: null }, destination);
  const stopped = new Promise<string>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, resolve);
  });
  const broker = await runBroker({
    dataDirectory: args.data,
    host: args.host,
    port: wholeNumber(args.port, "port", 0, 65_535),
    serverNames: listOf(args.name),
    scope: { region: args.region, account: args.account },
    denial: args.denial,
    log,
  });
  const authority = broker.host.includes(":") ? `[${broker.host}]:${broker.port}` : `${broker.host}:${broker.port}`;
  print(`ready mqtts://${authority}`);
  log.info({ signal: await stopped }, "stopping");
  await broker[Symbol.asyncDispose]();
}

/** Octets of log that may wait for whoever reads it. */
const maximumLogOctets = 8 * 1024 * 1024;

/** What citty hands to a command. */
interface Call<Arguments> {
  readonly args: Arguments & { readonly _: readonly string[] };
  readonly rawArgs: readonly string[];
  readonly cmd: { readonly args?: unknown };
}

/** Turns what a person can mend into one line and exit code 1. */
async function reportErrors<Arguments>(
  call: Call<Arguments>,
  body: (call: Call<Arguments>) => Promise<void>,
): Promise<void> {
  try {
    refuseUnknown(call);
    await body(call);
  } catch (error) {
    if (!(error instanceof BrokerError || error instanceof RegistryError)) throw error;
    process.stderr.write(`${error.code}: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** A mistyped flag must not leave a default in force without a word. */
function refuseUnknown<Arguments>({ args, rawArgs, cmd }: Call<Arguments>): void {
  const known = Object.keys(cmd.args ?? {});
  const flags = rawArgs.filter((word) => word.startsWith("--")).map((word) => word.slice(2).split("=", 1)[0] ?? "");
  const unknown = flags.find((flag) => !known.includes(flag)) ?? args._[0];
  if (unknown !== undefined) throw new BrokerError("ERR_BROKER_USAGE", `${unknown} is not known here: see --help`);
}

function listOf(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((item) => item !== "");
}

function wholeNumber(text: string, what: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new BrokerError("ERR_BROKER_USAGE", `${text} is no ${what}: a whole number from ${least} to ${most}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await runMain(main);
