/**
 * Another revision of this repository, built in a git worktree of its own, so that both revisions can take turns in one
 * process. The worktree is temporary and goes with `remove`.
 *
 * Its node_modules links the packages that are installed here; only where the lock files name other versions they are
 * installed anew. Links of our own packages point into the worktree.
 */

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How to check a revision out. */
export interface CheckoutOptions {
  /** The checkout that the revision is compared with. */
  readonly root: string;
  /** Whether packages have to be built; not where sources are run. */
  readonly build: boolean;
  readonly signal?: AbortSignal;
  readonly progress?: (phase: string) => void;
}

/** A revision that can be measured. */
export interface RevisionCheckout {
  /** Twelve digits of the commit. */
  readonly revision: string;
  /**
   * Modules that may have a suite, in the order to try them: today's suite against that revision's packages, then that
   * revision's own.
   */
  suiteModules(suite: string): string[];
  /** Removes the worktree. */
  remove(): Promise<void>;
}

/** Checks a revision out and prepares it. Rejects where it is no commit, or where it cannot be installed or built. */
export async function checkOutRevision(revision: string, options: CheckoutOptions): Promise<RevisionCheckout> {
  const { root, build, signal, progress = () => {} } = options;
  const words = ["rev-parse", "--verify", "--quiet", "--short=12", "--end-of-options", `${revision}^{commit}`];
  const { stdout } = await run("git", words, { cwd: root }).catch(() => {
    throw new Error(`--compare ${revision}: that is no commit of this repository; "git log --oneline" lists them`);
  });
  const commit = stdout.trim();
  const folder = mkdtempSync(join(tmpdir(), `latchkey-${commit}-`));
  const remove = async (): Promise<void> => {
    await run("git", ["worktree", "remove", "--force", folder], { cwd: root }).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
    await run("git", ["worktree", "prune"], { cwd: root }).catch(() => {});
  };
  const step = async (phase: string, program: string, ...rest: string[]): Promise<void> => {
    progress(phase);
    const env = { ...process.env, PATH: [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter) };
    const cwd = program === "git" ? root : folder;
    await run(program, rest, { cwd, env, maxBuffer: 2 ** 26, ...(signal === undefined ? {} : { signal }) });
  };
  try {
    await step(`check out ${commit}`, "git", "worktree", "add", "--detach", folder, commit);
    if (hasSamePackages(root, folder)) linkPackages(root, folder);
    else await step(`install the packages of ${commit}`, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
    if (build) await step(`build ${commit}`, "npm", "run", "--silent", "build");
    const micro = join(folder, "bench/micro");
    cpSync(join(root, "bench/micro/src"), join(micro, "todays-src"), { recursive: true });
    return {
      revision: commit,
      suiteModules: (suite) =>
        ["todays-src", "src"].map((source) => pathToFileURL(join(micro, source, "suites", `${suite}.ts`)).href),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

interface LockedPackage {
  readonly version?: string;
  /** For a link, the folder of the workspace. */
  readonly resolved?: string;
  readonly link?: boolean;
}

function lockedPackages(root: string): [path: string, locked: LockedPackage][] {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages?: Record<string, LockedPackage>;
  };
  return Object.entries(lock.packages ?? {}).filter(([path]) => path.includes("node_modules/"));
}

/** Whether everything that the other revision needs is installed here at the same version. */
function hasSamePackages(here: string, other: string): boolean {
  const installed = new Map(lockedPackages(here).map(([path, { version }]) => [path, version]));
  return lockedPackages(other).every(([path, { version, link }]) => link === true || installed.get(path) === version);
}

function linkPackages(here: string, other: string): void {
  for (const [path, { link, resolved }] of lockedPackages(other)) {
    // What lies in the folder of another package comes with the link to that.
    if (path.lastIndexOf("node_modules/") > path.indexOf("node_modules/")) continue;
    const target = link === true && resolved !== undefined ? join(other, resolved) : join(here, path);
    if (!existsSync(target)) continue;
    mkdirSync(dirname(join(other, path)), { recursive: true });
    symlinkSync(target, join(other, path));
  }
  symlinkSync(join(here, "node_modules/.bin"), join(other, "node_modules/.bin"));
}
