/** Shell completion: a script that knows every command and option of a tree, as it is when the script is made. */

import { defineCommand, type ArgsDef, type SubCommandsDef } from "citty";
import { completionScripts, type Place } from "./completion-scripts.ts";

/** A command with any arguments, as citty has them in a tree. */
type AnyCommand = Exclude<SubCommandsDef[string], Promise<unknown> | ((...words: never) => unknown)>;

const shells = ["bash", "zsh", "fish"] as const;

/** `completion`: prints the script. `program` is the command's name, `main` gives the tree that it is part of. */
// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is citty's, with these arguments in it
export function completionCommand(program: string, main: () => AnyCommand) {
  return defineCommand({
    meta: { name: "completion", description: "Print a script that completes words in a shell" },
    args: {
      shell: {
        type: "enum",
        options: [...shells],
        default: "bash",
        description: `${shells.join(", ")}: source it, for instance with: source <(${program} completion)`,
      },
    },
    async run({ args }) {
      process.stdout.write(completionScripts[args.shell](program, await placesOf(main(), "")));
    },
  });
}

async function placesOf(command: AnyCommand, path: string): Promise<Place[]> {
  const subCommands = await resolved<SubCommandsDef>(command.subCommands ?? {});
  const definitions = await resolved<ArgsDef>(command.args ?? {});
  const options: string[] = [];
  const valued: string[] = [];
  const choices = new Map<string, readonly string[]>();
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition.type === "positional") continue;
    const option = `--${definition.default === true ? "no-" : ""}${name}`;
    options.push(option);
    if (definition.type !== "boolean") valued.push(option);
    if (definition.type === "enum") choices.set(option, definition.options ?? []);
  }
  const below: Place[] = [];
  for (const [name, sub] of Object.entries(subCommands))
    below.push(...(await placesOf(await resolved(sub), path === "" ? name : `${path} ${name}`)));
  return [{ path, words: [...Object.keys(subCommands), ...options, "--help"], valued, choices }, ...below];
}

/** citty lets each part be a value, a promise of it or a function that gives it. */
async function resolved<T extends object>(part: T | Promise<T> | (() => T) | (() => Promise<T>)): Promise<T> {
  return typeof part === "function" ? part() : part;
}
