/** `npm run demo -- --keep`: the pizzeria stays open, and the commands to go on with are on the screen. */

import { join } from "node:path";
import { wrapText, type Terminal } from "@latchkey/command-line";
import { buttons } from "./play.ts";
import type { KeptStory } from "./story.ts";

/** Prints the commands, then each order, until SIGINT or SIGTERM. */
export async function keepRunning(
  kept: KeptStory,
  { paint, columns }: Terminal,
  write: (text: string) => void,
): Promise<void> {
  const { folder } = kept;
  const data = join(folder, "data");
  const button = (index: number): string => join(folder, buttons[index]?.serialNumber ?? "");
  const commands = [
    ["Press a button", `npm run latchkey-button -- --device ${button(1)}`],
    ["Be the button", `npm run latchkey-button -- --device ${button(2)} --interactive`],
    [
      "Order on the neighbour's account",
      `npm run latchkey-button -- --device ${button(1)} --topic iotbutton/${buttons[2]?.serialNumber ?? ""}`,
    ],
    ["See a handshake in words", `npm run latchkey-button -- --device ${button(1)} --trace`],
    ["List the certificates", `npm run latchkey -- certificate list --data ${data}`],
    ["Attack it again", `npm run latchkey-button -- attack --data ${data}`],
  ] as const;
  const introduction = "Everything is still running. In another terminal, from this folder:";
  write(`\n${wrapText(introduction, columns).join("\n")}\n`);
  // Commands are not broken into lines, so that they can be copied.
  for (const [what, command] of commands) write(`\n${paint("quiet", `# ${what}`)}\n${command}\n`);
  write(
    `\n${wrapText("The pizzeria is open. Orders appear here; Ctrl-C closes it and removes everything.", columns).join("\n")}\n`,
  );
  kept.onOrder = ({ topicName, payload }) => write(`${paint("good", "✓")} ${paint("name", topicName)} ${payload}\n`);
  await new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
  });
  write("\n");
}
