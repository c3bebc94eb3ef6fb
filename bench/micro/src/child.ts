/**
 * A process that does one request and ends: it lists one suite, or measures one scenario with nothing else loaded.
 * `run-in-process.ts` starts it; the request is its argument, the answers go through the channel of `fork`.
 */

import { contenderVersion } from "./contender-version.ts";
import { measureScenario } from "./measure.ts";
import type { Answer, OtherRevision, Request } from "./request.ts";
import type { Contender, Scenario, Suite } from "./scenario.ts";

// Without the runner nobody reads the result.
process.once("disconnect", () => process.exit(1));

const request = JSON.parse(process.argv[2] ?? "") as Request;
let last: Answer;
try {
  last = request.kind === "list" ? await list(request.suite) : await measure(request);
} catch (error) {
  last = { kind: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
// A contender may have left workers or timers behind; the figures are complete, so they are not waited for.
process.send?.(last, () => process.exit(0));

async function list(suite: string): Promise<Answer> {
  const { name, scenarios } = await load(suite);
  const names = Object.keys(scenarios);
  const foreign = names.filter((scenario) => !scenario.startsWith(`${name}/`));
  if (foreign.length > 0)
    throw new Error(`names of the suite ${name} have to begin with "${name}/": ${foreign.join(", ")}`);
  return { kind: "scenarios", names };
}

async function measure({ suite, scenario: name, effort, other }: Request & { kind: "measure" }): Promise<Answer> {
  const send = (phase: string): void => void process.send?.({ kind: "phase", phase } satisfies Answer);
  send("prepare");
  const own = await make(suite, name);
  const others = new Map<Contender, string>();
  let scenario = own;
  if (other !== undefined) {
    const contender = await subjectOf(other, name);
    others.set(contender, other.revision);
    scenario = { ...own, peers: [contender] };
  }
  const versionOf = (contender: Contender): string => others.get(contender) ?? contenderVersion(contender, suite);
  return { kind: "rows", rows: await measureScenario(name, scenario, { effort, versionOf, progress: send }) };
}

async function load(suite: string): Promise<Suite> {
  const module = (await import(suite)) as { readonly suite?: Suite };
  if (module.suite === undefined) throw new Error(`${suite} exports no "suite"`);
  return module.suite;
}

async function make(suite: string, name: string): Promise<Scenario> {
  const { scenarios } = await load(suite);
  const maker = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
  if (maker === undefined) throw new Error(`${suite} has no scenario ${name}`);
  return maker();
}

/**
 * Our side of the other revision. Today's suite against the old packages is the same work on both sides; where the
 * packages' interface has changed since, that revision's own suite is taken.
 */
async function subjectOf({ suites, revision }: OtherRevision, name: string): Promise<Contender> {
  const reasons: unknown[] = [];
  for (const suite of suites) {
    try {
      const { subject } = await make(suite, name);
      await subject.setup?.();
      try {
        await subject.run();
      } finally {
        await subject.teardown?.();
      }
      return { ...subject, name: `${subject.name}@${revision}` };
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : error);
    }
  }
  throw new Error(`${revision} cannot run ${name}: ${reasons.join("; ")}`);
}
