/**
 * The scripts that complete words in a shell. Each walks down the tree while the words on the line are commands, and offers
 * what may follow there: commands and options, or the values of the option before. Any other value may be a file's name.
 */

/** A command of the tree, and what can follow it. */
export interface Place {
  /** The words that lead to it, the program's own left out; empty for the program. */
  readonly path: string;
  /** Commands and options. */
  readonly words: readonly string[];
  /** The options that a value follows. */
  readonly valued: readonly string[];
  /** The values of options that have a fixed set of them. */
  readonly choices: ReadonlyMap<string, readonly string[]>;
}

type Script = (program: string, places: readonly Place[]) => string;

/** By shell: makes the script, for the shell to read with `source`. */
export const completionScripts = { bash: bashScript, zsh: zshScript, fish: fishScript } satisfies Record<
  string,
  Script
>;

/** Where the words match nothing, `-o default` lets bash complete the name of a file. */
function bashScript(program: string, places: readonly Place[]): string {
  const name = `_${program.replaceAll("-", "_")}`;
  return `${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local place="" next words="" valued="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    next="\${place:+$place }\${COMP_WORDS[index]}"
    case "$next" in
      ${quoted(commandsOf(places)).join("|")}) place="$next" ;;
      *) break ;;
    esac
  done
  case "$place" in
${lines(places, ({ path, words, valued }) => `    "${path}") words="${words.join(" ")}" valued="${valued.join(" ")}" ;;`)}
  esac
  if [[ " $valued " == *" $previous "* ]]; then
    case "\${place:+$place }$previous" in
${lines(choicesOf(places), ([option, values]) => `      "${option}") words="${values.join(" ")}" ;;`)}
      *) words="" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F ${name} ${program}
`;
}

/** May also be kept as the file `_PROGRAM` in a folder of `fpath`: its first and last lines are for that. */
function zshScript(program: string, places: readonly Place[]): string {
  const name = `_${program}`;
  return `#compdef ${program}
${name}() {
  local place="" next previous="\${words[CURRENT-1]}" word
  local -a commands offered valued values
  commands=(${quoted(commandsOf(places)).join(" ")})
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${place:+$place }$word"
    (( \${commands[(Ie)$next]} )) || break
    place="$next"
  done
  case "$place" in
${lines(places, ({ path, words, valued }) => `    "${path}") offered=(${words.join(" ")}) valued=(${valued.join(" ")}) ;;`)}
  esac
  if (( \${valued[(Ie)$previous]} )); then
    case "\${place:+$place }$previous" in
${lines(choicesOf(places), ([option, values]) => `      "${option}") values=(${values.join(" ")}) ;;`)}
      *) _files; return ;;
    esac
    compadd -- $values
  else
    compadd -- $offered
  fi
}
if [[ "\${funcstack[1]}" == ${name} ]]; then
  ${name} "$@"
else
  (( \${+functions[compdef]} )) || { autoload -U compinit && compinit; }
  compdef ${name} ${program}
fi
`;
}

function fishScript(program: string, places: readonly Place[]): string {
  const name = `__${program}_complete`;
  return `function ${name}
    set -l before (commandline -opc)
    set -l place ""
    set -l words
    set -l valued
    for word in $before[2..]
        set -l next (string trim "$place $word")
        contains -- $next ${quoted(commandsOf(places)).join(" ")}; or break
        set place $next
    end
    switch $place
${lines(
  places,
  ({ path, words, valued }) => `        case "${path}"
            set words ${words.join(" ")}
            set valued ${valued.join(" ")}`,
)}
    end
    if contains -- $before[-1] $valued
        switch (string trim "$place $before[-1]")
${lines(
  choicesOf(places),
  ([option, values]) => `            case "${option}"
                printf '%s\\n' ${values.join(" ")}`,
)}
            case "*"
                __fish_complete_path (commandline -ct)
        end
        return
    end
    printf '%s\\n' $words
end
complete -c ${program} -f -a "(${name})"
`;
}

/** The paths of all commands but the program itself. */
function commandsOf(places: readonly Place[]): readonly string[] {
  return places.map(({ path }) => path).filter((path) => path !== "");
}

/** Command and option in one text, with the values that the option has. */
function choicesOf(places: readonly Place[]): readonly (readonly [option: string, values: readonly string[]])[] {
  return places.flatMap(({ path, choices }) =>
    [...choices].map(([option, values]) => [path === "" ? option : `${path} ${option}`, values] as const),
  );
}

function quoted(texts: readonly string[]): readonly string[] {
  return texts.map((text) => `"${text}"`);
}

function lines<Item>(items: readonly Item[], line: (item: Item) => string): string {
  return items.map(line).join("\n");
}
