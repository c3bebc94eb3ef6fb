/**
 * Long work with its progress on standard error: a line that moves in a terminal, a plain line in a pipe or a file, and nothing where the
 * command answers with JSON.
 */

import { setTimeout } from "node:timers/promises";
import { remark } from "./data-option.ts";

/** Says how far the work is. */
export type Report = (progress: string) => void;

type Body<T> = (report: Report) => Promise<T>;

/** The figures in a terminal are at most so old. */
const reportEveryMs = 100;
/** Work that is done before this time needs no line. */
const patienceMs = 1000;

/** Runs `body` under a title that stays. `isQuiet`: no progress at all. Throws what `body` throws. */
export async function withProgress<T>(title: string, isQuiet: boolean, body: Body<T>): Promise<T> {
  if (!isQuiet && canMoveLines()) return inTerminal(title, { isPassing: false }, body);
  if (!isQuiet) remark(title);
  return body(() => {});
}

/**
 * The same for work that is long with many certificates alone: the line appears after a second, goes away at the end, and there is none outside a
 * terminal.
 */
export async function withPassingProgress<T>(title: string, isQuiet: boolean, body: Body<T>): Promise<T> {
  if (isQuiet || !canMoveLines()) return body(() => {});
  let show: Report | undefined;
  const work = body((progress) => show?.(progress));
  const isLong = await Promise.race([work.then(() => false), setTimeout(patienceMs, true, { ref: false })]);
  if (!isLong) return work;
  return inTerminal(title, { isPassing: true }, (report) => {
    show = report;
    return work;
  });
}

/** Whether standard error is a terminal of a known size (0 is an unknown one) in which a line can be written over. */
function canMoveLines(): boolean {
  const { isTTY, columns, rows } = process.stderr;
  return isTTY && columns > 0 && rows > 0 && process.env["TERM"] !== "dumb";
}

/** listr2 is loaded here alone, so that no other command waits for it. */
async function inTerminal<T>(title: string, { isPassing }: { readonly isPassing: boolean }, body: Body<T>): Promise<T> {
  const { Listr, ListrLogger, ProcessOutput } = await import("listr2");
  let result: { readonly value: T } | undefined;
  const tasks = new Listr(
    {
      title,
      task: async (_, task) => {
        let reportedMs = 0;
        const value = await body((progress) => {
          const nowMs = performance.now();
          if (nowMs - reportedMs < reportEveryMs) return;
          reportedMs = nowMs;
          task.title = `${title}: ${progress}`;
        });
        task.title = title;
        result = { value };
      },
    },
    {
      renderer: "default",
      // Ctrl-C ends the program as it does anywhere else.
      registerSignalListeners: false,
      rendererOptions: {
        // The refusal is printed once, in the form that all have.
        showErrorMessage: false,
        clearOutput: isPassing,
        logger: new ListrLogger({
          useIcons: true,
          toStderr: [],
          processOutput: new ProcessOutput(process.stderr, process.stderr, { leaveEmptyLine: false }),
        }),
      },
    },
  );
  await tasks.run();
  if (result === undefined) throw new TypeError("the work has ended without a result");
  return result.value;
}
