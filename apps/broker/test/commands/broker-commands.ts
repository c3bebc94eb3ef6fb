/** The commands as clients of the API: on a data directory, at a running broker, and on files alone. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Finished, runProgram } from "@latchkey/tooling-vitest/programs";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";

export const main: string = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
export const account = "arn:aws:iot:us-east-1:000000000000";

/** Runs one command in a process of its own. */
export function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return runProgram("/usr/bin/env", [
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    process.execPath,
    "--conditions=@latchkey/source",
    main,
    ...words,
  ]);
}

/** What a command printed that has to succeed. */
export function done({ code, stdout, stderr }: Finished): string {
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** The text of a policy of one statement. */
export function policy(resource: string, action = "iot:Publish"): string {
  return JSON.stringify(
    { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: `${account}:${resource}` }] },
    undefined,
    2,
  );
}

/** Commands, and the broker that they ask. */
export class BrokerCommands implements AsyncDisposable {
  readonly plane: RunningControlPlane;
  /** A folder for what the commands read and write. */
  readonly scratch: string;

  private constructor(plane: RunningControlPlane) {
    this.plane = plane;
    this.scratch = mkdtempSync(join(tmpdir(), "latchkey-broker-commands-"));
  }

  static async start(): Promise<BrokerCommands> {
    return new BrokerCommands(await RunningControlPlane.start());
  }

  /** Runs a command on the data directory of the broker. */
  local(...words: string[]): Promise<Finished> {
    return run([...words, "--data", this.plane.directory]);
  }

  /** Runs a command at the endpoint of the broker, with the administrator's key. */
  remote(...words: string[]): Promise<Finished> {
    const { accessKeyId, secretAccessKey } = this.plane.administrator;
    return run(words, {
      AWS_ENDPOINT_URL_IOT: this.plane.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    });
  }

  /** Writes a file into the folder, and gives its path. */
  file(name: string, content: string): string {
    const path = join(this.scratch, name);
    writeFileSync(path, content);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plane[Symbol.asyncDispose]();
    rmSync(this.scratch, { recursive: true });
  }
}
