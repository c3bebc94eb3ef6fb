/** What all commands on a data directory share. */

import { defaultDataDirectory, openExistingDirectory, type DataDirectory } from "../data-directory/data-directory.ts";

/** The data directory of a command that can also be asked of an endpoint. */
export function dataDirectoryOf({ data }: { readonly data?: string | undefined }): string {
  return data ?? defaultDataDirectory;
}

/** Runs `body` on an opened data directory and closes it again. */
export async function withDataDirectory<T>(directory: string, body: (data: DataDirectory) => Promise<T>): Promise<T> {
  const data = await openExistingDirectory(directory, () => new Date());
  try {
    return await body(data);
  } finally {
    await data[Symbol.asyncDispose]();
  }
}

/** Prints a line of what was asked for. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a remark for the person at the terminal, which scripts need not read. */
export function remark(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Calls `end` when nobody wants more of what a command prints: at SIGINT, and where standard output cannot be written any more. */
export function whenUnwanted(end: () => void): void {
  process.once("SIGINT", end);
  process.stdout.once("error", end);
}
