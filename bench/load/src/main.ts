/** `npm run bench:load`: see `--help` and bench/README.md. */

import { checkResultFile, describeMachine, revisionOf, watchOutput, writeResultFile } from "@latchkey/bench-results";
import { LoadError, messageOf } from "./errors.ts";
import { helpText, readCommand, type Command } from "./flags.ts";
import { Progress } from "./progress.ts";
import { resultText } from "./result-text.ts";
import type { LoadFile, LoadResult } from "./result.ts";
import { runLoad, TargetPool } from "./run-load.ts";
import { smokeFailuresOf } from "./smoke.ts";
import { settingNames, type Settings } from "./settings.ts";
import { pinGenerator } from "./target/process.ts";

/** The exit code after Ctrl-C, as shells have it. */
const interruptedCode = 130;

/** What to do where the machine refuses something. */
const machineAdvice: ReadonlyMap<string, string> = new Map([
  [
    "ENOSPC",
    "free some space; the bench writes to /dev/shm or the folder for temporary files, and to bench/load/node_modules",
  ],
  ["EDQUOT", "free some space; the quota of this user is used up"],
  ["EROFS", "the bench writes to /dev/shm or the folder for temporary files, and to bench/load/node_modules"],
  ["EACCES", "give this user the right, or run as the owner of the checkout"],
  ["EMFILE", 'raise the limit of file descriptors with "ulimit -n"'],
  ["ENFILE", "the machine has no file descriptors left"],
]);

try {
  const command = readCommand(process.argv.slice(2));
  if (command.type === "help") process.stdout.write(`${helpText()}\n`);
  else process.exitCode = await run(command);
} catch (error) {
  const known = error instanceof LoadError ? error : machineError(error);
  if (known === undefined) throw error;
  process.stderr.write(`${known.code}: ${known.message}\n`);
  process.exitCode = 1;
}

async function run(command: Exclude<Command, { readonly type: "help" }>): Promise<number> {
  const runs = command.type === "smoke" ? command.runs : [command.settings];
  const [first] = runs;
  if (first === undefined) return 0;
  if (command.json !== undefined) checkJson(command.json);
  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(interruptedCode);
    process.stderr.write("\nending: a second Ctrl-C ends at once\n");
    abort.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  // A terminal or a pipe that is gone ends the run, too, and takes no more text.
  process.on("SIGHUP", () => abort.abort());
  let lostOutput: string | undefined;
  watchOutput((reason) => {
    lostOutput ??= reason;
    abort.abort();
  });
  const machine = describeMachine();
  const date = new Date().toISOString();
  const results: LoadResult[] = [];
  const progress = new Progress(process.stderr);
  const cores = pinGenerator(first.pin);
  const pool = new TargetPool(runs);
  /** Why the file has not got the latest entries. */
  let unsaved: string | undefined;
  const save = (isInterrupted: boolean): void => {
    if (command.json === undefined) return;
    const file: LoadFile = {
      kind: "load",
      machine: machine.description,
      environment: machine,
      node: process.version,
      revision: revisionOf(),
      date,
      flags: command.type === "smoke" ? { smoke: true } : flagsOf(first),
      interrupted: isInterrupted,
      results,
    };
    try {
      writeResultFile(command.json, file);
      unsaved = undefined;
    } catch (error) {
      // The figures are on standard output, too; a long run is not thrown away for a disk that is full.
      unsaved = messageOf(error);
      progress.note(unsaved);
    }
  };
  const smokeFailures: string[] = [];
  let isWhole = true;
  let failure: unknown;
  try {
    for (const settings of runs) {
      const listener = {
        note: (text: string): void => progress.note(text),
        progress: progress.show.bind(progress),
        result: (result: LoadResult): void => {
          progress.clear();
          results.push(result);
          if (command.type === "smoke") smokeFailures.push(...smokeFailuresOf(result));
          // The file has the result before the screen shows it.
          save(true);
          process.stdout.write(`${resultText(result)}\n`);
        },
      };
      isWhole = (await runLoad({ settings, cores, signal: abort.signal, listener, pool })) && isWhole;
      if (!isWhole) break;
    }
  } catch (error) {
    failure = error;
  } finally {
    await pool[Symbol.asyncDispose]();
  }
  progress.clear();
  if (results.length > 0 || failure === undefined) save(!isWhole || failure !== undefined);
  if (failure !== undefined) throw failure;
  if (lostOutput !== undefined) throw new LoadError("ERR_LOAD_MACHINE", `the run was ended early: ${lostOutput}`);
  if (unsaved !== undefined && !abort.signal.aborted) {
    throw new LoadError("ERR_LOAD_MACHINE", `the figures above are whole, and the file is not: ${unsaved}`);
  }
  if (abort.signal.aborted) return interruptedCode;
  for (const line of smokeFailures) process.stderr.write(`${line}\n`);
  return isWhole && smokeFailures.length === 0 ? 0 : 1;
}

/** What the machine lacks, as an error for a person; undefined for anything else. */
function machineError(error: unknown): LoadError | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const advice = typeof code === "string" ? machineAdvice.get(code) : undefined;
  if (advice === undefined) return undefined;
  return new LoadError("ERR_LOAD_MACHINE", `${messageOf(error)}: ${advice}`, { cause: error });
}

/** Throws `ERR_LOAD_USAGE` where the result file cannot be written. */
function checkJson(file: string): void {
  try {
    checkResultFile(file);
  } catch (cause) {
    throw new LoadError("ERR_LOAD_USAGE", `--json: ${messageOf(cause)}`, { cause });
  }
}

function flagsOf(settings: Settings): LoadFile["flags"] {
  return Object.fromEntries(
    settingNames.map((name) => {
      const value = settings[name];
      return [name, Array.isArray(value) ? value.join(",") : typeof value === "object" ? null : (value ?? null)];
    }),
  );
}
