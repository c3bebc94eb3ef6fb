#!/usr/bin/env node
/** `latchkey`: the broker and what is needed to run it, on the command line. */

import { defineCommand } from "citty";
import { runCommandLine } from "@latchkey/command-line";
import { isRegistryError } from "@latchkey/registry";
import { certificateCommand } from "./commands/certificate.ts";
import { policyCommand } from "./commands/policy.ts";
import { startCommand } from "./commands/start.ts";
import { BrokerError } from "./errors.ts";

const main = defineCommand({
  meta: { name: "latchkey", description: "An MQTT broker with the AWS IoT security model" },
  subCommands: { start: startCommand, certificate: certificateCommand, policy: policyCommand },
});

await runCommandLine(main, {
  words: process.argv.slice(2),
  packageFile: new URL("../package.json", import.meta.url),
  usageCode: "ERR_BROKER_USAGE",
  isRefusal: (error) => error instanceof BrokerError || isRegistryError(error),
});
