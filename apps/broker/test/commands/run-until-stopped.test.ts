/** Signals that come while the broker starts. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runUntilStopped } from "../../src/commands/run-until-stopped.ts";
import { readSettings } from "../../src/configuration/settings.ts";
import type { OpenedLog } from "../../src/observability/open-log.ts";
import type { RunningBroker } from "../../src/run-broker.ts";

type Changes = Parameters<RunningBroker["reload"]>[0];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-signals-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Calls what was added for a signal since `before`, and no listener of the test runner. */
function signalled(name: "SIGHUP" | "SIGTERM", before: readonly unknown[]): void {
  for (const listener of process.listeners(name)) if (!before.includes(listener)) listener(name);
}

test("SIGHUP while the broker starts: what the file says then holds when it runs", async () => {
  const config = join(folder, "latchkey.json");
  writeFileSync(config, "{}");
  const settings = await readSettings({ config });
  const before = { hup: process.listeners("SIGHUP"), term: process.listeners("SIGTERM") };
  const reloads: Changes[] = [];
  const reloaded = Promise.withResolvers<void>();
  const made = Promise.withResolvers<RunningBroker>();
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const opened = { log, writer: { reopen: () => {} } } as unknown as OpenedLog;
  const ended = runUntilStopped({ flags: { config }, settings, opened, start: () => made.promise });
  writeFileSync(config, JSON.stringify({ limits: { process: { maximumConnections: 5 } } }));
  signalled("SIGHUP", before.hup);
  made.resolve({
    listening: [],
    controlUrl: undefined,
    metricsUrl: undefined,
    newAdministrator: undefined,
    reload: async (changes) => {
      reloads.push(changes);
      reloaded.resolve();
    },
    [Symbol.asyncDispose]: async () => {},
  });
  await reloaded.promise;
  expect(reloads).toMatchObject([{ listenerLimits: { maximumConnections: 5 } }]);
  await expect.poll(() => lines.join("")).toContain("the configuration was read again");
  signalled("SIGTERM", before.term);
  await ended;
});
