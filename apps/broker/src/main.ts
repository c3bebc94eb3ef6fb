#!/usr/bin/env -S node --max-semi-space-size=8
/** `latchkey`: the broker and what is needed to run it, on the command line. Each command is loaded when it is asked for. */

import { defineCommand, type CommandDef } from "citty";
import { completionCommand, runCommandLine } from "@latchkey/command-line";
import { isRegistryError } from "@latchkey/registry";
import { listThatHasIt } from "./commands/next-step.ts";
import { BrokerError } from "./errors.ts";

const main: CommandDef = defineCommand({
  meta: { name: "latchkey", description: "An MQTT broker with the AWS IoT security model" },
  subCommands: {
    start: async () => (await import("./commands/start.ts")).startCommand,
    certificate: async () => (await import("./commands/certificate.ts")).certificateCommand,
    ca: async () => (await import("./commands/ca.ts")).caCommand,
    policy: async () => (await import("./commands/policy.ts")).policyCommand,
    thing: async () => (await import("./commands/thing.ts")).thingCommand,
    sessions: async () => (await import("./commands/sessions.ts")).sessionsCommand,
    retained: async () => (await import("./commands/sessions.ts")).retainedCommand,
    decisions: async () => (await import("./commands/decisions.ts")).decisionsCommand,
    doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
    publish: async () => (await import("./commands/messages.ts")).publishCommand,
    subscribe: async () => (await import("./commands/messages.ts")).subscribeCommand,
    keys: async () => (await import("./commands/keys.ts")).keysCommand,
    completion: completionCommand("latchkey", () => main),
  },
});

await runCommandLine(main, {
  words: process.argv.slice(2),
  packageFile: new URL("../package.json", import.meta.url),
  usageCode: "ERR_BROKER_USAGE",
  nextStep: listThatHasIt,
  isRefusal: (error) => error instanceof BrokerError || isRegistryError(error),
});
