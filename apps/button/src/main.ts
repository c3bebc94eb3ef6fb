#!/usr/bin/env node
/** `latchkey-button`: a faithful AWS IoT Button on the command line. */

import { runCommandLine } from "@latchkey/command-line";
import { isRegistryError } from "@latchkey/registry";
import { defineCommand } from "citty";
import { AttackError, attackCommand } from "./commands/attack.ts";
import { FleetError, fleetCommand } from "./commands/fleet.ts";
import { pressArguments, runPress } from "./commands/press.ts";
import { provisionCommand } from "./commands/provision.ts";
import { ButtonError } from "./errors.ts";
import { ControlPlaneError } from "./provision/control-plane-service.ts";

const main = defineCommand({
  meta: { name: "latchkey-button", description: "Press the button once" },
  args: pressArguments,
  subCommands: { provision: provisionCommand, attack: attackCommand, fleet: fleetCommand },
  run: ({ args }) => runPress(args),
});

await runCommandLine(main, {
  words: process.argv.slice(2),
  packageFile: new URL("../package.json", import.meta.url),
  usageCode: "ERR_BUTTON_USAGE",
  isRefusal: (error) =>
    error instanceof ButtonError ||
    error instanceof AttackError ||
    error instanceof FleetError ||
    error instanceof ControlPlaneError ||
    isRegistryError(error),
});
