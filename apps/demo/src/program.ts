/** Starts the two apps as processes of their own, from their sources, as a user would from a shell. */

import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The two apps. */
export type App = "broker" | "button";

/** What a finished program said. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const timeoutMs = 30_000;
const compileCache = fileURLToPath(new URL("../node_modules/.cache/compile", import.meta.url));

function start(app: App, words: readonly string[]): ChildProcess {
  const main = fileURLToPath(new URL(`../../${app}/src/main.ts`, import.meta.url));
  return spawn(process.execPath, ["--conditions=@latchkey/source", main, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    // Every program is a new process, and most of a short one's time goes into reading sources.
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
  });
}

/** Runs a program to its end. */
export function run(app: App, ...words: string[]): Promise<Finished> {
  return runLines(app, words, () => {});
}

/** The same; `onLine` gets each line of standard output when it comes. */
export function runLines(app: App, words: readonly string[], onLine: (line: string) => void): Promise<Finished> {
  const child = start(app, words);
  let stdout = "";
  let stderr = "";
  let told = 0;
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    for (let end = stdout.indexOf("\n", told); end >= 0; end = stdout.indexOf("\n", told)) {
      onLine(stdout.slice(told, end));
      told = end + 1;
    }
  });
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** A line of the broker's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A control plane, and an administrator's key. */
interface ControlPlane {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A broker that is ready. */
export interface RunningProcess {
  /** The port for MQTT. */
  readonly port: number;
  /** The port for HTTPS. */
  readonly httpsPort: number;
  /** The control plane, and the key that the first start has made. */
  readonly control: ControlPlane | undefined;
  /** The log so far, parsed, one object a line. */
  readonly log: readonly LogLine[];
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the broker on free ports and waits for its last ready line, the one of MQTT. */
export async function startBroker(...words: string[]): Promise<RunningProcess> {
  const child = start("broker", ["start", "--port", "0", ...words]);
  const log: LogLine[] = [];
  let stdout = "";
  let unfinished = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    const lines = (unfinished + chunk.toString()).split("\n");
    unfinished = lines.pop() ?? "";
    for (const line of lines) log.push(parseLine(line));
  });
  const ports = await new Promise<{ mqtts: number; https: number }>((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.once("close", () => reject(new Error(`the broker ended: ${JSON.stringify(log)}`)));
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      const mqtts = readyPort(stdout, "mqtts");
      const https = readyPort(stdout, "https");
      if (mqtts === undefined || https === undefined) return;
      clearTimeout(timer);
      resolve({ mqtts, https });
    });
  });
  child.removeAllListeners("close");
  return {
    port: ports.mqtts,
    httpsPort: ports.https,
    control: controlPlaneIn(stdout),
    log,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) resolve(child.exitCode);
        child.once("exit", (code) => resolve(code));
        child.kill("SIGTERM");
      }),
  };
}

function readyPort(stdout: string, name: "mqtts" | "https"): number | undefined {
  const found = new RegExp(`^ready ${name}://.*:(\\d+)$`, "m").exec(stdout);
  return found === null ? undefined : Number(found[1]);
}

function controlPlaneIn(stdout: string): ControlPlane | undefined {
  const [, url] = /^control (http\S+)$/m.exec(stdout) ?? [];
  const [, accessKeyId, secretAccessKey] =
    /^administrator AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+)$/m.exec(stdout) ?? [];
  if (url === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { url, accessKeyId, secretAccessKey };
}

function parseLine(line: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : { msg: line };
  } catch {
    return { msg: line };
  }
}
