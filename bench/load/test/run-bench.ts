/** Runs the bench and the broker with faults, each in a process of its own, as a user runs it. */

import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProgram, type Finished, type Started } from "@latchkey/tooling-vitest/programs";
import { expect } from "vitest";
import type { LoadFile, LoadResult } from "../src/result.ts";
import type { Faults } from "./test-broker.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const broker = fileURLToPath(new URL("test-broker.ts", import.meta.url));

const folder = join(tmpdir(), `latchkey-load-${randomUUID()}`);
const running = new Set<Started>();

/** For `afterAll` of each file that uses this one: ends what it has started, and removes what was written. */
export function endBenches(): void {
  for (const started of running) started.kill("SIGKILL");
  running.clear();
  rmSync(folder, { recursive: true, force: true });
}

let files = 0;
/** The name of a file that is not there yet. */
export function newFile(): string {
  mkdirSync(folder, { recursive: true });
  return join(folder, `result-${files++}.json`);
}

/** The words behind the name of Node that run the bench. */
export const benchWords = (...words: string[]): string[] => ["--conditions=@latchkey/source", main, ...words];

/** Starts the bench. A cold cache makes certificates first, and a busy machine takes its time. */
export function startBench(...words: string[]): Started {
  const started = startProgram(process.execPath, benchWords(...words), {
    timeoutMs: 110_000,
  });
  running.add(started);
  return started;
}

export const bench = (...words: string[]): Promise<Finished> => startBench(...words).finished;

/** Starts the broker with faults; gives its URL. It ends with the test file. */
export async function startTestBroker(faults: Faults = {}): Promise<string> {
  const words = ["--conditions=@latchkey/source", broker, JSON.stringify(faults)];
  const started = startProgram(process.execPath, words, { timeoutMs: 110_000 });
  running.add(started);
  const port = /ready (\d+)/.exec(await started.saw(/ready \d+\n/))?.[1];
  return `mqtt://127.0.0.1:${port}`;
}

export const readFile = (file: string): LoadFile => JSON.parse(readFileSync(file, "utf8"));

/** Runs the bench to its end with exit code 0 and gives its only entry. */
export async function measure(...words: string[]): Promise<LoadResult> {
  const [result] = await measureAll(...words);
  if (result === undefined) throw new Error("no entry");
  return result;
}

/** All entries. What is owed is received or lost, in each of them. */
export async function measureAll(...words: string[]): Promise<readonly LoadResult[]> {
  const file = newFile();
  const { code, stderr } = await bench(...words, "--no-pin", "--json", file);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { results } = readFile(file);
  for (const result of results) expectBalance(result);
  return results;
}

/** The equation that every entry keeps, by counters on one side and by the ledger on the other. */
export function expectBalance({ sent, received, lost, ledger, errors }: LoadResult): void {
  expect(sent).toBe(received + lost);
  expect(lost).toBe(ledger.notSent + ledger.missing + ledger.failed + ledger.unfinished);
  expect(Object.keys(errors)).not.toContain("counters and ledger differ");
}
