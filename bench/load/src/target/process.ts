/** Processes that the bench starts: pinned, waited for, watched, and stopped whatever happens. */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { accessSync, constants, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { LoadError } from "../errors.ts";

/** A started process. */
export interface RunningProcess {
  readonly pid: number;
  /** What it wrote to standard output that matched. */
  readonly ready: RegExpExecArray;
  /** Resolves with a sentence when it ends although `stop` was not called. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** How to start a process. */
export interface ProcessOptions {
  readonly name: string;
  readonly path: string;
  readonly words: readonly string[];
  readonly cores: string | undefined;
  /** Matched against standard output and standard error together; the process is ready when it matches. */
  readonly ready: RegExp;
  readonly cwd?: string;
}

const readyTimeoutMs = 60_000;
/** How long a process may take to end after SIGTERM. */
const stopTimeoutMs = 5000;
/** What is kept of its output for messages. */
const keptOutput = 4000;

const running = new Set<ChildProcess>();
const folders = new Set<string>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders) removeRunFolder(folder);
});

/** Starts a process in a process group of its own, so that Ctrl-C reaches the bench alone. Throws `ERR_LOAD_TARGET`. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { name, cores, cwd } = options;
  const taskset = cores === undefined ? undefined : findProgram("taskset");
  // The kernel ends the target where the bench is killed and cannot do it.
  const setpriv = findProgram("setpriv");
  const [path = options.path, ...words] = [
    ...(setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL"]),
    ...(taskset === undefined || cores === undefined ? [] : [taskset, "-c", cores]),
    options.path,
    ...options.words,
  ];
  const child = spawn(path, words, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  let isStopping = false;
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`${name} could not be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      running.delete(child);
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
      const lines = output
        .trim()
        .replaceAll(/(SECRET_ACCESS_KEY=)\S+/g, "$1...")
        .split("\n");
      const said = output.trim() === "" ? "" : `; it said last: ${lines.slice(-3).join(" / ")}`;
      if (!isStopping) resolve(`${name} ended ${how}${said}`);
    });
  });
  const ready = await new Promise<RegExpExecArray>((resolve, reject) => {
    const fail = (message: string): void => {
      isStopping = true;
      child.kill("SIGKILL");
      reject(new LoadError("ERR_LOAD_TARGET", message));
    };
    const timer = setTimeout(() => fail(`${name} was not ready within ${readyTimeoutMs / 1000} s`), readyTimeoutMs);
    const hear = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-keptOutput);
      const match = options.ready.exec(output);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    void ended.then((sentence) => {
      clearTimeout(timer);
      fail(sentence);
    });
  });
  const stop = async (): Promise<void> => {
    isStopping = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await exit;
    clearTimeout(timer);
  };
  if (child.pid === undefined) throw new LoadError("ERR_LOAD_TARGET", `${name} has no process`);
  return { pid: child.pid, ready, ended, stop };
}

/** A program on PATH, or in the folders where Debian puts servers. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** A TCP port of the loopback interface that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = address !== null && typeof address !== "string" ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

const folderPrefix = "latchkey-bench-";
/** Room for the registry of 100,000 devices. Containers often have 64 MiB of /dev/shm. */
const wantedOctets = 256 * 2 ** 20;

/**
 * A new folder in memory where the machine has room for one, else in the folder for temporary files. Its name has the number of
 * this process; folders of benches that were killed are removed by it.
 */
export function makeRunFolder(): string {
  const parents = ["/dev/shm", tmpdir()];
  for (const parent of parents.toSorted((a, b) => Number(hasRoom(b)) - Number(hasRoom(a)))) {
    try {
      const folder = mkdtempSync(join(parent, `${folderPrefix}${process.pid}-`));
      removeAbandoned(parent);
      folders.add(folder);
      return folder;
    } catch {
      continue;
    }
  }
  throw new LoadError("ERR_LOAD_MACHINE", `no folder for temporary files can be made in /dev/shm or ${tmpdir()}`);
}

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= wantedOctets;
  } catch {
    return false;
  }
}

function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, owner] = name.startsWith(folderPrefix) ? (/-(\d+)-[^-]+$/.exec(name) ?? []) : [];
    if (owner !== undefined && !isProcess(Number(owner))) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Whether a process of this number runs, of whichever user. */
export function isProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** Removes a folder of `makeRunFolder`. */
export function removeRunFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Which cores the target and the generator run on. */
export interface CorePlan {
  readonly target: string | undefined;
  /** How many cores the generator may use. */
  readonly generatorCores: number;
  readonly note: string;
}

/**
 * Gives the target the first core and the generator, which is this process with all its threads, the others. Without
 * taskset, or with one core, nobody is pinned; the note says which it was.
 */
export function pinGenerator(isWanted: boolean): CorePlan {
  const cores = availableParallelism();
  const taskset = findProgram("taskset");
  const free = (note: string): CorePlan => ({ target: undefined, generatorCores: cores, note });
  if (!isWanted) return free("nothing is pinned (--no-pin)");
  if (cores < 2) return free("nothing is pinned: the machine has one core");
  if (taskset === undefined) return free("nothing is pinned: taskset is missing (util-linux)");
  const generator = cores === 2 ? "1" : `1-${cores - 1}`;
  const { status } = spawnSync(taskset, ["-a", "-c", "-p", generator, String(process.pid)], { stdio: "ignore" });
  if (status !== 0) return free("nothing is pinned: taskset was refused");
  return {
    target: "0",
    generatorCores: cores - 1,
    note: `the target is pinned to core 0, the generator to ${cores === 2 ? "core 1" : `cores ${generator}`}`,
  };
}
