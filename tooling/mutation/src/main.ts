/**
 * `npm run mutate -w PACKAGE -- [--sample N] [--seed N] [--file TEXT]`: changes one thing at a time in the sources of a
 * package, runs its tests, and prints the changes that no test noticed. A survivor is a test to write, or a change that
 * makes no difference.
 *
 * Only mutants that compile count: a change that the compiler refuses needs no test. Nothing is written into the sources.
 */

import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mutantsOf, withMutant, type Mutant } from "./mutants.ts";
import type { Answer, Question } from "./runner.ts";

const usage = "Usage: npm run mutate -w PACKAGE -- [--sample N] [--seed N] [--file TEXT]";
const folder = process.cwd();
const checkFolder = join(folder, "node_modules/.cache/mutants");

/** What became of one mutant. */
type Outcome = "killed" | "timeout" | "survived" | "does not compile";

const { sample, seed, file } = readOptions();
const sources = new Map(
  globSync("src/**/*.ts", { cwd: folder })
    .filter((path) => !path.endsWith(".d.ts") && path.includes(file))
    .sort()
    .map((path) => [path, readFileSync(join(folder, path), "utf8")]),
);
const mutants = shuffled([...sources].flatMap(([path, source]) => mutantsOf(path, source)));
console.log(`${mutants.length} mutants in ${sources.size} files; ${sample} of them are tried, seed ${seed}`);

let runner = await startRunner();
process.on("exit", stopRunner);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
await main();
process.exit();

async function main(): Promise<void> {
  const started = performance.now();
  const baseline = await ask({}, 600_000);
  if (baseline === undefined || baseline.failed || baseline.tests === 0) {
    console.error(`The tests fail without any change: ${baseline?.failure ?? "they do not end, or there are none"}`);
    process.exit(1);
  }
  // A loaded machine is slower than it was just now; an endless loop is far slower than that.
  const limitMs = 10_000 + 4 * (performance.now() - started);
  const counts: Record<Outcome, number> = { killed: 0, timeout: 0, survived: 0, "does not compile": 0 };
  for (const mutant of mutants) {
    if (counts.killed + counts.timeout + counts.survived === sample) break;
    const outcome = await tryMutant(mutant, limitMs);
    counts[outcome]++;
    if (outcome === "survived") show(mutant);
  }
  const tried = counts.killed + counts.timeout + counts.survived;
  const killed = counts.killed + counts.timeout;
  const rate = tried === 0 ? "none" : `${((100 * killed) / tried).toFixed(1)} %`;
  console.log(
    `${killed} of ${tried} mutants killed (${rate}), ${counts.survived} survived; of the killed, ${counts.timeout} by the time ` +
      `limit of ${Math.round(limitMs / 1000)} s; ${counts["does not compile"]} others do not compile and are not counted; seed ${seed}`,
  );
}

async function tryMutant(mutant: Mutant, limitMs: number): Promise<Outcome> {
  const source = withMutant(sources.get(mutant.file) ?? "", mutant);
  if (!compiles(mutant.file, source)) return "does not compile";
  const answer = await ask({ file: join(folder, mutant.file), source }, limitMs);
  if (answer !== undefined) return answer.failed ? "killed" : "survived";
  stopRunner();
  runner = await startRunner();
  return "timeout";
}

/** Type-checks a copy of the sources with the mutant in it. The copy lies beside the installed packages that it imports. */
function compiles(path: string, source: string): boolean {
  rmSync(checkFolder, { recursive: true, force: true });
  for (const [name, text] of allSources()) {
    mkdirSync(dirname(join(checkFolder, name)), { recursive: true });
    writeFileSync(join(checkFolder, name), name === path ? source : text);
  }
  const config = globSync("tsconfig.node.json", { cwd: folder })[0] ?? "tsconfig.build.json";
  writeFileSync(
    join(checkFolder, "tsconfig.json"),
    JSON.stringify({
      extends: `../../../${config}`,
      // What a mutant leaves unused or unreachable is not an error of types.
      compilerOptions: {
        rootDir: "../../../../..",
        noEmit: true,
        composite: false,
        incremental: false,
        tsBuildInfoFile: null,
        noUnusedLocals: false,
        noUnusedParameters: false,
        allowUnreachableCode: true,
      },
      include: [path, "src/**/*.d.ts", "src/web.d.ts"],
      references: [],
    }),
  );
  const { status, stdout, error } = spawnSync("tsc", ["-p", ".", "--pretty", "false"], {
    cwd: checkFolder,
    encoding: "utf8",
  });
  rmSync(checkFolder, { recursive: true, force: true });
  if (error !== undefined) throw error;
  // The sources of other packages are read as well, without the declarations of the globals that they use.
  return status === 0 || !/^(?:src\/|error)/mu.test(stdout);
}

function allSources(): [string, string][] {
  return globSync("src/**/*.ts", { cwd: folder }).map((path) => [path, readFileSync(join(folder, path), "utf8")]);
}

/** The runner and its workers form a process group, so that all of them can be ended at once. */
async function startRunner(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL("runner.ts", import.meta.url)), { cwd: folder, detached: true });
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", () => reject(new Error("the test runner ended before it was ready")));
  });
  return child;
}

function stopRunner(): void {
  rmSync(checkFolder, { recursive: true, force: true });
  if (runner.pid === undefined || runner.exitCode !== null || runner.signalCode !== null) return;
  process.kill(-runner.pid, "SIGKILL");
}

/** Undefined where no answer came in time, or where the mutant took the runner down with it. */
function ask(question: Question, limitMs: number): Promise<Answer | undefined> {
  const asked = runner;
  return new Promise((resolve) => {
    const end = (answer: Answer | undefined): void => {
      clearTimeout(timer);
      asked.removeAllListeners("message");
      asked.removeAllListeners("exit");
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), limitMs);
    asked.once("message", (answer: Answer) => end(answer));
    asked.once("exit", () => end(undefined));
    asked.send(question);
  });
}

function show(mutant: Mutant): void {
  const source = sources.get(mutant.file) ?? "";
  const start = source.lastIndexOf("\n", mutant.start - 1) + 1;
  const lineEnd = source.indexOf("\n", mutant.end);
  const end = lineEnd === -1 ? source.length : lineEnd;
  const changed = source.slice(start, mutant.start) + mutant.replacement + source.slice(mutant.end, end);
  console.log(`survived: ${mutant.file}:${mutant.line}: ${mutant.change}`);
  for (const line of source.slice(start, end).split("\n")) console.log(`  - ${line}`);
  for (const line of changed.split("\n")) console.log(`  + ${line}`);
}

/** Fisher and Yates' shuffle by the seed, so that a run can be repeated. */
function shuffled<T>(items: T[]): T[] {
  let state = seed;
  const random = (): number => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}

function readOptions(): { sample: number; seed: number; file: string } {
  try {
    const { values } = parseArgs({
      options: {
        sample: { type: "string", default: "60" },
        seed: { type: "string", default: "1" },
        file: { type: "string", default: "" },
      },
    });
    return { sample: wholeNumber("sample", values.sample), seed: wholeNumber("seed", values.seed), file: values.file };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/u.test(text)) throw new Error(`--${option} takes a whole number from 1, found "${text}".`);
  return Number(text);
}
