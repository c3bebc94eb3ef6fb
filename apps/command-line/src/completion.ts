/** Shell completion: a script that knows every command and option of a tree, as it is when the script is made. */

import { defineCommand, type ArgsDef, type SubCommandsDef } from "citty";

/** A command with any arguments, as citty has them in a tree. */
type AnyCommand = Exclude<SubCommandsDef[string], Promise<unknown> | ((...words: never) => unknown)>;

/** A command of the tree: the words that lead to it, and what can follow. */
interface Place {
  readonly path: readonly string[];
  readonly words: readonly string[];
}

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
      const places = await placesOf(main(), []);
      process.stdout.write(
        args.shell === "fish" ? fishScript(program, places) : bashScript(program, places, args.shell),
      );
    },
  });
}

async function placesOf(command: AnyCommand, path: readonly string[]): Promise<Place[]> {
  const subCommands = await resolved<SubCommandsDef>(command.subCommands ?? {});
  const definitions = await resolved<ArgsDef>(command.args ?? {});
  const flags = Object.keys(definitions).filter((name) => definitions[name]?.type !== "positional");
  const options = flags.map((flag) => `--${definitions[flag]?.default === true ? "no-" : ""}${flag}`);
  const words = [...Object.keys(subCommands), ...options, "--help"];
  const below: Place[] = [];
  for (const [name, sub] of Object.entries(subCommands))
    below.push(...(await placesOf(await resolved(sub), [...path, name])));
  return [{ path, words }, ...below];
}

function bashScript(program: string, places: readonly Place[], shell: string): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const cases = places.map(({ path, words }) => `    "${path.join(" ")}") words="${words.join(" ")}" ;;`);
  const start = shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "";
  return `${start}${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index]}" in -*) break ;; esac
    path="\${path:+$path }\${COMP_WORDS[index]}"
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F ${name} ${program}
`;
}

function fishScript(program: string, places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words }) => {
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    const condition = path.length === 0 ? "__fish_use_subcommand" : seen;
    return words.map((word) =>
      word.startsWith("--")
        ? `complete -c ${program} -n "${condition}" -l ${word.slice(2)}`
        : `complete -c ${program} -n "${condition}" -f -a ${word}`,
    );
  });
  return `${lines.join("\n")}\n`;
}

/** citty lets each part be a value, a promise of it or a function that gives it. */
async function resolved<T extends object>(part: T | Promise<T> | (() => T) | (() => Promise<T>)): Promise<T> {
  return typeof part === "function" ? part() : part;
}
