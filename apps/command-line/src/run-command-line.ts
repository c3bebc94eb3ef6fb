/**
 * Runs a tree of citty's commands. citty reads the words and renders the help; what is checked here first is that every
 * word is one that the command knows, so that a mistyped option never leaves a default in force.
 *
 * Standard output has what was asked for, standard error has refusals and remarks, one line each: `CODE: sentence`.
 * The exit code is 0 where everything was done and 1 otherwise.
 */

import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { renderUsage, runCommand, type ArgsDef, type SubCommandsDef } from "citty";
import { notPossible, suggestion } from "./choice.ts";
import { UsageError } from "./errors.ts";

/** What `runCommandLine` needs besides the commands. */
export interface CommandLineOptions {
  /** The words after the program's name. */
  readonly words: readonly string[];
  /** The program's package.json: `--version` prints its version. */
  readonly packageFile: URL;
  /** The code in front of a usage refusal, for instance `ERR_BROKER_USAGE`. */
  readonly usageCode: string;
  /** Whether an error is a refusal that a person can mend. Everything else is a defect and shows its stack. */
  readonly isRefusal: (error: unknown) => error is Error & { readonly code: string };
  /** What a person does next about a refusal, as a sentence behind it; undefined where the refusal says it, or nothing is known. */
  readonly nextStep?: ((error: unknown) => string | undefined) | undefined;
}

/** A command with any arguments, as citty has them in a tree. */
type AnyCommand = Exclude<SubCommandsDef[string], Promise<unknown> | ((...words: never) => unknown)>;

/** A command of the tree and the words that lead to it. */
interface Found {
  readonly path: readonly string[];
  readonly command: AnyCommand;
  readonly rest: readonly string[];
}

/** Runs what the words ask for. Never rejects for what a person typed: it prints the refusal and sets the exit code. */
export async function runCommandLine(main: AnyCommand, options: CommandLineOptions): Promise<void> {
  endQuietlyWithoutReader(options.usageCode);
  try {
    const found = await findCommand(main, options.words);
    if (found.path.length === 1 && options.words[0] === "--version") {
      process.stdout.write(`${versionOf(options.packageFile)}\n`);
    } else if (wantsHelp(found.rest)) {
      process.stdout.write(`${await helpText(found)}\n`);
    } else {
      await checkWords(found);
      // citty takes an option's value for the name of a subcommand where there are any.
      await runCommand({ ...found.command, subCommands: {} }, { rawArgs: [...found.rest] });
    }
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof UsageError) process.stderr.write(`${options.usageCode}: ${error.message}\n`);
    else if (options.isRefusal(error)) {
      const next = options.nextStep?.(error);
      process.stderr.write(`${error.code}: ${error.message}${next === undefined ? "" : `: ${next}`}\n`);
    } else throw error;
  }
}

function versionOf(packageFile: URL): string {
  const parsed: unknown = JSON.parse(readFileSync(packageFile, "utf8"));
  const isPackage = typeof parsed === "object" && parsed !== null && "version" in parsed;
  return isPackage ? String(parsed.version) : "unknown";
}

/** Ends quietly where the reader of a pipe has closed it. Any other fault of standard output is reported once. */
function endQuietlyWithoutReader(usageCode: string): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") {
      const code = usageCode.replace("_USAGE", "_OUTPUT");
      process.stderr.write(`${code}: standard output cannot be written: ${error.message}\n`);
    }
    process.exitCode = 1;
  });
  process.stderr.on("error", () => {});
}

function wantsHelp(words: readonly string[]): boolean {
  return words.includes("--help") || words.includes("-h");
}

async function findCommand(main: AnyCommand, words: readonly string[]): Promise<Found> {
  let command = main;
  let rest = words;
  const path = [nameOf(main)];
  for (;;) {
    const subCommands = await resolved(command.subCommands ?? {});
    const names = Object.keys(subCommands);
    const [word] = rest;
    if (names.length === 0) return { path, command, rest };
    if (word === undefined || word.startsWith("-")) {
      // A command that runs by itself: `latchkey-button --device FOLDER` beside `latchkey-button fleet`.
      if (command.run !== undefined) return { path, command, rest };
      if (wantsHelp(rest) || (path.length === 1 && word === "--version")) return { path, command, rest };
      const typed = word === undefined ? "" : ` before ${word}`;
      throw new UsageError(
        `"${path.join(" ")}" needs a command${typed}: ${names.join(", ")}. See ${path.join(" ")} --help`,
      );
    }
    const next = Object.hasOwn(subCommands, word) ? subCommands[word] : undefined;
    // Many programs have a command of this name.
    if (next === undefined && word === "help") return { path, command, rest: ["--help"] };
    if (next === undefined) {
      throw new UsageError(
        `"${path.join(" ")} ${word}" is not a command.${suggestion(word, names)} Commands: ${names.join(", ")}.`,
      );
    }
    command = await resolved(next);
    path.push(word);
    rest = rest.slice(1);
  }
}

/** Every word is an option of the command, the value of one, or a positional argument that the command has. */
async function checkWords({ path, command, rest }: Found): Promise<void> {
  const definitions = await resolved(command.args ?? {});
  const line = `"${path.join(" ")}"`;
  const flags = Object.keys(definitions).filter((name) => definitions[name]?.type !== "positional");
  const positionals = Object.keys(definitions).filter((name) => definitions[name]?.type === "positional");
  const given = new Map<string, string>();
  let positional = 0;
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? "";
    if (!word.startsWith("-") || word === "-") {
      positional++;
      if (positional > positionals.length) {
        throw new UsageError(`${line} has no use for ${JSON.stringify(word)}. Options: ${listOf(flags)}.`);
      }
      continue;
    }
    const [typed, attached] = splitOnce(word, "=");
    const name = flags.find((flag) => `--${flag}` === typed || isSwitchedOff(definitions, flag, typed));
    if (name === undefined) {
      const known = flags.map((flag) => `--${flag}`);
      throw new UsageError(
        `${typed} is not an option of ${line}.${suggestion(typed, known)} Options: ${listOf(flags)}.`,
      );
    }
    if (definitions[name]?.type === "boolean") {
      if (attached !== undefined) {
        throw new UsageError(
          `${typed} takes no value: leave ${JSON.stringify(`=${attached}`)} away, or the whole option`,
        );
      }
      given.set(name, "");
      continue;
    }
    const value = attached ?? rest[++at];
    if (value === undefined || (attached === undefined && value.startsWith("--"))) {
      throw new UsageError(`--${name} needs a value: ${describe(definitions, name)}`);
    }
    given.set(name, value);
  }
  const missing = positionals.slice(positional).find((name) => definitions[name]?.required === true);
  if (missing !== undefined) {
    throw new UsageError(`${line} needs ${missing.toUpperCase()}: ${describe(definitions, missing)}`);
  }
  checkValues(definitions, given, line);
}

/** `--no-NAME` for what is on by default. */
function isSwitchedOff(definitions: ArgsDef, flag: string, typed: string): boolean {
  const definition = definitions[flag];
  return definition?.type === "boolean" && definition.default === true && typed === `--no-${flag}`;
}

function checkValues(definitions: ArgsDef, given: ReadonlyMap<string, string>, line: string): void {
  for (const [name, definition] of Object.entries(definitions)) {
    const value = given.get(name);
    if (value === undefined) {
      if (definition.required === true && definition.type !== "positional") {
        throw new UsageError(`--${name} is missing in ${line}: ${describe(definitions, name)}`);
      }
    } else if (definition.type === "enum") {
      const { options = [] } = definition;
      if (!options.includes(value)) throw notPossible(name, value, options);
    } else if (value === "" && definition.type === "string") {
      throw new UsageError(`--${name} is empty: ${describe(definitions, name)}`);
    }
  }
}

function describe(definitions: ArgsDef, name: string): string {
  return definitions[name]?.description ?? "see --help";
}

function listOf(flags: readonly string[]): string {
  return flags.length === 0 ? "none" : flags.map((flag) => `--${flag}`).join(", ");
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The help of a command under the words that were typed, without colours where standard output is no terminal. */
async function helpText({ path, command }: Found): Promise<string> {
  const above: AnyCommand = { meta: { name: path.slice(0, -1).join(" ") } };
  const text = await renderUsage(command, path.length > 1 ? above : undefined);
  return process.stdout.isTTY ? text : stripVTControlCharacters(text);
}

function nameOf(command: AnyCommand): string {
  const { meta } = command;
  return typeof meta === "object" && "name" in meta && typeof meta.name === "string" ? meta.name : "";
}

/** citty lets each part be a value, a promise of it or a function that gives it. */
async function resolved<T extends object>(part: T | Promise<T> | (() => T) | (() => Promise<T>)): Promise<T> {
  return typeof part === "function" ? part() : part;
}
