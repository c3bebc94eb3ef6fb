/** What a program does when nobody can take its text any more. */

/**
 * Calls `lose` when standard output or standard error takes no more text: with a sentence that says why, for instance that the disk
 * is full, or with undefined where the reader has gone, as `head` does when it has seen enough.
 */
export function watchOutput(lose: (reason: string | undefined) => void): void {
  for (const [stream, name] of [
    [process.stdout, "standard output"],
    [process.stderr, "standard error"],
  ] as const) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // A terminal that was closed gives EIO.
      const hasGone = error.code === "EPIPE" || error.code === "EIO";
      lose(hasGone ? undefined : `${name} cannot be written: ${error.message}`);
    });
  }
}
