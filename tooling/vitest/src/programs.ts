/**
 * Programs of the machine that tests drive (openssl, mosquitto, ...).
 *
 * A missing program skips its tests and says how to install it; with LATCHKEY_REQUIRE_PROGRAMS set (as `.ci/run`
 * does) a missing program is an error instead, so that a skip cannot hide there.
 */

import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Every program that tests start, by themselves or through what they test, and the Debian package that installs it. What
 * every Linux has is not here: `/bin/sh` and `/usr/bin/env`.
 */
const debianPackages = {
  aws: "awscli",
  bash: "bash",
  chromium: "chromium",
  curl: "curl",
  fish: "fish",
  git: "git",
  "gnutls-cli": "gnutls-bin",
  "gnutls-serv": "gnutls-bin",
  mosquitto: "mosquitto",
  mosquitto_pub: "mosquitto-clients",
  mosquitto_rr: "mosquitto-clients",
  mosquitto_sub: "mosquitto-clients",
  mount: "mount",
  openssl: "openssl",
  prlimit: "util-linux",
  ps: "procps",
  script: "bsdutils",
  setpriv: "util-linux",
  stdbuf: "coreutils",
  tar: "tar",
  taskset: "util-linux",
  umount: "mount",
  unshare: "util-linux",
  zsh: "zsh",
} as const;

export type ProgramName = keyof typeof debianPackages;

export const programNames: readonly ProgramName[] = Object.keys(debianPackages) as ProgramName[];

/** A program that was looked for on PATH (and in the sbin folders, where Debian puts servers). */
export interface Program {
  /** Absolute path, or undefined where the machine lacks it. */
  readonly path: string | undefined;
  /** What a skipped test says: the command that installs the program. */
  readonly skipReason: string;
}

/** Finds a program. Throws where programs are required (LATCHKEY_REQUIRE_PROGRAMS) and it is missing. */
export function findProgram(name: ProgramName): Program {
  const program = lookForProgram(name);
  if (program.path === undefined && process.env["LATCHKEY_REQUIRE_PROGRAMS"] !== undefined) {
    throw new Error(program.skipReason);
  }
  return program;
}

/** Finds a program, or says how to install it. */
export function lookForProgram(name: ProgramName): Program {
  const skipReason = `${name} is not installed: apt-get install ${debianPackages[name]}`;
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return { path, skipReason };
    } catch {
      continue;
    }
  }
  return { path: undefined, skipReason };
}

/** Debian's Python with Eclipse Paho, which is a library and has no program of its own. As `findProgram`. */
export function findPaho(): Program {
  const python = "/usr/bin/python3";
  const skipReason = "Eclipse Paho is not installed: apt-get install python3-paho-mqtt";
  const isThere = spawnSync(python, ["-c", "import paho.mqtt.client"]).status === 0;
  if (!isThere && process.env["LATCHKEY_REQUIRE_PROGRAMS"] !== undefined) throw new Error(skipReason);
  return { path: isThere ? python : undefined, skipReason };
}

/** What a finished program said. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program under way. */
export interface Started {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined;
  readonly finished: Promise<Finished>;
  /** Resolves when standard output and error together match; rejects where the program ends without. */
  saw(pattern: RegExp): Promise<string>;
  kill(signal?: NodeJS.Signals): void;
}

/** How to start a program. */
export interface StartOptions {
  /** Written to standard input, which is then closed; without it standard input stays open and silent. */
  readonly input?: string | Uint8Array;
  /** Leaves standard input open behind the input: some programs end with it, whatever still comes for them. */
  readonly keepsInputOpen?: boolean;
  readonly cwd?: string;
  /** After this long it is killed. Default 60 seconds, which a loaded machine stays well below. */
  readonly timeoutMs?: number;
}

/** Starts a program without a shell. It is killed when its time is up, so no test leaves one behind. */
export function startProgram(path: string, words: readonly string[], options: StartOptions = {}): Started {
  const { input, keepsInputOpen = false, cwd, timeoutMs = 60_000 } = options;
  const child = spawn(path, words, { cwd, stdio: "pipe" });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const waiting = new Set<() => void>();
  let stdout = "";
  let stderr = "";
  const said = (): void => {
    for (const look of waiting) look();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    said();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    said();
  });
  child.stdin.on("error", () => {});
  if (input !== undefined) child.stdin.write(input);
  if (input !== undefined && !keepsInputOpen) child.stdin.end();
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
  return {
    pid: child.pid,
    finished,
    saw: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(stdout) ?? pattern.exec(stderr);
          if (found === null) return;
          waiting.delete(look);
          resolve(found[0]);
        };
        waiting.add(look);
        look();
        finished.then(() => reject(new Error(`${path} ended without ${pattern}: ${stdout}${stderr}`)), reject);
      }),
    kill: (signal) => child.kill(signal),
  };
}

/** Runs a program to its end. */
export function runProgram(path: string, words: readonly string[], options: StartOptions = {}): Promise<Finished> {
  return startProgram(path, words, { input: "", ...options }).finished;
}
