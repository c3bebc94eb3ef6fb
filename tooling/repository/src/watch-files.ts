/** Waits for edits of the files that git tracks, or would: not for what builds and tests write. */

import { execFileSync } from "node:child_process";
import { statSync, watch } from "node:fs";
import { join } from "node:path";

/** Knows of edits from the time it was made until it is disposed of. */
export interface FileWatcher extends AsyncDisposable {
  /**
   * Resolves with true after an edit since the last one that was reported, with false when the signal comes first. One
   * call at a time.
   */
  change(signal: AbortSignal): Promise<boolean>;
}

/** An editor writes several files in a row, or one file in several steps. */
const quietMs = 100;
const ignored = /(?:^|\/)(?:node_modules|\.git|\.turbo|dist|\.examples)(?:\/|$)/u;

/** Watches a repository from now on. */
export function watchFiles(root: string): FileWatcher {
  let reported = fileStates(root);
  let look = (): void => {};
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(root, { recursive: true, ignore: ignored }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => look(), quietMs);
  });
  return {
    change: (signal) =>
      new Promise((resolve, reject) => {
        const end = (isChanged: boolean): void => {
          look = () => {};
          signal.removeEventListener("abort", stop);
          resolve(isChanged);
        };
        const stop = (): void => end(false);
        signal.addEventListener("abort", stop);
        watcher.once("error", reject);
        look = () => {
          const states = fileStates(root);
          if (states === reported) return;
          reported = states;
          end(true);
        };
        if (signal.aborted) stop();
        // What happened between two calls.
        else look();
      }),
    [Symbol.asyncDispose]: async () => {
      clearTimeout(timer);
      watcher.close();
    },
  };
}

/** Path, size and time of change of every file that git does not ignore, as one text. */
function fileStates(root: string): string {
  const words = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const paths = execFileSync("git", words, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }).split("\0");
  return paths
    .map((path) => {
      const stat = statSync(join(root, path), { throwIfNoEntry: false });
      return `${path} ${stat?.size} ${stat?.mtimeMs}`;
    })
    .join("\n");
}
