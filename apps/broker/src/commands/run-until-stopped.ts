/** Signals of `latchkey start`: SIGHUP reads the configuration again, SIGTERM and SIGINT drain, a second one ends at once. */

import { messageOf } from "@latchkey/command-line";
import { changedNames, readSettings, type StartFlags, type StartSettings } from "../configuration/settings.ts";
import type { OpenedLog } from "../observability/open-log.ts";
import type { RunningBroker } from "../run-broker.ts";

/** What runs, and with what. */
export interface RunOptions {
  readonly flags: StartFlags;
  readonly settings: StartSettings;
  readonly opened: OpenedLog;
  readonly start: () => Promise<RunningBroker>;
}

const stopSignals = ["SIGTERM", "SIGINT"] as const;

/**
 * Runs a broker until a signal ends it. Resolves when it has stopped in good order. Where that takes longer than `shutdownTimeoutMs`, or
 * a second signal comes, the process ends with exit code 1.
 */
export async function runUntilStopped({ flags, settings, opened, start }: RunOptions): Promise<void> {
  const { log } = opened;
  const { promise: started, resolve: hasStarted } = Promise.withResolvers<RunningBroker>();
  // What comes while the broker starts is done when it runs: it has been given its limits already.
  let reloading: Promise<unknown> = started;
  const onReload = (): void => {
    reloading = reloading.then(async () => reload(await started, flags, settings, opened));
  };
  process.on("SIGHUP", onReload);
  try {
    const stopped = new Promise<string>((resolve) => {
      for (const name of stopSignals) process.once(name, resolve);
    });
    const broker = await start();
    hasStarted(broker);
    log.info({ signal: await stopped }, "stopping");
    for (const signal of stopSignals) {
      process.once(signal, () => {
        log.warn({ signal }, "a second signal: what is not done yet is left");
        process.exit(1);
      });
    }
    const late = setTimeout(() => {
      log.error({ shutdownTimeoutMs: settings.fixed.shutdownTimeoutMs }, "the broker did not stop in time");
      process.exit(1);
    }, settings.fixed.shutdownTimeoutMs);
    await broker[Symbol.asyncDispose]();
    clearTimeout(late);
  } finally {
    process.off("SIGHUP", onReload);
  }
}

/** Takes what can change while the broker runs, and names what cannot. A file that is wrong changes nothing. */
async function reload(
  broker: RunningBroker,
  flags: StartFlags,
  atStart: StartSettings,
  { log, writer }: OpenedLog,
): Promise<void> {
  try {
    writer.reopen();
  } catch (error) {
    log.error({ reason: messageOf(error) }, "the file of the log cannot be opened again");
  }
  try {
    const { fixed, live } = await readSettings(flags);
    log.level = live.logLevel;
    await broker.reload(live);
    const settings = changedNames(atStart.fixed, fixed);
    if (settings.length > 0) log.warn({ settings }, "these settings change with the next start alone");
    log.info("the configuration was read again");
  } catch (error) {
    log.error({ reason: messageOf(error) }, "the configuration stays as it was");
  }
}
