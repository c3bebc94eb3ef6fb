/**
 * `npm run bench -- [OPTIONS]`: runs the micro suites, each scenario in a process of its own, and prints a table. The
 * JSON file has the shape of `MicroFile` in `@latchkey/bench-results` and is written again after each scenario.
 */

import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import {
  checkResultFile,
  describeMachine,
  machineText,
  type MicroFile,
  type MicroResult,
  revisionOf,
  watchOutput,
  writeResultFile,
} from "@latchkey/bench-results";
import { ScenarioError } from "./errors.ts";
import { fullEffort, smokeEffort } from "./measure.ts";
import { type BenchOptions, readOptions, usage } from "./options.ts";
import { Progress } from "./progress.ts";
import type { Request } from "./request.ts";
import { checkOutRevision, type RevisionCheckout } from "./revision-checkout.ts";
import { runInProcess } from "./run-in-process.ts";
import { type SuiteFile, suiteFiles } from "./suites.ts";
import { tableRow } from "./table.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interruption.abort());
let lostOutput: string | undefined;
watchOutput((reason) => {
  lostOutput ??= reason;
  interruption.abort();
});

interface Job {
  readonly suite: SuiteFile;
  readonly scenario: string;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else process.exitCode = await bench(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = interruption.signal.aborted ? 130 : 2;
}

async function bench(options: BenchOptions): Promise<number> {
  const known = await jobsOf(suiteFiles(options.filter), options);
  if (options.list) {
    console.log(known.map(({ scenario }) => scenario).join("\n"));
    return 0;
  }
  const jobs = known.filter(({ scenario }) => scenario.includes(options.filter));
  if (jobs.length === 0) {
    const names = known.map(({ scenario }) => `  ${scenario}`).join("\n");
    console.error(`No scenario contains "${options.filter}". There are:\n${names}`);
    return 1;
  }
  if (options.json !== undefined) checkResultFile(options.json);
  if (options.compare === undefined) return measureAll(jobs, options, undefined);
  const checkout = await checkOutRevision(options.compare, {
    root,
    build: !process.execArgv.some((word) => word.includes("@latchkey/source")),
    signal: interruption.signal,
    progress: (phase) => console.error(phase),
  });
  try {
    return await measureAll(jobs, options, checkout);
  } finally {
    await checkout.remove();
  }
}

/** The scenarios of each suite, which a process of its own lists. */
async function jobsOf(suites: readonly SuiteFile[], { limitMs }: BenchOptions): Promise<Job[]> {
  const lists = await eachOf(suites, async (suite) => {
    const request: Request = { kind: "list", suite: suite.module };
    const answer = await runInProcess(request, { limitMs, signal: interruption.signal });
    const names = answer.kind === "scenarios" ? answer.names : [];
    return names.map((scenario): Job => ({ suite, scenario }));
  });
  return lists.flat();
}

async function measureAll(
  jobs: readonly Job[],
  options: BenchOptions,
  checkout: RevisionCheckout | undefined,
): Promise<number> {
  const environment = describeMachine();
  const rows = new Map<string, readonly MicroResult[]>();
  const failures: { scenario: string; reason: string }[] = [];
  const revision = revisionOf(root);
  const date = new Date().toISOString();
  /** Why the file has not got the latest rows. */
  let unsaved: string | undefined;
  const save = (complete: boolean): void => {
    if (options.json === undefined) return;
    const results = jobs.flatMap(({ scenario }) => rows.get(scenario) ?? []);
    const common = { machine: environment.description, node: process.version, revision, date };
    const file = { ...common, results, kind: "micro", environment, failures, complete } satisfies MicroFile;
    try {
      writeResultFile(options.json, file);
      unsaved = undefined;
    } catch (error) {
      // The rows are on standard output, too; a long run is not thrown away for a disk that is full.
      unsaved = error instanceof Error ? error.message : String(error);
      console.error(unsaved);
    }
  };
  console.log(`${machineText(environment)}\nNode ${process.version}, revision ${revision}, ${date}`);
  if (environment.loadAverage[0] > 0.5) {
    console.log(`warning: the load average is ${environment.loadAverage[0].toFixed(2)}: something else is running`);
  }
  save(false);
  const progress = new Progress(jobs.length);
  const width = Math.max(...jobs.map(({ scenario }) => scenario.length));
  const measureOne = async (job: Job): Promise<void> => {
    if (interruption.signal.aborted) return;
    progress.begin(job.scenario);
    try {
      const results = await measure(job, options, checkout, (phase) => progress.phase(job.scenario, phase));
      progress.end();
      rows.set(job.scenario, results);
      for (const row of results) console.log(tableRow(row, width));
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error;
      progress.end();
      if (error.code === "ERR_BENCH_INTERRUPTED") return;
      failures.push({ scenario: job.scenario, reason: error.message });
      console.error(error.message);
    }
    save(false);
  };
  if (options.smoke) await eachOf(jobs, measureOne);
  else for (const job of jobs) await measureOne(job);
  if (lostOutput !== undefined) {
    console.error(`ended after ${rows.size} of ${jobs.length} scenarios: ${lostOutput}`);
    return 1;
  }
  if (interruption.signal.aborted) {
    console.error(`interrupted after ${rows.size} of ${jobs.length} scenarios`);
    return 130;
  }
  save(failures.length === 0);
  if (failures.length > 0) console.error(`${failures.length} of ${jobs.length} scenarios failed`);
  if (unsaved !== undefined) console.error(`the rows above are whole, and the file is not: ${unsaved}`);
  return failures.length > 0 || unsaved !== undefined ? 1 : 0;
}

async function measure(
  { suite, scenario }: Job,
  { smoke, limitMs }: BenchOptions,
  checkout: RevisionCheckout | undefined,
  progress: (phase: string) => void,
): Promise<readonly MicroResult[]> {
  const effort = smoke ? smokeEffort : fullEffort;
  const other = checkout && { suites: checkout.suiteModules(suite.name), revision: checkout.revision };
  const request: Request = { kind: "measure", suite: suite.module, scenario, effort, ...(other && { other }) };
  const answer = await runInProcess(request, { limitMs, signal: interruption.signal, progress });
  return answer.kind === "rows" ? answer.rows : [];
}

/** Does something with each item, as many at a time as there are cores; for what is not timed. */
async function eachOf<Item, Result>(items: readonly Item[], act: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) results[index] = await act(item);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return results;
}
