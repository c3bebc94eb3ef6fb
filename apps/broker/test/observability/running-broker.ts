/** `latchkey start` as a process of its own, with devices that may do what a policy says. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runProgram } from "@latchkey/tooling-vitest/programs";
import type { Access } from "../mqtt-session.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const conditions = "--conditions=@latchkey/source";

/** A data directory, and the broker that runs on it. Disposing kills it and removes its files. */
export class BrokerProcess implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "latchkey-observed-"));
  readonly data: string = join(this.folder, "data");
  #child: ChildProcess | undefined;
  #lines: string[] = [];
  #devices = 0;
  readonly #maximumOpenFiles: number | undefined;
  readonly #control: readonly string[];

  /** `maximumOpenFiles`: a limit of the system's for the broker, where it is to have one. */
  constructor({
    maximumOpenFiles,
    hasControlPlane = false,
  }: { readonly maximumOpenFiles?: number; readonly hasControlPlane?: boolean } = {}) {
    this.#maximumOpenFiles = maximumOpenFiles;
    this.#control = hasControlPlane ? [] : ["--no-control"];
  }

  /** The process. Its standard error is a pipe that nobody reads unless `readLog` is called. */
  get child(): ChildProcess {
    if (this.#child === undefined) throw new Error("the broker was not started");
    return this.#child;
  }

  /** What standard output said. */
  get said(): readonly string[] {
    return this.#lines;
  }

  /** Starts the broker, and gives its port when it is ready. */
  async start(...words: string[]): Promise<number> {
    mkdirSync(this.data, { recursive: true });
    const all = [conditions, main, "start", "--data", this.data, "--port", "0", ...this.#control, ...words];
    const stdio = ["ignore", "pipe", "pipe"] as const;
    this.#child =
      this.#maximumOpenFiles === undefined
        ? spawn(process.execPath, all, { stdio: [...stdio] })
        : spawn("sh", ["-c", `ulimit -n ${this.#maximumOpenFiles} && exec "$@"`, "sh", process.execPath, ...all], {
            stdio: [...stdio],
          });
    this.#lines = [];
    const { stdout } = this.child;
    if (stdout === null) throw new Error("no standard output");
    return new Promise((resolve, reject) => {
      createInterface({ input: stdout }).on("line", (line) => {
        this.#lines.push(line);
        const port = /^ready mqtts:\/\/[^ ]*:([0-9]+)$/.exec(line)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
      this.child.once("exit", (code) => reject(new Error(`the broker ended with ${code}`)));
    });
  }

  /** Has standard error read from now on; gives its lines as they are. */
  readLog(): Record<string, unknown>[] {
    const { stderr } = this.child;
    if (stderr === null) throw new Error("no standard error");
    const lines: Record<string, unknown>[] = [];
    createInterface({ input: stderr }).on("line", (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
    return lines;
  }

  /** Ends the process, and gives its exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, "exit");
      this.child.kill(signal);
      await exited;
    }
    return this.child.exitCode;
  }

  /** Runs a command on the data directory. */
  async latchkey(...words: string[]): Promise<string> {
    const all = [conditions, main, ...words, "--data", this.data];
    const { code, stdout, stderr } = await runProgram(process.execPath, all, { timeoutMs: 120_000 });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }

  /** A device with a certificate of its own. The broker must have been started once. */
  async device(statements: readonly object[]): Promise<Omit<Access, "port"> & { readonly certificateId: string }> {
    const name = `device-${++this.#devices}`;
    const document = join(this.folder, `${name}.json`);
    writeFileSync(document, JSON.stringify({ Version: "2012-10-17", Statement: statements }));
    await this.latchkey("policy", "create", "--name", name, "--document", document, "--force");
    const out = join(this.folder, name);
    const words = ["certificate", "create", "--common-name", name, "--policy", name, "--out", out];
    const certificateId = (await this.latchkey(...words)).trim();
    const read = (file: string): Buffer => readFileSync(join(out, file));
    return { ca: read("root-ca.pem"), cert: read("certificate.pem"), key: read("private.key"), certificateId };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await this.end("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A statement that allows all. */
export const everything = { Effect: "Allow", Action: "iot:*", Resource: "*" };
