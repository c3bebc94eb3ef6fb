/**
 * A process that keeps one vitest instance warm and runs a package's tests against one mutant after the other. The
 * mutant takes the place of its source while vite loads it, so no file is ever changed. A mutant in an endless loop is
 * ended by killing this process and its workers, which `main.ts` does.
 */

import type { Plugin } from "vite";
import { BaseSequencer, createVitest, type TestSpecification } from "vitest/node";

/** What the parent asks: the tests with this file's source replaced, or the tests as they are. */
export interface Question {
  /** Absolute path. */
  readonly file?: string;
  readonly source?: string;
}

/** What the tests came to. */
export interface Answer {
  readonly failed: boolean;
  readonly tests: number;
  /** The first failure, in one line. */
  readonly failure: string | undefined;
}

let mutant: Question = {};

const plugin: Plugin = {
  name: "mutant",
  enforce: "pre",
  load: (id) => (id.split("?")[0] === mutant.file ? mutant.source : undefined),
};

/** The tests named after the changed file first, then the quick ones: most mutants end there. */
class NearestFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const name = mutant.file?.split("/").at(-1)?.replace(".ts", "");
    const cost = ({ moduleId }: TestSpecification): number =>
      moduleId.endsWith(`/${name}.test.ts`) ? -1 : (durations.get(moduleId) ?? 0);
    return specifications.toSorted((a, b) => cost(a) - cost(b));
  }
}

const durations = new Map<string, number>();
// Without `fsModuleCache: false` a source that was loaded before is not loaded again, and the mutant never takes its place.
const vitest = await createVitest(
  { watch: false, bail: 1, fsModuleCache: false, silent: true, reporters: [{}], sequence: { sequencer: NearestFirst } },
  { plugins: [plugin] },
);
const specifications = await vitest.globTestSpecifications();

process.on("message", (question: Question) => void answer(question).then((result) => process.send?.(result)));
process.on("disconnect", () => process.exit());
process.send?.("ready");

async function answer(question: Question): Promise<Answer> {
  for (const file of [mutant.file, question.file]) if (file !== undefined) vitest.invalidateFile(file);
  mutant = question;
  const { testModules, unhandledErrors } = await vitest.rerunTestSpecifications(specifications, true);
  const tests = testModules.flatMap((module) => [...module.children.allTests()]);
  const failed = testModules.find((module) => module.state() === "failed");
  if (question.file === undefined) for (const m of testModules) durations.set(m.moduleId, m.diagnostic().duration);
  const message =
    tests.find((test) => test.result().state === "failed")?.fullName ??
    failed?.errors()[0]?.message ??
    (unhandledErrors[0] instanceof Error ? unhandledErrors[0].message : undefined);
  return { failed: failed !== undefined || unhandledErrors.length > 0, tests: tests.length, failure: message };
}
